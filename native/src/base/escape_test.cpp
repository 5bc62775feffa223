#include "base/escape.h"

#include <gtest/gtest.h>

#include <string>

#include "base/sha1.h"

namespace sfkit {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string base64(std::string_view text) {
  std::string out;
  append_base64(out, Bytes(text));
  return out;
}

TEST(Escape, KeepsPlainTextAndLettersOfAllScripts) {
  EXPECT_EQ(escaped("plain ~ text \\"), "plain ~ text \\");
  EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x99\x82"),
            "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x99\x82");
}

TEST(Escape, EscapesControlsAndInvalidBytes) {
  EXPECT_EQ(escaped(std::string_view("a\0\t\r\x1b\x7f", 6)), "a\\x00\\x09\\x0d\\x1b\\x7f");
  EXPECT_EQ(escaped("\xc2\x85\xe2\x80\x8b\xef\xbb\xbf"), "\\x85\\u200b\\ufeff");
  EXPECT_EQ(escaped("\xff\xc3(\xed\xa0\x80"), "\\xff\\xc3(\\xed\\xa0\\x80");
}

TEST(Escape, EscapesInvisibleCharacters) {
  // Soft hyphen, Hangul filler, Braille blank, variation selector, tag; no-break space, unassigned,
  // private use, noncharacter.
  EXPECT_EQ(escaped("\xc2\xad\xe3\x85\xa4\xe2\xa0\x80\xef\xb8\x8f\xf3\xa0\x81\x81"),
            "\\xad\\u3164\\u2800\\ufe0f\\U000e0041");
  EXPECT_EQ(escaped("\xc2\xa0\xcd\xb8\xee\x80\x80\xef\xbf\xbf"), "\\xa0\\u0378\\ue000\\uffff");
  EXPECT_EQ(json("\xf3\xa0\x81\x81\xf0\x9f\x99\x82"), "\"\\udb40\\udc41\xf0\x9f\x99\x82\"");
}

std::string hex(Sha1& sha1) {
  std::string text;
  for (const uint8_t byte : sha1.finish()) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return text;
}

// UTF-8 of a code point, surrogates included.
std::string encoded(uint32_t code) {
  std::string text;
  const auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6);
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3f));
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  }
  return text;
}

// test/engine/escape.test.ts has the same digests: both implementations agree on every code point.
TEST(Escape, EscapesEveryCodePointAsTypeScriptDoes) {
  Sha1 terminal;
  Sha1 documents;
  for (uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;  // surrogates have no UTF-8
    terminal.update(std::string_view(escaped(encoded(code))));
    // JSON.stringify has equivalent, shorter escapes for some controls.
    if (code >= 0x20) documents.update(std::string_view(json(encoded(code))));
  }
  EXPECT_EQ(hex(terminal), "f9eeabc2920b4a4fdf71d884663db2676c8422ce");
  EXPECT_EQ(hex(documents), "6e8d6d842f9b93f12bfbf4826ae43eb6f388310e");
}

TEST(Escape, MakesJsonStrings) {
  EXPECT_EQ(json("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000a\\u007f\"");
  EXPECT_EQ(json("\xff\xc3\xbc\xe2\x80\xae"), "\"\xef\xbf\xbd\xc3\xbc\\u202e\"");
}

TEST(Escape, MakesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo\xff"), "Zm9v/w==");
}

}  // namespace
}  // namespace sfkit
