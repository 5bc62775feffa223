// Sequential bytes of a file, a pipe or memory.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/status.h"

namespace sfkit::scap {

class ByteSource {
 public:
  // `path` is a file name, or "-" for standard input. Fails if the file is empty or unreadable.
  // Reports its size and what was read of it to the current ProgressScope.
  static Result<ByteSource> open(const std::string& path);

  // `bytes` must outlive the source and must not be empty.
  static ByteSource over(Bytes bytes);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // Whether the input starts with the gzip magic.
  bool looks_like_gzip() const;

  // Reads up to `room` bytes into `target`. Returns 0 at the end, after stop() and after an error
  // (see failure()).
  size_t read(uint8_t* target, size_t room);

  // Rewinds to the first byte. Fails for pipes, which can be read only once.
  bool restart();
  bool can_restart() const { return in_memory() || start_ >= 0; }

  // Callable from another thread: ends a read that waits for a pipe, and all later reads.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  const std::string& failure() const { return failure_; }

 private:
  static constexpr size_t kHead = 2;

  explicit ByteSource(int fd) : fd_(fd) {}
  bool in_memory() const { return !memory_.empty(); }
  Status read_head(const std::string& name);
  bool wait_for_input();
  size_t count(size_t got);

  int fd_;
  Bytes memory_;  // instead of a file
  size_t memory_used_ = 0;
  int64_t start_ = -1;  // file position when opened; -1 for a pipe
  std::array<uint8_t, kHead> head_{};
  size_t head_size_ = 0;
  size_t head_used_ = 0;
  std::atomic<bool> stopped_{false};
  Progress* progress_ = nullptr;
  uint64_t consumed_ = 0;
  std::string failure_;
};

}  // namespace sfkit::scap
