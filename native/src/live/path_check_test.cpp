#include "live/path_check.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "events.gen.h"
#include "state/descriptor.h"

namespace sfkit::live {
namespace {

namespace ev = scap::ev;

class PathCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    open_how how{};
    how.flags = O_PATH;
    how.resolve = RESOLVE_CACHED;
    const auto root = static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)));
    if (root >= 0) ::close(root);
    if (root < 0 && errno != EAGAIN) {
      GTEST_SKIP() << "path lookups need Linux 5.12";
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "sfkit-path-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = std::filesystem::canonical(pattern).string();
    std::ofstream(directory_ + "/file") << "x";
    std::ofstream(directory_ + "/other") << "y";
    std::filesystem::create_symlink("file", directory_ + "/link");
    std::filesystem::create_symlink("loop", directory_ + "/loop");
    ASSERT_EQ(::stat((directory_ + "/file").c_str(), &file_), 0);
    put_into_cache();
  }
  // Puts the entries into the kernel's cache, as the checked call has done.
  void put_into_cache() const {
    for (const char* name : {"link", "other"}) {
      ::close(::open((directory_ + "/" + name).c_str(), O_RDONLY));
    }
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  template <typename T>
  static std::vector<uint8_t> value(T number) {
    std::vector<uint8_t> bytes(sizeof(number));
    std::memcpy(bytes.data(), &number, sizeof(number));
    return bytes;
  }
  static std::vector<uint8_t> text(const std::string& path) {
    return {path.c_str(), path.c_str() + path.size() + 1};
  }
  static std::vector<uint8_t> event(uint16_t code,
                                    const std::vector<std::vector<uint8_t>>& parameters) {
    std::vector<uint8_t> bytes(26);
    const int64_t thread = ::getpid();
    const auto count = static_cast<uint32_t>(parameters.size());
    std::memcpy(&bytes[8], &thread, sizeof(thread));
    std::memcpy(&bytes[20], &code, sizeof(code));
    std::memcpy(&bytes[22], &count, sizeof(count));
    for (const auto& parameter : parameters) {
      const auto length = value(static_cast<uint16_t>(parameter.size()));
      bytes.insert(bytes.end(), length.begin(), length.end());
    }
    for (const auto& parameter : parameters)
      bytes.insert(bytes.end(), parameter.begin(), parameter.end());
    return bytes;
  }
  uint32_t device() const {
    return static_cast<uint32_t>(file_.st_dev);
  }  // same encoding in the C library
  std::vector<uint8_t> open_event(const std::string& path, int64_t directory = state::kAtFdcwd,
                                  uint32_t flags = 1 | state::kOpenDoubtful) const {
    return event(ev::SYSCALL_OPENAT_2_X,
                 {value(int64_t{3}), value(directory), text(path), value(flags), value(uint32_t{0}),
                  value(device()), value(uint64_t{file_.st_ino})});
  }
  // Whether the event keeps the mark after a check.
  bool is_doubtful(std::vector<uint8_t> bytes) {
    const uint64_t before = check_.doubtful();
    check_.check(bytes.data(), static_cast<uint32_t>(bytes.size()), now_);
    last_ = bytes;
    return check_.doubtful() != before;
  }

  // Whether a check clears the mark. A lookup in the kernel's cache fails while another program
  // renames or mounts something, as another test may do for seconds, so it gets many chances. The
  // kernel drops entries when memory is short, so they are put into the cache each time.
  bool clears(const std::vector<uint8_t>& bytes) {
    for (int attempt = 0; attempt < 60'000; ++attempt) {
      put_into_cache();
      if (!is_doubtful(bytes)) return true;
      ::usleep(1000);
      now_ += 1'000'000'000;  // each second has its own limit of lookups
    }
    return false;
  }

  std::string directory_;
  struct stat file_ {};
  PathCheck check_;
  uint64_t now_ = 1;
  std::vector<uint8_t> last_;
};

TEST_F(PathCheckTest, ClearsTheMarkIfThePathResolvesToTheFile) {
  EXPECT_TRUE(clears(open_event(directory_ + "/link")));
  EXPECT_EQ(last_, open_event(directory_ + "/link", state::kAtFdcwd, 1)) << "only the mark changed";
  EXPECT_TRUE(clears(open_event(directory_ + "/./link")));
}

TEST_F(PathCheckTest, KeepsTheMarkForOtherAndMissingFiles) {
  for (const char* name : {"/other", "/missing", "/loop", ""}) {
    const auto bytes = open_event(directory_ + name);
    EXPECT_TRUE(is_doubtful(bytes)) << name;
    EXPECT_EQ(last_, bytes);
  }
  EXPECT_TRUE(is_doubtful(open_event("")));
  // /proc/self of this process says nothing about the program.
  const int fd = ::open((directory_ + "/file").c_str(), O_RDONLY);
  EXPECT_TRUE(is_doubtful(open_event("/proc/self/fd/" + std::to_string(fd))));
  ::close(fd);
}

TEST_F(PathCheckTest, ResolvesRelativePathsFromTheDirectoryOfTheCall) {
  const int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY);
  EXPECT_TRUE(clears(open_event("link", fd)));
  EXPECT_TRUE(is_doubtful(open_event("other", fd)));
  ::close(fd);
  EXPECT_TRUE(is_doubtful(open_event("link", fd)));
}

TEST_F(PathCheckTest, ChecksEveryOpenCall) {
  const std::string link = directory_ + "/link";
  const auto inode = value(uint64_t{file_.st_ino});
  const auto flags = value(uint32_t{1 | state::kOpenDoubtful});
  const auto none = value(uint32_t{0});
  const auto fd = value(int64_t{3});
  const auto at = value(state::kAtFdcwd);
  EXPECT_TRUE(
      clears(event(ev::SYSCALL_OPEN_X, {fd, text(link), flags, none, value(device()), inode})));
  EXPECT_TRUE(clears(event(ev::SYSCALL_OPENAT2_X,
                           {fd, at, text(link), flags, none, none, value(device()), inode})));
  const auto creat_event = [&](uint16_t mark, const std::string& path) {
    return event(ev::SYSCALL_CREAT_X, {fd, text(path), none, value(device()), inode, value(mark)});
  };
  EXPECT_TRUE(clears(creat_event(1 | state::kCreatDoubtful, link)));
  EXPECT_EQ(last_, creat_event(1, link));
  EXPECT_TRUE(is_doubtful(creat_event(state::kCreatDoubtful, directory_ + "/other")));
}

TEST_F(PathCheckTest, LimitsLookupsPerSecond) {
  PathCheck path_check(2);
  uint64_t doubtful = 0;
  for (const uint64_t now : {5'000'000'000, 5'000'000'001, 5'000'000'002, 6'000'000'000}) {
    auto bytes = open_event(directory_ + "/link");
    path_check.check(bytes.data(), static_cast<uint32_t>(bytes.size()), now);
    if (now == 5'000'000'002) doubtful = path_check.doubtful();
  }
  EXPECT_EQ(doubtful, 1U);
  EXPECT_EQ(path_check.doubtful(), 1U) << "the next second has a new limit";
}

TEST_F(PathCheckTest, IgnoresMalformedEvents) {
  const std::vector<uint8_t> whole = open_event(directory_ + "/link");
  for (size_t size = 26; size < whole.size(); ++size) {
    std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    const auto before = cut;
    check_.check(cut.data(), static_cast<uint32_t>(size), 1);
    EXPECT_EQ(cut, before);
  }
  EXPECT_EQ(check_.doubtful(), 0U);
}

}  // namespace
}  // namespace sfkit::live
