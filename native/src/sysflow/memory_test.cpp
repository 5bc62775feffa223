// Conversions with a limit of memory: what is forgotten first, and what stays.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "state/memory_budget.h"
#include "sysflow/convert.h"
#include "testing/hostile_kinds.h"
#include "testing/record_log.h"
#include "testing/scenario.h"
#include "testing/seeds.h"

namespace sfkit::sysflow {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kBase = state::MemoryBudget::kBase;
constexpr uint32_t kWrite = 2;

// Adds up the flows, and looks at the memory after each record.
class Log : public RecordLog {
 public:
  int64_t written = 0;  // bytes
  int64_t write_ops = 0;
  int64_t most = 0;                          // memory
  std::map<std::string, int64_t> writes_by;  // by the program of the process

  void process(const Process& record) override {
    RecordLog::process(record);
    names_[{record.oid.create_ts, record.oid.hpid}] = record.exe.str();
    look();
  }
  void network_flow(const NetworkFlow& record) override {
    RecordLog::network_flow(record);
    add(record.counters);
  }
  void file_flow(const FileFlow& record) override {
    RecordLog::file_flow(record);
    add(record.counters);
    writes_by[names_[{record.proc_oid.create_ts, record.proc_oid.hpid}]] +=
        record.counters.write_ops;
  }

 private:
  void add(const Counters& counters) {
    written += counters.write_bytes;
    write_ops += counters.write_ops;
    look();
  }
  void look() { most = std::max(most, MemoryCount::bytes() - before_); }

  int64_t before_ = MemoryCount::bytes();
  std::map<std::pair<int64_t, int64_t>, std::string> names_;
};

struct Outcome {
  Log log;
  InputSummary summary;

  uint64_t count(Reason reason) const {
    for (const auto* const list : {&summary.skipped, &summary.notes}) {
      for (const Skipped& entry : *list) {
        if (entry.reason == reason) return entry.count;
      }
    }
    return 0;
  }
  uint64_t forgotten() const {
    return count(Reason::kForgottenThreads) + count(Reason::kForgottenDescriptors) +
           count(Reason::kForgottenNames);
  }
};

void convert(const std::vector<uint8_t>& bytes, uint64_t max_memory, Outcome& outcome,
             bool compat = false) {
  ConvertOptions options;
  options.max_memory = max_memory;
  options.file_read_mode = 0;
  options.file_only = false;
  options.compat = compat;
  const int64_t before = MemoryCount::bytes();
  const std::atomic<bool> cancel{false};
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  EXPECT_TRUE(convert_capture(*input.value(), "test", options, outcome.log, cancel, outcome.summary)
                  .is_ok());
  EXPECT_EQ(MemoryCount::bytes(), before);
}

testing::ProcessFacts process(int64_t pid, const std::string& exe) {
  testing::ProcessFacts facts;
  facts.exe = exe;
  facts.comm = "app";
  facts.tid = facts.pid = facts.vtid = facts.vpid = pid;
  facts.ptid = 1;
  return facts;
}

class Story : public testing::Scenario {
 public:
  Story() : Scenario(testing::Age::k2026) {
    writer().begin();
    writer().machine({});
  }

  // A process that the capture shows from its start.
  void start(int64_t pid, const std::string& exe) {
    const testing::ProcessFacts init = process(1, "/sbin/init");
    fork(init, process(pid, exe));
    exec(process(pid, exe), 0);
  }
};

TEST(MaxMemory, ChangesNothingBelowTheLimit) {
  for (const testing::Fixture& fixture : testing::valid_captures()) {
    for (const bool compat : {false, true}) {
      Outcome without;
      Outcome with;
      convert(fixture.bytes, 0, without, compat);
      convert(fixture.bytes, state::MemoryBudget::kMinLimit, with, compat);
      EXPECT_EQ(without.log.lines, with.log.lines) << fixture.name;
      EXPECT_EQ(with.forgotten() + with.count(Reason::kFlowsEndedEarly), 0u) << fixture.name;
    }
  }
}

TEST(MaxMemory, DividesFlowsWithoutLoss) {
  constexpr int64_t kPeers = 4000;
  constexpr int64_t kSize = 100;
  Story story;
  story.start(500, "/bin/sender");
  story.socket(500, 3, false, true);
  const testing::Endpoint local = testing::ipv4(10, 0, 0, 1, 4000);
  for (int round = 0; round < 2; ++round) {
    for (int64_t peer = 0; peer < kPeers; ++peer) {
      story.sendto(500, 3, kSize, local,
                   testing::ipv4(10, 1, static_cast<uint8_t>(peer >> 8),
                                 static_cast<uint8_t>(peer & 255), 99));
    }
  }
  const std::vector<uint8_t> capture = story.writer().bytes();
  Outcome without;
  Outcome with;
  convert(capture, 0, without);
  const uint64_t limit = 1'000'000;
  convert(capture, kBase + limit, with);
  EXPECT_EQ(without.log.counts["NetworkFlow"], static_cast<uint64_t>(kPeers));
  EXPECT_GT(with.log.counts["NetworkFlow"], static_cast<uint64_t>(kPeers));
  EXPECT_GT(with.count(Reason::kFlowsEndedEarly), 0u);
  EXPECT_EQ(with.forgotten(), 0u);
  EXPECT_EQ(with.log.write_ops, 2 * kPeers);
  EXPECT_EQ(with.log.written, 2 * kPeers * kSize);
  EXPECT_GT(without.log.most, 2 * static_cast<int64_t>(limit));
  EXPECT_LT(with.log.most, static_cast<int64_t>(limit + limit / 2));
}

TEST(MaxMemory, WritesForgottenEntitiesAgain) {
  constexpr int64_t kFiles = 20000;
  Story story;
  story.start(500, "/bin/builder");
  for (int round = 0; round < 2; ++round) {
    for (int64_t file = 0; file < kFiles; ++file) {
      const std::string path = "/tmp/" + std::to_string(file);
      story.open(500, 3, path, kWrite);
      story.write(500, 3, 10);
      story.close(500, 3);
    }
  }
  const std::vector<uint8_t> capture = story.writer().bytes();
  Outcome without;
  Outcome with;
  convert(capture, 0, without);
  convert(capture, kBase + 1'000'000, with);
  EXPECT_EQ(without.log.counts["File"], static_cast<uint64_t>(kFiles));
  // A file with an open flow is written once more with its flow.
  EXPECT_GE(with.log.counts["File"], static_cast<uint64_t>(2 * kFiles));
  EXPECT_LT(with.log.counts["File"], static_cast<uint64_t>(2 * kFiles + 100));
  EXPECT_EQ(with.log.counts["FileFlow"], without.log.counts["FileFlow"]);
  EXPECT_EQ(with.forgotten() + with.count(Reason::kFlowsEndedEarly), 0u);
  EXPECT_LT(with.log.most, 1'500'000);
  // No flow is before its process and file.
  EXPECT_EQ(with.log.writes_by["/bin/builder"], 2 * kFiles);
}

// Processes with an open file each, all idle but one.
std::vector<uint8_t> many_processes(int64_t count) {
  Story story;
  story.start(400, "/bin/active");
  story.open(400, 3, "/var/log/active", kWrite);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t pid = 1000 + i;
    story.start(pid, "/bin/idle");
    story.open(pid, 3, "/var/log/idle", kWrite);
    story.write(pid, 3, 1);
    story.write(400, 3, 1);
  }
  story.wait(2 * kSecond);
  for (int64_t i = 0; i < count; ++i) {
    story.write(1000 + i, 3, 1);
    story.write(400, 3, 1);
  }
  return story.writer().bytes();
}

TEST(MaxMemory, ForgetsTheLongestIdleFirst) {
  constexpr int64_t kProcesses = 3000;
  const std::vector<uint8_t> capture = many_processes(kProcesses);
  Outcome without;
  Outcome with;
  convert(capture, 0, without);
  convert(capture, kBase + 3'000'000, with);
  EXPECT_EQ(without.log.write_ops, 4 * kProcesses);
  EXPECT_GT(with.count(Reason::kForgottenDescriptors), 0u);
  EXPECT_GT(with.count(Reason::kForgottenThreads), 0u);
  // Threads that return can be forgotten again.
  EXPECT_LT(with.count(Reason::kForgottenThreads), static_cast<uint64_t>(2 * kProcesses));
  // Writes on forgotten descriptors are counted, all others have records.
  const uint64_t unknown = with.count(Reason::kUnknownDescriptor);
  EXPECT_GT(unknown, 0u);
  EXPECT_EQ(static_cast<uint64_t>(with.log.write_ops) + unknown,
            static_cast<uint64_t>(4 * kProcesses));
  EXPECT_LT(with.log.most, 4'500'000);
  // The active process is known to the end.
  EXPECT_EQ(with.log.writes_by["/bin/active"], 2 * kProcesses);
}

TEST(MaxMemory, KeepsTheFirstDescriptorsOfTheActiveProcess) {
  constexpr int64_t kDescriptors = 6000;
  Story story;
  story.start(500, "/bin/server");
  for (int64_t fd = 3; fd < kDescriptors; ++fd) {
    story.open(500, fd, "/data/" + std::to_string(fd), kWrite);
    story.write(500, 3, 1);
  }
  Outcome with;
  convert(story.writer().bytes(), kBase + 1'000'000, with);
  EXPECT_GT(with.count(Reason::kForgottenDescriptors), 0u);
  EXPECT_EQ(with.count(Reason::kUnknownDescriptor), 0u);
  EXPECT_EQ(with.count(Reason::kForgottenThreads), 0u);
  EXPECT_EQ(with.log.write_ops, kDescriptors - 3);
}

TEST(MaxMemory, LeavesOutWhatAListHasBeyondTheLimit) {
  Story story;
  std::vector<scap::ThreadEntry> threads;
  constexpr int64_t kThreads = 5000;
  for (int64_t i = 0; i < kThreads; ++i) {
    scap::ThreadEntry entry;
    entry.tid = entry.pid = entry.vtid = entry.vpid = 1000 + i;
    entry.ptid = 1;
    entry.comm = entry.exe = entry.exepath = "/bin/listed";
    entry.cwd = "/";
    threads.push_back(entry);
  }
  story.writer().processes(threads);
  story.open(1000, 3, "/tmp/first", kWrite);
  story.write(1000, 3, 1);
  Outcome with;
  convert(story.writer().bytes(), kBase + 1'000'000, with);
  const uint64_t forgotten = with.count(Reason::kForgottenThreads);
  EXPECT_GT(forgotten, static_cast<uint64_t>(kThreads) / 2);
  EXPECT_LT(forgotten, static_cast<uint64_t>(kThreads));
  EXPECT_EQ(with.log.counts["FileFlow"], 1u);
  EXPECT_EQ(with.log.writes_by["/bin/listed"], 1);
}

TEST(MaxMemory, HoldsForEveryKindOfHostileCapture) {
  for (const testing::HostileKind& kind : testing::hostile_kinds()) {
    const uint32_t size = kind.size / 4;
    const std::vector<uint8_t> capture = kind.make(size);
    // Between two looks at the budget, 256 events add to the memory.
    const auto margin = static_cast<int64_t>(256 * (10'000 + capture.size() / size));
    for (const bool compat : {false, true}) {
      Outcome with;
      constexpr int64_t kLimit = 200'000;
      convert(capture, kBase + kLimit, with, compat);
      EXPECT_TRUE(with.log.finished) << kind.name;
      EXPECT_LT(with.log.most, kLimit + margin) << kind.name;
    }
  }
}

}  // namespace
}  // namespace sfkit::sysflow
