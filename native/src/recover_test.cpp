#include "recover.h"

#include <gtest/gtest.h>

#include "events/capture_info.h"
#include "events/listing.h"
#include "scap/blocks.h"
#include "scap/writer.h"
#include "testing/seeds.h"

namespace sfkit {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;

const std::atomic<bool> kNoCancel{false};

struct Recovered {
  Status status;
  std::vector<uint8_t> bytes;
  InputSummary summary;
  uint64_t written = 0;
};

Recovered recover(const std::vector<uint8_t>& bytes) {
  Recovered result;
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  result.status = recover_capture(
      *input.value(), "test",
      [&result](const std::vector<uint8_t>& part) {
        result.bytes.insert(result.bytes.end(), part.begin(), part.end());
        return true;
      },
      kNoCancel, result.summary, result.written);
  return result;
}

struct Listed {
  std::string text;
  InputSummary summary;
};

Listed list(const std::vector<uint8_t>& bytes, std::string line = "") {
  Listed result;
  events::ListOptions options;
  options.line = std::move(line);
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  uint64_t shown = 0;
  EXPECT_TRUE(events::list_events(
                  *input.value(), "test", options,
                  [&result](const std::vector<uint8_t>& part) {
                    result.text.append(part.begin(), part.end());
                    return true;
                  },
                  kNoCancel, result.summary, shown)
                  .is_ok());
  return result;
}

TEST(Recover, KeepsTheEventsOfValidCaptures) {
  for (const testing::Fixture& fixture : testing::valid_captures()) {
    const Recovered result = recover(fixture.bytes);
    ASSERT_TRUE(result.status.is_ok());
    EXPECT_TRUE(result.summary.damage.empty() && result.summary.skipped.empty()) << fixture.name;
    const Listed before = list(fixture.bytes);
    const Listed after = list(result.bytes);
    EXPECT_EQ(before.text, after.text) << fixture.name;
    EXPECT_TRUE(after.summary.damage.empty()) << fixture.name;
  }
}

TEST(Recover, WritesCapturesWithoutDamage) {
  for (const testing::Fixture& fixture : testing::other_captures()) {
    const Recovered result = recover(fixture.bytes);
    ASSERT_TRUE(result.status.is_ok()) << fixture.name;
    const Listed before = list(fixture.bytes);
    const Listed after = list(result.bytes);
    EXPECT_TRUE(after.summary.damage.empty()) << fixture.name;
    EXPECT_EQ(result.written, before.summary.events) << fixture.name;
    EXPECT_EQ(result.written, after.summary.events) << fixture.name;
    EXPECT_EQ(result.summary.damage.size(), before.summary.damage.size()) << fixture.name;
  }
}

TEST(Recover, StartsASectionAtListsBetweenEvents) {
  scap::ThreadEntry shell;
  shell.tid = shell.pid = shell.vtid = shell.vpid = 10;
  shell.ptid = 1;
  shell.comm = "sh";
  shell.cwd = "/";
  scap::ThreadEntry late = shell;
  late.tid = late.pid = late.vtid = late.vpid = 20;
  late.comm = "late";
  scap::FdEntry log;
  log.fd = 7;
  log.type = scap::FdType::kFileV2;
  log.name = "/var/log/late";

  scap::CaptureWriter out;
  out.begin();
  out.machine({.cpus = 3, .hostname = "host"});
  out.processes({shell});
  out.event(1'000'000'000, 10, 0, ev::SYSCALL_OPEN_X,
            {value::i64(3), value::text("/etc/hosts"), value::u32(1), value::u32(0), value::u32(0),
             value::u64(0)});
  out.processes({late});
  out.descriptors(20, {log});
  out.event(1'000'000'010, 10, 0, ev::SYSCALL_READ_X,
            {value::i64(1), "x", value::i64(3), value::u32(1)});
  out.event(1'000'000'020, 20, 0, ev::SYSCALL_WRITE_X,
            {value::i64(1), "x", value::i64(7), value::u32(1)});

  const Recovered result = recover(out.bytes());
  EXPECT_EQ(result.written, 3u);
  EXPECT_TRUE(result.summary.damage.empty());
  EXPECT_EQ(list(result.bytes, "%proc.name %evt.type %fd.name").text,
            "sh open /etc/hosts\nsh read /etc/hosts\nlate write /var/log/late\n");

  events::CaptureInfo info;
  InputSummary summary;
  auto input = scap::Input::over(Bytes(result.bytes.data(), result.bytes.size()));
  ASSERT_TRUE(
      events::inspect_capture(*input.value(), "test", {}, kNoCancel, summary, info).is_ok());
  EXPECT_EQ(info.sections, 2u);
  EXPECT_EQ(info.cpus, 3u);
}

TEST(Recover, KeepsUsersListedBetweenEvents) {
  scap::CaptureWriter out;
  out.begin();
  out.users({{1, 1, "old", "", ""}}, {});
  scap::ThreadEntry shell;
  shell.tid = shell.pid = 10;
  shell.uid = 1;
  out.processes({shell});
  out.event(1'000'000'000, 10, 0, ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)});
  out.users({{1, 1, "new", "", ""}}, {});
  out.event(1'000'000'010, 10, 0, ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(4)});
  const Recovered result = recover(out.bytes());
  EXPECT_EQ(list(result.bytes, "%user.name").text, "old\nnew\n");
  EXPECT_FALSE(result.summary.skipped.empty());
}

TEST(Recover, LimitsHowOftenTheStateIsRepeated) {
  scap::CaptureWriter out;
  out.begin();
  std::vector<scap::ThreadEntry> threads;
  for (int64_t tid = 1; tid <= 300; ++tid) {
    scap::ThreadEntry entry;
    entry.tid = entry.pid = tid;
    entry.comm = "many";
    threads.push_back(entry);
  }
  out.processes(threads);
  for (uint64_t i = 0; i < 300; ++i) {
    out.descriptors(1, {});
    out.event(1'000'000'000 + i, 1, 0, ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)});
  }
  const Recovered result = recover(out.bytes());
  EXPECT_EQ(result.written, 300u);
  EXPECT_LT(result.bytes.size(), 30 * out.bytes().size());
  EXPECT_TRUE(list(result.bytes).summary.damage.empty());
}

TEST(Recover, KeepsTheRecordsBeforeADamagedOne) {
  scap::ThreadEntry shell;
  shell.tid = shell.pid = 10;
  shell.comm = "sh";
  scap::CaptureWriter out;
  out.begin();
  const size_t list = out.bytes().size();
  out.processes({shell, shell});
  std::vector<uint8_t> bytes = out.bytes();
  // The second record claims more bytes than there are.
  const size_t first = list + 8;
  const size_t second = first + Bytes(bytes.data(), bytes.size()).load<uint32_t>(first);
  bytes[second + 1] = 0x40;
  const Recovered result = recover(bytes);
  EXPECT_EQ(result.summary.damage.size(), 1u);
  events::CaptureInfo info;
  InputSummary summary;
  auto input = scap::Input::over(Bytes(result.bytes.data(), result.bytes.size()));
  ASSERT_TRUE(
      events::inspect_capture(*input.value(), "test", {}, kNoCancel, summary, info).is_ok());
  EXPECT_EQ(info.threads, 1u);
  EXPECT_TRUE(summary.damage.empty());
}

}  // namespace
}  // namespace sfkit
