// How far the reading of an input is: written while reading, readable from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace sfkit {

struct Progress {
  std::atomic<uint64_t> size{0};      // bytes of the file on disk; 0 if unknown, as for pipes
  std::atomic<uint64_t> consumed{0};  // of these, bytes read so far
  std::atomic<uint64_t> bytes{0};     // of the decompressed stream
  std::atomic<uint64_t> events{0};    // event blocks, or records of a SysFlow file

  // Each counter has a single writer, so that it needs no atomic read-modify-write.
  static void set(std::atomic<uint64_t>& counter, uint64_t value) {
    counter.store(value, std::memory_order_relaxed);
  }
  static uint64_t get(const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  }
};

// Inputs and readers that are made on this thread while the scope exists report to `progress`,
// which must outlive them. The layers between do not handle it.
class ProgressScope {
 public:
  explicit ProgressScope(Progress& progress) { current_ = &progress; }
  ProgressScope(const ProgressScope&) = delete;
  ProgressScope& operator=(const ProgressScope&) = delete;
  ~ProgressScope() { current_ = nullptr; }

  // Null outside of a scope.
  static Progress* current() { return current_; }

 private:
  static inline thread_local Progress* current_ = nullptr;
};

}  // namespace sfkit
