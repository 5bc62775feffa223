#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "rules/check_capture.h"
#include "scap/event.h"
#include "scap/input.h"
#include "testing/scenario.h"

namespace sfkit::rules {
namespace {

// The skipped counts of a check whose capture has `times` drop events.
std::vector<std::string> left_out(int times) {
  testing::Scenario world(testing::Age::k2026);
  world.writer().begin();
  for (int i = 0; i < times; ++i) {
    world.event(1, scap::ev::DROP_E, {scap::value::u32(1)});
    world.event(1, scap::ev::DROP_X, {scap::value::u32(1)});
  }
  const std::vector<uint8_t> bytes = world.writer().bytes();
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  EXPECT_TRUE(input.is_ok());
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  ContainersSeen containers;
  const Status status = check_capture(
      *input.value(), "capture", {}, [](const std::vector<uint8_t>&) { return true; }, cancel,
      summary, containers);
  EXPECT_TRUE(status.is_ok()) << status.message();
  std::vector<std::string> lines;
  for (const Skipped& one : summary.skipped)
    lines.push_back(std::to_string(one.count) + ' ' + info_of(one.reason).text);
  return lines;
}

TEST(Check, CountsDropsByTheRecorder) {
  EXPECT_EQ(left_out(0), std::vector<std::string>());
  EXPECT_EQ(left_out(3),
            std::vector<std::string>({"3 times at which the recorder started to drop events"}));
}

}  // namespace
}  // namespace sfkit::rules
