// The bytes of a capture as one forward stream: a file, a pipe, or gzip over either, decompressed on a thread
// of its own. Files are read in steps, not mapped: one that shrinks while it is read (a rotation, a full disk
// elsewhere) ends early, where a mapped one would end the process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::scap {

class Input {
 public:
  // `path` names a file, or is "-" for standard input. gzip is recognised by its first two bytes.
  static Result<std::unique_ptr<Input>> open(const std::string& path);

  // The same for bytes in memory, which must outlive the input.
  static Result<std::unique_ptr<Input>> over(Bytes bytes);

  virtual ~Input() = default;

  // What is at hand at the current position: at least `want` bytes unless the stream ends before.
  // Valid until the next peek or consume.
  Bytes peek(size_t want) {
    if (window_.size() < want) fill(want);
    return window_;
  }

  // Moves on by `count` bytes, at most what peek() showed.
  void consume(size_t count) {
    window_ = window_.slice(count);
    offset_ += count;
  }

  // Position in the decompressed stream.
  uint64_t offset() const { return offset_; }

  virtual bool is_gzip() const { return false; }

  // Why the stream ended early (damaged gzip, read error); empty after a clean end.
  const std::string& failure() const { return failure_; }

  // For another thread: a read that waits for a pipe returns soon, as at the end of the stream.
  virtual void stop() {}

  // After a failure: goes on behind the damage. What peek() then shows continues the bytes not yet consumed,
  // though something is missing in between. False when nothing more can be had.
  virtual bool resume() { return false; }

 protected:
  // Extends window_ to at least `want` bytes if the stream has them.
  virtual void fill(size_t want) = 0;

  Bytes window_;
  uint64_t offset_ = 0;
  std::string failure_;
};

}  // namespace sfkit::scap
