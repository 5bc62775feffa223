#include "state/paths.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

std::string join(std::string_view base, std::string_view path) {
  std::string out;
  join_path(base, path, out);
  return out;
}

std::string resolve(std::string_view base, std::string_view path, Confine confine = Confine::kNo) {
  std::string out = "what was there before";
  resolve_path(base, path, out, confine);
  return out;
}

std::string repeated(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(ResolvePath, FoldsAndJoins) {
  EXPECT_EQ(resolve("/home/ana/", "x/y"), "/home/ana/x/y");
  EXPECT_EQ(resolve("/home/ana", "x/y"), "/home/ana/x/y");
  EXPECT_EQ(resolve("/home/ana/", "/etc/passwd"), "/etc/passwd");
  EXPECT_EQ(resolve("/home/ana/", "/etc//./x/../passwd/"), "/etc/passwd");
  EXPECT_EQ(resolve("/home/ana/", "../bob/./z//"), "/home/bob/z");
  EXPECT_EQ(resolve("/", "../../x"), "/x");
  EXPECT_EQ(resolve("/a/b", ".."), "/a");
  EXPECT_EQ(resolve("/a", ".."), "/");
  EXPECT_EQ(resolve("/a/", ""), "/a");
  EXPECT_EQ(resolve("/", "."), "/");
  EXPECT_EQ(resolve("/a", "..b/.c/d..e/..."), "/a/..b/.c/d..e/...");
}

// The fast path checks eight bytes at a time, so every position counts.
TEST(ResolvePath, FoldsAtAnyPosition) {
  for (size_t size = 1; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      const std::string before = "/" + std::string(at, 'x');
      const std::string after(size - at, 'y');
      EXPECT_EQ(resolve("/", before + "//" + after), at == 0 ? "/" + after : before + "/" + after);
      EXPECT_EQ(resolve("/", before + "/../" + after), "/" + after);
      EXPECT_EQ(resolve("/", before + "/." + after),
                at == 0 ? "/." + after : before + "/." + after);
      EXPECT_EQ(resolve("/", before + "/./" + after + "/"),
                at == 0 ? "/" + after : before + "/" + after);
    }
  }
}

TEST(ResolvePath, MeasuresAfterFolding) {
  EXPECT_EQ(resolve("/w/", repeated("././", 1000) + "target"), "/w/target");
  EXPECT_EQ(resolve("/w/", repeated("a/../", 800) + "target"), "/w/target");
  const std::string longest = "/" + std::string(kMaxPath - 1, 'x');
  EXPECT_EQ(resolve("/", longest), longest);
  EXPECT_EQ(resolve("/", longest + 'x'), "<UNKNOWN>") << "longer than PATH_MAX";
  const std::string deep = repeated("/" + std::string(199, 'd'), 20);
  EXPECT_EQ(resolve(deep, std::string(kMaxPath - deep.size() - 1, 'f')).size(), kMaxPath);
  EXPECT_EQ(resolve(deep, "a/../" + std::string(kMaxPath - deep.size(), 'f')),
            "<UNKNOWN>" + std::string(kMaxPath - deep.size(), 'f'));
  std::string out;
  resolve_path(deep, std::string(kMaxPath - deep.size(), 'f'), out, Confine::kNo, kMaxDirectory);
  EXPECT_EQ(out.size(), kMaxPath + 1);
}

TEST(ResolvePath, KeepsTheUnknownPrefix) {
  EXPECT_EQ(resolve("<UNKNOWN>", "./a/../b"), "<UNKNOWN>b");
  EXPECT_EQ(resolve("<UNKNOWN>", "../b"), "<UNKNOWN>../b");
  EXPECT_EQ(resolve("<UNKNOWN>", "../../b/.."), "<UNKNOWN>../..");
  EXPECT_EQ(resolve("<UNKNOWN>d", "../../b"), "<UNKNOWN>../b");
  EXPECT_EQ(resolve("<UNKNOWN>d", "b"), "<UNKNOWN>d/b");
  EXPECT_EQ(resolve("<UNKNOWN>d", "/b"), "/b");
  EXPECT_EQ(resolve("", "a/../b"), "b");
  EXPECT_EQ(resolve("", "../b"), "../b");
  EXPECT_EQ(resolve("d", "../../b"), "../b");
}

TEST(ResolvePath, StaysBelowTheRoot) {
  const auto in = [](std::string_view base, std::string_view path) {
    return resolve(base, path, Confine::kInRoot);
  };
  EXPECT_EQ(in("/home/root", "/etc/shadow"), "/home/root/etc/shadow");
  EXPECT_EQ(in("/home/root/", "../../etc/../x"), "/home/root/x");
  EXPECT_EQ(in("/home/root", "a/../../.."), "/home/root");
  EXPECT_EQ(in("/", "/etc"), "/etc");
  EXPECT_EQ(in("<UNKNOWN>", "/../etc"), "<UNKNOWN>etc");
  EXPECT_EQ(in("<UNKNOWN>d", "/../etc"), "<UNKNOWN>d/etc");
  EXPECT_EQ(in("<UNKNOWN>d", "/.."), "<UNKNOWN>d");
}

TEST(LeavesDirectory, ChecksEveryStep) {
  for (const char* path : {"/a", "..", "../a", "a/../..", "a/./../../a", "./.."}) {
    EXPECT_TRUE(leaves_directory(path)) << path;
  }
  for (const char* path : {"a", ".", "", "a/..", "a/b/../../c", "..a"}) {
    EXPECT_FALSE(leaves_directory(path)) << path;
  }
}

TEST(IsAtOrBelow, ComparesWholeComponents) {
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
  EXPECT_FALSE(is_at_or_below("/a", "/a/b"));
  EXPECT_FALSE(is_at_or_below("<UNKNOWN>a", "/"));
}

TEST(DirectoryOfPath, DropsTheLastComponent) {
  EXPECT_EQ(directory_of_path("/a/b"), "/a");
  EXPECT_EQ(directory_of_path("/a"), "/");
  EXPECT_EQ(directory_of_path("<UNKNOWN>a"), "<UNKNOWN>");
  EXPECT_EQ(directory_of_path("<UNKNOWN>a/b"), "<UNKNOWN>a");
  EXPECT_EQ(directory_of_path("a"), "");
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

TEST(JoinPath, ReplacesLongPaths) {
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

TEST(StripDeleted, RemovesTheMarkOnlyAtTheEnd) {
  EXPECT_EQ(strip_deleted("/bin/sh (deleted)"), "/bin/sh");
  EXPECT_EQ(strip_deleted("/bin/x (deleted) y"), "/bin/x (deleted) y");
}

}  // namespace
}  // namespace sfkit::state
