#include "kubernetes/closing.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace sfkit::kubernetes {

Closing::Closing() {
  int ends[2];
  if (::pipe(ends) != 0) return;
  read_ = FileDescriptor(ends[0]);
  write_ = FileDescriptor(ends[1]);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
}

void Closing::close() {
  closed_.store(true);
  // The end of the pipe is readable for every thread.
  write_.reset();
}

void Closing::sleep(std::chrono::milliseconds time) const {
  const Clock::time_point until = Clock::now() + time;
  while (!is_closed()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return;
    pollfd wait{fd(), POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(left));
  }
}

}  // namespace sfkit::kubernetes
