#include "output/parquet_dictionary.h"

namespace sfkit::output {

namespace {

constexpr size_t kFirstSlots = 64;

}  // namespace

uint32_t TextDictionary::index_of(std::string_view text, uint64_t hash) {
  if (size() * 2 >= slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t place = hash & mask;
  for (; slots_[place].number != 0; place = (place + 1) & mask) {
    const uint32_t index = slots_[place].number - 1;
    if (slots_[place].hash == hash && this->text(index) == text) return index;
  }
  const auto index = size();
  slots_[place] = {hash, index + 1};
  places_.push_back(bytes_.size());
  const auto length = static_cast<uint32_t>(text.size());
  bytes_.append(&length, sizeof(length));
  bytes_.append(text);
  return index;
}

std::string_view TextDictionary::text(uint32_t index) const {
  const uint8_t* const at = bytes_.bytes().data() + places_[index];
  return {reinterpret_cast<const char*>(at + sizeof(uint32_t)), load_at<uint32_t>(at)};
}

void TextDictionary::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.number == 0) continue;
    size_t place = slot.hash & mask;
    while (slots_[place].number != 0) place = (place + 1) & mask;
    slots_[place] = slot;
  }
}

void TextDictionary::clear() {
  // New ones, because a few large texts may have made them large.
  slots_.clear();
  slots_.shrink_to_fit();
  places_.clear();
  bytes_ = ByteBuffer();
}

uint32_t NumberDictionary::index_of(int64_t number) {
  if (const uint32_t* const known = indexes_.find(number)) return *known;
  const uint32_t index = size();
  indexes_.put(number, index);
  numbers_.push_back(number);
  return index;
}

void NumberDictionary::clear() {
  indexes_.clear();
  numbers_.clear();
}

}  // namespace sfkit::output
