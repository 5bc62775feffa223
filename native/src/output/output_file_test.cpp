#include "output/output_file.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "testing/seqpacket_listener.h"

namespace sfkit::output {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sfkit-output-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    before_ = ::umask(022);
  }
  void TearDown() override {
    ::umask(before_);
    fs::remove_all(directory_);
  }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static mode_t mode(const std::string& path) {
    struct stat info = {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  static void put(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  // Writes `text` as the whole output.
  static Status write(Result<std::unique_ptr<OutputFile>> opened, std::string_view text) {
    if (!opened.is_ok()) return opened.status();
    opened.value()->write(Bytes(text));
    return opened.value()->commit();
  }

  fs::path directory_;
  mode_t before_ = 0;
};

TEST_F(OutputFileTest, AppearsComplete) {
  auto file = OutputFile::open(path("a"), {});
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(file.value()->name(), path("a"));
  EXPECT_TRUE(file.value()->write(Bytes("text")));
  EXPECT_FALSE(fs::exists(path("a")));
  EXPECT_EQ(content(path("a.part")), "text");
  ASSERT_TRUE(file.value()->commit().is_ok());
  EXPECT_EQ(content(path("a")), "text");
  EXPECT_FALSE(fs::exists(path("a.part")));
  EXPECT_EQ(mode(path("a")), 0644u);
}

TEST_F(OutputFileTest, IsRemovedIfItIsNeverFinishedUnlessItIsKept) {
  for (const bool keeps : {false, true}) {
    auto file = OutputFile::open(path("a"), {.keeps = keeps});
    file.value()->write(Bytes("text"));
    file.value().reset();
    EXPECT_FALSE(fs::exists(path("a")));
    EXPECT_EQ(fs::exists(path("a.part")), keeps);
  }
  // The next output leaves what was kept.
  ASSERT_TRUE(write(OutputFile::open(path("a"), {}), "new").is_ok());
  EXPECT_EQ(content(path("a.part")), "text");
  EXPECT_EQ(content(path("a")), "new");
}

TEST_F(OutputFileTest, IsPrivateFromTheStartIfAsked) {
  put(path("a"), "old");
  auto file = OutputFile::open(path("a"), {.is_private = true});
  EXPECT_EQ(mode(path("a.part")), 0600u);
  ASSERT_TRUE(file.value()->commit().is_ok());
  EXPECT_EQ(mode(path("a")), 0600u);
}

TEST_F(OutputFileTest, KeepsThePermissionsOfTheFileThatItReplaces) {
  put(path("a"), "old");
  fs::permissions(path("a"), fs::perms(0640));
  ASSERT_TRUE(write(OutputFile::open(path("a"), {}), "new").is_ok());
  EXPECT_EQ(mode(path("a")), 0640u);
  EXPECT_EQ(content(path("a")), "new");
}

TEST_F(OutputFileTest, ReplacesTheTargetOfALink) {
  fs::create_directory(path("below"));
  put(path("below/a"), "old");
  fs::create_symlink("below/a", path("link"));
  fs::create_symlink("below/b", path("dangling"));
  ASSERT_TRUE(write(OutputFile::open(path("link"), {}), "new").is_ok());
  ASSERT_TRUE(write(OutputFile::open(path("dangling"), {}), "new").is_ok());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content(path("below/a")), "new");
  EXPECT_EQ(content(path("below/b")), "new");
}

TEST_F(OutputFileTest, NeverWritesThroughALinkAtItsTemporaryName) {
  put(path("victim"), "precious");
  fs::create_symlink("victim", path("a.part"));
  ASSERT_TRUE(write(OutputFile::open(path("a"), {}), "new").is_ok());
  EXPECT_EQ(content(path("victim")), "precious");
  EXPECT_EQ(content(path("a")), "new");
}

TEST_F(OutputFileTest, TakesANewNameIfTheWantedOneIsTakenOrBeingWritten) {
  put(path("7"), "first");
  put(path("7-1.part"), "unfinished");
  fs::create_symlink("nowhere", path("7-2"));
  auto file = OutputFile::open_new(path("7"), {});
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(file.value()->name(), path("7-3"));
  EXPECT_EQ(OutputFile::open_new(path("7"), {}).value()->name(), path("7-4"));
}

TEST_F(OutputFileTest, ReportsWhatCannotBeWritten) {
  EXPECT_EQ(OutputFile::open(path("missing/a"), {}).status().code(), ErrorCode::kUnwritable);
  EXPECT_EQ(OutputFile::open_new(path("missing/a"), {}).status().code(), ErrorCode::kUnwritable);
  EXPECT_EQ(OutputFile::open(directory_.string(), {}).status().code(), ErrorCode::kUnwritable);
  {
    const sfkit::testing::SeqpacketListener socket(path("socket"));
    ASSERT_TRUE(socket.is_open());
    EXPECT_EQ(OutputFile::open(path("socket"), {}).status().code(), ErrorCode::kUnwritable);
  }
  put(path("file"), "");
  EXPECT_EQ(make_directory(path("file") + "/").code(), ErrorCode::kUnwritable);
  EXPECT_TRUE(make_directory(path("new/directory/")).is_ok());
  EXPECT_TRUE(make_directory(path("new/directory/")).is_ok());
}

TEST_F(OutputFileTest, GivesUpAPipeThatNobodyOpensOnceTheRunEnds) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const std::atomic<bool> ending{true};
  const auto file = OutputFile::open(
      path("pipe"), {.ending = &ending, .reader_timeout = std::chrono::milliseconds(1)});
  EXPECT_EQ(file.status().code(), ErrorCode::kUnwritable);
  EXPECT_NE(file.status().message().find("nobody reads it"), std::string::npos);
}

TEST_F(OutputFileTest, WritesToAPipeAndOutlivesItsReader) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string received(4, '\0');
  int reader = -1;
  std::thread reading([&] {
    reader = ::open(path("pipe").c_str(), O_RDONLY);
    EXPECT_EQ(::read(reader, received.data(), received.size()), 4);
    ::close(reader);
  });
  auto file = OutputFile::open(path("pipe"), {});
  ASSERT_TRUE(file.is_ok());
  EXPECT_TRUE(file.value()->write(Bytes("text")));
  reading.join();
  EXPECT_EQ(received, "text");
  // Without the protection, this would end the process.
  EXPECT_FALSE(file.value()->write(Bytes("more")));
  EXPECT_EQ(file.value()->commit().code(), ErrorCode::kUnwritable);
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

}  // namespace
}  // namespace sfkit::output
