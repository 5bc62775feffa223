// A capture as one forward stream: a file, a pipe, or gzip over either, decompressed on its own
// thread. Files are read, not mapped: if a file shrinks during reading (log rotation), reading ends
// early. Access to a mapping would kill the process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::scap {

class Input {
 public:
  // `path` is a file name, or "-" for standard input. gzip is detected by its magic.
  static Result<std::unique_ptr<Input>> open(const std::string& path);

  // Reads from memory, which must outlive the input.
  static Result<std::unique_ptr<Input>> over(Bytes bytes);

  virtual ~Input() = default;

  // The buffered bytes at the current position: at least `want`, unless the stream ends first.
  // Valid until the next peek() or consume().
  Bytes peek(size_t want) {
    if (window_.size() < want) fill(want);
    return window_;
  }

  // Advances by `count` bytes, at most the size of the last peek().
  void consume(size_t count) {
    window_ = window_.slice(count);
    offset_ += count;
  }

  // Position in the decompressed stream.
  uint64_t offset() const { return offset_; }

  virtual bool is_gzip() const { return false; }

  // Why the stream ended early (damaged gzip, read error); empty after a clean end.
  const std::string& failure() const { return failure_; }

  // Callable from another thread: a read that waits for a pipe returns soon, as if the stream
  // ended.
  virtual void stop() {}

  // After a failure: skips the damage. Later bytes then directly follow the unconsumed ones in
  // peek(), although data is missing between them. False if there is no more data.
  virtual bool resume() { return false; }

 protected:
  // Extends window_ to at least `want` bytes unless the stream ends.
  virtual void fill(size_t want) = 0;

  Bytes window_;
  uint64_t offset_ = 0;
  std::string failure_;
};

}  // namespace sfkit::scap
