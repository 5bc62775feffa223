// Counts the memory of what grows with the input. Every structure has a fixed cost, so the count is
// the same on every machine, whatever its allocator does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace sfkit {

// The count of the current thread: what the engine keeps belongs to one thread.
class MemoryCount {
 public:
  static int64_t bytes() { return bytes_; }
  static void add(size_t bytes) { bytes_ += static_cast<int64_t>(bytes); }
  static void remove(size_t bytes) { bytes_ -= static_cast<int64_t>(bytes); }

 private:
  static constinit inline thread_local int64_t bytes_ = 0;
};

// A member of structures that cost `kBytes` each, with their share of indexes and of the allocator.
template <size_t kBytes>
class Counted {
 public:
  Counted() { MemoryCount::add(kBytes); }
  Counted(const Counted&) : Counted() {}
  Counted& operator=(const Counted&) { return *this; }
  ~Counted() { MemoryCount::remove(kBytes); }
};

// A member that counts what its structure keeps in buffers.
class CountedBytes {
 public:
  CountedBytes() = default;
  CountedBytes(const CountedBytes& other) { set(other.bytes_); }
  CountedBytes(CountedBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  CountedBytes& operator=(CountedBytes other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~CountedBytes() { MemoryCount::remove(bytes_); }

  // Not inline: seldom needed, and raise() is.
  [[gnu::noinline]] void set(size_t bytes) {
    MemoryCount::add(bytes - bytes_);
    bytes_ = bytes;
  }
  // For buffers that never shrink.
  void raise(size_t bytes) {
    if (bytes > bytes_) set(bytes);
  }
  // For buffers that were given back if they were large.
  void lower(size_t bytes) {
    if (bytes < bytes_) set(bytes);
  }

 private:
  size_t bytes_ = 0;
};

}  // namespace sfkit
