#include "files/standard_output.h"

#if defined(__linux__) || defined(__APPLE__)

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/kcmp.h>
#include <sys/syscall.h>
#endif

namespace sfkit::files {
namespace {

// Whether a descriptor is /dev/null for reading and writing.
bool is_open_null(int descriptor) {
  struct stat opened = {};
  struct stat null = {};
  if (::fstat(descriptor, &opened) != 0 || ::stat("/dev/null", &null) != 0) return false;
  const int flags = ::fcntl(descriptor, F_GETFL);
  return S_ISCHR(opened.st_mode) && opened.st_rdev == null.st_rdev && flags >= 0 &&
         (flags & O_ACCMODE) == O_RDWR;
}

// Whether a descriptor of a process is a copy of our standard output; false where the system does not say.
bool is_copy([[maybe_unused]] pid_t process, [[maybe_unused]] int descriptor) {
#if defined(__linux__)
  return ::syscall(SYS_kcmp, ::getpid(), process, KCMP_FILE, STDOUT_FILENO, descriptor) == 0;
#else
  return false;
#endif
}

}  // namespace

bool is_standard_output_closed() {
  if (!is_open_null(STDOUT_FILENO) || is_open_null(STDERR_FILENO)) return false;
  return !is_copy(::getpid(), STDIN_FILENO) && !is_copy(::getppid(), STDOUT_FILENO);
}

}  // namespace sfkit::files

#else

namespace sfkit::files {

bool is_standard_output_closed() {
  return false;
}

}  // namespace sfkit::files

#endif
