#include "output/parquet_encoding.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace sfkit::output {
namespace {

// Readers of the encodings, as plain as possible.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  bool at_end() const { return at_ == bytes_.size(); }
  uint64_t varint() {
    uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = bytes_[at_++];
      number |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return number;
    }
  }
  uint64_t signed_varint() {
    const uint64_t number = varint();
    return number >> 1 ^ (~(number & 1) + 1);
  }
  uint64_t little(size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; ++i) number |= uint64_t{bytes_[at_++]} << (8 * i);
    return number;
  }
  std::vector<uint64_t> packed(size_t count, unsigned width) {
    std::vector<uint64_t> numbers(count);
    for (size_t bit = 0; bit < count * width; ++bit) {
      const uint64_t value = bytes_[at_ + bit / 8] >> (bit % 8) & 1;
      numbers[bit / width] |= value << (bit % width);
    }
    at_ += count * width / 8;
    return numbers;
  }
  std::vector<uint32_t> runs(size_t count, unsigned width) {
    std::vector<uint32_t> numbers;
    while (numbers.size() < count && !at_end()) {
      const uint64_t head = varint();
      if ((head & 1) == 0) {
        numbers.insert(numbers.end(), head >> 1, static_cast<uint32_t>(little((width + 7) / 8)));
      } else {
        for (const uint64_t number : packed((head >> 1) * 8, width))
          numbers.push_back(static_cast<uint32_t>(number));
      }
    }
    // Only the last group may be filled up.
    EXPECT_LT(numbers.size(), count + 8);
    numbers.resize(count);
    return numbers;
  }
  std::vector<int64_t> deltas(unsigned bits) {
    const uint64_t block = varint();
    const uint64_t parts = varint();
    const uint64_t count = varint();
    uint64_t number = signed_varint();
    std::vector<int64_t> numbers;
    const auto add = [&] {
      numbers.push_back(bits == 32 ? static_cast<int32_t>(static_cast<uint32_t>(number))
                                   : static_cast<int64_t>(number));
    };
    if (count != 0) add();
    while (numbers.size() < count) {
      const uint64_t least = signed_varint();
      std::vector<unsigned> widths;
      for (uint64_t i = 0; i < parts; ++i) widths.push_back(static_cast<unsigned>(little(1)));
      for (const unsigned width : widths) {
        if (numbers.size() == count) break;
        EXPECT_LE(width, bits);
        const auto all =
            width == 0 ? std::vector<uint64_t>(block / parts) : packed(block / parts, width);
        for (const uint64_t delta : all) {
          if (numbers.size() == count) break;
          number += least + delta;
          add();
        }
      }
    }
    return numbers;
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

void expect_runs(const std::vector<uint32_t>& numbers, unsigned width) {
  ByteBuffer out;
  put_runs(numbers, width, out);
  Reader reader(out.bytes());
  EXPECT_EQ(reader.runs(numbers.size(), width), numbers);
  EXPECT_TRUE(reader.at_end());
}

TEST(ParquetRuns, StoresNumbersOfAllWidths) {
  std::mt19937 random(1);
  for (unsigned width = 1; width <= 32; ++width) {
    for (const size_t count : {1u, 7u, 8u, 9u, 63u, 64u, 1000u}) {
      std::vector<uint32_t> numbers(count);
      for (uint32_t& number : numbers) number = static_cast<uint32_t>(random()) >> (32 - width);
      expect_runs(numbers, width);
    }
  }
}

TEST(ParquetRuns, StoresRunsWhereverTheyStart) {
  for (size_t before = 0; before < 20; ++before) {
    for (size_t run = 1; run < 40; ++run) {
      for (const size_t after : {0, 1, 8, 13}) {
        std::vector<uint32_t> numbers;
        for (size_t i = 0; i < before; ++i) numbers.push_back(i % 2);
        numbers.insert(numbers.end(), run, 5);
        for (size_t i = 0; i < after; ++i) numbers.push_back(i % 3);
        expect_runs(numbers, 3);
      }
    }
  }
}

TEST(ParquetRuns, TakesAFewBytesForEqualNumbers) {
  ByteBuffer out;
  put_runs(std::vector<uint32_t>(100'000, 300), 9, out);
  EXPECT_EQ(out.size(), 5u);
}

TEST(ParquetBits, AreStoredAsTheyWereAdded) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    BitList bits;
    std::vector<uint32_t> wanted;
    for (int part = 0; part < 6; ++part) {
      const size_t count = random() % 200;
      if (random() % 2 == 0) {
        const bool bit = random() % 2 == 0;
        bits.add(bit, count);
        wanted.insert(wanted.end(), count, bit ? 1 : 0);
      } else {
        const uint64_t word = uint64_t{random()} << 32 | random();
        bits.add_word(word, count % 65);
        for (size_t i = 0; i < count % 65; ++i) wanted.push_back(word >> i & 1);
      }
    }
    ASSERT_EQ(bits.size(), wanted.size());
    EXPECT_EQ(bits.count(), static_cast<size_t>(std::count(wanted.begin(), wanted.end(), 1u)));
    ByteBuffer out;
    put_runs(bits, out);
    Reader reader(out.bytes());
    EXPECT_EQ(reader.runs(wanted.size(), 1), wanted);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(ParquetBits, TakeAFewBytesIfAllAreEqual) {
  BitList bits;
  bits.add(true, 80'000);
  ByteBuffer out;
  put_runs(bits, out);
  EXPECT_EQ(out.size(), 4u);
}

void expect_deltas(const std::vector<int64_t>& numbers, unsigned bits) {
  ByteBuffer out;
  put_deltas(numbers, bits, out);
  Reader reader(out.bytes());
  EXPECT_EQ(reader.deltas(bits), numbers);
  EXPECT_TRUE(reader.at_end());
}

TEST(ParquetDeltas, StoreNumbersOfAllSizes) {
  std::mt19937_64 random(3);
  for (const unsigned bits : {32u, 64u}) {
    for (unsigned width = 1; width <= bits; ++width) {
      for (const size_t count : {0u, 1u, 2u, 32u, 33u, 128u, 129u, 130u, 1000u}) {
        std::vector<int64_t> numbers(count);
        for (int64_t& number : numbers) {
          number = static_cast<int64_t>(random()) >> (64 - width);
        }
        expect_deltas(numbers, bits);
      }
    }
  }
}

TEST(ParquetDeltas, WrapAround) {
  expect_deltas({INT64_MIN, INT64_MAX, INT64_MIN, 0, INT64_MAX, -1, INT64_MIN}, 64);
  expect_deltas({INT32_MIN, INT32_MAX, INT32_MIN, 0, INT32_MAX, -1, INT32_MIN}, 32);
}

TEST(ParquetDeltas, TakeAFewBytesForASequence) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < 10'000; ++i) numbers.push_back(1'600'000'000'000'000'000 + i);
  ByteBuffer out;
  put_deltas(numbers, 64, out);
  EXPECT_LT(out.size(), 500u);
}

}  // namespace
}  // namespace sfkit::output
