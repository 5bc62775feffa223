#include "scap/event_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "scap/blocks.h"
#include "scap/input.h"
#include "scap/writer.h"
#include "testing/seeds.h"

namespace sfkit::scap {
namespace {

// Everything the reader says about events.
struct Report : CaptureVisitor {
  std::vector<std::string> lines;
  uint64_t in_runs = 0;

  void section() override { lines.emplace_back("section"); }
  void machine(const MachineInfo&) override {}
  void thread(const ThreadEntry&) override {}
  void descriptor(int64_t, const FdEntry&) override {}
  void user(const UserEntry&) override {}
  void group(const GroupEntry&) override {}
  void interface(const InterfaceEntry&) override {}
  void unknown_event(uint32_t, Bytes body, ByteOrder) override {
    lines.push_back("unknown event of " + std::to_string(body.size()));
  }
  void lists_complete() override { lines.emplace_back("lists"); }
  bool event(const EventView& event) override {
    std::string line;
    for (const uint64_t number :
         {event.number, event.ts, static_cast<uint64_t>(event.tid), uint64_t{event.code},
          uint64_t{event.cpu}, uint64_t{event.block_flags}, uint64_t{event.count_in_file()}})
      line += std::to_string(number) + " ";
    for (uint32_t i = 0; i < event.size(); ++i) line += "|" + std::string(event.param(i).text());
    lines.push_back(line);
    return true;
  }
  bool events(EventRun& run) override {
    const uint64_t before = run.events();
    const bool go_on = CaptureVisitor::events(run);
    in_runs += run.events() - before;
    return go_on;
  }
};

// Takes no event of a run, so that the reader handles every block alone.
struct ReportOfSingleBlocks : Report {
  bool events(EventRun&) override { return true; }
};

template <typename Visitor>
Visitor read(const std::vector<uint8_t>& bytes) {
  Visitor visitor;
  auto input = Input::over(Bytes(bytes.data(), bytes.size()));
  ReadStats stats;
  const Status status = read_capture(*input.value(), "test", visitor, stats);
  visitor.lines.push_back(status.message());
  for (const Damage& damage : stats.damage) {
    visitor.lines.push_back(damage.kind + " at " + std::to_string(damage.offset) + ", skipped " +
                            std::to_string(damage.skipped_bytes) + ": " + damage.message);
  }
  for (const uint64_t count :
       {stats.events, stats.unknown_events, stats.unknown_blocks, stats.version1_events,
        stats.with_options, stats.more_damage, input.value()->offset()})
    visitor.lines.push_back(std::to_string(count));
  return visitor;
}

void expect_same(const std::vector<uint8_t>& bytes) {
  EXPECT_EQ(read<Report>(bytes).lines, read<ReportOfSingleBlocks>(bytes).lines);
}

// Events of every kind of block that a run may hold, and of those that it may not.
std::vector<uint8_t> blocks_of_all_types() {
  std::vector<uint8_t> bytes = testing::event_forms(2, 5, {});
  CaptureWriter one;
  const auto with_type = [&](uint32_t type, bool flags) {
    one.event(7, 1, 3, ev::SYSCALL_CLOSE_X, {value::i64(-2)});
    std::vector<uint8_t> event = one.take();
    std::memcpy(event.data(), &type, sizeof(type));
    if (flags) {
      const std::vector<uint8_t> set = {1, 0, 0, 0};
      event.insert(event.begin() + kBlockHeader + kCpuSize, set.begin(), set.end());
      const auto length = static_cast<uint32_t>(event.size());
      std::memcpy(event.data() + 4, &length, sizeof(length));
      std::memcpy(event.data() + length - kBlockTrailer, &length, sizeof(length));
    }
    bytes.insert(bytes.end(), event.begin(), event.end());
  };
  for (const uint32_t type : {block::kEvent2, block::kEvent2Large}) with_type(type, false);
  for (const uint32_t type : {block::kEventFlags2, block::kEventFlags2Large}) with_type(type, true);
  one.users({{1, 1, "ana", "/", "/bin/sh"}}, {});
  const std::vector<uint8_t> list = one.take();
  bytes.insert(bytes.end(), list.begin(), list.end());
  for (const uint32_t type : {block::kEvent2, block::kEvent2Large}) with_type(type, false);
  return bytes;
}

TEST(EventRun, HoldsAllTypesOfCurrentEventBlocks) {
  const std::vector<uint8_t> bytes = blocks_of_all_types();
  const Report report = read<Report>(bytes);
  EXPECT_EQ(report.lines, read<ReportOfSingleBlocks>(bytes).lines);
  // All but the event that ends the lists. No list before an event of a run ends it: users do not.
  const auto is_event = [](const std::string& line) { return line.find('|') != std::string::npos; };
  const auto events = std::count_if(report.lines.begin(), report.lines.end(), is_event);
  EXPECT_GT(events, 6);
  EXPECT_GE(report.in_runs, static_cast<uint64_t>(events - 2));
}

TEST(EventRun, ReadsEveryEventAsTheReaderDoesAlone) {
  const std::vector<uint8_t> bytes = testing::event_forms(0, kEventCount, {});
  expect_same(bytes);
  EXPECT_GT(read<Report>(bytes).in_runs, uint64_t{kEventCount} * 9 / 10);
}

TEST(EventRun, LeavesDamageToTheReader) {
  const std::vector<uint8_t> whole = blocks_of_all_types();
  for (size_t at = 0; at < whole.size(); ++at) {
    std::vector<uint8_t> bytes = whole;
    for (const uint8_t change : {1, 4, 0x80, 0xff}) {
      bytes[at] = whole[at] ^ change;
      SCOPED_TRACE("byte " + std::to_string(at) + " changed by " + std::to_string(change));
      expect_same(bytes);
    }
    bytes = whole;
    bytes.resize(at);
    if (at > 0) expect_same(bytes);
  }
}

TEST(EventRun, NeverReadsPastItsWindow) {
  const std::vector<uint8_t> whole = blocks_of_all_types();
  CaptureWriter one;
  one.event(7, 1, 3, ev::SYSCALL_OPEN_X, {value::i64(3), value::text("/a")});
  const std::vector<uint8_t> block = one.take();
  for (size_t size = 0; size <= block.size(); ++size) {
    // Of exactly this size, so that sanitizers see every byte too many.
    const std::vector<uint8_t> part(block.begin(),
                                    block.begin() + static_cast<std::ptrdiff_t>(size));
    EventRun run(Bytes(part.data(), part.size()), 5);
    int visits = 0;
    EXPECT_TRUE(run.for_each([&](const EventView&) { return ++visits > 0; }));
    EXPECT_EQ(visits, size == block.size() ? 1 : 0) << size;
    EXPECT_EQ(run.consumed(), size == block.size() ? size : 0);
    EXPECT_EQ(run.events(), size == block.size() ? 6u : 5u);
  }
}

TEST(EventRun, StopsWhereTheVisitorStops) {
  struct Two : Report {
    bool event(const EventView& event) override {
      Report::event(event);
      return event.number < 2;
    }
  };
  struct TwoOfSingleBlocks : Two {
    bool events(EventRun&) override { return true; }
  };
  const std::vector<uint8_t> bytes = testing::event_forms(2, 8, {});
  EXPECT_EQ(read<Two>(bytes).lines, read<TwoOfSingleBlocks>(bytes).lines);
}

}  // namespace
}  // namespace sfkit::scap
