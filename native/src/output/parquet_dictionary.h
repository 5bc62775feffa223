// The distinct values of one column in a row group, in the order of first use.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/flat_map.h"

namespace sfkit::output {

class TextDictionary {
 public:
  // `hash`: hash_text(text).
  uint32_t index_of(std::string_view text, uint64_t hash);
  std::string_view text(uint32_t index) const;
  uint32_t size() const { return static_cast<uint32_t>(places_.size()); }
  // As Parquet stores them: each after its length.
  Bytes bytes() const { return bytes_.bytes(); }
  size_t memory() const { return bytes_.size() + size() * sizeof(Slot) * 2; }
  void clear();

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t number = 0;  // index plus one; 0 marks a free slot
  };
  void grow();

  std::vector<Slot> slots_;
  std::vector<size_t> places_;  // of the length before each text
  ByteBuffer bytes_;
};

class NumberDictionary {
 public:
  uint32_t index_of(int64_t number);
  const std::vector<int64_t>& numbers() const { return numbers_; }
  uint32_t size() const { return static_cast<uint32_t>(numbers_.size()); }
  size_t memory() const { return numbers_.size() * 40; }
  // Forgets the numbers after the first `count`.
  void shrink(uint32_t count) { numbers_.resize(count); }
  void clear();

 private:
  FlatMap<int64_t, uint32_t> indexes_;
  std::vector<int64_t> numbers_;
};

}  // namespace sfkit::output
