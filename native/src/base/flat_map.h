// An open-addressing hash map for small keys and values. A lookup usually touches one cache line;
// only growth allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace sfkit {

struct IntHash {
  uint64_t operator()(int64_t key) const { return hash_number(static_cast<uint64_t>(key)); }
};

template <typename Key, typename Value, typename Hash = IntHash>
class FlatMap {
 public:
  FlatMap() { slots_.resize(kInitialSlots); }

  size_t size() const { return size_; }

  // The value of `key`, or nullptr. Valid until the next put() or erase().
  Value* find(const Key& key) {
    for (size_t at = home(key);; at = (at + 1) & mask()) {
      Slot& slot = slots_[at];
      if (!slot.used) return nullptr;
      if (slot.key == key) return &slot.value;
    }
  }

  // Inserts or replaces the value of `key`.
  void put(const Key& key, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    size_t at = home(key);
    while (slots_[at].used && !(slots_[at].key == key)) at = (at + 1) & mask();
    if (!slots_[at].used) ++size_;
    slots_[at] = {key, std::move(value), true};
  }

  void erase(const Key& key) {
    size_t at = home(key);
    while (!(slots_[at].key == key) || !slots_[at].used) {
      if (!slots_[at].used) return;
      at = (at + 1) & mask();
    }
    // Move later entries of the probe sequence into the gap.
    for (size_t next = (at + 1) & mask(); slots_[next].used; next = (next + 1) & mask()) {
      const size_t wanted = home(slots_[next].key);
      if (((next - wanted) & mask()) < ((next - at) & mask())) continue;
      slots_[at] = std::move(slots_[next]);
      at = next;
    }
    slots_[at] = Slot{};
    --size_;
  }

  // Calls visit(key, value) for every entry, in unspecified order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.used) visit(slot.key, slot.value);
    }
  }

  void clear() {
    slots_.assign(kInitialSlots, Slot{});
    size_ = 0;
  }

 private:
  static constexpr size_t kInitialSlots = 16;

  struct Slot {
    Key key{};
    Value value{};
    bool used = false;
  };

  size_t mask() const { return slots_.size() - 1; }
  size_t home(const Key& key) const { return Hash{}(key)&mask(); }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    size_ = 0;
    for (Slot& slot : old) {
      if (slot.used) put(slot.key, std::move(slot.value));
    }
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace sfkit
