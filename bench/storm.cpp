// Starts programs, and creates, renames and removes files with new names, as fast as possible for some seconds.
// Prints the counts. Usage: storm DIRECTORY SECONDS
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int failed(const char* what) {
  std::perror(what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string directory = argv[1];
  const time_t end = ::time(nullptr) + std::atol(argv[2]);
  long programs = 0;
  long files = 0;
  while (::time(nullptr) < end) {
    const pid_t child = ::fork();
    if (child < 0) return failed("fork");
    if (child == 0) {
      const std::string number = std::to_string(programs);
      ::execl("/bin/true", "true", number.c_str(), nullptr);
      ::_exit(1);
    }
    ++programs;
    for (int i = 0; i < 20; ++i, ++files) {
      const std::string name =
          directory + "/file-" + std::to_string(::getpid()) + "-" + std::to_string(files);
      const int fd = ::open(name.c_str(), O_CREAT | O_RDWR, 0600);
      if (fd < 0) return failed("open");
      for (int write = 0; write < 5; ++write) {
        if (::write(fd, name.data(), name.size()) < 0) return failed("write");
      }
      ::close(fd);
      const std::string renamed = name + ".done";
      if (::rename(name.c_str(), renamed.c_str()) != 0 || ::unlink(renamed.c_str()) != 0)
        return failed("rename");
    }
    if (::waitpid(child, nullptr, 0) != child) return failed("waitpid");
  }
  std::printf("{\"programs\": %ld, \"files\": %ld}\n", programs, files);
  return 0;
}
