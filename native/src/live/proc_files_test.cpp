#include "live/proc_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "live/machine.h"
#include "live/recorder.h"
#include "scap/blocks.h"
#include "scap/input.h"
#include "testing/temporary_file.h"

namespace sfkit::live {
namespace {

TEST(ProcFiles, ParsesLinesAndWords) {
  constexpr std::string_view kText = "Name:\ta b\nUid:\t1\t2\t3\t4\nNSpid:\t77\t1\n";
  EXPECT_EQ(line_value(kText, "Name:"), "a b");
  EXPECT_EQ(line_value(kText, "Missing:"), "");
  EXPECT_EQ(word_at(line_value(kText, "Uid:"), 1), "2");
  EXPECT_EQ(word_at("one two", 2), "");
  EXPECT_EQ(last_word(line_value(kText, "NSpid:")), "1");
  EXPECT_EQ(last_word(""), "");
  EXPECT_EQ(to_number("12"), 12);
  EXPECT_EQ(to_number("12x", -1), -1);
  EXPECT_EQ(to_number("", -1), -1);
  EXPECT_EQ(to_hex("1fF"), 0x1ffu);
}

// The reader accepts the description; it contains this process's parent.
TEST(Machine, DescriptionIsAValidCapture) {
  struct Visitor : scap::CaptureVisitor {
    bool has_parent = false, has_machine = false, complete = false;
    size_t descriptors = 0;
    void section() override {}
    void machine(const scap::MachineInfo& machine) override { has_machine = machine.cpus > 0; }
    void thread(const scap::ThreadEntry& entry) override {
      if (entry.tid == ::getppid()) has_parent = entry.pid == entry.tid && !entry.comm.empty();
      EXPECT_NE(entry.pid, ::getpid()) << "the capturing process is left out";
    }
    void descriptor(int64_t, const scap::FdEntry&) override { ++descriptors; }
    void user(const scap::UserEntry&) override {}
    void group(const scap::GroupEntry&) override {}
    void interface(const scap::InterfaceEntry&) override {}
    void lists_complete() override { complete = true; }
    bool event(const scap::EventView& event) override {
      EXPECT_EQ(event.ts, 7u);
      EXPECT_EQ(event.block_flags, scap::kStateOnlyFlag);
      return true;
    }
  } visitor;
  const std::vector<uint8_t> bytes = describe_machine(1, 7, std::atomic<bool>{false});
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  ASSERT_TRUE(input.is_ok());
  scap::ReadStats stats;
  ASSERT_TRUE(scap::read_capture(*input.value(), "machine", visitor, stats).is_ok());
  EXPECT_TRUE(stats.damage.empty());
  EXPECT_TRUE(visitor.has_machine);
  EXPECT_TRUE(visitor.has_parent);
  EXPECT_GT(visitor.descriptors, 0u);
}

TEST(Machine, ReadsTheFilesOfTheHost) {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "sfkit-host-XXXXXX").string();
  const fs::path root = ::mkdtemp(pattern.data());
  const auto put = [&root](const std::string& path, std::string_view text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << text;
  };
  put("etc/passwd", "guest:x:4711:4712::/home/guest:/bin/sh\n");
  put("etc/group", "guests:x:4712:\n");
  for (const std::string pid : {"4242", "4243"}) {
    put("proc/" + pid + "/stat", pid + " (thing) S 1 " + pid + " " + pid + " 0 -1 0\n");
    put("proc/" + pid + "/status", "Name:\tthing\nTgid:\t" + pid + "\nPid:\t" + pid +
                                       "\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
    put("proc/" + pid + "/cmdline", std::string_view("/bin/thing\0", 11));
  }
  // In that /proc, we are this process.
  fs::create_symlink("4243", root / "proc/self");
  struct Visitor : scap::CaptureVisitor {
    std::vector<int64_t> pids;
    std::vector<std::string> users;
    std::vector<std::string> groups;

    void section() override {}
    void machine(const scap::MachineInfo&) override {}
    void thread(const scap::ThreadEntry& entry) override { pids.push_back(entry.pid); }
    void descriptor(int64_t, const scap::FdEntry&) override {}
    void user(const scap::UserEntry& entry) override { users.emplace_back(entry.name); }
    void group(const scap::GroupEntry& entry) override { groups.emplace_back(entry.name); }
    void interface(const scap::InterfaceEntry&) override {}
    void lists_complete() override {}
    bool event(const scap::EventView&) override { return true; }
  } visitor;
  const std::vector<uint8_t> bytes =
      describe_machine(1, 7, std::atomic<bool>{false}, root.string());
  fs::remove_all(root);
  auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
  ASSERT_TRUE(input.is_ok());
  scap::ReadStats stats;
  ASSERT_TRUE(scap::read_capture(*input.value(), "machine", visitor, stats).is_ok());
  EXPECT_EQ(visitor.pids, std::vector<int64_t>{4242});
  EXPECT_EQ(visitor.users, std::vector<std::string>{"guest"});
  EXPECT_EQ(visitor.groups, std::vector<std::string>{"guests"});
}

TEST(Recorder, WritesChunksInOrderAfterTheDescription) {
  for (const bool gzip : {false, true}) {
    const testing::TemporaryFile place(std::vector<uint8_t>{1});
    const std::string path = place.path() + ".new";
    const auto chunk = [](std::string_view text) {
      return std::make_shared<const std::vector<uint8_t>>(text.begin(), text.end());
    };
    auto recorder = Recorder::open(path, gzip);
    ASSERT_TRUE(recorder.is_ok()) << recorder.status().message();
    recorder.value()->add(chunk("second "));
    recorder.value()->add(chunk("third"));
    recorder.value()->start(chunk("first "));
    recorder.value()->finish();
    EXPECT_EQ(recorder.value()->failure(), "");
    EXPECT_FALSE(Recorder::open(path, false).is_ok()) << "an existing file is not overwritten";
    auto input = scap::Input::open(path);
    ASSERT_TRUE(input.is_ok());
    EXPECT_EQ(input.value()->is_gzip(), gzip);
    EXPECT_EQ(input.value()->peek(100).text(), "first second third");
    ::unlink(path.c_str());
  }
}

TEST(Recorder, ReportsWriteErrors) {
  auto recorder = Recorder::open("/dev/full", false);
  ASSERT_TRUE(recorder.is_ok()) << recorder.status().message();
  recorder.value()->start(std::make_shared<const std::vector<uint8_t>>(10, 'x'));
  recorder.value()->finish();
  EXPECT_NE(recorder.value()->failure().find("/dev/full: cannot be written"), std::string::npos);
}

}  // namespace
}  // namespace sfkit::live
