#include "sysflow_file/snappy.h"

#include <gtest/gtest.h>

#include <string>

namespace sfkit::sysflow_file {
namespace {

bool expands(const std::string& in, std::string& out, size_t limit = 1 << 20) {
  ByteBuffer buffer;
  if (!snappy_decompress(Bytes(in), limit, buffer)) return false;
  out = buffer.bytes().text();
  return true;
}

// "abcdabcdabcdXabcda": a literal, a copy with one, two and four bytes of offset.
const std::string kSample = std::string("\x12") + "\x0c" + "abcd" + "\x11\x04" +
                            std::string("\x00X", 2) + std::string("\x0e\x09\x00", 3) +
                            std::string("\x03\x04\x00\x00\x00", 5);

TEST(Snappy, ExpandsLiteralsAndAllCopies) {
  std::string out;
  ASSERT_TRUE(expands(kSample, out));
  EXPECT_EQ(out, "abcdabcdabcdXabcda");
}

TEST(Snappy, ExpandsLongLiterals) {
  const std::string text(70000, 'x');
  std::string out;
  ASSERT_TRUE(
      expands(std::string("\xF0\xA2\x04", 3) + std::string("\xF8\x6F\x11\x01", 4) + text, out));
  EXPECT_EQ(out, text);
}

TEST(Snappy, CopiesOverlappingRuns) {
  std::string out;
  ASSERT_TRUE(
      expands(std::string("\x0a") + std::string("\x00z", 2) + std::string("\x22\x01\x00", 3), out));
  EXPECT_EQ(out, "zzzzzzzzzz");
}

TEST(Snappy, RejectsDamagedStreams) {
  std::string out;
  for (size_t size = 0; size < kSample.size(); ++size)
    EXPECT_FALSE(expands(kSample.substr(0, size), out)) << size;
  EXPECT_FALSE(expands(kSample + std::string("\x00y", 2), out));
  EXPECT_FALSE(expands(std::string("\x05\x00z\x09\x02", 5), out));  // copy from before the start
  EXPECT_FALSE(expands(std::string("\x05\x00z\x0e\x00\x00", 6), out));     // copy with offset 0
  EXPECT_FALSE(expands(std::string("\xFF\xFF\xFF\xFF\xFF\x01", 6), out));  // length above 35 bits
  EXPECT_FALSE(expands(kSample, out, 17));                                 // above the limit
}

TEST(Snappy, ExpandsEmptyInput) {
  std::string out = "x";
  ASSERT_TRUE(expands(std::string(1, '\0'), out));
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace sfkit::sysflow_file
