// Encodings of Parquet (github.com/apache/parquet-format, Encodings.md).
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_buffer.h"

namespace sfkit::output {

// Batches and Parquet have the same byte order, so numbers are copied as they are.
static_assert(std::endian::native == std::endian::little);

// A list of bits, the first in the lowest bit of the first word.
class BitList {
 public:
  size_t size() const { return size_; }
  // Bits that are set.
  size_t count() const;
  void clear() {
    words_.clear();
    size_ = 0;
  }
  // `count` times the same bit.
  void add(bool bit, size_t count);
  // The lowest `count` bits, at most 64.
  void add_word(uint64_t word, size_t count);
  // The bits, filled up with zeros to a whole byte.
  Bytes bytes() const { return {reinterpret_cast<const uint8_t*>(words_.data()), (size_ + 7) / 8}; }

 private:
  std::vector<uint64_t> words_;  // bits beyond the size are 0
  size_t size_ = 0;
};

// RLE/bit-packing hybrid: numbers below 2^width, with a width from 1 to 32.
void put_runs(std::span<const uint32_t> numbers, unsigned width, ByteBuffer& out);
// The same for a list of bits, with a width of 1.
void put_runs(const BitList& bits, ByteBuffer& out);

// DELTA_BINARY_PACKED. `bits`: of the type, 32 or 64; differences wrap around in it.
void put_deltas(std::span<const int64_t> numbers, unsigned bits, ByteBuffer& out);

}  // namespace sfkit::output
