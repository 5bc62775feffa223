#include "scap/blocks.h"

#include <gtest/gtest.h>
#include "base/progress.h"
#include "scap/writer.h"
#include "testing/temporary_file.h"

namespace sfkit::scap {
namespace {

using value::i64;
using value::text;
using value::u32;

using testing::TemporaryFile;

struct Seen : CaptureVisitor {
  std::vector<std::string> threads;
  std::vector<std::string> cwds;
  std::vector<std::string> descriptors;
  std::vector<std::string> users;
  std::vector<uint32_t> ttys;
  std::vector<uint16_t> codes;
  std::vector<uint32_t> param_counts;
  int sections = 0;
  int completed = 0;

  void section() override { ++sections; }
  void machine(const MachineInfo&) override {}
  void thread(const ThreadEntry& entry) override {
    threads.emplace_back(entry.comm);
    cwds.emplace_back(entry.cwd);
    ttys.push_back(entry.tty);
  }
  void descriptor(int64_t, const FdEntry& entry) override { descriptors.emplace_back(entry.name); }
  void user(const UserEntry& entry) override { users.emplace_back(entry.name); }
  void group(const GroupEntry&) override {}
  void interface(const InterfaceEntry&) override {}
  void lists_complete() override { ++completed; }
  bool event(const EventView& event) override {
    codes.push_back(event.code);
    param_counts.push_back(event.size());
    return true;
  }
};

struct ReadResult {
  Status status;
  Seen seen;
  ReadStats stats;
};

ReadResult read(const std::vector<uint8_t>& bytes) {
  const TemporaryFile file(bytes);
  ReadResult result;
  auto input = Input::open(file.path());
  if (!input.is_ok()) {
    result.status = input.status();
    return result;
  }
  result.status = read_capture(*input.value(), "test", result.seen, result.stats);
  return result;
}

ThreadEntry thread_entry() {
  ThreadEntry entry;
  entry.tid = entry.pid = 42;
  entry.ptid = 1;
  entry.comm = "comm";
  entry.exe = "/bin/exe";
  entry.cwd = "/home";
  entry.tty = 7;
  return entry;
}

// Length of the last block of small_capture({}).
constexpr int kExitEvent = 52;

std::vector<uint8_t> small_capture(WriterLayout layout) {
  CaptureWriter out(layout);
  out.begin();
  out.machine({});
  out.users({{1000, 1000, "ana", "/home/ana", "/bin/sh"}}, {{1000, "ana"}});
  out.processes({thread_entry()});
  FdEntry file;
  file.fd = 3;
  file.type = FdType::kFileV2;
  file.name = "/tmp/x";
  out.descriptors(42, {file});
  out.event(1'000'000'000, 42, 0, ev::SYSCALL_CLOSE_E, {i64(3)});
  out.event(1'000'000'100, 42, 0, ev::SYSCALL_CLOSE_X, {i64(0)});
  return out.bytes();
}

TEST(ReadCapture, RefusesWhatHasOnlySectionHeadersOfNetworkCaptures) {
  CaptureWriter current(WriterLayout{});
  current.begin();
  EXPECT_TRUE(read(current.bytes()).status.is_ok()) << "network captures have no version 1.2";
  WriterLayout old;
  old.counted_params = false;
  CaptureWriter header(old);
  header.begin();
  const ReadResult alone = read(header.bytes());
  EXPECT_EQ(alone.status.code(), ErrorCode::kEmpty);
  EXPECT_NE(alone.status.message().find("a section header and nothing else"), std::string::npos);
  EXPECT_EQ(alone.seen.completed, 0);
  header.begin();
  EXPECT_EQ(read(header.bytes()).status.code(), ErrorCode::kEmpty);
  // Blocks that only pcapng files have, such as a custom block.
  std::vector<uint8_t> custom = header.bytes();
  for (const uint8_t byte : {0xad, 0x0b, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}) custom.push_back(byte);
  EXPECT_NE(read(custom).status.message().find("Wireshark"), std::string::npos);
  // A list is content: the state of the machine without events.
  header.machine({});
  EXPECT_TRUE(read(header.bytes()).status.is_ok());
  // So is a block that was cut off, which is damage.
  std::vector<uint8_t> cut = header.bytes();
  cut.resize(cut.size() - 1);
  const ReadResult damaged = read(cut);
  EXPECT_TRUE(damaged.status.is_ok());
  EXPECT_EQ(damaged.stats.damage.size(), 1u);
}

TEST(ReadCapture, ReportsItsProgress) {
  const std::vector<uint8_t> bytes = small_capture({});
  const TemporaryFile file(bytes);
  Progress progress;
  {
    const ProgressScope scope(progress);
    auto input = Input::open(file.path());
    EXPECT_EQ(Progress::get(progress.size), bytes.size());
    Seen seen;
    ReadStats stats;
    ASSERT_TRUE(read_capture(*input.value(), "test", seen, stats).is_ok());
  }
  EXPECT_EQ(Progress::get(progress.consumed), bytes.size());
  EXPECT_EQ(Progress::get(progress.events), 2u);
  EXPECT_EQ(Progress::get(progress.bytes), bytes.size());
  EXPECT_EQ(ProgressScope::current(), nullptr);
}

TEST(ReadCapture, SkipsFalseHeadersInLinearTime) {
  // Each looks like the header of an event block that is longer than the rest of the file.
  std::vector<uint8_t> bytes = small_capture({});
  const std::vector<uint8_t> head{0x16, 2, 0, 0, 0xf0, 0xff, 0xff, 0};
  for (int i = 0; i < 1'000'000; ++i) bytes.insert(bytes.end(), head.begin(), head.end());
  auto input = Input::over(Bytes(bytes.data(), bytes.size()));
  Seen seen;
  ReadStats stats;
  // Quadratic work would take minutes here.
  ASSERT_TRUE(read_capture(*input.value(), "test", seen, stats).is_ok());
  EXPECT_EQ(stats.events, 2u);
  EXPECT_EQ(stats.damage.size(), 1u);
}

TEST(ReadCapture, ReadsEveryProcessListVersion) {
  for (int version = 1; version <= 9; ++version) {
    const ReadResult result = read(small_capture(
        {.process_list = version, .sized_records = version == 9, .counted_params = version == 9}));
    ASSERT_TRUE(result.status.is_ok()) << result.status.message();
    EXPECT_EQ(result.seen.threads, std::vector<std::string>{"comm"}) << "version " << version;
    EXPECT_EQ(result.seen.cwds, std::vector<std::string>{"/home"}) << "version " << version;
    EXPECT_EQ(result.seen.ttys[0], version == 9 ? 7u : 0u);
    EXPECT_EQ(result.seen.descriptors, std::vector<std::string>{"/tmp/x"});
    EXPECT_EQ(result.seen.users, std::vector<std::string>{"ana"});
    EXPECT_EQ(result.stats.events, 2u);
    EXPECT_TRUE(result.stats.damage.empty());
  }
}

TEST(ReadCapture, FindsTheParameterCountOfVersion1Events) {
  const ReadResult result =
      read(small_capture({.process_list = 5, .sized_records = false, .counted_params = false}));
  EXPECT_EQ(result.seen.codes, (std::vector<uint16_t>{ev::SYSCALL_CLOSE_E, ev::SYSCALL_CLOSE_X}));
  EXPECT_EQ(result.seen.param_counts, (std::vector<uint32_t>{1, 1}));
}

TEST(ReadCapture, KeepsEverythingBeforeAnyTruncation) {
  const std::vector<uint8_t> whole = small_capture({});
  uint64_t events_before = 0;
  for (size_t size = 1; size < whole.size(); ++size) {
    const ReadResult result =
        read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    // Before the end of the section header there is nothing to keep.
    if (size < 28) {
      EXPECT_FALSE(result.status.is_ok()) << size;
      continue;
    }
    ASSERT_TRUE(result.status.is_ok()) << size << ": " << result.status.message();
    EXPECT_GE(result.stats.events, events_before) << size;
    events_before = result.stats.events;
    EXPECT_LE(result.stats.damage.size(), 1u);
  }
  EXPECT_EQ(events_before, 1u);
}

TEST(ReadCapture, ReportsWhereTheFileEnds) {
  std::vector<uint8_t> bytes = small_capture({});
  const size_t whole = bytes.size();
  bytes.resize(whole - 5);
  const ReadResult result = read(bytes);
  ASSERT_EQ(result.stats.damage.size(), 1u);
  EXPECT_EQ(result.stats.damage[0].kind, "truncated");
  EXPECT_EQ(result.stats.damage[0].offset + result.stats.damage[0].skipped_bytes, bytes.size());
}

TEST(ReadCapture, StopsAtAnInvalidLength) {
  std::vector<uint8_t> bytes = small_capture({});
  bytes[4] = 28;
  const uint8_t second_block = 28;
  bytes[second_block + 4] = 3;  // length of the second block
  bytes[second_block + 5] = bytes[second_block + 6] = bytes[second_block + 7] = 0;
  const ReadResult result = read(bytes);
  ASSERT_EQ(result.stats.damage.size(), 1u);
  EXPECT_EQ(result.stats.damage[0].kind, "bad-length");
  EXPECT_EQ(result.stats.damage[0].offset, second_block);
}

TEST(ReadCapture, ContinuesAfterGarbageBetweenBlocks) {
  const std::vector<uint8_t> whole = small_capture({});
  const size_t last_event = whole.size() - kExitEvent;
  std::vector<uint8_t> bytes(whole.begin(),
                             whole.begin() + static_cast<std::ptrdiff_t>(last_event));
  for (int i = 0; i < 77; ++i) bytes.push_back(static_cast<uint8_t>(i * 37 + 11));
  bytes.insert(bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(last_event), whole.end());
  const ReadResult result = read(bytes);
  EXPECT_EQ(result.stats.events, 2u);
  ASSERT_EQ(result.stats.damage.size(), 1u);
  EXPECT_EQ(result.stats.damage[0].offset, last_event);
  EXPECT_EQ(result.stats.damage[0].skipped_bytes, 77u);
}

TEST(ReadCapture, SkipsLargeUnknownBlocksWithoutBufferingThem) {
  std::vector<uint8_t> bytes = small_capture({});
  const uint32_t length = uint32_t{8} << 20;
  std::vector<uint8_t> unknown(length, 0);
  const uint32_t type = 0x999;
  std::memcpy(unknown.data(), &type, sizeof(type));
  std::memcpy(unknown.data() + 4, &length, sizeof(length));
  std::memcpy(unknown.data() + length - 4, &length, sizeof(length));
  bytes.insert(bytes.end() - kExitEvent, unknown.begin(), unknown.end());
  const ReadResult result = read(bytes);
  EXPECT_EQ(result.stats.events, 2u);
  EXPECT_EQ(result.stats.unknown_blocks, 1u);
  EXPECT_TRUE(result.stats.damage.empty());
}

TEST(ReadCapture, KeepsTheFirstSectionWhenTheNextIsUnreadable) {
  std::vector<uint8_t> bytes = small_capture({});
  std::vector<uint8_t> second = small_capture({});
  second[12] = 2;  // major version
  bytes.insert(bytes.end(), second.begin(), second.end());
  const ReadResult result = read(bytes);
  EXPECT_EQ(result.stats.events, 2u);
  ASSERT_EQ(result.stats.damage.size(), 1u);
  EXPECT_EQ(result.stats.damage[0].kind, "bad-section");
}

TEST(ReadCapture, SkipsOnlyEventsWhoseParametersDoNotFit) {
  std::vector<uint8_t> bytes = small_capture({});
  bytes[bytes.size() - kExitEvent + 8 + 2 + 26] = 0xff;  // the first length of the last event
  const ReadResult result = read(bytes);
  EXPECT_EQ(result.seen.codes, std::vector<uint16_t>{ev::SYSCALL_CLOSE_E});
  ASSERT_EQ(result.stats.damage.size(), 1u);
  EXPECT_EQ(result.stats.damage[0].kind, "bad-event");
}

TEST(ReadCapture, RejectsOtherFormats) {
  const ReadResult text =
      read({'H', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd', '!', '!', '!', '!', '!', '\n'});
  EXPECT_EQ(text.status.code(), ErrorCode::kBadFormat);
  EXPECT_NE(text.status.message().find("is text"), std::string::npos) << text.status.message();
  const ReadResult bytes = read({0x80, 0x81, 0x82, 0x83, 0x84});
  EXPECT_EQ(bytes.status.code(), ErrorCode::kBadFormat);
  EXPECT_NE(bytes.status.message().find("80 81 82 83"), std::string::npos)
      << bytes.status.message();

  EXPECT_EQ(read({}).status.code(), ErrorCode::kEmpty);

  CaptureWriter pcapng;
  pcapng.begin();
  std::vector<uint8_t> network = pcapng.bytes();
  for (const uint8_t byte : {1, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}) network.push_back(byte);
  EXPECT_NE(read(network).status.message().find("pcapng"), std::string::npos);

  std::vector<uint8_t> newer = small_capture({});
  newer[12] = 2;
  EXPECT_EQ(read(newer).status.code(), ErrorCode::kNotSupported);
}

TEST(ReadCapture, CountsAndSkipsUnknownEvents) {
  CaptureWriter out;
  out.begin();
  out.event(5, 1, 0, ev::SYSCALL_CLOSE_X, {i64(0)});
  std::vector<uint8_t> bytes = out.bytes();
  // Block header, CPU, time, thread and length precede the code.
  const size_t code = 28 + 8 + 2 + 8 + 8 + 4;
  bytes[code] = 0xff;
  bytes[code + 1] = 0x7f;
  const ReadResult result = read(bytes);
  EXPECT_EQ(result.stats.events, 1u);
  EXPECT_EQ(result.stats.unknown_events, 1u);
  EXPECT_TRUE(result.seen.codes.empty());
}

TEST(EventView, FindsParametersByIndexAndByName) {
  CaptureWriter out;
  out.begin();
  out.event(5, 1, 0, ev::SYSCALL_OPEN_X, {i64(3), text("/a"), u32(1), u32(0)});
  struct Check : Seen {
    bool event(const EventView& event) override {
      EXPECT_EQ(to_int(event.param(0), -1), 3);
      EXPECT_EQ(to_text(event.param(P::name)), "/a");
      EXPECT_EQ(event.size(), 4u);
      EXPECT_TRUE(event.param(P::ino).empty());
      EXPECT_TRUE(event.param(P::tuple).empty());
      return true;
    }
  } check;
  const TemporaryFile file(out.bytes());
  auto input = Input::open(file.path());
  ASSERT_TRUE(input.is_ok());
  ReadStats stats;
  ASSERT_TRUE(read_capture(*input.value(), "test", check, stats).is_ok());
  EXPECT_EQ(stats.events, 1u);
}

TEST(EventView, NeverReadsPastTheEvent) {
  // One parameter claims 65535 bytes in an event of four.
  const uint8_t body[] = {0xff, 0xff, 1, 2, 3, 4};
  const EventView event(ev::SYSCALL_CLOSE_E, 1, Bytes(body, sizeof(body)));
  EXPECT_LE(event.param(0).size(), 4u);
  EXPECT_TRUE(event.param(1).empty());
}

TEST(InputOpen, ReportsBadPaths) {
  EXPECT_EQ(Input::open("/nonexistent/file.scap").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Input::open("/").status().code(), ErrorCode::kNotAFile);
}

TEST(ReadCapture, ReadsTheListsOfALargeMachine) {
  constexpr size_t kThreads = 20'000;
  constexpr size_t kDescriptors = 70'000;
  const std::string long_text(1000, 'x');
  const std::string long_list(4000, 'x');
  std::vector<ThreadEntry> threads(kThreads);
  for (size_t i = 0; i < kThreads; ++i) {
    threads[i].tid = threads[i].pid = static_cast<int64_t>(i);
    threads[i].comm = "one of many";
    threads[i].args = long_list;
  }
  std::vector<FdEntry> descriptors(kDescriptors);
  for (size_t i = 0; i < kDescriptors; ++i) {
    descriptors[i].fd = static_cast<int64_t>(i);
    descriptors[i].type = FdType::kFileV2;
    descriptors[i].name = long_text;
  }
  CaptureWriter writer;
  writer.begin();
  writer.processes(threads);
  writer.descriptors(7, descriptors);
  const ReadResult result = read(writer.take());
  EXPECT_TRUE(result.status.is_ok()) << result.status.message();
  EXPECT_EQ(result.seen.threads.size(), kThreads);
  EXPECT_EQ(result.seen.descriptors.size(), kDescriptors);
  EXPECT_TRUE(result.stats.damage.empty());
}

}  // namespace
}  // namespace sfkit::scap
