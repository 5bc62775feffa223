#include "driver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sfkit {
namespace {

const std::string kCapture = std::string(SFKIT_FIXTURES) + "/webserver.scap";

TEST(Driver, CallsBackWithWhatARecordRefersTo) {
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

TEST(Driver, EndsWhenTheCallbackSaysSo) {
  uint64_t records = 0;
  DriverConfig config;
  config.scap_input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records < 3; };
  Driver driver(std::move(config));
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 3u);
}

TEST(Driver, WritesAFileThatAppearsWhole) {
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

TEST(Driver, SaysWhatIsWrong) {
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

}  // namespace
}  // namespace sfkit
