#include "output/seqpacket.h"

#if defined(_WIN32)

namespace sfkit::output {

Status SeqpacketClient::connect(const std::string& path) {
  return {ErrorCode::kNotSupported, path + ": this system has no SOCK_SEQPACKET unix sockets"};
}
SeqpacketClient::Sent SeqpacketClient::send(Bytes, bool& too_long) {
  too_long = false;
  return Sent::kLost;
}
size_t SeqpacketClient::unread() const {
  return 0;
}
bool SeqpacketClient::has_ended() {
  return true;
}
void SeqpacketClient::close() {}

}  // namespace sfkit::output

#else

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sfkit::output {

Status SeqpacketClient::connect(const std::string& path) {
  close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return {ErrorCode::kInvalidArgument, path + ": a socket path has 1 to " +
                                             std::to_string(sizeof(address.sun_path) - 1) +
                                             " bytes"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  const auto fail = [&path, fd] {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return Status(ErrorCode::kUnreadable, path + ": " + std::strerror(error));
  };
  if (fd < 0) return fail();
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return fail();
  fd_ = fd;
  return Status::ok();
}

SeqpacketClient::Sent SeqpacketClient::send(Bytes message, bool& too_long) {
  too_long = false;
  if (fd_ < 0) return Sent::kLost;
  for (;;) {
    const ssize_t sent = ::send(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return Sent::kSent;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Sent::kBusy;
    if (errno == EMSGSIZE) {
      too_long = true;
      return Sent::kLost;
    }
    close();
    return Sent::kLost;
  }
}

size_t SeqpacketClient::unread() const {
#if defined(TIOCOUTQ)
  int bytes = 0;
  if (fd_ >= 0 && ::ioctl(fd_, TIOCOUTQ, &bytes) == 0 && bytes > 0)
    return static_cast<size_t>(bytes);
#endif
  return 0;
}

bool SeqpacketClient::has_ended() {
  if (fd_ < 0) return true;
  pollfd entry{fd_, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLERR)) != 0;
}

void SeqpacketClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace sfkit::output

#endif
