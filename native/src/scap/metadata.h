// Parsers of the lists at the start of a section: machine, interfaces, users, threads, descriptors
// (spec: scap-format, sections 4 to 8). Text fields are views of the block.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/bytes.h"

namespace sfkit::scap {

// Bytes of a host name in a capture, with its final NUL.
inline constexpr size_t kHostNameSize = 128;

struct MachineInfo {
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0;
  uint64_t max_pid = 0;
  std::string_view hostname;
  uint64_t boot_time = 0;  // ns since 1970; 0 before December 2022
  uint64_t flags = 0;      // no meaning assigned yet
};

struct ThreadEntry {
  int64_t tid = -1;
  int64_t pid = -1;
  int64_t ptid = -1;
  int64_t sid = -1;
  int64_t vpgid = -1;
  std::string_view comm;
  std::string_view exe;
  std::string_view exepath;
  std::string_view args;  // each NUL-terminated
  std::string_view cwd;
  int64_t fdlimit = -1;
  uint32_t flags = 0;  // PPM_CL_ bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t vmsize_kb = 0;
  uint32_t vmrss_kb = 0;
  uint32_t vmswap_kb = 0;
  uint64_t pfmajor = 0;  // page faults
  uint64_t pfminor = 0;
  std::string_view env;
  int64_t vtid = -1;
  int64_t vpid = -1;
  std::string_view cgroups;
  std::string_view root;
  uint64_t pidns_init_start_ts = 0;
  uint32_t tty = 0;
  uint32_t loginuid = UINT32_MAX;
  bool exe_writable = false;
  uint64_t cap_inheritable = 0;
  uint64_t cap_permitted = 0;
  uint64_t cap_effective = 0;
  bool exe_upper_layer = false;
  uint64_t exe_ino = 0;
  uint64_t exe_ino_ctime = 0;  // ns since 1970
  uint64_t exe_ino_mtime = 0;
  bool exe_from_memfd = false;
  bool exe_lower_layer = false;
  int64_t pgid = -1;
  size_t tail_size = 0;  // bytes after the fields of the first PL9; indicates the writer's age
};

// Descriptor types in capture files (spec: scap-format, section 6).
enum class FdType : uint8_t {
  kUnknown = 0,
  kFile = 1,
  kDirectory = 2,
  kIpv4 = 3,
  kIpv6 = 4,
  kIpv4Server = 5,
  kIpv6Server = 6,
  kFifo = 7,
  kUnix = 8,
  kEvent = 9,
  kUnsupported = 10,
  kSignal = 11,
  kEventPoll = 12,
  kInotify = 13,
  kTimer = 14,
  kNetlink = 15,
  kFileV2 = 16,
  kBpf = 17,
  kUserfault = 18,
  kIoUring = 19,
  kMemfd = 20,
  kPidfd = 21,
};

enum class L4 : uint8_t {
  kUnknown = 0,
  kNotAvailable = 1,
  kTcp = 2,
  kUdp = 3,
  kIcmp = 4,
  kRaw = 5
};

struct FdEntry {
  int64_t fd = -1;
  uint64_t inode = 0;
  FdType type = FdType::kUnknown;
  std::string_view name;
  uint32_t open_flags = 0;
  uint32_t device = 0;
  // Sockets: network byte order, IPv4 uses the first four bytes; servers use only the source.
  std::array<uint8_t, 16> source{};
  std::array<uint8_t, 16> destination{};
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  L4 l4 = L4::kUnknown;
  uint64_t unix_source = 0;
  uint64_t unix_destination = 0;
};

struct UserEntry {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string_view name;
  std::string_view home;
  std::string_view shell;
};

struct GroupEntry {
  uint32_t gid = 0;
  std::string_view name;
};

struct InterfaceEntry {
  bool ipv6 = false;
  std::array<uint8_t, 16> address{};
  std::array<uint8_t, 16> netmask{};
  std::array<uint8_t, 16> broadcast{};
  std::string_view name;
};

// Each parser passes every record to `visit`. It returns false at the first record that does not
// fit its block. `order` is the byte order of `body`.
bool parse_machine_info(Bytes body, ByteOrder order,
                        const std::function<void(const MachineInfo&)>& visit);
// `version` is 1 to 9.
bool parse_process_list(Bytes body, ByteOrder order, int version,
                        const std::function<void(const ThreadEntry&)>& visit);
bool parse_fd_list(Bytes body, ByteOrder order, bool sized_records,
                   const std::function<void(int64_t tid, const FdEntry&)>& visit);
bool parse_interface_list(Bytes body, ByteOrder order, bool sized_records,
                          const std::function<void(const InterfaceEntry&)>& visit);
bool parse_user_list(Bytes body, ByteOrder order, bool sized_records,
                     const std::function<void(const UserEntry&)>& user,
                     const std::function<void(const GroupEntry&)>& group);

}  // namespace sfkit::scap
