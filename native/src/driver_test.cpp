#include "driver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace sfkit {
namespace {

const std::string kCapture = std::string(SFKIT_FIXTURES) + "/webserver.scap";

TEST(Driver, PassesJoinedEntitiesToTheCallback) {
  uint64_t records = 0;
  uint64_t with_process = 0;
  uint64_t with_file = 0;
  DriverConfig config;
  config.scap_input_path = kCapture;
  config.options.exporter = "box";
  config.callback = [&](const Joined& joined, const Activity& record) {
    ++records;
    EXPECT_EQ(joined.header->exporter, "box");
    if (joined.process != nullptr) ++with_process;
    if (std::holds_alternative<const sysflow::FileFlow*>(record)) {
      EXPECT_EQ(joined.file1->oid, std::get<const sysflow::FileFlow*>(record)->file_oid);
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
  config.scap_input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records < 3; };
  Driver driver(std::move(config));
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 3u);
}

TEST(Driver, WritesTheFileAtomically) {
  const std::string path = testing::TempDir() + "/driver.sf";
  std::filesystem::remove(path);
  DriverConfig config;
  config.scap_input_path = kCapture;
  config.file_path = path;
  Driver driver(std::move(config));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_GT(std::filesystem::file_size(path), 1000u);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST(Driver, ReportsErrors) {
  DriverConfig config;
  config.scap_input_path = "/nowhere/a.scap";
  config.callback = [](const Joined&, const Activity&) { return true; };
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kNotFound);
  config.scap_input_path = kCapture;
  config.options.filter = "proc.nam = a";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.options.filter.clear();
  config.file_path = "/nowhere/a.sf";
  EXPECT_FALSE(Driver(config).run().is_ok());
}

TEST(Driver, CapturesTheRunningKernel) {
  if (const auto works = live::LiveSource::try_probe({}); !works.is_ok()) {
    GTEST_SKIP() << "live capture is unavailable:  " << works.status().message();
  }
  const std::string path = testing::TempDir() + "sfkit-driver-live";
  bool seen = false;
  std::atomic<bool> ended{false};
  DriverConfig config;
  config.options.file_read_mode = 0;
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
