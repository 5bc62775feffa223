// Builds captures of a small world. Each call is written as one generation of capture software
// writes it, so that one story gives captures of several ages.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scap/writer.h"

namespace sfkit::testing {

enum class Age {
  k2017,  // version 1 lists and blocks, arguments only in enter events, obsolete event codes
  k2023,  // version 2 blocks, enter and exit events, most arguments in enter events
  k2026,  // exit events only, with all arguments
};

struct Endpoint {
  std::array<uint8_t, 16> ip{};
  bool ipv6 = false;
  uint16_t port = 0;
};

Endpoint ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);
// fd00::`host`
Endpoint ipv6(uint16_t host, uint16_t port);

// Facts about a process in clone and exec events.
struct ProcessFacts {
  std::string exe;  // path, also used as argv[0]
  std::string comm;
  std::vector<std::string> args;
  std::vector<std::string> env;
  int64_t tid = 0;
  int64_t pid = 0;
  int64_t ptid = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t vtid = 0;
  int64_t vpid = 0;
  std::string cgroup = "/";
  uint32_t tty = 0;
};

class Scenario {
 public:
  explicit Scenario(Age age);

  scap::CaptureWriter& writer() { return writer_; }
  Age age() const { return age_; }
  // Advances the clock. Each call also advances it by 20 microseconds.
  void wait(uint64_t nanoseconds) { now_ += nanoseconds; }
  // Writes any event, even with parameters that do not fit its code.
  void event(int64_t tid, uint16_t code, const std::vector<std::string>& params);

  void container(std::string_view json);

  void open(int64_t tid, int64_t fd, std::string_view path, uint32_t flags);
  void openat(int64_t tid, int64_t fd, int64_t dirfd, std::string_view path, uint32_t flags);
  void close(int64_t tid, int64_t fd);
  void read(int64_t tid, int64_t fd, int64_t result);
  void write(int64_t tid, int64_t fd, int64_t result);
  void sendfile(int64_t tid, int64_t to, int64_t from, int64_t result);
  void copy_file_range(int64_t tid, int64_t to, int64_t from, int64_t result);
  void mmap(int64_t tid, int64_t fd, uint64_t length);
  void dup2(int64_t tid, int64_t old_fd, int64_t new_fd);
  void chdir(int64_t tid, std::string_view path);
  void setuid(int64_t tid, uint32_t uid);

  void socket(int64_t tid, int64_t fd, bool ipv6, bool udp);
  void bind(int64_t tid, int64_t fd, const Endpoint& local);
  void connect(int64_t tid, int64_t fd, const Endpoint& local, const Endpoint& remote,
               int64_t result);
  void accept(int64_t tid, int64_t fd, const Endpoint& client, const Endpoint& server);
  void sendto(int64_t tid, int64_t fd, int64_t result, const Endpoint& local,
              const Endpoint& remote);
  void recvfrom(int64_t tid, int64_t fd, int64_t result, const Endpoint& remote,
                const Endpoint& local, std::string_view data = "data");

  void mkdir(int64_t tid, std::string_view path);
  void rmdir(int64_t tid, std::string_view path, int64_t result);
  void unlink(int64_t tid, std::string_view path);
  void link(int64_t tid, std::string_view from, std::string_view to);
  void symlink(int64_t tid, std::string_view target, std::string_view path);
  void rename(int64_t tid, std::string_view from, std::string_view to);

  // Writes both events of a fork: the caller's, then the child's. `child` is written as a copy of
  // the caller.
  void fork(const ProcessFacts& caller, const ProcessFacts& child);
  void spawn_thread(const ProcessFacts& process, int64_t tid);
  void exec(const ProcessFacts& facts, int64_t result);
  // `reaper` adopts the children; 0 if the kernel does not report it.
  void exit(int64_t tid, int64_t status, int64_t reaper = 0);
  // Writes only the child's event; `flags` are PPM_CL_ bits.
  void born(const ProcessFacts& child, uint32_t flags);

 private:
  using Params = std::vector<std::string>;
  // `entered`: arguments of the enter event; `left`: parameters of the exit event before it had
  // arguments; `added`: its arguments.
  void call(int64_t tid, uint16_t exit_code, const Params& entered, Params left,
            const Params& added);
  Params clone_params(const ProcessFacts& facts, int64_t result, uint32_t flags) const;

  Age age_;
  scap::CaptureWriter writer_;
  uint64_t now_;
};

}  // namespace sfkit::testing
