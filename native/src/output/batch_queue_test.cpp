#include "output/batch_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sfkit::output {
namespace {

using Queue = BatchQueue<std::unique_ptr<int>>;

struct Taken {
  std::vector<int> items;
  int ends = 0;
  std::vector<std::string> errors;

  Queue::Taker taker() {
    return [this](Result<std::optional<std::unique_ptr<int>>> result) {
      if (!result.is_ok()) {
        errors.push_back(result.status().message());
      } else if (result.value()) {
        items.push_back(**result.value());
      } else {
        ++ends;
      }
    };
  }
};

TEST(BatchQueue, DeliversItemsInOrderToEarlyAndLateTakers) {
  Queue queue;
  Taken taken;
  queue.take(taken.taker());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(std::make_unique<int>(i)));
  queue.take(taken.taker());
  queue.take(taken.taker());
  queue.take(taken.taker());
  queue.close(Status());
  queue.take(taken.taker());
  EXPECT_EQ(taken.items, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(taken.ends, 2);
}

TEST(BatchQueue, DeliversAnErrorOnceAfterTheItems) {
  Queue queue;
  Taken taken;
  EXPECT_TRUE(queue.push(std::make_unique<int>(7)));
  queue.close(Status(ErrorCode::kUnreadable, "broken"));
  for (int i = 0; i < 3; ++i) queue.take(taken.taker());
  EXPECT_EQ(taken.items, std::vector<int>{7});
  EXPECT_EQ(taken.errors, std::vector<std::string>{"broken"});
  EXPECT_EQ(taken.ends, 1);

  Queue waiting;
  Taken waited;
  waiting.take(waited.taker());
  waiting.take(waited.taker());
  waiting.close(Status(ErrorCode::kUnreadable, "broken"));
  EXPECT_EQ(waited.errors, std::vector<std::string>{"broken"});
  EXPECT_EQ(waited.ends, 1);
}

TEST(BatchQueue, ProducerWaitsForRoomAndLosesNothing) {
  Queue queue;
  std::atomic<int> pushed{0};
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(queue.push(std::make_unique<int>(i)));
      ++pushed;
    }
    queue.close(Status());
  });
  std::atomic<int> sum{0};
  std::atomic<int> answers{0};
  int before = 0;
  while (before < 1001) {
    queue.take([&](Result<std::optional<std::unique_ptr<int>>> result) {
      if (result.value()) sum += **result.value();
      ++answers;
    });
    ++before;
    EXPECT_LE(pushed.load(), before + static_cast<int>(Queue::kDepth));
  }
  producer.join();
  EXPECT_EQ(answers.load(), 1001);
  EXPECT_EQ(sum.load(), 999 * 1000 / 2);
}

TEST(BatchQueue, CancelWakesTheProducerAndEndsTheTakers) {
  Queue queue;
  Taken taken;
  std::thread producer([&] {
    while (queue.push(std::make_unique<int>(1))) {
    }
  });
  queue.cancel();
  producer.join();
  queue.take(taken.taker());
  EXPECT_EQ(taken.ends, 1);
  EXPECT_TRUE(taken.items.empty());

  Queue waiting;
  waiting.take(taken.taker());
  waiting.cancel();
  EXPECT_EQ(taken.ends, 2);
}

}  // namespace
}  // namespace sfkit::output
