// The distinct strings of one batch, numbered in the order of their first use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/heap_block.h"

namespace sfkit::output {

class Dictionary {
 public:
  Dictionary();

  // Longer texts are cut: a row repeats one in several columns, and some formats in every row.
  static constexpr size_t kMaxText = size_t{1} << 20;

  // The number of `text`, which is made valid UTF-8 first. The empty string is always number 0.
  uint32_t intern(std::string_view text);

  uint32_t count() const { return count_; }
  // Bytes of all strings.
  size_t size() const { return size_; }

  // Texts that were cut, of all batches.
  uint64_t cut() const { return cut_; }

  // Hands over count() + 1 offsets (uint32) and the bytes, and begins anew.
  void take(HeapBlock& offsets, HeapBlock& bytes);

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t number = 0;  // plus one; 0 marks a free slot
  };

  void reset();
  void grow_slots();
  uint32_t append(std::string_view text);

  std::vector<Slot> slots_;
  HeapBlock offsets_;
  HeapBlock bytes_;
  uint32_t count_ = 0;
  size_t size_ = 0;
  uint64_t cut_ = 0;
  std::string scratch_;
};

}  // namespace sfkit::output
