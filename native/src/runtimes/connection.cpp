#include "runtimes/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sfkit::runtimes {
namespace {

// How soon a cancelled request ends.
constexpr std::chrono::milliseconds kMaxWait{100};

Status failed(const char* why) {
  return {ErrorCode::kUnreadable, why};
}

}  // namespace

Result<Connection> Connection::open(const std::string& path, const Patience& patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return failed("bad socket path");
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!socket.is_open()) return failed(std::strerror(errno));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  while (::connect(socket.get(), to, sizeof(address)) != 0) {
    // The queue of the peer is full.
    if (errno != EAGAIN && errno != EINTR) return failed(std::strerror(errno));
    if (patience.is_over()) return failed("no answer in time");
    ::poll(nullptr, 0, 10);
  }
  return Connection(std::move(socket));
}

Status Connection::wait(short events, const Patience& patience) const {
  while (!patience.is_over()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(patience.until - Clock::now());
    pollfd entry{socket_.get(), events, 0};
    const int timeout =
        static_cast<int>(std::clamp(left, std::chrono::milliseconds{1}, kMaxWait).count());
    if (::poll(&entry, 1, timeout) > 0) return Status::ok();
  }
  return failed("no answer in time");
}

Status Connection::send(std::string_view bytes, const Patience& patience) {
#if defined(MSG_NOSIGNAL)
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;
#endif
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), kFlags);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (Status status = wait(POLLOUT, patience); !status.is_ok()) return status;
    } else if (errno != EINTR) {
      return failed(std::strerror(errno));
    }
  }
  return Status::ok();
}

Status Connection::receive(std::string& buffer, const Patience& patience, bool& ended) {
  std::array<char, 16384> part;
  ended = false;
  // Also for a peer that always has another byte.
  while (!patience.is_over()) {
    const ssize_t got = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (got > 0) {
      buffer.append(part.data(), static_cast<size_t>(got));
      return Status::ok();
    }
    if (got == 0) {
      ended = true;
      return Status::ok();
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (Status status = wait(POLLIN, patience); !status.is_ok()) return status;
    } else if (errno != EINTR) {
      return failed(std::strerror(errno));
    }
  }
  return failed("no answer in time");
}

}  // namespace sfkit::runtimes
