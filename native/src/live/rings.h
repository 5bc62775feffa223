// Reads the probe's rings and merges their events by time.
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

// Memory shared with the kernel.
class SharedMemory {
 public:
  static Result<SharedMemory> map(const FileDescriptor& fd, size_t bytes, bool writable,
                                  size_t offset = 0);
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  uint8_t* at(size_t offset) const { return start_ + offset; }

 private:
  uint8_t* start_ = nullptr;
  size_t bytes_ = 0;
};

// A ring of events in storage order, which nearly always is their time order.
class Ring {
 public:
  // `bytes`: size, a power of two. `number`: the CPU; for kernel ring buffers, their index.
  Ring(uint32_t bytes, uint16_t number) : bytes_(bytes), number_(number) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  virtual ~Ring() = default;

  // Reads the kernel's position. Later events stay invisible until the next call.
  virtual void refresh() = 0;
  // The first event; null if there is none.
  virtual const uint8_t* peek() = 0;
  // Returns the space of skipped events to the kernel.
  virtual void release() = 0;

  uint16_t number() const { return number_; }
  uint32_t size() const { return size_; }  // of the event from peek()
  // Moves past the event from peek(). Its bytes stay valid until release().
  void skip() { consumed_ += step_; }
  bool is_empty() const { return produced_ == consumed_ && unfinished_since_ == kAllFinished; }
  // Used share, from 0 to 1.
  double fill() const {
    return static_cast<double>(produced_ - consumed_) / static_cast<double>(bytes_);
  }
  // If peek() returns null: an event of this time or later was being written at the last refresh().
  uint64_t unfinished_since() const { return unfinished_since_; }
  // Whether to wait for that event: false after a timeout. `now`: in ns.
  bool should_wait(uint64_t now);
  // How often the ring had invalid data, so that the rest was discarded.
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
  // Position that the reader waits at, and since when.
  uint64_t waiting_at_ = UINT64_MAX;
  uint64_t waiting_since_ = 0;
};

// A ring of the probe (probe/shared.h).
class ProbeRing : public Ring {
 public:
  // `data`: `bytes` plus kRingSlack.
  ProbeRing(probe_ring* state, const uint8_t* data, uint32_t bytes, uint16_t number);

  void refresh() override;
  const uint8_t* peek() override;
  void release() override;

 private:
  probe_ring* state_;
  const uint8_t* data_;
};

// A kernel ring buffer (linux/bpf.h: BPF_MAP_TYPE_RINGBUF).
class KernelRing : public Ring {
 public:
  static Result<std::unique_ptr<KernelRing>> map(const FileDescriptor& fd, uint32_t bytes,
                                                 uint16_t number);

  void refresh() override;
  const uint8_t* peek() override;
  void release() override;

 private:
  using Ring::Ring;

  SharedMemory consumer_,
      producer_;  // producer: a page for the position, then the data mapped twice
  size_t page_ = 0;
};

// Merges the events of several rings by time.
class RingMerger {
 public:
  static Result<RingMerger> map(const ProbeRings& rings);
  explicit RingMerger(std::vector<std::unique_ptr<Ring>> rings) : rings_(std::move(rings)) {}

  // Calls `visit(const uint8_t* event, uint32_t size, uint16_t ring)` for events up to `limit` (ns,
  // the clock of the events) until it returns false. An event is header and parameters, without a
  // block. The order within a thread is right if `limit` is not later than this call. With kNoLimit
  // it does not wait for unfinished events. Returns the fill of the fullest ring at the start, from
  // 0 to 1.
  template <typename Visit>
  double drain(uint64_t limit, Visit visit) {
    const double fullest = begin(limit);
    for (bool more = true; more;) {
      Ring* const ring = take_earliest();
      if (ring == nullptr) break;
      // Usually many events of one ring follow each other.
      for (size_t count = 1; more; ++count) {
        const uint8_t* event = ring->peek();
        if (event == nullptr || time_of(event) > turn_end_) break;
        more = visit(event, ring->size(), ring->number());
        ring->skip();
        // Give space back early.
        if (count % kReleaseEvery == 0) ring->release();
      }
      ring->release();
      add(ring);
    }
    return fullest;
  }

  static constexpr uint64_t kNoLimit = UINT64_MAX;

  // Whether drain() stopped at an unfinished event.
  bool is_blocked() const { return is_blocked_; }
  // Whether the kernel has no more events, and none unfinished.
  bool is_empty();
  // Number of rings with an unfinished event at the last is_empty() or drain().
  size_t unfinished() const;
  // Sum of Ring::unreadable().
  uint64_t unreadable() const;

 private:
  static constexpr size_t kReleaseEvery = 256;
  // Fuller rings are drained without waiting: better out of order than lost.
  static constexpr double kCrowdedFill = 0.5;

  // A ring and the time of its next event.
  struct Turn {
    uint64_t time;
    Ring* ring;
    bool operator>(const Turn& other) const { return time > other.time; }
  };

  static uint64_t time_of(const uint8_t* event);
  // Refreshes the rings and collects those with events up to `limit`. Returns the fill of the
  // fullest.
  double begin(uint64_t limit);
  // Adds a ring to the heap by its next event.
  void add(Ring* ring);
  // The ring with the earliest event, null if there is none or it must wait. Sets turn_end_, the
  // time of the next ring's turn.
  Ring* take_earliest();

  SharedMemory states_, data_;
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<Turn> turns_;  // min-heap
  uint64_t limit_ = 0;
  uint64_t unfinished_ = Ring::kAllFinished;  // earliest unfinished event to wait for
  bool waits_for_unfinished_ = false;
  uint64_t turn_end_ = 0;
  bool is_blocked_ = false;
};

}  // namespace sfkit::live
