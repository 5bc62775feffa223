// A reader of SOCK_SEQPACKET messages for tests, in the same process.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/file_descriptor.h"

namespace sfkit::testing {

class SeqpacketListener {
 public:
  explicit SeqpacketListener(const std::string& path) : path_(path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ::unlink(path.c_str());
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_.get(), 4) != 0) {
      listener_.reset();
    }
  }
  ~SeqpacketListener() { ::unlink(path_.c_str()); }
  SeqpacketListener(const SeqpacketListener&) = delete;
  SeqpacketListener& operator=(const SeqpacketListener&) = delete;

  bool is_open() const { return listener_.is_open(); }
  // Waits for the next client.
  void accept() { client_ = FileDescriptor(::accept(listener_.get(), nullptr, nullptr)); }
  void hang_up() { client_.reset(); }
  // The next message, for which it waits; empty at the end.
  std::vector<uint8_t> receive() {
    std::vector<uint8_t> message(size_t{1} << 20);
    const ssize_t size = ::recv(client_.get(), message.data(), message.size(), 0);
    message.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return message;
  }
  // Whether a message, or the end, has arrived.
  bool has_message() const {
    pollfd entry{client_.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
  }

 private:
  std::string path_;
  FileDescriptor listener_;
  FileDescriptor client_;
};

}  // namespace sfkit::testing
