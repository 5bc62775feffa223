// Opens files through a path that another thread keeps changing, then through symbolic links, for the test of
// live capture. Says on standard output, one JSON object a line, which inode has which name.
// Usage: path_race DIRECTORY
#include <fcntl.h>
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

constexpr int kOpens = 20000;

void fail(const char* what) {
  std::perror(what);
  std::exit(99);
}

void make(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  struct stat found {};
  if (fd < 0 || ::fstat(fd, &found) != 0) fail(path.c_str());
  ::close(fd);
  std::printf(R"({"path":"%s","inode":%lu})"
              "\n",
              path.c_str(), static_cast<unsigned long>(found.st_ino));
}

// By each of the calls that open by a path.
void open_by_all(const char* path) {
  struct {
    unsigned long long flags, mode, resolve;
  } how{O_RDONLY, 0, 0};
  const long fds[] = {::syscall(SYS_open, path, O_RDONLY), ::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY),
                      ::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)),
                      ::syscall(SYS_creat, path, 0600)};
  for (const long fd : fds) {
    if (fd < 0) fail(path);
    ::close(static_cast<int>(fd));
  }
}

}  // namespace

int main(int, char** arguments) {
  const std::string directory = arguments[1];
  const std::string a = directory + "/aaaa";
  const std::string b = directory + "/bbbb";
  const std::string alone = directory + "/link-alone";
  const std::string beside = directory + "/link-beside";
  make(a);
  make(b);
  if (::symlink("aaaa", alone.c_str()) != 0 || ::symlink("bbbb", beside.c_str()) != 0) fail("symlink");
  open_by_all(alone.c_str());

  // A name of one word changes at once. The directory is not in it: the word would be read in two parts.
  if (::chdir(directory.c_str()) != 0) fail("chdir");
  alignas(8) char path[8] = "aaaa";
  uint64_t names[2] = {};
  std::memcpy(&names[0], "aaaa", 4);
  std::memcpy(&names[1], "bbbb", 4);
  const std::atomic_ref<uint64_t> name(*reinterpret_cast<uint64_t*>(path));
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done.load(std::memory_order_relaxed)) {
      for (const uint64_t value : names) name.store(value, std::memory_order_relaxed);
    }
  });
  for (int i = 0; i < kOpens / 4; ++i) open_by_all(path);
  // With a thread beside it, but with paths that stay.
  open_by_all(beside.c_str());
  open_by_all(a.c_str());
  done = true;
  other.join();
}
