#include "files/removal.h"

#include <gtest/gtest.h>

#if defined(__linux__) || defined(__APPLE__)

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sfkit::files {
namespace {

namespace fs = std::filesystem;

class RemovalTest : public ::testing::Test {
 protected:
  RemovalTest() {
    std::string pattern = (fs::temp_directory_path() / "sfkit-removal-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    shared_ = base_ / "shared";
    fs::create_directory(shared_);
    ::chmod(shared_.c_str(), 0755);
    fs::create_directory(base_ / "victim");
    write(base_ / "victim" / "precious");
  }
  ~RemovalTest() override { fs::remove_all(base_); }

  static void write(const fs::path& path) { std::ofstream(path) << "text"; }
  // A leftover directory with a file and a directory in it.
  fs::path plant(const std::string& name) {
    const fs::path path = shared_ / name;
    fs::create_directories(path / "below");
    for (const fs::path& made : {path, path / "below"}) ::chmod(made.c_str(), 0700);
    write(path / "file");
    write(path / "below" / "file");
    return path;
  }
  void remove_all_parts() {
    remove_leftovers(shared_.string(),
                     [](const std::string& name) { return name.ends_with(".part"); });
  }
  bool victim_lives() const { return fs::exists(base_ / "victim" / "precious"); }

  fs::path base_;
  fs::path shared_;
};

TEST_F(RemovalTest, RemovesOwnFilesAndDirectories) {
  plant("tree.part");
  write(shared_ / "file.part");
  write(shared_ / "other");
  remove_all_parts();
  EXPECT_FALSE(fs::exists(shared_ / "tree.part"));
  EXPECT_FALSE(fs::exists(shared_ / "file.part"));
  EXPECT_TRUE(fs::exists(shared_ / "other"));
}

TEST_F(RemovalTest, KeepsEntriesOfOtherTypes) {
  fs::create_symlink(base_ / "victim", shared_ / "link.part");
  fs::create_directory_symlink(base_ / "victim", plant("holds-link.part") / "below" / "link");
  ASSERT_EQ(::mkfifo((plant("holds-pipe.part") / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((shared_ / "pipe.part").c_str(), 0600), 0);
  remove_all_parts();
  EXPECT_TRUE(fs::is_symlink(shared_ / "link.part"));
  EXPECT_TRUE(fs::exists(shared_ / "holds-link.part" / "file"));
  EXPECT_TRUE(fs::exists(shared_ / "holds-pipe.part" / "file"));
  EXPECT_TRUE(fs::exists(shared_ / "pipe.part"));
  EXPECT_TRUE(victim_lives());
}

TEST_F(RemovalTest, NeedsDirectoriesThatOthersCannotWrite) {
  for (const mode_t mode : {0777, 0775, 0757}) {
    plant("tree.part");
    ASSERT_EQ(::chmod(shared_.c_str(), mode), 0);
    remove_all_parts();
    EXPECT_TRUE(fs::exists(shared_ / "tree.part" / "file")) << mode;
  }
  ASSERT_EQ(::chmod(shared_.c_str(), 01777), 0);
  ASSERT_EQ(::chmod((shared_ / "tree.part" / "below").c_str(), 0777), 0);
  remove_all_parts();
  EXPECT_TRUE(fs::exists(shared_ / "tree.part" / "file"));
  ASSERT_EQ(::chmod((shared_ / "tree.part" / "below").c_str(), 0700), 0);
  remove_all_parts();
  EXPECT_FALSE(fs::exists(shared_ / "tree.part"));
}

TEST_F(RemovalTest, KeepsEntriesOfOtherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can change owners";
  plant("theirs.part");
  write(shared_ / "theirs-file.part");
  ASSERT_EQ(::chown((shared_ / "theirs.part").c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chown((shared_ / "theirs-file.part").c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chown((plant("holds-theirs.part") / "below" / "file").c_str(), 12345, 12345), 0);
  remove_all_parts();
  EXPECT_TRUE(fs::exists(shared_ / "theirs.part" / "file"));
  EXPECT_TRUE(fs::exists(shared_ / "theirs-file.part"));
  EXPECT_TRUE(fs::exists(shared_ / "holds-theirs.part" / "file"));
  // Nothing is removed in another user's directory.
  plant("own.part");
  ASSERT_EQ(::chown(shared_.c_str(), 12345, 12345), 0);
  remove_all_parts();
  EXPECT_TRUE(fs::exists(shared_ / "own.part" / "file"));
}

TEST_F(RemovalTest, DoesNotFollowALinkToTheDirectory) {
  plant("tree.part");
  fs::create_directory_symlink(shared_, base_ / "link");
  for (const char* path : {"link", "link/", "link//"}) {
    remove_leftovers((base_ / path).string(), [](const std::string&) { return true; });
    EXPECT_TRUE(fs::exists(shared_ / "tree.part" / "file")) << path;
  }
}

TEST_F(RemovalTest, KeepsDeepTrees) {
  fs::path deep = plant("tree.part");
  for (int i = 0; i < 40; ++i) fs::create_directory(deep /= "d");
  for (fs::path made = deep; made != shared_; made = made.parent_path())
    ::chmod(made.c_str(), 0700);
  remove_all_parts();
  EXPECT_TRUE(fs::exists(deep));
  EXPECT_TRUE(fs::exists(shared_ / "tree.part" / "file"));
}

TEST_F(RemovalTest, RemovesOnlyTheSameDirectory) {
  const fs::path path = shared_ / "scratch";
  fs::create_directory(path);
  const auto made = identify_made_directory(path.string());
  ASSERT_TRUE(made.has_value());
  write(path / "file");
  EXPECT_FALSE(identify_made_directory(path.string()).has_value()) << "it is not empty";
  // A directory that took its place stays.
  fs::rename(path, shared_ / "moved");
  fs::create_directory(path);
  write(path / "precious");
  EXPECT_FALSE(remove_made_directory(path.string(), *made));
  EXPECT_TRUE(fs::exists(path / "precious"));
  fs::remove_all(path);
  fs::create_directory_symlink(base_ / "victim", path);
  EXPECT_FALSE(identify_made_directory(path.string()).has_value()) << "it is a link";
  EXPECT_FALSE(remove_made_directory(path.string(), *made));
  EXPECT_TRUE(remove_made_directory((shared_ / "moved").string(), *made));
  EXPECT_FALSE(fs::exists(shared_ / "moved"));
  EXPECT_TRUE(victim_lives());
}

#if defined(RENAME_EXCHANGE)
// An attacker keeps swapping the leftover, and a directory in it, with a link to the victim's
// directory.
TEST_F(RemovalTest, StaysInTheDirectoryWhileEntriesAreSwapped) {
  constexpr int kEnough = 400;
  const fs::path link = base_ / "link";
  const fs::path tree = shared_ / "tree.part";
  fs::create_directory_symlink(base_ / "victim", link);
  std::atomic<bool> done = false;
  std::atomic<int> swaps = 0;
  std::thread attacker([&] {
    while (!done) {
      for (const fs::path& target : {tree / "below", tree}) {
        // Swaps forth and back.
        for (int i = 0; i < 2; ++i) {
          if (::renameat2(AT_FDCWD, target.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE) == 0)
            ++swaps;
        }
      }
    }
  });
  int gone = 0;
  const auto is_enough = [&] { return gone >= kEnough / 10 && swaps >= kEnough; };
  for (int round = 0; victim_lives() && round < 100 * kEnough && !(round >= kEnough && is_enough());
       ++round) {
    std::error_code failure;
    const fs::path next = plant("next");
    fs::rename(next, tree, failure);
    if (failure) fs::remove_all(next);
    remove_all_parts();
    if (!fs::exists(fs::symlink_status(tree, failure))) ++gone;
  }
  done = true;
  attacker.join();
  EXPECT_TRUE(victim_lives());
  EXPECT_TRUE(is_enough()) << gone << " removals, " << swaps << " swaps";
}
#endif

}  // namespace
}  // namespace sfkit::files

#endif
