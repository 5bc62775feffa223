// Makes one kind of system call in a loop and prints the nanoseconds per call.
// Usage: call_loop getppid|read|readstat CALLS
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long calls = std::atol(argv[2]);
  const int zero = ::open("/dev/zero", O_RDONLY);
  const bool reads = std::strcmp(argv[1], "read") == 0;
  char byte;
  timespec begin{}, end{};
  ::clock_gettime(CLOCK_MONOTONIC, &begin);
  if (reads) {
    for (long i = 0; i < calls; ++i) {
      if (::read(zero, &byte, 1) != 1) return 1;
    }
  } else {
    for (long i = 0; i < calls; ++i) ::syscall(SYS_getppid);
  }
  ::clock_gettime(CLOCK_MONOTONIC, &end);
  const double taken =
      static_cast<double>(end.tv_sec - begin.tv_sec) * 1e9 + static_cast<double>(end.tv_nsec - begin.tv_nsec);
  std::printf("%.2f\n", taken / static_cast<double>(calls));
  return 0;
}
