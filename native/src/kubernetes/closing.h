// Ends waits of several threads at once.
#pragma once

#include <atomic>
#include <chrono>

#include "base/file_descriptor.h"

namespace sfkit::kubernetes {

using Clock = std::chrono::steady_clock;

class Closing {
 public:
  Closing();

  void close();
  bool is_closed() const { return closed_.load(); }
  // Becomes readable with close(), and stays so; -1 if the system has no descriptors left.
  int fd() const { return read_.get(); }
  // Returns early after close().
  void sleep(std::chrono::milliseconds time) const;

 private:
  std::atomic<bool> closed_{false};
  FileDescriptor read_;
  FileDescriptor write_;
};

}  // namespace sfkit::kubernetes
