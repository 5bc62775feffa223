// The bytes of a file, a pipe or a piece of memory as they come, from the first on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::scap {

class ByteSource {
 public:
  // `path` names a file, or is "-" for standard input. Fails when it is empty or cannot be read.
  static Result<ByteSource> open(const std::string& path);

  // `bytes` must outlive the source and may not be empty.
  static ByteSource over(Bytes bytes);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // Whether the first bytes are those of gzip.
  bool looks_like_gzip() const;

  // Up to `room` bytes at `target`; 0 at the end, after stop(), and after an error (see failure()).
  size_t read(uint8_t* target, size_t room);

  // Back to the first byte. False for what can be read only once, like a pipe.
  bool restart();
  bool can_restart() const { return in_memory() || start_ >= 0; }

  // For another thread: a read that waits for a pipe returns soon, and every further one at once.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  const std::string& failure() const { return failure_; }

 private:
  static constexpr size_t kHead = 2;

  explicit ByteSource(int fd) : fd_(fd) {}
  bool in_memory() const { return !memory_.empty(); }
  Status read_head(const std::string& name);
  bool wait_for_input();

  int fd_;
  Bytes memory_;  // instead of a file
  size_t memory_used_ = 0;
  int64_t start_ = -1;  // where the file was when it was opened; -1 for a pipe
  std::array<uint8_t, kHead> head_{};
  size_t head_size_ = 0;
  size_t head_used_ = 0;
  std::atomic<bool> stopped_{false};
  std::string failure_;
};

}  // namespace sfkit::scap
