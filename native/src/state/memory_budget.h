// The limit of --max-memory for what the engine remembers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/memory_count.h"

namespace sfkit::state {

// What a run forgot to stay within its limit.
struct Forgotten {
  uint64_t threads = 0;
  uint64_t descriptors = 0;
  uint64_t names = 0;  // of users and groups
};

class MemoryBudget {
 public:
  // Reader, batches and blocks take this much of the limit, whatever the input.
  static constexpr uint64_t kBase = 24'000'000;
  static constexpr uint64_t kMinLimit = 32'000'000;

  // `limit`: bytes, at least kMinLimit. Without a call there is none.
  void set_limit(uint64_t limit) {
    limit_ = static_cast<int64_t>(std::min<uint64_t>(limit, INT64_MAX) - kBase);
    next_ = limit_;
  }

  bool is_exceeded() const { return used() > next_; }
  // Whether more should go. Going below the limit by an eighth keeps the cost of walks over
  // everything in proportion to what was added since the last one.
  bool wants_less() const { return used() > limit_ - limit_ / 8; }
  // Ends a release. If the rest cannot go, the next release waits for as much again.
  void start_again() { next_ = std::max(limit_, used() + limit_ / 8); }

 private:
  int64_t used() const { return MemoryCount::bytes() - before_; }

  int64_t before_ = MemoryCount::bytes();  // of earlier runs of this thread
  int64_t limit_ = INT64_MAX;
  int64_t next_ = INT64_MAX;
};

}  // namespace sfkit::state
