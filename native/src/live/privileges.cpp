#include "live/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "live/proc_files.h"

namespace sfkit::live {
namespace {

constexpr uint32_t kKeptCapabilities = 1u << CAP_DAC_OVERRIDE;

// Capabilities belong to a thread, so every thread drops its own in a signal handler. This signal
// is borrowed from the C library, which uses it to set ids in all threads and keeps it unblocked.
constexpr int kSignal = 33;

// Threads that have dropped their capabilities.
constexpr size_t kMaxThreads = 4096;
std::array<std::atomic<pid_t>, kMaxThreads> dropped_threads;
std::atomic<size_t> dropped_count{0};
std::atomic<int> error_number{0};

// The kernel's struct: the C library refuses handlers for this signal.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};
constexpr unsigned long kSaRestorer = 0x04000000;
constexpr unsigned long kSaRestart = 0x10000000;

extern "C" void sfkit_return_from_signal();
__asm__(
    ".text\n"
    ".hidden sfkit_return_from_signal\n"
    "sfkit_return_from_signal:\n"
    "  mov $15, %eax\n"  // rt_sigreturn
    "  syscall\n");

long set_action(const KernelAction* action, KernelAction* previous) {
  return ::syscall(SYS_rt_sigaction, kSignal, action, previous, sizeof(uint64_t));
}

long drop_in_this_thread() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> now{};
  if (::syscall(SYS_capget, &header, now.data()) != 0) return -1;
  now[0].effective &= kKeptCapabilities;
  now[0].permitted &= kKeptCapabilities;
  now[0].inheritable = 0;
  now[1] = {};
  // New programs must not regain privileges.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return ::syscall(SYS_capset, &header, now.data());
}

void on_signal(int) {
  const int error = errno;
  if (drop_in_this_thread() != 0) error_number.store(errno);
  const size_t index = dropped_count.fetch_add(1);
  if (index < kMaxThreads) dropped_threads[index].store(static_cast<pid_t>(::syscall(SYS_gettid)));
  errno = error;
}

// Whether a thread blocks the signal, as io_uring workers do. (The C library also blocks it briefly
// while it starts a thread.)
bool blocks_signal(int64_t tid) {
  const std::string status = read_small_file("/proc/self/task/" + std::to_string(tid) + "/status");
  return (to_hex(line_value(status, "SigBlk:")) >> (kSignal - 1) & 1) != 0;
}

bool thread_exists(int64_t tid) {
  return ::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0;
}

Status not_dropped(const std::string& why) {
  return {ErrorCode::kUnreadable, "privileges cannot be dropped: " + why};
}

}  // namespace

Status drop_privileges() {
  using std::chrono::milliseconds;
  KernelAction previous{};
  const KernelAction action{on_signal, kSaRestorer | kSaRestart, sfkit_return_from_signal, 0};
  for (auto& tid : dropped_threads) tid.store(0);
  dropped_count.store(0);
  error_number.store(0);
  if (set_action(&action, &previous) != 0) return not_dropped(std::strerror(errno));
  // Threads may start meanwhile; they inherit the capabilities of their creator.
  std::set<int64_t> signaled;
  std::set<int64_t> pending;
  for (bool any = true; any;) {
    any = false;
    for (const int64_t tid : numbered_entries("/proc/self/task")) {
      if (!signaled.insert(tid).second) continue;
      any = true;
      if (::syscall(SYS_tgkill, ::getpid(), tid, kSignal) == 0) pending.insert(tid);
    }
    for (int waited = 0; waited < 1000 && !pending.empty(); ++waited) {
      std::this_thread::sleep_for(milliseconds(1));
      for (const auto& tid : dropped_threads) pending.erase(tid.load());
      std::erase_if(pending, [](int64_t tid) { return !thread_exists(tid); });
    }
  }
  // A late thread must not run the C library's handler, so keep ours until all have answered.
  if (pending.empty()) set_action(&previous, nullptr);
  if (error_number.load() != 0) return not_dropped(std::strerror(error_number.load()));
  if (pending.empty()) return Status::ok();
  if (std::any_of(pending.begin(), pending.end(), blocks_signal)) {
    return not_dropped("a thread blocks signals (io_uring; see UV_USE_IO_URING of Node.js)");
  }
  return not_dropped("a thread is busy in the kernel");
}

}  // namespace sfkit::live
