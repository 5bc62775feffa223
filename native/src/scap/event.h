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

// The length of the block follows each event in a capture, so these bytes can be read.
inline constexpr size_t kReadableAfter = sizeof(uint32_t);

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

// Where parameters end, for events with at most eight parameters of 16-bit length. Their lengths
// are read as two words and added without a loop.
class ParamEnds {
 public:
  static constexpr uint32_t kMaxCount = 8;

  // Reads the `count` lengths, at least one, from the start of `body`. Returns the size of lengths
  // and values; 0 if the lengths are too long to be added, or too close to the end to be read.
  // `after`: bytes that can be read after the body.
  size_t read(uint32_t count, Bytes body, size_t after) {
    if (std::endian::native != std::endian::little) return 0;
    const size_t readable = body.size() + after;
    const size_t array = count * sizeof(uint16_t);
    if (count <= kInWord) {
      if (readable < sizeof(uint64_t)) return 0;
      const uint64_t lengths = load_at<uint64_t>(body.data()) & kLengths[count];
      words_[0] = lengths * kSums;
      return (lengths & kLong) == 0 ? array + (words_[0] >> kLast) : 0;
    }
    if (readable < sizeof(words_)) return 0;
    const auto first = load_at<uint64_t>(body.data());
    const uint64_t second =
        load_at<uint64_t>(body.data() + sizeof(uint64_t)) & kLengths[count - kInWord];
    words_[0] = first * kSums;
    words_[1] = second * kSums + (words_[0] >> kLast) * kSums;
    return ((first | second) & kLong) == 0 ? array + (words_[1] >> kLast) : 0;
  }

  // Parameter `index` of `count`.
  Bytes param(Bytes body, uint32_t count, uint32_t index) const {
    const uint32_t shift = index % kInWord * kBits;
    const uint64_t ends = words_[index / kInWord];
    const uint64_t before = index < kInWord ? 0 : words_[0] >> kLast;
    const size_t start = (ends << kBits | before) >> shift & kMask;
    const size_t end = ends >> shift & kMask;
    return {body.data() + count * sizeof(uint16_t) + start, end - start};
  }

 private:
  static constexpr uint32_t kInWord = 4;
  static constexpr uint32_t kBits = 16;
  static constexpr uint32_t kLast = 3 * kBits;
  static constexpr uint64_t kMask = 0xffff;
  // Lengths of 2^13 and more: the sum of eight may exceed 16 bits.
  static constexpr uint64_t kLong = 0xe000'e000'e000'e000;
  // Times a word of lengths: each 16 bits are the sum of the lengths up to there.
  static constexpr uint64_t kSums = 0x0001'0001'0001'0001;
  // The bits of the first lengths in a word, by their number.
  static constexpr std::array<uint64_t, kInWord + 1> kLengths = {0, 0xffff, 0xffff'ffff,
                                                                 0xffff'ffff'ffff, ~uint64_t{0}};

  std::array<uint64_t, 2> words_;
};

// A view of an event's header and parameters. Valid as long as the underlying bytes.
class EventView {
  friend class CallView;
  friend class StoredEnter;

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
  // `body`: all parameters are then empty. `after`: bytes that can be read after the body.
  bool set(uint16_t event_code, uint32_t count, Bytes body, size_t after = 0) {
    code = event_code;
    count_ = count;
    body_ = body;
    return lengths_fit(after) || hide_params();
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
  // Instead of the number of found parameters: `ends_` has them all.
  static constexpr uint32_t kHasEnds = UINT32_MAX;

  // `index` is in the table. set() has checked all lengths, so this needs no further check.
  Bytes param_at(uint32_t index) const {
    if (index >= count_) return {};
    if (known_ == kHasEnds) return ends_.param(body_, count_, index);
    if (index >= known_) find_params(index);
    return {body_.data() + starts_[index], starts_[index + 1] - starts_[index]};
  }

  size_t width() const { return has_wide_lengths(code) ? sizeof(uint32_t) : sizeof(uint16_t); }
  size_t length_at(uint32_t index) const {
    return has_wide_lengths(code) ? load_at<uint32_t>(body_.data() + index * sizeof(uint32_t))
                                  : load_at<uint16_t>(body_.data() + index * sizeof(uint16_t));
  }

  // Whether the length array and the values lie inside the body.
  bool lengths_fit(size_t after) {
    if (count_ - 1 < ParamEnds::kMaxCount && !has_wide_lengths(code)) {
      if (const size_t size = ends_.read(count_, body_, after); size != 0) {
        known_ = kHasEnds;
        return size <= body_.size();
      }
    }
    known_ = 0;
    return count_ == 0 || many_lengths_fit();
  }

  bool many_lengths_fit() const;
  bool hide_params();
  void find_params(uint32_t index) const;

  uint32_t count_ = 0;
  // The parameters found so far: where they start, and where the last one ends; or kHasEnds.
  mutable uint32_t known_ = 0;
  Bytes body_;
  ParamEnds ends_;
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

  // Keeps the event without a copy. Its bytes, and as many after them as set() may read, must stay
  // valid until own() is called.
  void borrow(const EventView& event) {
    valid = true;
    code = event.code;
    count = event.count_in_file();
    ts = event.ts;
    const bool is_kept = event.body().size() <= kMaxBytes;
    body_ = is_kept ? event.body() : Bytes();
    has_ends_ = is_kept && event.known_ == EventView::kHasEnds;
    ends_ = event.ends_;
    is_borrowed_ = true;
  }
  // Whether own() was not called since borrow().
  bool is_borrowed() const { return is_borrowed_; }
  void own() {
    if (is_borrowed_ && valid) {
      const size_t size = body_.size();
      cost_.raise(size + kReadableAfter);
      copy_.resize(size + kReadableAfter);
      std::copy_n(body_.data(), size, copy_.begin());
      body_ = Bytes(copy_.data(), size);
    }
    is_borrowed_ = false;
  }

  // Parameter `place` of those in the table; nothing if a view is needed to find it.
  std::optional<Bytes> param(uint32_t place) const {
    if (!has_ends_) return std::nullopt;
    return place < count ? ends_.param(body_, count, place) : Bytes();
  }

  // Sets `event` to a view of this one.
  void show(EventView& event) const {
    event.set(code, count, body_, kReadableAfter);
    event.ts = ts;
  }

 private:
  Bytes body_;
  ParamEnds ends_;
  bool has_ends_ = false;
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
    return own.empty() ? from_enter(name) : own;
  }
  Bytes from_exit(P name) const { return exit_.param(name); }
  Bytes from_enter(P name) const {
    if (!paired()) return {};
    const int8_t found = kParamPlaces[stored_->code][static_cast<size_t>(name)];
    if (found < 0) return {};
    const auto place = static_cast<uint32_t>(found);
    const std::optional<Bytes> param = stored_->param(place);
    return param ? *param : enter().param_at(place);
  }

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
