#include "scap/writer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "testing/webserver.h"

namespace sfkit::scap {
namespace {

TEST(CaptureWriter, WritesTheFixturesAsTheyAre) {
  for (const testing::Fixture& fixture : testing::webserver_captures()) {
    std::ifstream file(std::string(SFKIT_FIXTURES) + "/" + fixture.name, std::ios::binary);
    ASSERT_TRUE(file) << fixture.name;
    const std::vector<uint8_t> stored{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(stored == fixture.bytes) << fixture.name << " is out of date: run make_fixtures";
  }
}

TEST(CaptureWriter, EndsEveryBlockWithItsLength) {
  for (const testing::Fixture& fixture : testing::webserver_captures()) {
    const Bytes bytes(fixture.bytes.data(), fixture.bytes.size());
    size_t at = 0;
    while (at < bytes.size()) {
      const auto length = bytes.load<uint32_t>(at + 4);
      ASSERT_GE(length, 12u);
      ASSERT_EQ(length % 4, 0u);
      ASSERT_EQ(bytes.load<uint32_t>(at + length - 4), length) << fixture.name << " at " << at;
      at += length;
    }
    EXPECT_EQ(at, bytes.size());
  }
}

}  // namespace
}  // namespace sfkit::scap
