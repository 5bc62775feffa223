#include "base/memory_count.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

#include "base/pool.h"
#include "base/shared_map.h"
#include "base/shared_text.h"

namespace sfkit {
namespace {

// What was added to the count since this object was made.
class Added {
 public:
  int64_t bytes() const { return MemoryCount::bytes() - before_; }

 private:
  int64_t before_ = MemoryCount::bytes();
};

struct Thing {
  Counted<100> cost;
  CountedBytes text;
};

TEST(MemoryCount, CountsStructuresWhileTheyLive) {
  const Added added;
  {
    Thing first;
    EXPECT_EQ(added.bytes(), 100);
    const Thing second(first);
    EXPECT_EQ(added.bytes(), 200);
    first = second;
    EXPECT_EQ(added.bytes(), 200);
  }
  EXPECT_EQ(added.bytes(), 0);
}

TEST(MemoryCount, CountsBuffersByTheirLargestContent) {
  const Added added;
  {
    Thing thing;
    thing.text.raise(40);
    thing.text.raise(30);
    EXPECT_EQ(added.bytes(), 140);
    thing.text.lower(50);
    EXPECT_EQ(added.bytes(), 140);
    thing.text.lower(10);
    EXPECT_EQ(added.bytes(), 110);
    const Thing copy(thing);
    EXPECT_EQ(added.bytes(), 220);
    const CountedBytes moved = std::move(thing.text);
    EXPECT_EQ(added.bytes(), 220);
    thing.text.set(5);
    EXPECT_EQ(added.bytes(), 225);
  }
  EXPECT_EQ(added.bytes(), 0);
}

TEST(MemoryCount, CountsASharedTextOnce) {
  const Added added;
  {
    const SharedText text(std::string(1000, 'x'));
    const int64_t once = added.bytes();
    EXPECT_GE(once, 1000);
    EXPECT_LT(once, 1100);
    SharedText copy = text;
    EXPECT_EQ(added.bytes(), once);
    copy = SharedText(std::string(500, 'x'));
    EXPECT_EQ(added.bytes(), once + once - 500);
  }
  EXPECT_EQ(added.bytes(), 0);
}

TEST(MemoryCount, CountsNodesOfMapsThatCopiesDoNotShare) {
  const Added added;
  {
    SharedMap<int64_t> map;
    for (uint64_t key = 0; key < 640; ++key) map.put(key, 1);
    const int64_t alone = added.bytes();
    EXPECT_GE(alone, 640 * 8);
    SharedMap<int64_t> copy = map;
    EXPECT_EQ(added.bytes(), alone);
    copy.put(3, 2);
    EXPECT_GT(added.bytes(), alone);
    EXPECT_LT(added.bytes(), alone + alone / 2);
  }
  EXPECT_EQ(added.bytes(), 0);
}

TEST(MemoryCount, BelongsToOneThread) {
  const Added added;
  std::thread other([] {
    const Added there;
    const SharedText text(std::string(1000, 'x'));
    EXPECT_GE(there.bytes(), 1000);
  });
  other.join();
  EXPECT_EQ(added.bytes(), 0);
}

TEST(Pool, TrimFreesWhatWasGivenBack) {
  const Added added;
  Pool<Thing> pool;
  Thing* const first = pool.take();
  Thing* const second = pool.take();
  Thing* const third = pool.take();
  pool.give_back(first);
  pool.give_back(third);
  EXPECT_EQ(added.bytes(), 300);
  pool.trim();
  EXPECT_EQ(added.bytes(), 100);
  // The object in use stays in place, and is freed once.
  EXPECT_NE(pool.take(), second);
  pool.give_back(second);
  pool.trim();
  EXPECT_EQ(added.bytes(), 100);
  pool.clear();
  EXPECT_EQ(added.bytes(), 0);
}

TEST(SharedMap, VisitsASharedValueOnce) {
  SharedMap<int64_t> map;
  for (uint64_t key = 0; key < 640; ++key) map.put(key, 1);
  SharedMap<int64_t> copy = map;
  copy.put(3, 2);
  size_t visits = 0;
  const auto count = [&visits](int64_t) { ++visits; };
  map.for_each_once(1, count);
  EXPECT_EQ(visits, 640u);
  copy.for_each_once(1, count);
  EXPECT_LE(visits, 640u + 64u);
  EXPECT_GT(visits, 640u);
  visits = 0;
  copy.for_each_once(2, count);
  EXPECT_EQ(visits, 640u);
}

}  // namespace
}  // namespace sfkit
