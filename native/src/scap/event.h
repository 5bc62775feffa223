// One event, decoded in place.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/memory_count.h"
#include "events.gen.h"

namespace sfkit::scap {

inline constexpr size_t kMaxParams = 32;

// Codes whose length array has 32-bit entries (spec: scap-format, section 9). The event's type
// decides, not the block's.
inline bool has_wide_lengths(uint16_t code) {
  return (kEvents[code].flags & kLargePayload) != 0;
}

inline bool is_enter(uint16_t code) {
  return (code & 1) == 0;
}

// Index of each parameter name in each event; -1 if the event has none.
inline constexpr auto kParamPlaces = [] {
  std::array<std::array<int8_t, kParamNameCount>, kEventCount> places{};
  for (size_t code = 0; code < kEventCount; ++code) {
    places[code].fill(-1);
    const EventInfo& info = kEvents[code];
    for (int i = info.nparams - 1; i >= 0; --i) {
      places[code][static_cast<size_t>(kParams[info.first_param + i].name)] =
          static_cast<int8_t>(i);
    }
  }
  return places;
}();

// Size of an event's payload with its length array; more than `payload` if it does not fit.
inline uint64_t payload_size(uint16_t code, uint32_t count, Bytes payload) {
  const uint32_t width = has_wide_lengths(code) ? 4 : 2;
  uint64_t total = uint64_t{count} * width;
  for (uint32_t i = 0; i < count && total <= payload.size(); ++i) {
    total += width == 2 ? payload.load<uint16_t>(i * 2) : payload.load<uint32_t>(i * 4);
  }
  return total;
}

// A view of an event's header and parameters. Valid as long as the underlying bytes.
class EventView {
 public:
  uint64_t number = 0;  // 1-based index among the event blocks of the file
  uint64_t ts = 0;      // ns since 1970; 0 or all ones for some synthetic events
  int64_t tid = -1;
  uint16_t code = 0;
  uint16_t cpu = 0;
  uint32_t block_flags = 0;

  // Leaves the places of parameters unset, which would cost more than the rest.
  EventView() {}
  // `body` starts with the length array. `count` is the number of parameters in the file; only
  // those in the table are accessible.
  EventView(uint16_t event_code, uint32_t count, Bytes body) { set(event_code, count, body); }

  // As the constructor; keeps the header. Returns false if the length array or the values exceed
  // `body`: all parameters are then empty.
  bool set(uint16_t event_code, uint32_t count, Bytes body) {
    code = event_code;
    count_ = count;
    body_ = body;
    return lengths_fit() || hide_params();
  }

  const EventInfo& info() const { return kEvents[code]; }

  // Number of accessible parameters.
  uint32_t size() const { return std::min<uint32_t>(count_, info().nparams); }
  uint32_t count_in_file() const { return count_; }
  Bytes body() const { return body_; }

  // Parameter `index`; empty if absent.
  Bytes param(uint32_t index) const { return index < info().nparams ? param_at(index) : Bytes(); }

  Bytes param(P name) const {
    const int8_t place = kParamPlaces[code][static_cast<size_t>(name)];
    return place < 0 ? Bytes() : param_at(static_cast<uint32_t>(place));
  }

 private:
  // Events with this many parameters of 16-bit length have the lengths in one word.
  static constexpr uint32_t kInWord = 4;
  // Lengths below 2^14: the sum of four fits into 16 bits.
  static constexpr uint64_t kLongInWord = 0xc000'c000'c000'c000;
  static constexpr uint32_t kAllInWord = UINT32_MAX;
  // The bits of the first lengths in a word, by their number.
  static constexpr std::array<uint64_t, kInWord + 1> kLengths = {0, 0xffff, 0xffff'ffff,
                                                                 0xffff'ffff'ffff, ~uint64_t{0}};

  // `index` is in the table. set() has checked all lengths, so this needs no further check.
  Bytes param_at(uint32_t index) const {
    if (index >= count_) return {};
    if (known_ == kAllInWord) {
      const uint32_t shift = index * 16;
      const size_t start = ends_ << 16 >> shift & 0xffff;
      const size_t end = ends_ >> shift & 0xffff;
      return {body_.data() + count_ * sizeof(uint16_t) + start, end - start};
    }
    if (index >= known_) find_params(index);
    return {body_.data() + starts_[index], starts_[index + 1] - starts_[index]};
  }

  size_t width() const { return has_wide_lengths(code) ? sizeof(uint32_t) : sizeof(uint16_t); }
  size_t length_at(uint32_t index) const {
    return has_wide_lengths(code) ? load_at<uint32_t>(body_.data() + index * sizeof(uint32_t))
                                  : load_at<uint16_t>(body_.data() + index * sizeof(uint16_t));
  }

  // Whether the length array and the values lie inside the body. Nearly all events: the lengths,
  // read as one word, are added without a loop.
  bool lengths_fit() {
    if (std::endian::native == std::endian::little && count_ - 1 < kInWord &&
        body_.size() >= sizeof(uint64_t) && !has_wide_lengths(code)) {
      const uint64_t lengths = load_at<uint64_t>(body_.data()) & kLengths[count_];
      if ((lengths & kLongInWord) == 0) {
        // Each 16 bits of the product are the sum of the lengths up to there.
        ends_ = lengths * 0x0001'0001'0001'0001;
        known_ = kAllInWord;
        return count_ * sizeof(uint16_t) + (ends_ >> 48) <= body_.size();
      }
    }
    known_ = 0;
    return count_ == 0 || many_lengths_fit();
  }

  bool many_lengths_fit() const;
  bool hide_params();
  void find_params(uint32_t index) const;

  uint32_t count_ = 0;
  // The parameters found so far: where they start, and where the last one ends. If it is kAllInWord
  // instead, `ends_` has where each parameter ends, counted from the first.
  mutable uint32_t known_ = 0;
  Bytes body_;
  uint64_t ends_ = 0;
  mutable std::array<uint32_t, kMaxParams + 1> starts_;
};

// An enter event, kept until its exit event.
class StoredEnter {
 public:
  static constexpr size_t kMaxBytes = 4096;

  bool valid = false;
  uint16_t code = 0;
  uint32_t count = 0;
  uint64_t ts = 0;

  void store(const EventView& event) {
    borrow(event);
    own();
  }

  // Keeps the event without a copy. Its bytes must stay valid until own() is called.
  void borrow(const EventView& event) {
    valid = true;
    code = event.code;
    count = event.count_in_file();
    ts = event.ts;
    body_ = event.body().size() <= kMaxBytes ? event.body() : Bytes();
    is_borrowed_ = true;
  }
  // Whether own() was not called since borrow().
  bool is_borrowed() const { return is_borrowed_; }
  void own() {
    if (is_borrowed_ && valid) {
      cost_.raise(body_.size());
      copy_.assign(body_.data(), body_.data() + body_.size());
      body_ = Bytes(copy_.data(), copy_.size());
    }
    is_borrowed_ = false;
  }

  // Sets `event` to a view of this one.
  void show(EventView& event) const {
    event.set(code, count, body_);
    event.ts = ts;
  }

 private:
  Bytes body_;
  bool is_borrowed_ = false;
  std::vector<uint8_t> copy_;
  CountedBytes cost_;
};

// A number of the parameter's own size (1, 2, 4 or 8 bytes); `missing` for other sizes.
inline int64_t to_int(Bytes value, int64_t missing) {
  if (value.size() == sizeof(int64_t)) return load_at<int64_t>(value.data());
  switch (value.size()) {
    case 1: return load_at<int8_t>(value.data());
    case 2: return load_at<int16_t>(value.data());
    case 4: return load_at<int32_t>(value.data());
    default: return missing;
  }
}

// The same, but 4-byte values are unsigned (ids, flags).
inline uint64_t to_uint(Bytes value, uint64_t missing) {
  if (value.size() == sizeof(uint64_t)) return load_at<uint64_t>(value.data());
  switch (value.size()) {
    case 1: return load_at<uint8_t>(value.data());
    case 2: return load_at<uint16_t>(value.data());
    case 4: return load_at<uint32_t>(value.data());
    default: return missing;
  }
}

// An exit event and the enter event directly before it on the same thread. Old writers put the
// arguments only into the enter event, newer ones repeat them in the exit event. So arguments are
// looked up by name, in the exit event first (spec: scap-format, section 13).
class CallView {
 public:
  CallView(const EventView& exit, const StoredEnter* enter) : exit_(exit), stored_(enter) {}

  const EventView& exit() const { return exit_; }
  bool paired() const { return stored_ != nullptr; }
  // The enter event; only if paired().
  const EventView& enter() const {
    if (!enter_) stored_->show(enter_.emplace());
    return *enter_;
  }

  Bytes get(P name) const {
    const Bytes own = exit_.param(name);
    return own.empty() && paired() ? enter().param(name) : own;
  }
  Bytes from_exit(P name) const { return exit_.param(name); }
  Bytes from_enter(P name) const { return paired() ? enter().param(name) : Bytes(); }

  // The result: parameter 0 of every exit event; negative for -errno.
  int64_t result() const { return to_int(exit_.param(0), -1); }

 private:
  const EventView& exit_;
  const StoredEnter* stored_;
  mutable std::optional<EventView> enter_;  // made when it is needed
};

// Text up to the NUL; "" for "(NULL)" and missing values (spec: scap-format, section 10).
std::string_view to_text(Bytes value);

}  // namespace sfkit::scap
