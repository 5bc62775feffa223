// The records that a driver delivers: SysFlow entities, events and flows (schema version 5).
//
// Records are views: all text, lists and pointers in them belong to the driver and are valid only
// during the callback. Copy what you keep. Captured text can have any bytes, including control
// characters and invalid UTF-8. Times are nanoseconds since 1970.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sfkit/address.h>

namespace sfkit {

// Operations of an event or flow, as bits. An event has exactly one, a flow all that happened.
enum class Operation : uint32_t {
  kClone = 1u << 0,
  kExec = 1u << 1,
  kExit = 1u << 2,
  kSetuid = 1u << 3,
  kSetns = 1u << 4,
  kAccept = 1u << 5,
  kConnect = 1u << 6,
  kOpen = 1u << 7,
  kReadRecv = 1u << 8,
  kWriteSend = 1u << 9,
  kClose = 1u << 10,
  kTruncate = 1u << 11,
  kShutdown = 1u << 12,
  kMmap = 1u << 13,
  kDigest = 1u << 14,
  kMkdir = 1u << 15,
  kRmdir = 1u << 16,
  kLink = 1u << 17,
  kUnlink = 1u << 18,
  kSymlink = 1u << 19,
  kRename = 1u << 20,
};

// A set of operations.
class Operations {
 public:
  constexpr Operations() = default;
  constexpr explicit Operations(uint32_t bits) : bits_(bits) {}
  constexpr bool has(Operation operation) const {
    return (bits_ & static_cast<uint32_t>(operation)) != 0;
  }
  // The value of `opFlags` in SysFlow files.
  constexpr uint32_t bits() const { return bits_; }
  constexpr bool operator==(const Operations&) const = default;

 private:
  uint32_t bits_ = 0;
};

// Why an entity record was emitted: first seen, changed, or repeated after a header.
enum class ObjectState : uint8_t { kCreated, kModified, kReup };

enum class ContainerType : uint8_t {
  kDocker = 0,
  kLxc = 1,
  kLibvirtLxc = 2,
  kMesos = 3,
  kRkt = 4,
  kCustom = 5,
  kCri = 6,
  kContainerd = 7,
  kCrio = 8,
  kBpm = 9,
  kOther = 255,  // not in the SysFlow schema; written to files as kCustom
};

enum class FileType : uint8_t {
  kFile = 'f',
  kDirectory = 'd',
  kUnixSocket = 'u',
  kPipe = 'p',
  kUnknown = '?',
};

// IP protocol numbers.
enum class Protocol : int32_t { kUnknown = -1, kIcmp = 1, kTcp = 6, kUdp = 17, kRaw = 254 };

// Identifies a process: creation time of its leader (0: before the capture) and pid on the host.
struct ProcessId {
  int64_t create_time = 0;
  int64_t pid = 0;
  bool operator==(const ProcessId&) const = default;
};

// Identifies a file: SHA-1 of container id and path.
using FileId = std::array<uint8_t, 20>;

// Strings stored one after the other, each terminated by NUL.
class TextView {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) {}
    std::string_view operator*() const { return rest_.substr(0, rest_.find('\0')); }
    Iterator& operator++() {
      const size_t end = rest_.find('\0');
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    std::string_view rest_;
  };

  TextView() = default;
  explicit TextView(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  Iterator end() const { return Iterator(); }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

struct Header {
  int64_t version = 5;  // of the SysFlow schema
  std::string_view exporter;
  std::string_view ip;
  std::string_view filename;
};

struct Container {
  std::string_view id;
  std::string_view name;
  std::string_view image;
  std::string_view image_id;
  ContainerType type = ContainerType::kDocker;
  bool privileged = false;
  std::optional<std::string_view> pod_id;
};

struct Label {
  std::string name;
  std::string value;
};

struct ServicePort {
  int32_t port = 0;
  int32_t target_port = 0;  // 0 if the service names it
  int32_t node_port = 0;
  std::string_view protocol;
};

struct Service {
  std::string_view id;
  std::string_view name;
  std::string_view namespace_name;
  std::span<const ServicePort> ports;
  std::span<const IpAddress> addresses;
};

// A pod of a Kubernetes cluster.
struct Pod {
  int64_t time = 0;  // of this record
  std::string_view id;
  std::string_view name;
  std::string_view node_name;  // empty if only a container runtime describes the pod
  std::string_view namespace_name;
  int64_t restart_count = 0;  // of all its containers
  std::span<const Label> labels;
  std::span<const Label> selectors;  // labels by which its services select it
  std::span<const IpAddress> node_addresses;
  std::span<const IpAddress> addresses;
  std::span<const Service> services;
};

struct Process {
  ObjectState state = ObjectState::kReup;
  ProcessId id;
  std::optional<ProcessId> parent;
  int64_t time = 0;  // of this record
  std::string_view exe;
  std::string_view exe_args;  // without the program's name, separated by spaces
  int32_t uid = -1;           // -1: unknown
  std::string_view user_name;
  int32_t gid = -1;  // -1: unknown
  std::string_view group_name;
  bool tty = false;
  std::optional<std::string_view> container_id;
  bool entry = false;  // the first process of its pid namespace
  std::string_view cwd;
  TextView env;  // NAME=VALUE
};

struct File {
  ObjectState state = ObjectState::kReup;
  FileId id{};
  int64_t time = 0;  // of this record
  FileType type = FileType::kUnknown;
  std::string_view path;
  std::optional<std::string_view> container_id;
};

// An operation of a process on itself or another process.
struct ProcessEvent {
  ProcessId process;
  int64_t time = 0;
  int64_t tid = 0;
  Operations operations;
  const std::vector<std::string>* args = nullptr;  // never null
  int32_t result = 0;                              // of the system call; negative for -errno
};

// Totals of a flow.
struct Counters {
  int64_t read_operations = 0;
  int64_t write_operations = 0;
  int64_t read_bytes = 0;
  int64_t write_bytes = 0;
};

struct NetworkFlow {
  ProcessId process;
  int64_t time = 0;
  int64_t tid = 0;
  Operations operations;
  int64_t end_time = 0;
  bool ipv6 = false;
  IpBytes source{};
  uint16_t source_port = 0;
  IpBytes destination{};
  uint16_t destination_port = 0;
  Protocol protocol = Protocol::kUnknown;
  int32_t fd = -1;
  Counters counters;
};

struct FileFlow {
  ProcessId process;
  int64_t time = 0;
  int64_t tid = 0;
  Operations operations;
  int32_t open_flags = 0;  // PPM_O bits of the capture format; 0: the open was not seen
  int64_t end_time = 0;
  FileId file{};
  int32_t fd = -1;
  Counters counters;
};

// An operation on a file, or on two of them (link, symlink, rename).
struct FileEvent {
  ProcessId process;
  int64_t time = 0;
  int64_t tid = 0;
  Operations operations;
  FileId file{};
  int32_t result = 0;  // of the system call; negative for -errno
  std::optional<FileId> new_file;
};

// Threads that a process created and that exited.
struct ProcessFlow {
  ProcessId process;
  int64_t time = 0;
  int64_t threads_cloned = 0;
  Operations operations;
  int64_t end_time = 0;
  int64_t threads_exited = 0;
  int64_t clone_errors = 0;
};

// A connection as one event, over IPv4. Only SysFlow files of other writers have it: captures give
// network flows instead.
struct NetworkEvent {
  ProcessId process;
  int64_t time = 0;
  int64_t tid = 0;
  Operations operations;
  IpBytes source{};
  uint16_t source_port = 0;
  IpBytes destination{};
  uint16_t destination_port = 0;
  Protocol protocol = Protocol::kUnknown;
  int32_t result = 0;  // of the system call; negative for -errno
};

// What a change in a Kubernetes cluster is about.
enum class K8sKind : uint8_t {
  kNodes,
  kNamespaces,
  kPods,
  kReplicationControllers,
  kServices,
  kEvents,
  kReplicaSets,
  kDaemonSets,
  kDeployments,
  kUnknown,
};

enum class K8sAction : uint8_t { kAdded, kModified, kDeleted, kError, kNonexistent, kUnknown };

// A change in a Kubernetes cluster.
struct K8sEvent {
  K8sKind kind = K8sKind::kUnknown;
  K8sAction action = K8sAction::kUnknown;
  int64_t time = 0;
  std::string_view message;  // the objects, as JSON
};

// `text` as one line of valid UTF-8 that cannot control a terminal: hidden characters and invalid
// bytes become \xNN, \uNNNN or \UNNNNNNNN.
std::string escape(std::string_view text);

}  // namespace sfkit
