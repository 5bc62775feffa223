#include "scap/gzip.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "testing/gzip.h"

namespace sfkit::scap {
namespace {

std::string sample(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += "event " + std::to_string(random() % 5000) + " of thread 17\n";
  text.resize(size);
  return text;
}

struct Unpacked {
  std::string bytes;
  std::vector<size_t> breaks;  // where data is missing
  std::string failure;         // the last one
};

Unpacked unpack(const std::string& packed,
                GzipReader::Library library = GzipReader::Library::kFastest) {
  GzipReader reader(ByteSource::over(Bytes(std::string_view(packed))), library);
  Unpacked result;
  std::vector<uint8_t> buffer(10000);
  for (;;) {
    const size_t got = reader.read(buffer.data(), buffer.size());
    result.bytes.append(reinterpret_cast<const char*>(buffer.data()), got);
    if (got > 0) continue;
    if (reader.failure().empty()) return result;
    result.failure = reader.failure();
    result.breaks.push_back(result.bytes.size());
    if (!reader.salvage()) return result;
  }
}

TEST(GzipReader, JoinsMembersAndAllowsPadding) {
  const std::string one = sample(70000, 1);
  const std::string two = sample(30, 2);
  const Unpacked result =
      unpack(testing::gzip(one) + testing::gzip("") + testing::gzip(two) + std::string(512, '\0'));
  EXPECT_EQ(result.bytes, one + two);
  EXPECT_EQ(result.failure, "");
}

TEST(GzipReader, JoinsMembersThatEndAnywhereInTheBufferOfTheReader) {
  const std::string second = sample(200, 4);
  for (size_t size = 1; size < 300; size += 7) {
    const std::string first = sample(size * 997, static_cast<uint32_t>(size));
    EXPECT_EQ(unpack(testing::gzip(first) + testing::gzip(second)).bytes, first + second);
  }
}

TEST(GzipReader, ReportsATruncatedStream) {
  const std::string text = sample(50000, 3);
  const std::string packed = testing::gzip(text);
  const Unpacked result = unpack(packed.substr(0, packed.size() - 9));
  EXPECT_TRUE(text.starts_with(result.bytes));
  EXPECT_GT(result.bytes.size(), text.size() - 2000);
  EXPECT_EQ(result.failure, "the gzip stream is truncated");
}

TEST(GzipReader, ContinuesAtTheNextFullFlush) {
  const std::string text = sample(600000, 5);
  std::string packed = testing::gzip(text, {200000, 400000});
  // The invalid block type 3 after the first flush.
  constexpr std::string_view kMarker("\0\0\xff\xff", 4);
  packed[packed.find(kMarker) + kMarker.size()] = '\x07';
  const Unpacked result = unpack(packed);
  EXPECT_EQ(result.breaks, std::vector<size_t>{200000});
  EXPECT_TRUE(result.bytes == text.substr(0, 200000) + text.substr(400000));
}

TEST(GzipReader, ContinuesAtTheNextMember) {
  const std::string first = sample(100000, 6);
  const std::string second = sample(5000, 7);
  std::string packed = testing::gzip(first);
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x11);
  const Unpacked result = unpack(packed + testing::gzip(second));
  ASSERT_GE(result.breaks.size(), 1u);
  EXPECT_TRUE(result.bytes.ends_with(second));
}

TEST(GzipReader, DeliversDataWithAWrongChecksum) {
  const std::string text = sample(5000, 8);
  std::string packed = testing::gzip(text);
  packed[packed.size() - 5] = static_cast<char>(packed[packed.size() - 5] ^ 1);
  const Unpacked result = unpack(packed);
  EXPECT_EQ(result.bytes, text);
  EXPECT_NE(result.failure, "");
}

TEST(GzipReader, DeliversTheSameBytesWithEitherLibrary) {
  if (Inflater::isal() == nullptr) GTEST_SKIP() << "isa-l is unavailable";
  std::mt19937 random(9);
  const std::string packed =
      testing::gzip(sample(120000, 10), {40000, 80000}) + testing::gzip(sample(20000, 11));
  for (int round = 0; round < 500; ++round) {
    std::string damaged = packed;
    const size_t at = random() % damaged.size();
    if (round % 3 == 0) {
      damaged.resize(at);
    } else {
      for (uint32_t i = 0; i < 1 + random() % 30; ++i) {
        damaged[(at + i) % damaged.size()] = static_cast<char>(random());
      }
    }
    if (damaged.empty()) continue;
    const Unpacked fastest = unpack(damaged);
    const Unpacked zlib = unpack(damaged, GzipReader::Library::kZlib);
    EXPECT_EQ(fastest.bytes == zlib.bytes, true)
        << "round " << round << ", " << fastest.bytes.size() << " and " << zlib.bytes.size()
        << " bytes";
    EXPECT_EQ(fastest.breaks, zlib.breaks) << "round " << round;
    EXPECT_EQ(fastest.failure, zlib.failure) << "round " << round;
  }
}

}  // namespace
}  // namespace sfkit::scap
