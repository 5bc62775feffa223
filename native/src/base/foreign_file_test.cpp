#include "base/foreign_file.h"

#include <gtest/gtest.h>
#include <string>

namespace sfkit {
namespace {

using std::string_literals::operator""s;

std::string describe(const std::string& start, const std::string& name = "x.bin") {
  return describe_foreign_file(name, Bytes(start));
}

TEST(ForeignFile, NamesTheCommandThatUnpacks) {
  const std::pair<std::string, std::string> packed[] = {
      {"\x28\xb5\x2f\xfd\x64"s, "zstd -dc"},
      {"\x50\x2a\x4d\x18\x04"s, "zstd -dc"},
      {"\xfd"
       "7zXZ\0\0"s,
       "xz -dc"},
      {"\x5d\0\0\x80"s, "xz -dc --format=lzma"},
      {"BZh91AY&SY"s, "bzip2 -dc"},
      {"\x04\x22\x4d\x18\x60"s, "lz4 -dc"},
      {"PK\x03\x04\x14"s, "unzip -p"},
      {"7z\xbc\xaf\x27\x1c\0"s, "7z x -so"},
      {std::string(257, 'a') + "ustar  ", "tar -xOf"},
  };
  for (const auto& [start, command] : packed) {
    EXPECT_NE(describe(start).find(": " + command + " x.bin | sfkit convert -"), std::string::npos)
        << describe(start);
  }
}

TEST(ForeignFile, UsesAPlaceholderForNamesThatNeedQuotes) {
  const std::string zstd = "\x28\xb5\x2f\xfd\x64"s;
  for (const std::string name :
       {"a b.zst", "standard input", "$(id).zst", "-x.zst", "a\nb", "a'b", ""}) {
    const std::string text = describe(zstd, name);
    EXPECT_EQ(text.find("zstd -dc " + (name.empty() ? std::string("|") : name)), std::string::npos)
        << text;
    if (!name.empty()) {
      EXPECT_NE(text.find("zstd -dc FILE | "), std::string::npos) << text;
    }
  }
  EXPECT_NE(describe(zstd, "dir/a-1_b.scap.zst").find("zstd -dc dir/a-1_b.scap.zst | "),
            std::string::npos);
}

TEST(ForeignFile, NamesOtherKinds) {
  EXPECT_NE(describe("\xd4\xc3\xb2\xa1\2\0\4\0"s).find("(pcap)"), std::string::npos);
  EXPECT_NE(describe("\xa1\xb2\x3c\x4d\0\2\0\4"s).find("(pcap)"), std::string::npos);
  EXPECT_NE(describe("{\"a\": 1}\n").find("is JSON"), std::string::npos);
  EXPECT_NE(describe("\xef\xbb\xbf\n [1, 2]").find("is JSON"), std::string::npos);
  EXPECT_NE(describe("hello world\n").find("is text"), std::string::npos);
  EXPECT_NE(describe("<!DOCTYPE html><html>").find("is a web page"), std::string::npos);
  EXPECT_NE(describe("version https://git-lfs.github.com/spec/v1\n").find("Git LFS"),
            std::string::npos);
  EXPECT_NE(describe("\x7f"
                     "ELF\2\1\1\0"s)
                .find("(ELF)"),
            std::string::npos);
  EXPECT_NE(describe("PAR1\x15\x04"s).find("Parquet"), std::string::npos);
  EXPECT_NE(describe(std::string(100, '\0')).find("zeros"), std::string::npos);
}

TEST(ForeignFile, KnowsNothingOfOtherBytes) {
  EXPECT_EQ(describe(""), "");
  EXPECT_EQ(describe("\x01\x02\x03\x04"), "");
  EXPECT_EQ(describe("\xff\xfe\xfd text"), "");
  // A character that is cut at the end is still text, one that is wrong in the middle is not.
  EXPECT_NE(describe("caf\xc3").find("is text"), std::string::npos);
  EXPECT_EQ(describe("caf\xc3 and more"), "");
  // The magic of a tar archive counts in its place only.
  EXPECT_EQ(describe(std::string(10, '\x80') + "ustar"), "");
}

}  // namespace
}  // namespace sfkit
