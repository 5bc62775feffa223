// Tests the probe. Processes make numbered calls, and each number must arrive once and in order.
// Prints a line for each variant of loading the probe. Exits with 1 if a variant does not load, or
// if events are duplicated, or missing and not counted as lost. As the first process of a virtual
// machine (scripts/kernels.mjs), it sets up the machine and turns it off at the end. Usage:
// sfkit_probe_trial [CALLS]
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "events.gen.h"
#include "live/probe.h"
#include "live/rings.h"

namespace {

using namespace sfkit::live;

constexpr int kProcesses = 4;
constexpr uint64_t kReorderNs = 1'000'000;
constexpr useconds_t kPollUs = 2000;

template <typename Value>
Value value_at(const uint8_t* event, size_t place) {
  Value value;
  std::memcpy(&value, event + place, sizeof(value));
  return value;
}

// Events received from one process.
struct Seen {
  uint64_t last = 0;
  uint64_t count = 0;
  uint64_t unordered = 0;  // not later than the previous one: duplicate or out of order
};

pid_t start(uint64_t calls) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (uint64_t number = 1; number <= calls; ++number) {
    if (::pwrite(null, "12345678", 8, static_cast<off_t>(number)) != 8) ::_exit(1);
  }
  ::_exit(0);
}

// The offset argument of a pwrite64 event, which has the number of the call; 0 for other events.
uint64_t number_of(const uint8_t* event, uint32_t size) {
  constexpr size_t kCodeAt = 20;
  return value_at<uint16_t>(event, kCodeAt) == sfkit::scap::ev::SYSCALL_PWRITE_X
             ? value_at<uint64_t>(event, size - 8)
             : 0;
}

bool try_variant(const char* name, const ProbeOptions& options, uint64_t calls) {
  auto loaded = Probe::load(options);
  if (!loaded.is_ok()) {
    std::printf("FAILS %s: %s\n", name, loaded.status().message().c_str());
    return false;
  }
  Probe probe = std::move(loaded.value());
  auto merger = RingMerger::map(probe.rings());
  if (sfkit::Status status = merger.is_ok() ? probe.attach() : merger.status(); !status.is_ok()) {
    std::printf("FAILS %s: %s\n", name, status.message().c_str());
    return false;
  }
  std::map<int64_t, Seen> seen;
  for (int i = 0; i < kProcesses; ++i) seen[start(calls)] = {};
  uint64_t backwards = 0;
  uint64_t time = 0;
  const auto take = [&](const uint8_t* event, uint32_t size, uint16_t) {
    constexpr size_t kThreadAt = 8;
    const auto now = value_at<uint64_t>(event, 0);
    if (now < time) ++backwards;
    time = now;
    const auto found = seen.find(value_at<int64_t>(event, kThreadAt));
    const uint64_t number = found == seen.end() ? 0 : number_of(event, size);
    if (number == 0) return true;
    Seen& process = found->second;
    if (number <= process.last) ++process.unordered;
    process.last = number;
    ++process.count;
    return true;
  };
  const auto drain = [&](uint64_t margin_ns) {
    merger.value().drain(probe.clock().stamp(ClockReading::take()) - margin_ns, take);
  };
  for (int alive = kProcesses; alive > 0; ::usleep(kPollUs)) {
    drain(kReorderNs);
    while (alive > 0 && ::waitpid(-1, nullptr, WNOHANG) > 0) --alive;
  }
  probe.detach();
  for (int i = 0; i < 1000 && (i == 0 || !merger.value().is_empty()); ++i, ::usleep(kPollUs))
    drain(0);

  uint64_t missing = 0;
  uint64_t unordered = 0;
  for (const auto& [pid, process] : seen) {
    missing += calls - process.count + process.unordered;
    unordered += process.unordered;
  }
  uint64_t counted = 0;
  const Counters counters = probe.counters();
  for (size_t i = 0; i < counters.size(); ++i)
    counted +=
        sfkit::info_of(kCounterReasons[i]).severity == sfkit::Severity::kLoss ? counters[i] : 0;
  // A duplicate counts as out of order.
  const bool ok = unordered == 0 && missing <= counted;
  std::printf(
      "%s %s: %zu programs on %s tracepoints, rings of %u KiB; "
      "%llu calls, %llu missing, %llu counted as lost, %llu duplicated, %llu out of order\n",
      ok ? "ok   " : "FAILS", name, probe.program_count(),
      probe.uses_raw_tracepoints() ? "raw" : "BTF", probe.rings().bytes / 1024,
      static_cast<unsigned long long>(kProcesses * calls), static_cast<unsigned long long>(missing),
      static_cast<unsigned long long>(counted), static_cast<unsigned long long>(unordered),
      static_cast<unsigned long long>(backwards));
  std::fflush(stdout);
  return ok;
}

void set_up_machine() {
  for (const char* place : {"/proc", "/sys", "/dev"}) ::mkdir(place, 0755);
  ::mount("proc", "/proc", "proc", 0, nullptr);
  ::mount("sysfs", "/sys", "sysfs", 0, nullptr);
  ::mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  const int console = ::open("/dev/console", O_RDWR);
  for (int fd = 0; console >= 0 && fd < 3; ++fd) ::dup2(console, fd);
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_init = ::getpid() == 1;
  if (is_init) set_up_machine();
  const uint64_t calls = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20000;
  utsname kernel{};
  ::uname(&kernel);
  std::printf("Linux %s\n", kernel.release);
  ProbeOptions plain;
  ProbeOptions raw;
  raw.raw_tracepoints = true;
  ProbeOptions small;
  small.ring_bytes = 2u << 20;
  ProbeOptions all;
  all.all_calls = true;
  all.snaplen = 80;
  ProbeOptions shared;
  shared.cpus_per_ring = 0;
  bool ok = try_variant("default", plain, calls);
  ok = try_variant("raw tracepoints", raw, calls) && ok;
  ok = try_variant("rings of 2 MiB", small, calls) && ok;
  ok = try_variant("all calls, with data", all, calls) && ok;
  ok = try_variant("one buffer for all", shared, calls) && ok;
  std::puts(ok ? "all is well" : "something is wrong");
  std::fflush(stdout);
  if (is_init) ::reboot(RB_POWER_OFF);
  return ok ? 0 : 1;
}
