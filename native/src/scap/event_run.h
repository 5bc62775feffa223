// The events that follow each other in the buffer, without anything else between them.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "scap/event.h"

namespace sfkit::scap {

// Types of event blocks with a parameter count.
namespace block {
inline constexpr uint32_t kEvent2 = 0x216;
inline constexpr uint32_t kEventFlags2 = 0x217;
inline constexpr uint32_t kEvent2Large = 0x221;
inline constexpr uint32_t kEventFlags2Large = 0x222;
}  // namespace block

// Layout of event blocks (spec: scap-format, sections 2 and 9): type, length, CPU, flags in some
// types, the event with padding, and the length again.
inline constexpr size_t kBlockHeader = 8;
inline constexpr size_t kBlockTrailer = 4;
inline constexpr size_t kCpuSize = sizeof(uint16_t);
inline constexpr size_t kFlagsSize = sizeof(uint32_t);
inline constexpr size_t kEventLengthOffset = 16;  // from the time
inline constexpr size_t kEventCodeOffset = 20;
inline constexpr size_t kEventCountOffset = 22;
inline constexpr size_t kEventHeader2 = 26;
inline constexpr size_t kMinOptionSize = 4;  // fewer bytes after an event are padding
// A block that claims more is damage. Kernel events have at most 64 KiB; only container
// descriptions and plugin data are larger.
inline constexpr uint32_t kMaxEventSize = uint32_t{16} << 20;

// Decodes current event blocks in this machine's byte order, in one loop. It ends at any other
// block, valid or not: the reader handles that one alone.
class EventRun {
 public:
  // `window` starts with a block. `events`: the number of events before it.
  EventRun(Bytes window, uint64_t events)
      : window_(window.slice(0, kMaxEventSize)), events_(events) {}

  // Calls `visit(const EventView&)` for each event. Stops if that returns false, and returns it.
  template <typename Visit>
  bool for_each(Visit visit) {
    EventView event;
    bool go_on = true;
    const uint8_t* at = window_.data();
    const uint8_t* const end = at + window_.size();
    uint64_t number = events_;
    while (go_on) {
      const size_t length = decode(at, static_cast<size_t>(end - at), event);
      if (length == 0) break;
      at += length;
      event.number = ++number;
      go_on = visit(event);
    }
    consumed_ = static_cast<size_t>(at - window_.data());
    events_ = number;
    return go_on;
  }

  // After for_each(): the bytes of the visited events, and the number of events up to there.
  size_t consumed() const { return consumed_; }
  uint64_t events() const { return events_; }

 private:
  // Blocks without flags are no smaller. In a block of this size, the header of an event lies
  // inside the block in each type.
  static constexpr size_t kMinSize = kBlockHeader + kCpuSize + kEventHeader2 + kBlockTrailer;

  // Decodes the block at `at`. Returns its length, or 0 if it is none for a run.
  static size_t decode(const uint8_t* at, size_t left, EventView& event) {
    if (left < kMinSize) return 0;
    const auto length = load_at<uint32_t>(at + sizeof(uint32_t));
    // The first difference is huge if the block is smaller than kMinSize.
    if (size_t{length} - kMinSize > left - kMinSize) return 0;
    if (load_at<uint32_t>(at + length - kBlockTrailer) != length) return 0;
    const auto type = load_at<uint32_t>(at);
    if (type == block::kEvent2) [[likely]]
      return decode_event<false>(at, length, event);
    switch (type) {
      case block::kEvent2Large: return decode_event<false>(at, length, event);
      case block::kEventFlags2:
      case block::kEventFlags2Large: return decode_event<true>(at, length, event);
      default: return 0;
    }
  }

  // decode() for a block of this kind with equal lengths at both ends.
  template <bool kHasFlags>
  static size_t decode_event(const uint8_t* at, uint32_t length, EventView& event) {
    constexpr size_t kBefore = kBlockHeader + kCpuSize + (kHasFlags ? kFlagsSize : 0);
    const uint8_t* const header = at + kBefore;
    const auto room = length - static_cast<uint32_t>(kBefore + kBlockTrailer);
    const auto size = load_at<uint32_t>(header + kEventLengthOffset);
    // The difference is huge if the event is longer than its room.
    if (size < kEventHeader2 || room - size >= kMinOptionSize) return 0;
    const auto code = load_at<uint16_t>(header + kEventCodeOffset);
    if (code >= kEventCount) return 0;
    const auto count = load_at<uint32_t>(header + kEventCountOffset);
    const Bytes body(header + kEventHeader2, size - kEventHeader2);
    if (!event.set(code, count, body, kReadableAfter)) return 0;
    event.ts = load_at<uint64_t>(header);
    event.tid = load_at<int64_t>(header + sizeof(uint64_t));
    event.cpu = load_at<uint16_t>(at + kBlockHeader);
    event.block_flags = kHasFlags ? load_at<uint32_t>(at + kBlockHeader + kCpuSize) : 0;
    return length;
  }

  const Bytes window_;
  size_t consumed_ = 0;
  uint64_t events_;
};

}  // namespace sfkit::scap
