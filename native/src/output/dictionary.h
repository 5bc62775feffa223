// The distinct strings of one batch, in the order of first use.
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

  // Longer texts are truncated: a row repeats a text in several columns, some formats in every row.
  static constexpr size_t kMaxText = size_t{1} << 20;

  // The index of `text`, converted to valid UTF-8. The empty string is always 0.
  uint32_t intern(std::string_view text);

  uint32_t count() const { return count_; }
  // Total bytes of all strings.
  size_t size() const { return size_; }

  // Truncated texts of all batches.
  uint64_t cut() const { return cut_; }

  // Returns count() + 1 uint32 offsets and the bytes, then starts a new batch.
  void take(HeapBlock& offsets, HeapBlock& bytes);

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t number = 0;  // index plus one; 0 marks a free slot
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
