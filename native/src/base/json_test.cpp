#include "base/json.h"

#include <gtest/gtest.h>

namespace sfkit::json {
namespace {

Value parsed(std::string_view text) {
  auto result = parse(text);
  EXPECT_TRUE(result.is_ok()) << text << ": " << result.status().message();
  return result.is_ok() ? std::move(result.value()) : Value();
}

TEST(Json, ReadsEveryKindOfValue) {
  const Value value =
      parsed(R"( {"a": [1, -2.5, 9223372036854775807], "b": true, "c": null, "d": "x", "e": {}} )");
  ASSERT_TRUE(value.is_object());
  const auto& items = value.find("a")->items();
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].as_int(), 1);
  EXPECT_DOUBLE_EQ(items[1].as_double(), -2.5);
  EXPECT_EQ(items[1].as_int(7), 7);
  EXPECT_EQ(items[2].as_int(), INT64_MAX);
  EXPECT_TRUE(value.find("b")->as_bool());
  EXPECT_TRUE(value.find("c")->is_null());
  EXPECT_EQ(value.find("d")->as_string(), "x");
  EXPECT_TRUE(value.find("e")->is_object());
  EXPECT_EQ(value.find("f"), nullptr);
  EXPECT_EQ(value.find("d")->as_int(5), 5);
}

TEST(Json, KeepsMembersInOrderAndPrefersTheLastDuplicate) {
  const Value value = parsed(R"({"z":1,"a":2,"z":3})");
  ASSERT_EQ(value.members().size(), 3u);
  EXPECT_EQ(value.members()[1].first, "a");
  EXPECT_EQ(value.find("z")->as_int(), 3);
}

TEST(Json, DecodesEscapes) {
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")").as_string(),
            "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(parsed(R"("\ud83dx")").as_string(), "\xEF\xBF\xBDx");
  EXPECT_EQ(parsed(R"("\ud83d\u0041")").as_string(),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(parsed(R"("\ude00")").as_string(), "\xEF\xBF\xBD");
  EXPECT_EQ(parsed("\"\xC3\xA9\xFF\"").as_string(), "\xC3\xA9\xFF");
}

TEST(Json, RejectsInvalidJson) {
  for (const char* text :
       {"",          " ",      "{",     "[1,]",  "{\"a\":}", "{\"a\" 1}", "{a:1}",   "tru",
        "01",        "1.",     "1e",    "-",     "+1",       "\"a",       "\"\\x\"", "\"\\u12g4\"",
        "\"\\u12\"", "\"\n\"", "[1] 2", "nullx", "]",        "{\"a\":1,}"}) {
    EXPECT_FALSE(parse(text).is_ok()) << text;
  }
  EXPECT_EQ(parse("[1 2]").status().message(),
            "bad JSON at byte 3: expected ',' or ']', found byte 0x32");
}

TEST(Json, LimitsNesting) {
  EXPECT_TRUE(parse(std::string(100, '[') + std::string(100, ']')).is_ok());
  EXPECT_FALSE(parse(std::string(102, '[') + std::string(102, ']')).is_ok());
  EXPECT_FALSE(parse(std::string(1000000, '[')).is_ok());
}

TEST(Json, LimitsTheNumberOfValues) {
  const auto zeros = [](size_t count) {
    std::string text = "[0";
    for (size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
  };
  EXPECT_TRUE(parse(zeros(kMaxValues - 1)).is_ok());
  EXPECT_FALSE(parse(zeros(kMaxValues)).is_ok());
}

TEST(Json, VisitsMembersWithTheirRawText) {
  std::string seen;
  const auto visit = [&seen](std::string_view name, std::string_view value) {
    seen.append(name).append("=").append(value).append(";");
  };
  EXPECT_TRUE(each_member(R"( {"a\u0062" : [1, {"c":"d"}] ,"x":"\"","x":null} )", visit).is_ok());
  EXPECT_EQ(seen, R"(ab=[1, {"c":"d"}];x="\"";x=null;)");
  for (const char* text : {"", "[]", "1", "{", R"({"a":1)", R"({"a":1} x)", R"({"a":01})",
                           R"({"a":[1,]})", R"({"a":{"b" 1}})", R"({"a":"\x"})", R"({a:1})"}) {
    EXPECT_FALSE(each_member(text, visit).is_ok()) << text;
  }
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(each_member(nested(100), visit).is_ok());
  EXPECT_FALSE(each_member(nested(1000000), visit).is_ok());
}

TEST(Json, VisitsTheRawItemsOfAnArray) {
  std::string seen;
  const auto visit = [&seen](std::string_view value) { seen.append(value).append(";"); };
  EXPECT_TRUE(each_item(R"( [1 , {"c":"d"},[ ] ,"\"", null] )", visit).is_ok());
  EXPECT_EQ(seen, R"(1;{"c":"d"};[ ];"\"";null;)");
  for (const char* text : {"", "{}", "1", "[", "[1", "[1,]", "[,1]", "[1 2]", "[1] x", "[01]"})
    EXPECT_FALSE(each_item(text, visit).is_ok()) << text;
  // Builds no values, so there may be more than parse() takes.
  std::string many = "[";
  for (size_t i = 0; i < kMaxValues + 1; ++i) many += "0,";
  many += "0]";
  EXPECT_FALSE(parse(many).is_ok());
  EXPECT_TRUE(each_item(many, visit).is_ok());
}

TEST(Json, RejectsEveryTruncation) {
  const std::string text = R"({"a":[1,2.5e3,"\u00e9x"],"b":{"c":null,"d":true}})";
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse(text.substr(0, size)).is_ok()) << size;
}

}  // namespace
}  // namespace sfkit::json
