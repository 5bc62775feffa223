#include "scap/writer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "testing/seeds.h"
#include "testing/webserver.h"

namespace sfkit::scap {
namespace {

void expect_stored(const std::string& folder, const std::vector<testing::Fixture>& fixtures) {
  for (const testing::Fixture& fixture : fixtures) {
    // The compressed bytes depend on the zlib version.
    if (fixture.name.starts_with("gzip")) continue;
    std::ifstream file(std::string(SFKIT_FIXTURES) + folder + fixture.name, std::ios::binary);
    ASSERT_TRUE(file) << fixture.name;
    const std::vector<uint8_t> stored{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(stored == fixture.bytes) << fixture.name << " is out of date: run make_fixtures";
  }
}

TEST(CaptureWriter, ReproducesTheStoredFixtures) {
  expect_stored("/", testing::webserver_captures());
  expect_stored("/seeds/captures/", testing::valid_captures());
  expect_stored("/seeds/hostile/", testing::story_choices());
  expect_stored("/seeds/captures/", testing::other_captures());
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
