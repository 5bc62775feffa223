#include "testing/scenario.h"

#include "scap/event.h"

namespace sfkit::testing {
namespace {

using namespace scap::value;
namespace ev = scap::ev;

constexpr uint64_t kStartTime = 1772445600000000000;  // 2026-03-02T10:00:00Z
constexpr uint64_t kStep = 20'000;
constexpr uint64_t kDuration = 5'000;
constexpr uint32_t kCloneThread = 1u << 13;
constexpr uint32_t kCloneFiles = 1;
constexpr uint16_t kCpu = 0;

scap::WriterLayout layout_of(Age age) {
  if (age == Age::k2017)
    return {.process_list = 5, .sized_records = false, .counted_params = false};
  return {};
}

std::string ip_bytes(const Endpoint& end) {
  return {reinterpret_cast<const char*>(end.ip.data()), size_t{end.ipv6 ? 16u : 4u}};
}

std::string tuple(const Endpoint& source, const Endpoint& destination) {
  return u8(source.ipv6 ? 10 : 2) + ip_bytes(source) + u16(source.port) + ip_bytes(destination) +
         u16(destination.port);
}

std::string address(const Endpoint& end) {
  return u8(end.ipv6 ? 10 : 2) + ip_bytes(end) + u16(end.port);
}

std::string joined(const std::vector<std::string>& items) {
  std::string bytes;
  for (const std::string& item : items) bytes += text(item);
  return bytes;
}

}  // namespace

Endpoint ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  Endpoint end;
  end.ip[0] = a;
  end.ip[1] = b;
  end.ip[2] = c;
  end.ip[3] = d;
  end.port = port;
  return end;
}

Endpoint ipv6(uint16_t host, uint16_t port) {
  Endpoint end;
  end.ipv6 = true;
  end.ip[0] = 0xfd;
  end.ip[14] = static_cast<uint8_t>(host >> 8);
  end.ip[15] = static_cast<uint8_t>(host & 0xff);
  end.port = port;
  return end;
}

Scenario::Scenario(Age age) : age_(age), writer_(layout_of(age)), now_(kStartTime) {}

void Scenario::event(int64_t tid, uint16_t code, const Params& params) {
  writer_.event(now_ + kDuration, tid, kCpu, code, params);
  now_ += kStep;
}

void Scenario::call(int64_t tid, uint16_t exit_code, const Params& entered, Params left,
                    const Params& added) {
  if (age_ != Age::k2026) {
    writer_.event(now_, tid, kCpu, exit_code - 1, entered);
  } else {
    left.insert(left.end(), added.begin(), added.end());
  }
  event(tid, exit_code, left);
}

void Scenario::container(std::string_view json) {
  writer_.event(0, -1, kCpu, age_ == Age::k2017 ? ev::CONTAINER_JSON_E : ev::CONTAINER_JSON_2_E,
                {text(json)});
}

void Scenario::open(int64_t tid, int64_t fd, std::string_view path, uint32_t flags) {
  call(tid, ev::SYSCALL_OPEN_X, {}, {i64(fd), text(path), u32(flags), u32(0644)},
       {u32(0x801), u64(4711)});
}

void Scenario::openat(int64_t tid, int64_t fd, int64_t dirfd, std::string_view path,
                      uint32_t flags) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_OPENAT_X, {i64(dirfd), text(path), u32(flags), u32(0644)}, {i64(fd)}, {});
    return;
  }
  call(tid, ev::SYSCALL_OPENAT_2_X, {}, {i64(fd), i64(dirfd), text(path), u32(flags), u32(0644)},
       {u32(0x801), u64(4711)});
}

void Scenario::close(int64_t tid, int64_t fd) {
  call(tid, ev::SYSCALL_CLOSE_X, {i64(fd)}, {i64(0)}, {i64(fd)});
}

void Scenario::read(int64_t tid, int64_t fd, int64_t result) {
  call(tid, ev::SYSCALL_READ_X, {i64(fd), u32(65536)}, {i64(result), "data"},
       {i64(fd), u32(65536)});
}

void Scenario::write(int64_t tid, int64_t fd, int64_t result) {
  call(tid, ev::SYSCALL_WRITE_X, {i64(fd), u32(65536)}, {i64(result), "data"},
       {i64(fd), u32(65536)});
}

void Scenario::sendfile(int64_t tid, int64_t to, int64_t from, int64_t result) {
  constexpr uint64_t kSize = 1 << 20;
  call(tid, ev::SYSCALL_SENDFILE_X, {i64(to), i64(from), u64(0), u64(kSize)}, {i64(result), u64(0)},
       {i64(to), i64(from), u64(kSize)});
}

void Scenario::copy_file_range(int64_t tid, int64_t to, int64_t from, int64_t result) {
  constexpr uint64_t kSize = 1 << 20;
  call(tid, ev::SYSCALL_COPY_FILE_RANGE_X, {i64(from), u64(0), u64(kSize)},
       {i64(result), i64(to), u64(0)}, {i64(from), u64(0), u64(kSize)});
}

void Scenario::mmap(int64_t tid, int64_t fd, uint64_t length) {
  constexpr uint32_t kPrivate = 2;
  const Params arguments = {u64(0), u64(length), u32(1), u32(kPrivate), i64(fd), u64(0)};
  call(tid, ev::SYSCALL_MMAP_X, arguments, {i64(0x7f0000000000), u32(4000), u32(1000), u32(0)},
       arguments);
}

void Scenario::dup2(int64_t tid, int64_t old_fd, int64_t new_fd) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_DUP_X, {i64(old_fd)}, {i64(new_fd)}, {});
    return;
  }
  call(tid, ev::SYSCALL_DUP2_X, {i64(old_fd)}, {i64(new_fd), i64(old_fd), i64(new_fd)}, {});
}

void Scenario::chdir(int64_t tid, std::string_view path) {
  call(tid, ev::SYSCALL_CHDIR_X, {}, {i64(0), text(path)}, {});
}

void Scenario::setuid(int64_t tid, uint32_t uid) {
  call(tid, ev::SYSCALL_SETUID_X, {u32(uid)}, {i64(0)}, {u32(uid)});
}

void Scenario::socket(int64_t tid, int64_t fd, bool ipv6, bool udp) {
  const Params arguments = {u32(ipv6 ? 10 : 2), u32(udp ? 2 : 1), u32(0)};
  call(tid, ev::SOCKET_SOCKET_X, arguments, {i64(fd)}, arguments);
}

void Scenario::bind(int64_t tid, int64_t fd, const Endpoint& local) {
  call(tid, ev::SOCKET_BIND_X, {i64(fd)}, {i64(0), address(local)}, {i64(fd)});
}

void Scenario::connect(int64_t tid, int64_t fd, const Endpoint& local, const Endpoint& remote,
                       int64_t result) {
  call(tid, ev::SOCKET_CONNECT_X, {i64(fd)}, {i64(result), tuple(local, remote)},
       {i64(fd), address(remote)});
}

void Scenario::accept(int64_t tid, int64_t fd, const Endpoint& client, const Endpoint& server) {
  const Params left = {i64(fd), tuple(client, server), u8(0), u32(0), u32(128)};
  if (age_ == Age::k2026) {
    call(tid, ev::SOCKET_ACCEPT4_6_X, {}, left, {u32(0)});
  } else {
    call(tid, ev::SOCKET_ACCEPT4_5_X, {u32(0)}, left, {});
  }
}

void Scenario::sendto(int64_t tid, int64_t fd, int64_t result, const Endpoint& local,
                      const Endpoint& remote) {
  call(tid, ev::SOCKET_SENDTO_X, {i64(fd), u32(512), tuple(local, remote)}, {i64(result), "data"},
       {i64(fd), u32(512), tuple(local, remote)});
}

void Scenario::recvfrom(int64_t tid, int64_t fd, int64_t result, const Endpoint& remote,
                        const Endpoint& local, std::string_view data) {
  call(tid, ev::SOCKET_RECVFROM_X, {i64(fd), u32(512)},
       {i64(result), std::string(data), tuple(remote, local)}, {i64(fd), u32(512)});
}

void Scenario::mkdir(int64_t tid, std::string_view path) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_MKDIR_X, {text(path), u32(0755)}, {i64(0)}, {});
  } else {
    call(tid, ev::SYSCALL_MKDIR_2_X, {u32(0755)}, {i64(0), text(path)}, {u32(0755)});
  }
}

void Scenario::rmdir(int64_t tid, std::string_view path, int64_t result) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_RMDIR_X, {text(path)}, {i64(result)}, {});
  } else {
    call(tid, ev::SYSCALL_RMDIR_2_X, {}, {i64(result), text(path)}, {});
  }
}

void Scenario::unlink(int64_t tid, std::string_view path) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_UNLINK_X, {text(path)}, {i64(0)}, {});
  } else {
    call(tid, ev::SYSCALL_UNLINK_2_X, {}, {i64(0), text(path)}, {});
  }
}

void Scenario::link(int64_t tid, std::string_view from, std::string_view to) {
  if (age_ == Age::k2017) {
    call(tid, ev::SYSCALL_LINK_X, {text(from), text(to)}, {i64(0)}, {});
  } else {
    call(tid, ev::SYSCALL_LINK_2_X, {}, {i64(0), text(from), text(to)}, {});
  }
}

void Scenario::symlink(int64_t tid, std::string_view target, std::string_view path) {
  call(tid, ev::SYSCALL_SYMLINK_X, {}, {i64(0), text(target), text(path)}, {});
}

void Scenario::rename(int64_t tid, std::string_view from, std::string_view to) {
  call(tid, ev::SYSCALL_RENAME_X, {}, {i64(0), text(from), text(to)}, {});
}

Scenario::Params Scenario::clone_params(const ProcessFacts& facts, int64_t result,
                                        uint32_t flags) const {
  Params params = {i64(result),     text(facts.exe),  joined(facts.args),
                   i64(facts.tid),  i64(facts.pid),   i64(facts.ptid),
                   text(""),        i64(1024),        u64(0),
                   u64(0),          u32(4000),        u32(1000),
                   u32(0),          text(facts.comm), list({"cpuset=" + facts.cgroup}),
                   u32(flags),      u32(facts.uid),   u32(facts.gid),
                   i64(facts.vtid), i64(facts.vpid)};
  if (age_ == Age::k2026) params.push_back(u64(0));
  return params;
}

void Scenario::fork(const ProcessFacts& caller, const ProcessFacts& child) {
  // In a pid namespace, the caller sees the child's inner id.
  const bool inside = caller.tid != caller.vtid;
  const int64_t seen = inside ? child.vtid : child.tid;
  call(caller.tid, ev::SYSCALL_CLONE_20_X, {}, clone_params(caller, seen, 0), {});
  event(child.tid, ev::SYSCALL_CLONE_20_X, clone_params(child, 0, 0));
}

void Scenario::spawn_thread(const ProcessFacts& process, int64_t tid) {
  constexpr uint32_t kFlags = kCloneThread | kCloneFiles;
  ProcessFacts thread = process;
  thread.tid = tid;
  // Hostile stories use ids from the whole 64-bit range.
  const uint64_t distance = static_cast<uint64_t>(tid) - static_cast<uint64_t>(process.tid);
  thread.vtid = process.tid == process.vtid
                    ? tid
                    : static_cast<int64_t>(static_cast<uint64_t>(process.vtid) + distance);
  const int64_t seen = process.tid == process.vtid ? tid : thread.vtid;
  call(process.tid, ev::SYSCALL_CLONE_20_X, {}, clone_params(process, seen, kFlags), {});
  event(tid, ev::SYSCALL_CLONE_20_X, clone_params(thread, 0, kFlags));
}

void Scenario::exec(const ProcessFacts& facts, int64_t result) {
  Params params = {i64(result),
                   text(facts.exe),
                   joined(facts.args),
                   i64(facts.tid),
                   i64(facts.pid),
                   i64(facts.ptid),
                   text(""),
                   u64(1024),
                   u64(0),
                   u64(0),
                   u32(4000),
                   u32(1000),
                   u32(0),
                   text(facts.comm),
                   list({"cpuset=" + facts.cgroup}),
                   joined(facts.env),
                   u32(facts.tty)};
  if (age_ == Age::k2017) {
    call(facts.tid, ev::SYSCALL_EXECVE_17_X, {}, params, {});
    return;
  }
  params.push_back(i64(facts.pid));  // vpgid
  params.push_back(u32(facts.uid));  // loginuid
  call(facts.tid, ev::SYSCALL_EXECVE_19_X, {text(facts.exe)}, params,
       {u32(0), u64(0), u64(0), u64(0), u64(815), u64(0), u64(0), u32(facts.uid), text(facts.exe),
        i64(facts.pid), u32(facts.gid), text(facts.exe)});
}

void Scenario::born(const ProcessFacts& child, uint32_t flags) {
  event(child.tid, ev::SYSCALL_CLONE_20_X, clone_params(child, 0, flags));
}

void Scenario::exit(int64_t tid, int64_t status, int64_t reaper) {
  Params params = {i64(status)};
  if (age_ == Age::k2026) {
    for (const std::string& more : {i64(status >> 8), u8(0), u8(0), i64(reaper)})
      params.push_back(more);
  }
  writer_.event(now_, tid, kCpu, ev::PROCEXIT_1_E, params);
  now_ += kStep;
}

}  // namespace sfkit::testing
