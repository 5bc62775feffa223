#include "output/deflater.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sfkit::output {
namespace {

constexpr size_t kBlock = size_t{256} << 10;  // as of an AvroContainer

// The data of a whole raw deflate stream that ends with `packed`; "damaged" otherwise.
std::string inflated(Bytes packed, size_t size) {
  std::string out(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -15), Z_OK);
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool ended = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return ended ? out : "damaged";
}

std::string noise(size_t size) {
  std::string text(size, '\0');
  uint32_t seed = 1;
  for (char& byte : text) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return text;
}

// Records that differ in a few bytes each, as in real blocks.
std::string records(size_t size) {
  const std::string values = noise(size / 16 + 16);
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) {
    text += "/usr/lib/x86_64-linux-gnu/libc.so.6 ";
    text += values.substr(i, 5);
  }
  text.resize(size);
  return text;
}

std::string repeated(const std::string& unit, size_t size) {
  std::string text;
  while (text.size() < size) text += unit;
  text.resize(size);
  return text;
}

class DeflaterOf : public testing::TestWithParam<Deflater::Library> {};

std::vector<std::string> contents(size_t size) {
  return {noise(size),
          records(size),
          std::string(size, '\0'),
          std::string(size, '\xff'),
          repeated("ab", size),
          repeated(noise(32768), size),
          repeated(noise(32769), size)};
}

// One deflater for all blocks, as in a file: what it did before must not matter.
TEST_P(DeflaterOf, BlocksOfAnySizeAndContentComeBack) {
  const auto deflater = Deflater::make(GetParam());
  const auto same = Deflater::make(GetParam());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{258}, size_t{32768},
                            size_t{65535}, size_t{65536}, kBlock - 1, kBlock, 3 * kBlock + 1}) {
    for (const std::string& block : contents(size)) {
      const std::string packed(deflater->deflate(Bytes(block)).text());
      EXPECT_EQ(inflated(Bytes(packed), size) == block, true) << size;
      EXPECT_EQ(same->deflate(Bytes(block)).text() == packed, true) << size;
    }
  }
}

// The first block of a file shows how much effort the next ones are worth.
TEST_P(DeflaterOf, LaterBlocksAreNotMuchLargerThanTheFirst) {
  std::vector<std::string> blocks = contents(kBlock);
  // Two kinds of lines: the longest match is not the nearest.
  std::string mixed;
  for (size_t i = 0; mixed.size() < kBlock; ++i) {
    mixed += std::to_string(i * 2654435761u % 97) + ":" + std::to_string(i % 7) + "/";
    mixed += std::to_string(i * i % 1009);
  }
  mixed.resize(kBlock);
  blocks.push_back(mixed);
  for (const std::string& block : blocks) {
    const auto deflater = Deflater::make(GetParam());
    const size_t first = deflater->deflate(Bytes(block)).size();
    for (int i = 0; i < 3; ++i)
      EXPECT_LE(deflater->deflate(Bytes(block)).size(), first + first / 14 + 1);
  }
}

TEST_P(DeflaterOf, NoBlockGrowsByMoreThanTheHeadersOfStoredBlocks) {
  const auto deflater = Deflater::make(GetParam());
  const std::string block = noise(kBlock);
  const size_t size = deflater->deflate(Bytes(block)).size();
  EXPECT_LE(size, kBlock + kBlock / 1000);
}

TEST_P(DeflaterOf, RecordsShrink) {
  const auto deflater = Deflater::make(GetParam());
  const std::string block = records(kBlock);
  EXPECT_LT(deflater->deflate(Bytes(block)).size(), kBlock / 4);
}

INSTANTIATE_TEST_SUITE_P(Libraries, DeflaterOf,
                         testing::Values(Deflater::Library::kFastest, Deflater::Library::kZlib),
                         [](const auto& info) {
                           return info.param == Deflater::Library::kZlib ? "Zlib" : "Fastest";
                         });

class NoMemory : public Deflater {
 protected:
  bool compress(Bytes, ByteBuffer&) override { return false; }
};

TEST(Deflater, StoresBlocksThatItCannotCompress) {
  NoMemory deflater;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65535}, size_t{65536}, kBlock}) {
    const std::string block = noise(size);
    EXPECT_EQ(inflated(deflater.deflate(Bytes(block)), size) == block, true) << size;
  }
}

}  // namespace
}  // namespace sfkit::output
