#include "live/rings.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace sfkit::live {
namespace {

// Writes like the probe, into memory of the test.
class Writer {
 public:
  explicit Writer(uint32_t bytes) : bytes_(bytes), data_(bytes + kRingSlack) {}

  std::unique_ptr<ProbeRing> reader(uint16_t number) {
    return std::make_unique<ProbeRing>(&state_, data_.data(), bytes_, number);
  }

  void begin(uint64_t time) {
    at(state_.unwritten).store(1);
    at(state_.time).store(time);
  }

  // False if the ring is full; the probe then uses the kernel's ring buffer.
  bool finish(uint64_t time, uint32_t size) {
    const uint64_t head = at(state_.head).load();
    const bool fits = head + size - at(state_.tail).load() <= bytes_;
    if (fits) {
      uint8_t* const event = event_at(head);
      std::memset(event, static_cast<int>(time & 0xff), size);
      std::memcpy(event, &time, sizeof(time));
      std::memcpy(event + 16, &size, sizeof(size));
      at(state_.head).store(head + ((size + 7) & ~7u));
    }
    at(state_.unwritten).store(0);
    return fits;
  }

  bool write(uint64_t time, uint32_t size) {
    begin(time);
    return finish(time, size);
  }

  uint8_t* event_at(uint64_t place) { return data_.data() + (place & (bytes_ - 1)); }

 private:
  static std::atomic_ref<uint64_t> at(uint64_t& word) { return std::atomic_ref<uint64_t>(word); }

  probe_ring state_{};
  uint32_t bytes_;
  std::vector<uint8_t> data_;
};

using Seen = std::vector<std::pair<uint64_t, uint16_t>>;  // times, rings

RingMerger merge(std::vector<Writer*> writers) {
  std::vector<std::unique_ptr<Ring>> rings;
  for (Writer* writer : writers)
    rings.push_back(writer->reader(static_cast<uint16_t>(rings.size())));
  return RingMerger(std::move(rings));
}

Seen drain(RingMerger& merger, uint64_t limit) {
  Seen seen;
  merger.drain(limit, [&](const uint8_t* event, uint32_t size, uint16_t ring) {
    uint64_t time = 0;
    std::memcpy(&time, event, sizeof(time));
    EXPECT_EQ(event[size - 1], time & 0xff) << "torn event";
    seen.emplace_back(time, ring);
    return true;
  });
  return seen;
}

TEST(Rings, MergesTwoRingsByTime) {
  Writer one(4096);
  Writer two(4096);
  RingMerger merger = merge({&one, &two});
  one.write(10, 30);
  two.write(20, 100);
  one.write(30, 47);
  two.write(40, 32);
  two.write(50, 32);
  EXPECT_EQ(drain(merger, 45), (Seen{{10, 0}, {20, 1}, {30, 0}, {40, 1}}));
  EXPECT_FALSE(merger.is_empty());
  EXPECT_EQ(drain(merger, 100), (Seen{{50, 1}}));
  EXPECT_TRUE(merger.is_empty());
}

TEST(Rings, ReadsEventsThatCrossTheRingEnd) {
  Writer writer(4096);
  RingMerger merger = merge({&writer});
  uint64_t time = 0;
  for (int round = 0; round < 50; ++round) {
    Seen expected;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(writer.write(++time, 1000 + round));
      expected.emplace_back(time, 0);
    }
    EXPECT_EQ(drain(merger, RingMerger::kNoLimit), expected);
  }
}

TEST(Rings, FullRingRejectsEventsUntilRead) {
  Writer writer(4096);
  RingMerger merger = merge({&writer});
  EXPECT_TRUE(writer.write(1, 2048));
  EXPECT_TRUE(writer.write(2, 2048));
  EXPECT_FALSE(writer.write(3, 26));
  EXPECT_EQ(drain(merger, RingMerger::kNoLimit).size(), 2U);
  EXPECT_TRUE(writer.write(4, 26));
  EXPECT_EQ(drain(merger, RingMerger::kNoLimit), (Seen{{4, 0}}));
}

TEST(Rings, UnfinishedEventBlocksLaterEvents) {
  Writer one(4096);
  Writer two(4096);
  RingMerger merger = merge({&one, &two});
  one.begin(20);
  two.write(10, 30);
  two.write(30, 30);
  EXPECT_EQ(drain(merger, 1000), (Seen{{10, 1}}));
  EXPECT_FALSE(merger.is_empty());
  one.finish(20, 30);
  EXPECT_EQ(drain(merger, 1000), (Seen{{20, 0}, {30, 1}}));
  EXPECT_TRUE(merger.is_empty());
}

TEST(Rings, StopsWaitingForStalledEvents) {
  Writer one(4096);
  Writer two(4096);
  RingMerger merger = merge({&one, &two});
  one.begin(20);
  two.write(30, 30);
  EXPECT_EQ(drain(merger, 5'000'000'000), Seen{});
  EXPECT_TRUE(merger.is_blocked());
  EXPECT_EQ(drain(merger, 6'000'000'000), Seen{});
  EXPECT_EQ(drain(merger, 6'000'000'001), (Seen{{30, 1}}));
  EXPECT_FALSE(merger.is_blocked());
}

TEST(Rings, DoesNotWaitWhenARingIsCrowded) {
  Writer one(4096);
  Writer two(4096);
  RingMerger merger = merge({&one, &two});
  one.begin(20);
  two.write(30, 2048);
  EXPECT_EQ(drain(merger, 1000), Seen{});
  two.write(40, 32);
  EXPECT_EQ(drain(merger, 1000), (Seen{{30, 1}, {40, 1}}));
  EXPECT_EQ(merger.unfinished(), 1U);
}

TEST(Rings, DrainsEverythingWithoutALimit) {
  Writer one(4096);
  Writer two(4096);
  RingMerger merger = merge({&one, &two});
  one.begin(20);
  two.write(UINT64_MAX - 1, 30);
  EXPECT_EQ(drain(merger, 1000), Seen{});
  EXPECT_EQ(drain(merger, RingMerger::kNoLimit), (Seen{{UINT64_MAX - 1, 1}}));
}

TEST(Rings, MergesManyRingsByTime) {
  std::vector<std::unique_ptr<Writer>> writers;
  std::vector<Writer*> all;
  for (int i = 0; i < 37; ++i)
    all.push_back(writers.emplace_back(std::make_unique<Writer>(16384)).get());
  RingMerger merger = merge(all);
  Seen expected;
  for (uint64_t time = 1; time <= 5000; ++time) {
    const uint64_t ring = time * time * 7919 % all.size();
    ASSERT_TRUE(all[ring]->write(time, 26));
    expected.emplace_back(time, static_cast<uint16_t>(ring));
  }
  EXPECT_EQ(drain(merger, 5000), expected);
  EXPECT_TRUE(merger.is_empty());
}

TEST(Rings, DiscardsRingContentsAfterAnInvalidSize) {
  for (const uint32_t size : {0u, 25u, 64u, uint32_t{kMaxEventBytes} + 1, UINT32_MAX}) {
    Writer writer(4096);
    RingMerger merger = merge({&writer});
    writer.write(1, 30);
    writer.write(2, 32);
    std::memcpy(writer.event_at(32) + 16, &size, sizeof(size));
    EXPECT_EQ(drain(merger, RingMerger::kNoLimit), (Seen{{1, 0}})) << size;
    EXPECT_TRUE(merger.is_empty());
    EXPECT_TRUE(writer.write(3, 26));
    EXPECT_EQ(drain(merger, RingMerger::kNoLimit), (Seen{{3, 0}})) << size;
    EXPECT_EQ(merger.unreadable(), 1U);
  }
}

TEST(Rings, NoEventIsLostOrTornUnderConcurrency) {
  constexpr uint64_t kEvents = 200'000;
  Writer writer(16384);
  RingMerger merger = merge({&writer});
  std::thread probe([&] {
    for (uint64_t time = 1; time <= kEvents;) {
      if (writer.write(time, 26 + static_cast<uint32_t>(time % 300))) ++time;
    }
  });
  uint64_t next = 1;
  while (next <= kEvents) {
    for (const auto& [time, ring] : drain(merger, RingMerger::kNoLimit)) ASSERT_EQ(time, next++);
  }
  probe.join();
  EXPECT_TRUE(merger.is_empty());
}

}  // namespace
}  // namespace sfkit::live
