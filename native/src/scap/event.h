// One event, decoded in place.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "events.gen.h"

namespace sfkit::scap {

inline constexpr size_t kMaxParams = 32;

// Entries of the length array are 32 bits wide for these (spec: scap-format, section 9); the width
// follows the event's type, not the block's.
inline bool has_wide_lengths(uint16_t code) {
  return (kEvents[code].flags & kLargePayload) != 0;
}

inline bool is_enter(uint16_t code) {
  return (code & 1) == 0;
}

// Place of each name among the parameters of each event, -1 where it has none.
inline constexpr auto kParamPlaces = [] {
  std::array<std::array<int8_t, kParamNameCount>, kEventCount> places{};
  for (size_t code = 0; code < kEventCount; ++code) {
    places[code].fill(-1);
    const EventInfo& info = kEvents[code];
    for (int i = info.nparams - 1; i >= 0; --i) {
      places[code][static_cast<size_t>(kParams[info.first_param + i].name)] = static_cast<int8_t>(i);
    }
  }
  return places;
}();

// What the values of an event take, its length array included; more than `payload` when they do not fit.
inline uint64_t payload_size(uint16_t code, uint32_t count, Bytes payload) {
  const uint32_t width = has_wide_lengths(code) ? 4 : 2;
  uint64_t total = uint64_t{count} * width;
  for (uint32_t i = 0; i < count && total <= payload.size(); ++i) {
    total += width == 2 ? payload.load<uint16_t>(i * 2) : payload.load<uint32_t>(i * 4);
  }
  return total;
}

// A view of an event's header and parameters; valid as long as the bytes under it.
class EventView {
 public:
  uint64_t number = 0;  // place among the event blocks of the file, from 1
  uint64_t ts = 0;      // ns since 1970; 0 or all ones for some synthetic events
  int64_t tid = -1;
  uint16_t code = 0;
  uint16_t cpu = 0;
  uint32_t block_flags = 0;

  EventView() = default;
  // `body` starts at the length array. `count` is the number of parameters in the file, of which those
  // that the table knows are reachable.
  EventView(uint16_t event_code, uint32_t count, Bytes body)
      : code(event_code), count_(count), body_(body), width_(has_wide_lengths(event_code) ? 4 : 2) {}

  const EventInfo& info() const { return kEvents[code]; }

  // How many parameters can be asked for.
  uint32_t size() const { return count_ < info().nparams ? count_ : info().nparams; }
  uint32_t count_in_file() const { return count_; }
  Bytes body() const { return body_; }

  // Parameter `index`, empty when absent.
  Bytes param(uint32_t index) const {
    if (index >= size()) return {};
    if (known_ <= index) find_offsets(index);
    return body_.slice(offsets_[index], length_at(index));
  }

  Bytes param(P name) const {
    const int8_t place = kParamPlaces[code][static_cast<size_t>(name)];
    return place < 0 ? Bytes() : param(static_cast<uint32_t>(place));
  }

 private:
  uint32_t length_at(uint32_t index) const {
    return width_ == 2 ? body_.load<uint16_t>(index * 2) : body_.load<uint32_t>(index * 4);
  }

  void find_offsets(uint32_t index) const {
    if (known_ == 0) {
      offsets_[0] = static_cast<uint64_t>(count_) * width_;
      known_ = 1;
    }
    for (; known_ <= index; ++known_) offsets_[known_] = offsets_[known_ - 1] + length_at(known_ - 1);
  }

  uint32_t count_ = 0;
  Bytes body_;
  uint32_t width_ = 2;
  mutable uint32_t known_ = 0;
  mutable std::array<uint64_t, kMaxParams + 1> offsets_;
};

// An enter event kept until its exit; its bytes are a copy.
struct StoredEnter {
  static constexpr size_t kMaxBytes = 4096;

  bool valid = false;
  uint16_t code = 0;
  uint32_t count = 0;
  uint64_t ts = 0;
  std::vector<uint8_t> bytes;

  void store(const EventView& event) {
    valid = true;
    code = event.code;
    count = event.count_in_file();
    ts = event.ts;
    const Bytes body = event.body().size() <= kMaxBytes ? event.body() : Bytes();
    bytes.assign(body.data(), body.data() + body.size());
  }

  EventView view() const {
    EventView event(code, count, Bytes(bytes.data(), bytes.size()));
    event.ts = ts;
    return event;
  }
};

// An exit event together with the enter event that directly preceded it on its thread. Old writers put
// the arguments into the enter event only, newer ones repeat them in the exit: arguments are asked for
// by name, and the exit's own come first (spec: scap-format, section 13).
class CallView {
 public:
  CallView(const EventView& exit, const StoredEnter* enter)
      : exit_(exit), enter_(enter != nullptr ? enter->view() : EventView()), paired_(enter != nullptr) {}

  const EventView& exit() const { return exit_; }
  bool paired() const { return paired_; }
  // The enter event; meaningful when paired().
  const EventView& enter() const { return enter_; }

  Bytes get(P name) const {
    const Bytes own = exit_.param(name);
    return own.empty() && paired_ ? enter_.param(name) : own;
  }
  Bytes from_exit(P name) const { return exit_.param(name); }
  Bytes from_enter(P name) const { return paired_ ? enter_.param(name) : Bytes(); }

  // The call's result: parameter 0 of every exit event, negative for -errno.
  int64_t result() const;

 private:
  const EventView& exit_;
  EventView enter_;
  bool paired_;
};

// A signed or unsigned number of the parameter's own length (1, 2, 4 or 8 bytes); `missing` for others.
int64_t to_int(Bytes value, int64_t missing);
// The same, with 4-byte values taken as unsigned (ids, flags).
uint64_t to_uint(Bytes value, uint64_t missing);
// Text up to the terminating NUL; "(NULL)" and nothing give "" (spec: scap-format, section 10).
std::string_view to_text(Bytes value);

inline int64_t CallView::result() const {
  return to_int(exit_.param(0), -1);
}

}  // namespace sfkit::scap
