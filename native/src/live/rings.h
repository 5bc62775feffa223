// Reads what the probe wrote: the ring buffers of all processors, merged by time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "live/file_descriptor.h"

namespace sfkit::live {

// One ring buffer of the kernel (linux/bpf.h: BPF_MAP_TYPE_RINGBUF), mapped into memory.
class Ring {
 public:
  static Result<Ring> map(const FileDescriptor& fd, uint32_t bytes);
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&&) = delete;
  ~Ring();

  // Looks where the kernel has come to; what came later is not seen until the next call.
  void refresh();
  // The first event that is there, null without one. An event that the kernel is still writing hides those
  // behind it.
  const uint8_t* peek();
  bool is_blocked() const { return blocked_; }
  uint32_t size() const { return size_; }  // of the event that peek() gave
  // Goes behind the event that peek() gave. Its bytes stay until release().
  void skip() { consumed_ += step_; }
  // Gives the room of what was skipped back to the kernel.
  void release();
  uint64_t waiting_bytes() const { return produced_ - consumed_; }

 private:
  Ring() = default;

  uint8_t* consumer_page_ = nullptr;
  uint8_t* producer_pages_ = nullptr;  // a page of its own, then the data twice in a row
  uint32_t bytes_ = 0;
  uint32_t page_ = 0;
  uint64_t consumed_ = 0;
  uint64_t produced_ = 0;
  uint32_t size_ = 0;
  uint64_t step_ = 0;
  bool blocked_ = false;
};

// Events of several rings in the order of their times.
class RingMerger {
 public:
  static Result<RingMerger> map(const std::vector<FileDescriptor>& rings, uint32_t ring_bytes);

  // Calls `visit(const uint8_t* event, uint32_t size, uint16_t ring)` for events up to `limit` (ns, as in the
  // events) until it returns false. An event is header and parameters, without a block around them. Of each
  // thread's events the order is right if `limit` is not later than this call. Returns the bytes of the
  // fullest ring when it began.
  template <typename Visit>
  uint64_t drain(uint64_t limit, Visit visit) {
    uint64_t most = 0;
    for (Ring& ring : rings_) {
      ring.refresh();
      most = std::max(most, ring.waiting_bytes());
    }
    for (bool going_on = true; going_on;) {
      const size_t first = find_first(limit);
      if (first == kNone) break;
      Ring& ring = rings_[first];
      // Most often many of one ring follow each other.
      for (size_t count = 1; going_on; ++count) {
        const uint8_t* event = ring.peek();
        if (event == nullptr || time_of(event) > turn_ends_) break;
        going_on = visit(event, ring.size(), static_cast<uint16_t>(first));
        ring.skip();
        // The kernel shall have room again soon.
        if (count % kReleaseEvery == 0) ring.release();
      }
      ring.release();
    }
    return most;
  }

  // Whether the kernel has nothing more, or nothing that is whole.
  bool is_empty();

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kReleaseEvery = 256;

  static uint64_t time_of(const uint8_t* event);
  // The ring with the earliest event up to `limit`; turn_ends_ is when another one has its turn.
  size_t find_first(uint64_t limit);

  std::vector<Ring> rings_;
  uint64_t turn_ends_ = 0;
};

}  // namespace sfkit::live
