#include "scap/byte_order.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scap/blocks.h"
#include "testing/seeds.h"

namespace sfkit::scap {
namespace {

// The content of a capture, independent of its byte order.
struct Content : CaptureVisitor {
  std::vector<std::string> facts;

  void note(const auto&... parts) {
    std::string line;
    ((line += text_of(parts) + "|"), ...);
    facts.push_back(line);
  }
  static std::string text_of(std::string_view text) { return std::string(text); }
  static std::string text_of(std::integral auto number) { return std::to_string(number); }

  void section() override { note("section"); }
  void machine(const MachineInfo& entry) override {
    note(entry.cpus, entry.hostname, entry.boot_time);
  }
  void thread(const ThreadEntry& entry) override {
    note(entry.tid, entry.pid, entry.comm, entry.exepath, entry.args, entry.fdlimit, entry.cgroups,
         entry.loginuid, entry.pgid);
  }
  void descriptor(int64_t tid, const FdEntry& entry) override {
    note(tid, entry.fd, entry.inode, static_cast<int>(entry.type), entry.name, entry.source_port,
         entry.destination_port, entry.unix_source);
  }
  void user(const UserEntry& entry) override { note(entry.uid, entry.name, entry.shell); }
  void group(const GroupEntry& entry) override { note(entry.gid, entry.name); }
  void interface(const InterfaceEntry& entry) override { note(entry.name, entry.ipv6 ? 1 : 0); }
  void lists_complete() override {}
  bool event(const EventView& event) override {
    std::string line = std::to_string(event.code) + " " + std::to_string(event.ts) + " " +
                       std::to_string(event.tid);
    for (uint32_t i = 0; i < event.size(); ++i) line += "|" + std::string(event.param(i).text());
    facts.push_back(line);
    return true;
  }
};

Content content_of(const std::vector<uint8_t>& bytes) {
  Content content;
  auto input = Input::over(Bytes(bytes.data(), bytes.size()));
  ReadStats stats;
  EXPECT_TRUE(read_capture(*input.value(), "test", content, stats).is_ok());
  EXPECT_TRUE(stats.damage.empty());
  return content;
}

TEST(ByteOrder, ACaptureReadsTheSameInBothOrders) {
  for (const bool counted : {true, false}) {
    const WriterLayout native{.counted_params = counted};
    const WriterLayout swapped{.counted_params = counted, .order = ByteOrder::kSwapped};
    // Version 1 does not have today's codes, but parses the same way.
    const uint16_t last = counted ? kEventCount : 200;
    const auto in_native = testing::event_forms(0, last, native);
    const auto in_swapped = testing::event_forms(0, last, swapped);
    ASSERT_NE(in_native, in_swapped);
    EXPECT_EQ(content_of(in_native).facts, content_of(in_swapped).facts);
  }
}

TEST(ByteOrder, OneFileCanMixBothOrders) {
  std::vector<uint8_t> bytes = testing::event_forms(2, 8, {.order = ByteOrder::kSwapped});
  const std::vector<uint8_t> second = testing::event_forms(2, 8, {});
  const std::vector<std::string> once = content_of(second).facts;
  bytes.insert(bytes.end(), second.begin(), second.end());
  std::vector<std::string> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(content_of(bytes).facts, twice);
}

TEST(ByteOrder, FindsASectionOfTheOtherOrderAfterDamage) {
  std::vector<uint8_t> bytes = testing::event_forms(2, 8, {});
  const size_t once = content_of(bytes).facts.size();
  bytes.insert(bytes.end(), 40, 'x');
  const std::vector<uint8_t> second = testing::event_forms(2, 8, {.order = ByteOrder::kSwapped});
  bytes.insert(bytes.end(), second.begin(), second.end());
  Content content;
  auto input = Input::over(Bytes(bytes.data(), bytes.size()));
  ReadStats stats;
  ASSERT_TRUE(read_capture(*input.value(), "test", content, stats).is_ok());
  EXPECT_EQ(content.facts.size(), 2 * once);
  EXPECT_EQ(stats.damage.size(), 1u);
}

TEST(ByteOrder, LeavesTooShortValuesUnchanged) {
  std::vector<uint8_t> tuple{2, 127, 0};
  swap_parameter(ev::SOCKET_CONNECT_X, 1, tuple.data(), tuple.size());
  EXPECT_EQ(tuple, (std::vector<uint8_t>{2, 127, 0}));
  std::vector<uint8_t> odd{1, 2, 3};
  swap_parameter(ev::SYSCALL_CLOSE_X, 0, odd.data(), odd.size());
  EXPECT_EQ(odd, (std::vector<uint8_t>{1, 2, 3}));
}

}  // namespace
}  // namespace sfkit::scap
