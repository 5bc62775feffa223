#include "state/feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "scap/input.h"
#include "scap/writer.h"

namespace sfkit::state {
namespace {

using scap::value::i64;
namespace ev = scap::ev;

// What the exit events of a capture find in their enter events.
class Pairs : public Feed {
 public:
  explicit Pairs(const std::atomic<bool>& cancel) : Feed(false, cancel) {}

  std::vector<std::string> closes;  // thread and descriptor
  uint64_t in_runs = 0;

  bool events(scap::EventRun& run) override {
    const uint64_t before = run.events();
    const bool go_on = Feed::events(run);
    in_runs += run.events() - before;
    return go_on;
  }

 protected:
  bool take(const scap::EventView& event, bool) override {
    engine().apply(event, [&](const Context& context) {
      if (event.code != ev::SYSCALL_CLOSE_X || context.call == nullptr) return;
      const std::string fd = context.call->paired() ? std::to_string(context.fd) : "unknown";
      closes.push_back(std::to_string(event.tid) + " closes " + fd);
    });
    return true;
  }
};

class Capture {
 public:
  Capture() { out_.begin(); }

  void enter(int64_t tid, int64_t fd) { add(tid, ev::SYSCALL_CLOSE_E, {i64(fd)}); }
  void exit(int64_t tid) { add(tid, ev::SYSCALL_CLOSE_X, {i64(0)}); }
  void end(int64_t tid) { add(tid, ev::PROCEXIT_1_E, {i64(0), i64(0), "\0", "\0", i64(0)}); }
  // More calls of another thread than the reader's buffer can hold.
  void more_than_a_buffer(int64_t tid) {
    constexpr int kCalls = 40'000;  // with 108 bytes each
    for (int i = 0; i < kCalls; ++i) {
      enter(tid, 7);
      exit(tid);
    }
  }

  std::vector<std::string> closes() const {
    const std::atomic<bool> cancel{false};
    Pairs pairs(cancel);
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    scap::ReadStats stats;
    EXPECT_TRUE(scap::read_capture(*input.value(), "test", pairs, stats).is_ok());
    EXPECT_TRUE(stats.damage.empty());
    EXPECT_GT(pairs.in_runs * 10, stats.events * 9);
    return pairs.closes;
  }

 private:
  void add(int64_t tid, uint16_t code, const std::vector<std::string>& params) {
    out_.event(++ts_, tid, 0, code, params);
  }

  scap::CaptureWriter out_;
  uint64_t ts_ = 0;
};

TEST(Feed, KeepsEnterEventsWhenTheBufferIsFilledAgain) {
  Capture capture;
  for (int64_t tid = 42; tid < 52; ++tid) capture.enter(tid, tid);
  capture.more_than_a_buffer(1);
  for (int64_t tid = 42; tid < 52; ++tid) capture.exit(tid);
  const std::vector<std::string> closes = capture.closes();
  ASSERT_GT(closes.size(), 10u);
  EXPECT_EQ(closes.front(), "1 closes 7");
  for (size_t i = 0; i < 10; ++i) {
    const std::string number = std::to_string(42 + i);
    EXPECT_EQ(closes[closes.size() - 10 + i], number + " closes " + number);
  }
}

TEST(Feed, ForgetsTheEnterEventsOfThreadsThatEnd) {
  Capture capture;
  capture.enter(1, 7);
  capture.exit(1);
  capture.enter(42, 3);
  capture.end(42);
  // These take the place of the ended thread.
  capture.enter(43, 4);
  capture.end(43);
  capture.exit(44);
  capture.enter(45, 5);
  capture.more_than_a_buffer(1);
  capture.exit(45);
  capture.exit(42);
  const std::vector<std::string> closes = capture.closes();
  ASSERT_GT(closes.size(), 4u);
  EXPECT_EQ(closes[1], "44 closes unknown");
  EXPECT_EQ(closes[closes.size() - 2], "45 closes 5");
  EXPECT_EQ(closes.back(), "42 closes unknown");
}

}  // namespace
}  // namespace sfkit::state
