#include "live/clock.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace sfkit::live {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(EventClock, ConvertsToEpochTimeAfterAnEarlierSuspend) {
  const EventClock clock(
      {.monotonic = 100 * kSecond, .boot = 160 * kSecond, .epoch = 1000 * kSecond});
  EXPECT_EQ(clock.base(), 900 * kSecond);
  EXPECT_EQ(clock.boot_time(), 840 * kSecond);
  const ClockReading later{
      .monotonic = 107 * kSecond, .boot = 167 * kSecond, .epoch = 1007 * kSecond};
  EXPECT_EQ(clock.stamp(later), 1007 * kSecond);
  EXPECT_EQ(clock.sleep_ns(later), 0U);
}

TEST(EventClock, MeasuresSuspendTime) {
  const EventClock clock(
      {.monotonic = 100 * kSecond, .boot = 160 * kSecond, .epoch = 1000 * kSecond});
  const ClockReading awake{
      .monotonic = 110 * kSecond, .boot = 470 * kSecond, .epoch = 1310 * kSecond};
  EXPECT_EQ(clock.sleep_ns(awake), 300 * kSecond);
  EXPECT_EQ(clock.stamp(awake) + clock.sleep_ns(awake), awake.epoch);
}

TEST(EventClock, IgnoresReadingDelays) {
  const EventClock clock(
      {.monotonic = 100 * kSecond, .boot = 160 * kSecond + 500, .epoch = 1000 * kSecond});
  EXPECT_EQ(clock.sleep_ns({.monotonic = 110 * kSecond, .boot = 170 * kSecond + 9000, .epoch = 0}),
            0U);
  EXPECT_EQ(clock.sleep_ns({.monotonic = 110 * kSecond, .boot = 170 * kSecond - 9000, .epoch = 0}),
            0U);
}

TEST(EventClock, IgnoresNegativeReadingDelays) {
  const EventClock clock(
      {.monotonic = 100 * kSecond, .boot = 100 * kSecond - 9, .epoch = 1000 * kSecond});
  EXPECT_EQ(clock.sleep_ns({.monotonic = 110 * kSecond, .boot = 110 * kSecond - 5, .epoch = 0}),
            0U);
  EXPECT_EQ(clock.sleep_ns({.monotonic = 110 * kSecond, .boot = 110 * kSecond + 5, .epoch = 0}),
            0U);
}

TEST(ClockOffsets, ParsesTimeNamespaceOffsets) {
  const ClockOffsets offsets =
      ClockOffsets::parse("monotonic        -5000         7\nboottime   12   0\n");
  EXPECT_EQ(offsets.monotonic, -5000 * static_cast<int64_t>(kSecond) + 7);
  EXPECT_EQ(offsets.boot, 12 * static_cast<int64_t>(kSecond));
  EXPECT_EQ(ClockOffsets::parse("").monotonic, 0);
}

TEST(EventClock, FollowsRealTime) {
  const EventClock clock;
  const ClockReading now = ClockReading::take();
  const auto ahead = static_cast<int64_t>(clock.stamp(now) - now.epoch);
  EXPECT_LT(std::abs(ahead), static_cast<int64_t>(60 * kSecond));
}

}  // namespace
}  // namespace sfkit::live
