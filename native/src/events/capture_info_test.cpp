#include "events/capture_info.h"

#include <gtest/gtest.h>

#include <random>

#include "state/feed.h"
#include "testing/hostile_story.h"

namespace sfkit::events {
namespace {

// Follows all state.
class FullFeed : public state::Feed {
 public:
  using Feed::Feed;
  uint64_t containers() { return engine().containers().seen(); }

 protected:
  bool take(const scap::EventView& event, bool) override {
    engine().apply(event, [](const state::Context&) {});
    return true;
  }
};

// A summary follows only threads.
TEST(CaptureInfo, CountsTheContainersThatTheWholeStateHas) {
  const std::atomic<bool> cancel{false};
  std::mt19937 random(1);
  uint64_t containers = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<uint8_t> choices(3000);
    for (uint8_t& choice : choices) choice = static_cast<uint8_t>(random());
    const std::vector<uint8_t> story =
        testing::hostile_story(Bytes(choices.data(), choices.size()));
    const Bytes bytes(story.data(), story.size());

    FullFeed full(/*compat=*/false, cancel);
    scap::ReadStats stats;
    auto input = scap::Input::over(bytes);
    ASSERT_TRUE(scap::read_capture(*input.value(), "test", full, stats).is_ok());

    InputSummary summary;
    CaptureInfo info;
    auto again = scap::Input::over(bytes);
    ASSERT_TRUE(inspect_capture(*again.value(), "test", {}, cancel, summary, info).is_ok());
    EXPECT_EQ(info.containers, full.containers());
    containers += info.containers;

    // The same with a filter that codes decide, and with one that they do not.
    for (const char* const filter : {"evt.type = close", "proc.name exists"}) {
      CaptureInfo filtered;
      InputSummary rest;
      auto once_more = scap::Input::over(bytes);
      ASSERT_TRUE(
          inspect_capture(*once_more.value(), "test", {.filter = filter}, cancel, rest, filtered)
              .is_ok());
      EXPECT_EQ(filtered.containers, full.containers());
      EXPECT_EQ(filtered.has_enters, info.has_enters);
      EXPECT_EQ(rest.events, summary.events);
    }
  }
  EXPECT_GT(containers, 60u);
}

}  // namespace
}  // namespace sfkit::events
