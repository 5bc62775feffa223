// Opens files through a path that another thread keeps changing, then through symbolic links, for
// the test of live capture. Prints the inode and name of each file, one JSON object per line.
// Needs two processors.
// Usage: path_race DIRECTORY
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

// Repeats opens while the name changes, until enough of them had another name at their end, which
// is when the probe reads the name.
constexpr int kWanted = 100;
constexpr int kMaxOpens = 100'000;

void fail(const char* what) {
  std::perror(what);
  std::exit(99);
}

ino_t inode_of(long fd) {
  struct stat found {};
  if (fd < 0 || ::fstat(static_cast<int>(fd), &found) != 0) fail("open");
  ::close(static_cast<int>(fd));
  return found.st_ino;
}

ino_t make(const std::string& path) {
  const ino_t inode = inode_of(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  std::printf("{\"path\":\"%s\",\"inode\":%lu}\n", path.c_str(), static_cast<unsigned long>(inode));
  return inode;
}

/** Keeps the calling thread on the processor at `index` of those that it may use. */
void stay_on_processor(int index) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) fail("sched_getaffinity");
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &allowed) || index-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    if (::sched_setaffinity(0, sizeof(one), &one) != 0) fail("sched_setaffinity");
    return;
  }
}

// Uses each system call that opens by path. Counts the files that are not `named()` after the call.
template <typename Named>
int open_by_all(const char* path, Named named) {
  struct {
    unsigned long long flags, mode, resolve;
  } how{O_RDONLY, 0, 0};
  int others = 0;
  const auto look = [&](long fd) {
    const ino_t wanted = named();
    if (inode_of(fd) != wanted) ++others;
  };
  look(::syscall(SYS_open, path, O_RDONLY));
  look(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
  look(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
  look(::syscall(SYS_creat, path, 0600));
  return others;
}

}  // namespace

int main(int, char** arguments) {
  const std::string directory = arguments[1];
  const std::string a = directory + "/aaaa";
  const std::string b = directory + "/bbbb";
  const std::string alone = directory + "/link-alone";
  const std::string beside = directory + "/link-beside";
  const ino_t inode_a = make(a);
  const ino_t inode_b = make(b);
  if (::symlink("aaaa", alone.c_str()) != 0 || ::symlink("bbbb", beside.c_str()) != 0)
    fail("symlink");
  open_by_all(alone.c_str(), [&] { return inode_a; });

  // A name of one word changes atomically. It has no directory, whose name would be read in two
  // parts.
  if (::chdir(directory.c_str()) != 0) fail("chdir");
  alignas(8) char path[8] = "aaaa";
  uint64_t names[2] = {};
  std::memcpy(&names[0], "aaaa", 4);
  std::memcpy(&names[1], "bbbb", 4);
  const std::atomic_ref<uint64_t> name(*reinterpret_cast<uint64_t*>(path));
  std::atomic<bool> done{false};
  std::atomic<uint64_t> changes{0};
  std::thread other([&] {
    stay_on_processor(1);
    for (uint64_t count = 1; !done.load(std::memory_order_relaxed); ++count) {
      for (const uint64_t value : names) name.store(value, std::memory_order_relaxed);
      changes.store(count, std::memory_order_relaxed);
    }
  });
  stay_on_processor(0);
  const auto named = [&] { return name.load() == names[0] ? inode_a : inode_b; };
  for (int opens = 0, others = 0; others < kWanted && opens < kMaxOpens; opens += 4) {
    // On a busy machine the other thread may not run: opens would only be many.
    const uint64_t before = changes.load(std::memory_order_relaxed);
    while (changes.load(std::memory_order_relaxed) == before) ::sched_yield();
    others += open_by_all(path, named);
  }
  // With a second thread, but constant paths.
  open_by_all(beside.c_str(), [&] { return inode_b; });
  open_by_all(a.c_str(), [&] { return inode_a; });
  done = true;
  other.join();
}
