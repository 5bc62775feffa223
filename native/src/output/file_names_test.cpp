#include "output/file_names.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sfkit::output {
namespace {

class FileNamesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / "file-names";
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  void make(const std::string& name) const { std::ofstream(path(name)) << "x"; }

  std::filesystem::path directory_;
};

TEST_F(FileNamesTest, AppendTheSecondToAPrefixOrDirectory) {
  EXPECT_EQ(FileNames(path("flow.")).next(12), path("flow.12"));
  EXPECT_EQ(FileNames(path("new/")).next(12), path("new/12"));
}

TEST_F(FileNamesTest, AvoidFilesUnfinishedFilesAndDanglingLinks) {
  make("flow.12");
  make("flow.12-1.part");
  std::filesystem::create_symlink("nowhere", path("flow.12-2"));
  EXPECT_EQ(FileNames(path("flow.")).next(12), path("flow.12-3"));
  EXPECT_EQ(FileNames(path("flow.")).next(13), path("flow.13"));
}

TEST_F(FileNamesTest, AvoidNamesWhoseFilesDoNotExistYet) {
  FileNames names(path("flow."));
  EXPECT_EQ(names.next(12), path("flow.12"));
  EXPECT_EQ(names.next(13), path("flow.13"));
  EXPECT_EQ(names.next(12), path("flow.12-1"));
  EXPECT_EQ(names.next(12), path("flow.12-2"));
}

}  // namespace
}  // namespace sfkit::output
