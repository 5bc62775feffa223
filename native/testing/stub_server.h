// A server on a unix socket that sends the same bytes to every client, whatever it asks.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"

namespace sfkit::testing {

class StubServer {
 public:
  // `hangs_up`: closes each connection after the answer; else leaves it open.
  explicit StubServer(std::string answer, bool hangs_up = true)
      : answer_(std::move(answer)), hangs_up_(hangs_up) {
    path_ = (std::filesystem::temp_directory_path() /
             ("sfkit-stub-" + std::to_string(::getpid()) + "-" + std::to_string(++count_)))
                .string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::unlink(path_.c_str());
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
        ::listen(listener_.get(), SOMAXCONN) == 0) {
      thread_ = std::thread([this] { run(); });
    }
  }
  ~StubServer() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
    ::unlink(path_.c_str());
  }
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;

  const std::string& path() const { return path_; }
  // Connections so far.
  size_t clients() const { return clients_; }

 private:
  void run() {
    // Closing with unread bytes would discard the answer.
    std::vector<FileDescriptor> kept;
    while (!ended_) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 10) <= 0) continue;
      FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
      ++clients_;
      for (std::string_view rest = answer_; !rest.empty();) {
        const ssize_t sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        rest.remove_prefix(static_cast<size_t>(sent));
      }
      if (hangs_up_) ::shutdown(client.get(), SHUT_WR);
      kept.push_back(std::move(client));
    }
  }

  static inline int count_ = 0;
  std::string path_;
  const std::string answer_;
  const bool hangs_up_;
  FileDescriptor listener_;
  std::atomic<bool> ended_{false};
  std::atomic<size_t> clients_{0};
  std::thread thread_;
};

}  // namespace sfkit::testing
