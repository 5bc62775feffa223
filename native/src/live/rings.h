// Reads what the probe wrote: the rings of all processors, merged by time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "live/probe.h"

namespace sfkit::live {

// Memory that is shared with the kernel.
class SharedMemory {
 public:
  static Result<SharedMemory> map(const FileDescriptor& fd, size_t bytes, bool writable, size_t offset = 0);
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  uint8_t* at(size_t offset) const { return start_ + offset; }

 private:
  uint8_t* start_ = nullptr;
  size_t bytes_ = 0;
};

// Events in the order in which they were stored, which but for a few is that of their times.
class Ring {
 public:
  // `bytes`: a power of two. `number`: its processor; of the kernel's rings, which
  // several may share, a number of their own.
  Ring(uint32_t bytes, uint16_t number) : bytes_(bytes), number_(number) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  virtual ~Ring() = default;

  // Looks where the kernel has come to; what came later is not seen until the next call.
  virtual void refresh() = 0;
  // The first event that is there, null without one.
  virtual const uint8_t* peek() = 0;
  // Gives the room of what was skipped back to the kernel.
  virtual void release() = 0;

  uint16_t number() const { return number_; }
  uint32_t size() const { return size_; }  // of the event that peek() gave
  // Goes behind the event that peek() gave. Its bytes stay until release().
  void skip() { consumed_ += step_; }
  bool is_empty() const { return produced_ == consumed_ && unfinished_since_ == kAllFinished; }
  // How much of it is waiting, from 0 to 1.
  double fill() const { return static_cast<double>(produced_ - consumed_) / static_cast<double>(bytes_); }
  // Where peek() gives none: an event of this time or a later one was being written when refresh() was
  // called.
  uint64_t unfinished_since() const { return unfinished_since_; }
  // Whether that event is worth waiting for: not for ever. `now`: in ns.
  bool should_wait(uint64_t now);
  // How often something stood in it that is no event, so that what followed could not be read.
  uint64_t unreadable() const { return unreadable_; }

  static constexpr uint64_t kAllFinished = UINT64_MAX;

 protected:
  uint64_t bytes_;
  uint64_t consumed_ = 0;
  uint64_t produced_ = 0;
  uint64_t step_ = 0;
  uint64_t unfinished_since_ = kAllFinished;
  uint64_t unreadable_ = 0;
  uint32_t size_ = 0;
  uint16_t number_;

 private:
  // Where the reader has to wait, and since when.
  uint64_t waiting_at_ = UINT64_MAX;
  uint64_t waiting_since_ = 0;
};

// A ring of the probe's own (probe/shared.h).
class ProbeRing : public Ring {
 public:
  // `data`: `bytes` and kRingSlack more.
  ProbeRing(probe_ring* state, const uint8_t* data, uint32_t bytes, uint16_t number);

  void refresh() override;
  const uint8_t* peek() override;
  void release() override;

 private:
  probe_ring* state_;
  const uint8_t* data_;
};

// A ring buffer of the kernel (linux/bpf.h: BPF_MAP_TYPE_RINGBUF).
class KernelRing : public Ring {
 public:
  static Result<std::unique_ptr<KernelRing>> map(const FileDescriptor& fd, uint32_t bytes, uint16_t number);

  void refresh() override;
  const uint8_t* peek() override;
  void release() override;

 private:
  using Ring::Ring;

  SharedMemory consumer_, producer_;  // the latter: a page of its own, then the data twice in a row
  size_t page_ = 0;
};

// Events of several rings in the order of their times.
class RingMerger {
 public:
  static Result<RingMerger> map(const ProbeRings& rings);
  explicit RingMerger(std::vector<std::unique_ptr<Ring>> rings) : rings_(std::move(rings)) {}

  // Calls `visit(const uint8_t* event, uint32_t size, uint16_t ring)` for events up to `limit` (ns, as in the
  // events) until it returns false. An event is header and parameters, without a block around them. Of each
  // thread's events the order is right if `limit` is not later than this call. Without a limit it waits for
  // nothing that is still being written. Returns how full the fullest ring was when it began, from 0 to 1.
  template <typename Visit>
  double drain(uint64_t limit, Visit visit) {
    const double fullest = begin(limit);
    for (bool more = true; more;) {
      Ring* const ring = take_earliest();
      if (ring == nullptr) break;
      // Most often many of one ring follow each other.
      for (size_t count = 1; more; ++count) {
        const uint8_t* event = ring->peek();
        if (event == nullptr || time_of(event) > turn_end_) break;
        more = visit(event, ring->size(), ring->number());
        ring->skip();
        // The kernel shall have room again soon.
        if (count % kReleaseEvery == 0) ring->release();
      }
      ring->release();
      add(ring);
    }
    return fullest;
  }

  static constexpr uint64_t kNoLimit = UINT64_MAX;

  // Whether drain() ended because an event that comes before the others is still being written.
  bool is_blocked() const { return is_blocked_; }
  // Whether the kernel has nothing more and is not writing anything.
  bool is_empty();
  // Rings in which an event was begun and is not finished, as of the last call of is_empty() or drain().
  size_t unfinished() const;
  // As Ring::unreadable(), of all.
  uint64_t unreadable() const;

 private:
  static constexpr size_t kReleaseEvery = 256;
  // Rings that are fuller than this are emptied in whatever order: better than losing what comes next.
  static constexpr double kCrowdedFill = 0.5;

  // A ring whose next event has its turn at a time.
  struct Turn {
    uint64_t time;
    Ring* ring;
    bool operator>(const Turn& other) const { return time > other.time; }
  };

  static uint64_t time_of(const uint8_t* event);
  // Looks what there is up to `limit`; how full the fullest ring is.
  double begin(uint64_t limit);
  // Enters a ring by its next event.
  void add(Ring* ring);
  // The ring with the earliest event, null without one that is known to be; turn_end_ is when another one
  // has its turn.
  Ring* take_earliest();

  SharedMemory states_, data_;
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<Turn> turns_;  // a heap, the earliest first
  uint64_t limit_ = 0;
  uint64_t unfinished_ = Ring::kAllFinished;  // the earliest event that is waited for
  bool waits_for_unfinished_ = false;         // for those that are not finished
  uint64_t turn_end_ = 0;
  bool is_blocked_ = false;
};

}  // namespace sfkit::live
