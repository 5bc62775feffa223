#include <sfkit/driver.h>
#include <sfkit/version.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "live/source.h"

namespace sfkit {
namespace {

const std::string kCapture = std::string(SFKIT_FIXTURES) + "/webserver.scap";

TEST(Driver, PassesJoinedEntitiesToTheCallback) {
  uint64_t records = 0;
  uint64_t with_process = 0;
  uint64_t with_file = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.exporter = "box";
  config.callback = [&](const Joined& joined, const Activity& record) {
    ++records;
    EXPECT_EQ(joined.header->exporter, "box");
    if (joined.process != nullptr) ++with_process;
    if (std::holds_alternative<const FileFlow*>(record)) {
      EXPECT_EQ(joined.file1->id, std::get<const FileFlow*>(record)->file);
      ++with_file;
    }
    return true;
  };
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_GT(records, 10u);
  EXPECT_EQ(with_process, records);
  EXPECT_GT(with_file, 0u);
  EXPECT_GT(driver.summary().events, records);
}

TEST(Driver, EndsWhenTheCallbackReturnsFalse) {
  uint64_t records = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records < 3; };
  Driver driver(std::move(config));
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 3u);
}

TEST(Driver, WritesTheFileAtomically) {
  const std::string path = testing::TempDir() + "/driver.sf";
  std::filesystem::remove(path);
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = path;
  Driver driver(std::move(config));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_GT(std::filesystem::file_size(path), 1000u);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST(Driver, ReportsErrors) {
  DriverConfig config;
  config.input_path = "/nowhere/a.scap";
  config.callback = [](const Joined&, const Activity&) { return true; };
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kNotFound);
  config.input_path = kCapture;
  config.filter = "proc.nam = a";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.filter.clear();
  config.output_path = "/nowhere/a.sf";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kUnwritable);
  EXPECT_STREQ(error_code_name(ErrorCode::kUnwritable), "OUTPUT_UNWRITABLE");
  config.output_path.clear();
  config.rotate_seconds = -1;
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.rotate_seconds = 0;
  for (const uint32_t bytes : {0u, 2048u, 12288u}) {
    config.live.ring_bytes = bytes;
    EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument) << bytes;
  }
  config.live = {};
  config.live.sampling_ratio = 0;
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
}

TEST(Driver, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "/dev/full is missing";
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = "/dev/full";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kUnwritable);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(Driver, DeliversViewsOfTheRecords) {
  std::set<Protocol> protocols;
  std::set<FileType> types;
  std::set<Operation> operations;
  uint64_t renames = 0;
  uint64_t read_bytes = 0;
  uint64_t variables = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.file_reads = FileReads::kAll;
  config.files_only = false;
  config.callback = [&](const Joined& joined, const Activity& record) {
    EXPECT_EQ(joined.header->version, 5);
    const ProcessId process =
        std::visit([](const auto* activity) { return activity->process; }, record);
    EXPECT_NE(joined.process, nullptr);
    EXPECT_EQ(joined.process->id, process);
    if (const auto* flow = std::get_if<const NetworkFlow*>(&record)) {
      protocols.insert((*flow)->protocol);
      EXPECT_GE((*flow)->end_time, (*flow)->time);
      if ((*flow)->operations.has(Operation::kConnect)) operations.insert(Operation::kConnect);
    }
    if (const auto* flow = std::get_if<const FileFlow*>(&record)) {
      read_bytes += static_cast<uint64_t>((*flow)->counters.read_bytes);
      EXPECT_EQ(joined.file1->id, (*flow)->file);
    }
    if (const auto* event = std::get_if<const FileEvent*>(&record)) {
      if ((*event)->operations.has(Operation::kRename)) {
        ++renames;
        EXPECT_EQ(joined.file2->id, (*event)->new_file);
      }
    }
    if (const auto* event = std::get_if<const ProcessEvent*>(&record)) {
      if ((*event)->operations == Operations(static_cast<uint32_t>(Operation::kExec)))
        operations.insert(Operation::kExec);
      EXPECT_NE((*event)->args, nullptr);
    }
    for (const std::string_view variable : joined.process->env) {
      ++variables;
      EXPECT_NE(variable.find('='), std::string_view::npos) << variable;
    }
    if (joined.container != nullptr) {
      EXPECT_EQ(joined.container->id, joined.process->container_id);
      EXPECT_EQ(joined.container->type, ContainerType::kDocker);
    }
    if (joined.file1 != nullptr) types.insert(joined.file1->type);
    return true;
  };
  ASSERT_TRUE(Driver(config).run().is_ok());
  EXPECT_EQ(protocols, (std::set<Protocol>{Protocol::kTcp, Protocol::kUdp}));
  EXPECT_TRUE(types.contains(FileType::kFile));
  EXPECT_TRUE(types.contains(FileType::kDirectory));
  EXPECT_EQ(operations, (std::set<Operation>{Operation::kConnect, Operation::kExec}));
  EXPECT_GT(renames, 0u);
  EXPECT_GT(read_bytes, 0u);
  EXPECT_GT(variables, 0u);
}

TEST(Escape, MakesCapturedTextSafe) {
  EXPECT_EQ(escape("a\x1b[2J\n"), "a\\x1b[2J\\x0a");
}

TEST(Driver, ConfiguresTheConversion) {
  const auto records = [](const auto& change) {
    uint64_t count = 0;
    DriverConfig config;
    config.input_path = kCapture;
    config.callback = [&count](const Joined&, const Activity&) { return ++count != 0; };
    change(config);
    EXPECT_TRUE(Driver(config).run().is_ok());
    return count;
  };
  const uint64_t all = records([](DriverConfig& config) { config.file_reads = FileReads::kAll; });
  EXPECT_LT(records([](DriverConfig& config) { config.file_reads = FileReads::kNone; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.file_tracking = FileTracking::kNone; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.containers_only = true; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.filter = "proc.name = curl"; }), all);
  EXPECT_GT(records([](DriverConfig& config) {
              config.file_reads = FileReads::kAll;
              config.files_only = false;
            }),
            0u);
}

TEST(Driver, EndsBeforeTheFirstRecordAfterExit) {
  uint64_t records = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records != 0; };
  Driver driver(std::move(config));
  driver.exit();
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 0u);
}

TEST(Driver, KnowsItsVersion) {
  EXPECT_STREQ(version(), SFKIT_VERSION);
  EXPECT_EQ(std::to_string(SFKIT_VERSION_MAJOR) + "." + std::to_string(SFKIT_VERSION_MINOR) + "." +
                std::to_string(SFKIT_VERSION_PATCH),
            SFKIT_VERSION);
}

TEST(Driver, CapturesTheRunningKernel) {
  if (const auto works = live::LiveSource::try_probe({}); !works.is_ok()) {
    GTEST_SKIP() << "live capture is unavailable: " << works.status().message();
  }
  const std::string path = testing::TempDir() + "sfkit-driver-live";
  bool seen = false;
  std::atomic<bool> ended{false};
  DriverConfig config;
  config.file_reads = FileReads::kAll;
  config.callback = [&](const Joined& joined, const Activity&) {
    seen = seen || (joined.file1 != nullptr && joined.file1->path == path);
    return !seen;
  };
  Driver driver(std::move(config));
  // This process is not captured, so another one has to act.
  std::thread worker([&] {
    for (int i = 0; i < 200 && !ended; ++i) {
      EXPECT_EQ(std::system(("echo something > " + path).c_str()), 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    driver.exit();
  });
  const Status status = driver.run();
  ended = true;
  worker.join();
  std::filesystem::remove(path);
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace sfkit
