#include "state/paths.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

std::string join(std::string_view base, std::string_view path) {
  std::string out;
  join_path(base, path, out);
  return out;
}

TEST(JoinPath, FoldsAndJoins) {
  EXPECT_EQ(join("/home/ana/", "x/y"), "/home/ana/x/y");
  EXPECT_EQ(join("/home/ana/", "/etc/passwd"), "/etc/passwd");
  EXPECT_EQ(join("/home/ana/", "../bob/./z//"), "/home/bob/z");
  EXPECT_EQ(join("/", "../../x"), "/x");
  EXPECT_EQ(join("/a/b", ".."), "/a");
  EXPECT_EQ(join("/a", ".."), "/");
  EXPECT_EQ(join("", "x"), "x");
  EXPECT_EQ(join("./", "x"), "x");
  EXPECT_EQ(join("/a/", ""), "/a");
  EXPECT_EQ(join("", "/"), "/");
}

TEST(JoinPath, ReplacesWhatIsTooLong) {
  EXPECT_EQ(join("/", std::string(2000, 'x')), "/DIR_TOO_LONG/FILENAME_TOO_LONG");
  EXPECT_EQ(join("", "/" + std::string(2000, 'x')), "/DIR_TOO_LONG/FILENAME_TOO_LONG");
}

TEST(JoinDirectory, EndsWithASlash) {
  std::string out;
  join_directory("/home/", "ana", out);
  EXPECT_EQ(out, "/home/ana/");
  join_directory("", "/", out);
  EXPECT_EQ(out, "/");
}

TEST(StripDeleted, DropsTheMarkOnlyAtTheEnd) {
  EXPECT_EQ(strip_deleted("/bin/sh (deleted)"), "/bin/sh");
  EXPECT_EQ(strip_deleted("/bin/x (deleted) y"), "/bin/x (deleted) y");
}

}  // namespace
}  // namespace sfkit::state
