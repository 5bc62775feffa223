#include "live/machine.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>

#include "events.gen.h"
#include "live/proc_files.h"
#include "live/socket_table.h"
#include "scap/blocks.h"
#include "scap/writer.h"

namespace sfkit::live {
namespace {

constexpr uint32_t kCloneFiles = 1, kCloneThread = 8192;  // clone flags of the capture format
constexpr size_t kMaxListBytes = 4096;
constexpr uint64_t kCloseOnExec = 0x80000;

// Owns the text that entries refer to.
class Texts {
 public:
  std::string_view keep(std::string text) {
    texts_.push_back(std::move(text));
    return texts_.back();
  }

 private:
  std::deque<std::string> texts_;
};

std::string_view up_to(std::string_view text, char end) {
  return text.substr(0, text.find(end));
}

// Field `index` of a line separated by colons.
std::string_view colon_field(std::string_view line, size_t index) {
  for (; index > 0; --index) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    line.remove_prefix(colon + 1);
  }
  return up_to(line, ':');
}

constexpr std::string_view kDeletedSuffix = " (deleted)";

// Removes the " (deleted)" that /proc appends to the path of a deleted file. `file`: status of the
// file, if known: it shows if the suffix is a part of the real name.
std::string without_deleted_suffix(std::string path, const struct statx& file = {}) {
  if (path.size() <= kDeletedSuffix.size() || !path.ends_with(kDeletedSuffix)) return path;
  struct statx found {};
  const bool is_real_name =
      file.stx_ino != 0 &&
      ::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &found) == 0 &&
      found.stx_ino == file.stx_ino && found.stx_dev_major == file.stx_dev_major &&
      found.stx_dev_minor == file.stx_dev_minor;
  if (!is_real_name) path.resize(path.size() - kDeletedSuffix.size());
  return path;
}

// Lists subsystem=path for each line N:SUBSYSTEMS:PATH, in the form that the probe uses.
std::string cgroups_from(std::string_view text) {
  std::string list;
  std::string_view unified;
  const auto add = [&list](std::string_view subsystem, std::string_view path) {
    if (list.size() + subsystem.size() + path.size() + 2 > kMaxListBytes) return;
    list.append(subsystem).append("=").append(path);
    list.push_back('\0');
  };
  each_line(text, [&](std::string_view line) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return;
    std::string_view names = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (names.empty()) unified = path;
    while (!names.empty()) {
      const std::string_view name = up_to(names, ',');
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      // Named hierarchies have no subsystem.
      if (name.find('=') == std::string_view::npos) add(name == "blkio" ? "io" : name, path);
    }
  });
  if (list.empty()) {
    for (const std::string_view name : {"cpuset", "cpu", "io", "memory", "pids"})
      add(name, unified);
  }
  return list;
}

// Encoded as in system calls, in 32 bits, as the format requires.
uint32_t device_of(const struct statx& file) {
  const uint32_t low = file.stx_dev_minor & 0xff;
  return low | file.stx_dev_major << 8 | (file.stx_dev_minor & ~uint32_t{0xff}) << 12;
}

uint64_t nanoseconds(const statx_timestamp& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// Same rule as in the probe for new programs.
bool is_writable_by(const struct statx& file, const scap::ThreadEntry& thread) {
  constexpr uint64_t kDacOverride = 2;  // CAP_DAC_OVERRIDE
  if (thread.uid == 0 || (thread.cap_effective & kDacOverride) != 0) return true;
  if (file.stx_uid == thread.uid) return (file.stx_mode & S_IWUSR) != 0;
  if (file.stx_gid == thread.gid) return (file.stx_mode & S_IWGRP) != 0;
  return (file.stx_mode & S_IWOTH) != 0;
}

struct FlagBit {
  uint64_t native;
  uint32_t format;
};
constexpr FlagBit kOpenFlags[] = {{0x40, 4},      {0x400, 8},     {0x1000, 16},  {0x80, 32},
                                  {0x800, 64},    {0x200, 256},   {0x4000, 512}, {0x10000, 1024},
                                  {0x8000, 2048}, {0x80000, 4096}};

uint32_t open_flags_from(uint64_t flags) {
  constexpr uint32_t kModes[] = {1, 2, 3, 1};
  uint32_t result = kModes[flags & 3];
  for (const FlagBit& bit : kOpenFlags) {
    if ((flags & bit.native) != 0) result |= bit.format;
  }
  if ((flags & 0x101000) == 0x101000) result |= 128;
  if ((flags & 0x410000) == 0x410000) result |= 8192;
  return result;
}

struct AnonymousKind {
  std::string_view name;
  scap::FdType type;
};
// Link targets in /proc of files without a path.
constexpr AnonymousKind kAnonymous[] = {
    {"anon_inode:[eventfd]", scap::FdType::kEvent},
    {"anon_inode:[eventpoll]", scap::FdType::kEventPoll},
    {"anon_inode:inotify", scap::FdType::kInotify},
    {"anon_inode:[signalfd]", scap::FdType::kSignal},
    {"anon_inode:[timerfd]", scap::FdType::kTimer},
    {"anon_inode:[userfaultfd]", scap::FdType::kUserfault},
    {"anon_inode:[io_uring]", scap::FdType::kIoUring},
    {"anon_inode:[pidfd]", scap::FdType::kPidfd},
    {"anon_inode:bpf-map", scap::FdType::kBpf},
    {"anon_inode:bpf-prog", scap::FdType::kBpf},
    {"anon_inode:bpf_link", scap::FdType::kBpf},
    {"anon_inode:bpf-link", scap::FdType::kBpf},
    {"anon_inode:[perf_event]", scap::FdType::kUnsupported},
};

class Description {
 public:
  Description(uint64_t boot_time, uint64_t start, const std::atomic<bool>& cancelled,
              const std::string& host_root)
      : boot_time_(boot_time), start_(start), cancelled_(cancelled), host_root_(host_root) {}

  std::vector<uint8_t> write() {
    writer_.begin();
    add_machine();
    add_interfaces();
    add_users();
    add_processes();
    return writer_.take();
  }

 private:
  void add_machine() {
    utsname names{};
    ::uname(&names);
    scap::MachineInfo machine;
    machine.cpus = static_cast<uint32_t>(std::max<long>(::sysconf(_SC_NPROCESSORS_ONLN), 1));
    machine.memory_bytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    machine.max_pid = static_cast<uint64_t>(
        to_number(word_at(read_small_file(host_root_ + "/proc/sys/kernel/pid_max"), 0)));
    machine.hostname = names.nodename;
    machine.boot_time = boot_time_;
    writer_.machine(machine);
  }

  void add_interfaces() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) list = nullptr;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, ::freeifaddrs);
    std::vector<scap::InterfaceEntry> entries;
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
      if (at->ifa_addr == nullptr) continue;
      scap::InterfaceEntry entry;
      entry.name = at->ifa_name;
      const int family = at->ifa_addr->sa_family;
      if (family != AF_INET && family != AF_INET6) continue;
      entry.ipv6 = family == AF_INET6;
      const auto copy = [&entry](const sockaddr* from, std::array<uint8_t, 16>& to) {
        if (from == nullptr) return;
        if (entry.ipv6) {
          std::memcpy(to.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
        } else {
          std::memcpy(to.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
        }
      };
      copy(at->ifa_addr, entry.address);
      copy(at->ifa_netmask, entry.netmask);
      if (!entry.ipv6) copy(at->ifa_broadaddr, entry.broadcast);
      entries.push_back(entry);
    }
    writer_.interfaces(entries);
  }

  // Reads the files directly: other sources of names may be slow or remote.
  void add_users() {
    constexpr size_t kMaxBytes = size_t{16} << 20;
    const std::string passwd = read_small_file(host_root_ + "/etc/passwd", kMaxBytes);
    const std::string group = read_small_file(host_root_ + "/etc/group", kMaxBytes);
    std::vector<scap::UserEntry> users;
    std::vector<scap::GroupEntry> groups;
    each_line(passwd, [&users](std::string_view line) {
      const int64_t uid = to_number(colon_field(line, 2), -1);
      const int64_t gid = to_number(colon_field(line, 3), -1);
      if (uid < 0 || gid < 0) return;
      users.push_back({static_cast<uint32_t>(uid), static_cast<uint32_t>(gid), colon_field(line, 0),
                       colon_field(line, 5), colon_field(line, 6)});
    });
    each_line(group, [&groups](std::string_view line) {
      const int64_t gid = to_number(colon_field(line, 2), -1);
      if (gid >= 0) groups.push_back({static_cast<uint32_t>(gid), colon_field(line, 0)});
    });
    writer_.users(users, groups);
  }

  void add_processes() {
    const std::string proc = host_root_ + "/proc";
    // The own number in the pid namespace of that /proc.
    const int64_t self = to_number(read_link(proc + "/self"), ::getpid());
    for (const int64_t pid : numbered_entries(proc)) {
      if (cancelled_) break;
      if (pid != self) add_process(pid);
    }
    writer_.processes(threads_);
    for (const auto& [tid, descriptors] : descriptors_) writer_.descriptors(tid, descriptors);
    for (const auto& [tid, fd] : closed_by_exec_) add_close_on_exec(tid, fd);
  }

  // The list has flags of files only. For other descriptors, a hidden event sets the close-on-exec
  // flag.
  void add_close_on_exec(int64_t tid, int64_t fd) {
    struct [[gnu::packed]] {
      uint16_t lengths[4] = {8, 8, 1, 8};
      int64_t result = 0;
      int64_t fd = 0;
      uint8_t command = 3;  // F_SETFD
      uint64_t argument = 1;
    } body;
    body.fd = fd;
    scap::EventView event(scap::ev::SYSCALL_FCNTL_X, 4,
                          Bytes(reinterpret_cast<const uint8_t*>(&body), sizeof(body)));
    event.ts = start_;
    event.tid = tid;
    event.block_flags = scap::kStateOnlyFlag;
    writer_.event(event);
  }

  void add_process(int64_t pid) {
    const std::string directory = host_root_ + "/proc/" + std::to_string(pid);
    scap::ThreadEntry entry;
    if (!read_thread(directory, pid, entry)) return;
    entry.pid = pid;
    std::string arguments = read_small_file(directory + "/cmdline", 2 * kMaxListBytes);
    const size_t first = std::min(arguments.find('\0'), arguments.size());
    entry.exe = texts_.keep(arguments.substr(0, first));
    if (first + 1 < arguments.size()) {
      entry.args = texts_.keep(arguments.substr(first + 1, kMaxListBytes));
    }
    // Kernel threads have no arguments; use their name.
    if (entry.exe.empty()) entry.exe = entry.comm;
    entry.env = texts_.keep(read_small_file(directory + "/environ", kMaxListBytes));
    entry.cwd = texts_.keep(read_link(directory + "/cwd"));
    entry.root = texts_.keep(read_link(directory + "/root"));
    struct statx executable {};
    const bool has_executable = ::statx(AT_FDCWD, (directory + "/exe").c_str(), AT_STATX_DONT_SYNC,
                                        STATX_BASIC_STATS, &executable) == 0;
    entry.exepath = texts_.keep(without_deleted_suffix(read_link(directory + "/exe"), executable));
    entry.exe_from_memfd = entry.exepath.substr(0, 7) == "/memfd:";
    if (has_executable) {
      entry.exe_ino = executable.stx_ino;
      entry.exe_ino_ctime = nanoseconds(executable.stx_ctime);
      entry.exe_ino_mtime = nanoseconds(executable.stx_mtime);
      entry.exe_writable = is_writable_by(executable, entry);
    }
    const std::string limits = read_small_file(directory + "/limits");
    entry.fdlimit = to_number(word_at(line_value(limits, "Max open files"), 0), -1);
    entry.loginuid = static_cast<uint32_t>(
        to_number(read_small_file(directory + "/loginuid"), static_cast<int64_t>(UINT32_MAX)));
    threads_.push_back(entry);
    add_descriptors(directory, pid);
    for (const int64_t tid : numbered_entries(directory + "/task")) {
      if (tid != pid) add_thread(directory, entry, tid);
    }
  }

  void add_thread(const std::string& process, const scap::ThreadEntry& leader, int64_t tid) {
    scap::ThreadEntry entry = leader;
    if (!read_thread(process + "/task/" + std::to_string(tid), tid, entry)) return;
    entry.pid = leader.pid;
    entry.flags = kCloneThread | kCloneFiles;
    entry.env = {};
    threads_.push_back(entry);
  }

  // Reads status and stat; false if the thread has ended.
  bool read_thread(const std::string& directory, int64_t tid, scap::ThreadEntry& entry) {
    const std::string status = read_small_file(directory + "/status");
    const std::string stat = read_small_file(directory + "/stat");
    // A name may contain parentheses.
    const size_t name_ends = stat.rfind(')');
    const size_t name_begins = stat.find('(');
    if (status.empty() || name_ends == std::string::npos || name_begins >= name_ends) return false;
    const std::string_view fields = std::string_view(stat).substr(name_ends + 1);
    const auto field = [&fields](size_t index) { return to_number(word_at(fields, index)); };
    entry.tid = tid;
    entry.comm = texts_.keep(stat.substr(name_begins + 1, name_ends - name_begins - 1));
    entry.ptid = field(1);
    entry.pgid = field(2);
    entry.tty = static_cast<uint32_t>(field(4));
    entry.pfminor = static_cast<uint64_t>(field(7));
    entry.pfmajor = static_cast<uint64_t>(field(9));
    const auto id = [&status](const char* key) {
      return static_cast<uint32_t>(to_number(word_at(line_value(status, key), 1)));
    };
    entry.uid = id("Uid:");
    entry.gid = id("Gid:");
    const auto kilobytes = [&status](const char* key) {
      return static_cast<uint32_t>(to_number(word_at(line_value(status, key), 0)));
    };
    entry.vmsize_kb = kilobytes("VmSize:");
    entry.vmrss_kb = kilobytes("VmRSS:");
    entry.vmswap_kb = kilobytes("VmSwap:");
    // The last number is from the innermost namespace.
    entry.vtid = to_number(last_word(line_value(status, "NSpid:")), tid);
    entry.vpid = to_number(last_word(line_value(status, "NStgid:")), tid);
    entry.vpgid = to_number(last_word(line_value(status, "NSpgid:")), entry.pgid);
    entry.sid = to_number(last_word(line_value(status, "NSsid:")), field(3));
    entry.cap_inheritable = to_hex(line_value(status, "CapInh:"));
    entry.cap_permitted = to_hex(line_value(status, "CapPrm:"));
    entry.cap_effective = to_hex(line_value(status, "CapEff:"));
    entry.cgroups = texts_.keep(cgroups_from(read_small_file(directory + "/cgroup")));
    return true;
  }

  void add_descriptors(const std::string& directory, int64_t pid) {
    std::vector<scap::FdEntry> entries;
    const std::vector<int64_t> fds = numbered_entries(directory + "/fd");
    if (!fds.empty()) sockets_.add_namespace_of(directory);
    for (const int64_t number : fds) {
      scap::FdEntry entry;
      entry.fd = number;
      if (!read_descriptor(directory, number, entry)) continue;
      entries.push_back(entry);
      if (entry.type == scap::FdType::kFileV2) continue;
      if ((open_flags(directory, number) & kCloseOnExec) != 0)
        closed_by_exec_.emplace_back(pid, number);
    }
    descriptors_.emplace_back(pid, std::move(entries));
  }

  // Flags in the kernel's numbering.
  static uint64_t open_flags(const std::string& directory, int64_t number) {
    const std::string info = read_small_file(directory + "/fdinfo/" + std::to_string(number));
    uint64_t flags = 0;
    for (const char digit : line_value(info, "flags:"))
      flags = flags * 8 + static_cast<uint64_t>(digit - '0');
    return flags;
  }

  bool read_descriptor(const std::string& directory, int64_t number, scap::FdEntry& entry) {
    const std::string link = directory + "/fd/" + std::to_string(number);
    std::string target = read_link(link);
    if (target.empty()) return false;
    const auto inode_in = [&target](std::string_view kind) {
      const std::string_view text = target;
      if (text.substr(0, kind.size()) != kind || text.substr(kind.size(), 2) != ":[")
        return uint64_t{0};
      return static_cast<uint64_t>(to_number(up_to(text.substr(kind.size() + 2), ']')));
    };
    if (const uint64_t inode = inode_in("socket"); inode != 0) {
      if (sockets_.find(inode, entry)) return true;
      entry.type = scap::FdType::kUnsupported;
      entry.inode = inode;
      entry.name = texts_.keep(std::move(target));
      return true;
    }
    if (const uint64_t inode = inode_in("pipe"); inode != 0) {
      entry.type = scap::FdType::kFifo;
      entry.inode = inode;
      entry.name = texts_.keep(std::move(target));
      return true;
    }
    for (const AnonymousKind& kind : kAnonymous) {
      if (target != kind.name) continue;
      entry.type = kind.type;
      entry.name = texts_.keep(std::move(target));
      return true;
    }
    constexpr std::string_view kMemfd = "/memfd:";
    if (target.compare(0, kMemfd.size(), kMemfd) == 0) {
      entry.type = scap::FdType::kMemfd;
      entry.name = texts_.keep(without_deleted_suffix(target.substr(kMemfd.size())));
      return true;
    }
    if (target[0] != '/') {
      entry.type = scap::FdType::kUnsupported;
      entry.name = texts_.keep(std::move(target));
      return true;
    }
    // Use cached attributes: a file server may not answer.
    struct statx file {};
    if (::statx(AT_FDCWD, link.c_str(), AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &file) != 0)
      return false;
    entry.inode = file.stx_ino;
    entry.type = S_ISDIR(file.stx_mode)    ? scap::FdType::kDirectory
                 : S_ISFIFO(file.stx_mode) ? scap::FdType::kFifo
                                           : scap::FdType::kFileV2;
    if (entry.type == scap::FdType::kFileV2) {
      entry.open_flags = open_flags_from(open_flags(directory, number));
      entry.device = device_of(file);
    }
    entry.name = texts_.keep(without_deleted_suffix(std::move(target), file));
    return true;
  }

  uint64_t boot_time_;
  uint64_t start_;
  const std::atomic<bool>& cancelled_;
  const std::string& host_root_;
  scap::CaptureWriter writer_;
  Texts texts_;
  SocketTable sockets_;
  std::vector<std::pair<int64_t, int64_t>> closed_by_exec_;
  std::vector<scap::ThreadEntry> threads_;
  std::vector<std::pair<int64_t, std::vector<scap::FdEntry>>> descriptors_;
};

}  // namespace

std::vector<uint8_t> describe_machine(uint64_t boot_time, uint64_t start,
                                      const std::atomic<bool>& cancelled,
                                      const std::string& host_root) {
  return Description(boot_time, start, cancelled, host_root).write();
}

}  // namespace sfkit::live
