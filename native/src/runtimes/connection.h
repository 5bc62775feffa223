// A connection to a unix socket whose peer may be slow, silent or hostile.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/status.h"

namespace sfkit::runtimes {

using Clock = std::chrono::steady_clock;

// When to give up.
struct Patience {
  Clock::time_point until;
  const std::atomic<bool>* cancelled = nullptr;  // also gives up once true; may be null

  bool is_over() const {
    return Clock::now() >= until || (cancelled != nullptr && cancelled->load());
  }
};

class Connection {
 public:
  static Result<Connection> open(const std::string& path, const Patience& patience);

  Status send(std::string_view bytes, const Patience& patience);
  // Appends at least one byte to `buffer`; `ended` says that the peer has closed instead.
  Status receive(std::string& buffer, const Patience& patience, bool& ended);

 private:
  explicit Connection(FileDescriptor socket) : socket_(std::move(socket)) {}
  Status wait(short events, const Patience& patience) const;

  FileDescriptor socket_;
};

}  // namespace sfkit::runtimes
