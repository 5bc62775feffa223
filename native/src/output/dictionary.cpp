#include "output/dictionary.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/hash.h"
#include "base/utf8.h"

namespace sfkit::output {

namespace {

constexpr size_t kFirstSlots = 256;
constexpr size_t kFirstOffsets = 256;
constexpr size_t kFirstBytes = 8192;
constexpr size_t kMaxContinuation = 3;

// Removes an incomplete character at the end.
std::string_view without_partial_character(std::string_view text) {
  for (size_t back = 1; back <= std::min(kMaxContinuation, text.size()); ++back) {
    const size_t place = text.size() - back;
    const auto byte = static_cast<unsigned char>(text[place]);
    if ((byte & 0xC0) == 0x80) continue;
    return byte >= 0xC0 && decode_utf8(text.substr(place)).size == 0 ? text.substr(0, place) : text;
  }
  return text;
}

}  // namespace

Dictionary::Dictionary() {
  reset();
}

void Dictionary::reset() {
  // The next batch will probably have as many strings.
  slots_.assign(std::max(kFirstSlots, std::bit_ceil(size_t{count_} * 2)), Slot{});
  offsets_ = HeapBlock(kFirstOffsets * sizeof(uint32_t));
  bytes_ = HeapBlock(kFirstBytes);
  count_ = 0;
  size_ = 0;
  intern("");
}

uint32_t Dictionary::intern(std::string_view text) {
  if (text.size() > kMaxText) {
    text = without_partial_character(text.substr(0, kMaxText));
    ++cut_;
  }
  text = valid_utf8(text, scratch_);
  const uint64_t hash = hash_text(text);
  const size_t mask = slots_.size() - 1;
  const uint32_t* const offsets = offsets_.as<uint32_t>();
  size_t place = hash & mask;
  for (; slots_[place].number != 0; place = (place + 1) & mask) {
    if (slots_[place].hash != hash) continue;
    const uint32_t number = slots_[place].number - 1;
    const uint32_t begin = offsets[number];
    const std::string_view known(bytes_.as<char>() + begin, offsets[number + 1] - begin);
    if (known == text) return number;
  }
  const uint32_t number = append(text);
  slots_[place] = {hash, number + 1};
  if (count_ > slots_.size() / 2) grow_slots();
  return number;
}

uint32_t Dictionary::append(std::string_view text) {
  if ((size_t{count_} + 2) * sizeof(uint32_t) > offsets_.size())
    offsets_.resize(offsets_.size() * 2);
  if (bytes_.size() - size_ < text.size())
    bytes_.resize(std::max(bytes_.size() * 2, size_ + text.size()));
  if (!text.empty()) std::memcpy(bytes_.data() + size_, text.data(), text.size());
  size_ += text.size();
  offsets_.as<uint32_t>()[count_ + 1] = static_cast<uint32_t>(size_);
  return count_++;
}

void Dictionary::grow_slots() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.number == 0) continue;
    size_t place = slot.hash & mask;
    while (slots_[place].number != 0) place = (place + 1) & mask;
    slots_[place] = slot;
  }
}

void Dictionary::take(HeapBlock& offsets, HeapBlock& bytes) {
  offsets_.resize((size_t{count_} + 1) * sizeof(uint32_t));
  if (size_ != 0) bytes_.resize(size_);
  offsets = std::move(offsets_);
  bytes = std::move(bytes_);
  reset();
}

}  // namespace sfkit::output
