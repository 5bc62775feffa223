#include "events/http.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::events::http {
namespace {

bool decode(std::string_view text, Message& message, bool is_cut = false) {
  return decode(Bytes(text), is_cut, message);
}
bool is_http(std::string_view text, bool is_cut = false) {
  Message message;
  return decode(text, message, is_cut);
}

constexpr std::string_view kRequest =
    "POST /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\nuser-AGENT:\tcurl/8.0 \r\nContent-Type: "
    "text/plain\r\n"
    "Content-Length: 12\r\n\r\nHost: body";

TEST(Http, ARequestHasItsLineAndHeaders) {
  Message message;
  ASSERT_TRUE(decode(kRequest, message));
  EXPECT_TRUE(message.is_request);
  EXPECT_EQ(message.method, "POST");
  EXPECT_EQ(message.target, "/a?b=c");
  EXPECT_EQ(message.version, "1.1");
  EXPECT_EQ(message.host, "example.com:8080");
  EXPECT_EQ(message.user_agent, "curl/8.0");
  EXPECT_EQ(message.content_type, "text/plain");
  EXPECT_EQ(message.content_length, 12);
  EXPECT_TRUE(message.has_all_headers);
  EXPECT_FALSE(message.is_cut);
}

TEST(Http, AResponseHasItsStatusAndReason) {
  Message message;
  ASSERT_TRUE(decode("HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nServer: x\r\n\r\n", message));
  EXPECT_FALSE(message.is_request);
  EXPECT_EQ(message.status, 404);
  EXPECT_EQ(message.reason, "Not Found");
  EXPECT_EQ(message.version, "1.0");
  EXPECT_EQ(message.content_length, 0);
  ASSERT_TRUE(decode("HTTP/1.1 204\nX: y\n", message));
  EXPECT_EQ(message.status, 204);
  EXPECT_EQ(message.reason, "");
  EXPECT_FALSE(message.has_all_headers);
}

TEST(Http, TakesTheFormsOfTargets) {
  for (const std::string_view line :
       {"GET http://example.com/ HTTP/1.1\r\n", "CONNECT example.com:443 HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n", "M-SEARCH * HTTP/1.1\r\n", "FANCY /x HTTP/1.1\r\n",
        "GET /\xc3\xa9 HTTP/1.1\r\n", "GET / HTTP/1.0\n"}) {
    EXPECT_TRUE(is_http(line)) << line;
  }
}

TEST(Http, WhatIsNoMessageIsRejected) {
  for (const std::string_view text : {"",
                                      "G",
                                      "GET",
                                      "GET ",
                                      "GET  / HTTP/1.1\r\n",
                                      "get / HTTP/1.1\r\n",
                                      "GET key\r\n",
                                      "GET key HTTP/1.1\r\n",
                                      "GET / HTTP/2.0\r\n",
                                      "GET / HTTP/1.1 \r\n",
                                      "GET / HTTP/1.x\r\n",
                                      "GET /a b HTTP/1.1\r\n",
                                      "GET /\x01 HTTP/1.1\r\n",
                                      "DESCRIBE rtsp://a/b RTSP/1.0\r\n",
                                      "CONNECT example HTTP/1.1\r\n",
                                      "GET / HTTP/1.1",
                                      "GET /unfinished",
                                      "HELO example.com\r\n",
                                      "HTTP/1.1 20\r\n",
                                      "HTTP/1.1 2000 OK\r\n",
                                      "HTTP/1.1 0xx\r\n",
                                      "HTTP/1.1 099\r\n",
                                      "HTTP/1.1 200 \x01\r\n",
                                      "HTTP/2 200 OK\r\n",
                                      "-GET / HTTP/1.1\r\n",
                                      "AAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"}) {
    EXPECT_FALSE(is_http(text)) << text;
  }
}

TEST(Http, ThePrefaceOfHttp2IsARequest) {
  Message message;
  ASSERT_TRUE(decode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", message));
  EXPECT_EQ(message.method, "PRI");
  EXPECT_EQ(message.target, "*");
  EXPECT_EQ(message.version, "2.0");
}

TEST(Http, TheFirstOfSeveralHeadersCounts) {
  Message message;
  ASSERT_TRUE(
      decode("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nHostile: c\r\nno header\r\n\r\n", message));
  EXPECT_EQ(message.host, "a");
}

TEST(Http, LengthsAreNumbers) {
  Message message;
  for (const std::string_view length : {"", "x", "1x", "-1", "99999999999999999999"}) {
    ASSERT_TRUE(
        decode("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(length) + "\r\n\r\n", message));
    EXPECT_EQ(message.content_length, -1) << length;
  }
}

TEST(Http, CutAtEveryLengthItGivesWhatIsComplete) {
  Message full;
  ASSERT_TRUE(decode(kRequest, full));
  const size_t line = kRequest.find('\n') + 1;
  for (size_t length = 0; length < kRequest.size(); ++length) {
    SCOPED_TRACE(length);
    // Memory of exactly that size, so that the sanitizer sees a read past the end.
    const std::vector<char> bytes(kRequest.begin(),
                                  kRequest.begin() + static_cast<std::ptrdiff_t>(length));
    const std::string_view text(bytes.data(), bytes.size());
    Message message;
    // "POST /" is the shortest start that can only be HTTP.
    ASSERT_EQ(decode(text, message, true), length >= 6);
    EXPECT_EQ(is_http(text), length >= line);
    if (length < 6) continue;
    EXPECT_EQ(message.method, "POST");
    EXPECT_TRUE(full.target.starts_with(message.target));
    EXPECT_TRUE(message.is_cut || message.target == full.target);
    EXPECT_EQ(message.is_cut, message.version.empty());
    for (const auto& [value, whole] :
         {std::pair(message.host, full.host), std::pair(message.user_agent, full.user_agent),
          std::pair(message.content_type, full.content_type)}) {
      EXPECT_TRUE(value.empty() || value == whole);
    }
  }
}

TEST(Http, ACutLineNeedsAKnownMethod) {
  EXPECT_TRUE(is_http("GET /start", true));
  EXPECT_TRUE(is_http("GET /start HTTP/", true));
  EXPECT_TRUE(is_http("HTTP/1.1 200 O", true));
  EXPECT_FALSE(is_http("HELLO /start", true));
  EXPECT_FALSE(is_http("GET /start RTSP", true));
  EXPECT_FALSE(is_http("GET key", true));
  EXPECT_FALSE(is_http("HTTP/1.1 20", true));
}

TEST(Http, RandomTextRarelyPasses) {
  std::mt19937 random(5);
  constexpr std::string_view kPieces[] = {"GET",  "HTTP/1.1", "HTTP/", " ",    "/",
                                          "\r\n", "\n",       "200",   "\x80", ":"};
  Message message;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = 0; i < random() % 12; ++i) text += kPieces[random() % std::size(kPieces)];
    const std::vector<char> bytes(text.begin(), text.end());
    const std::string_view view(bytes.data(), bytes.size());
    if (!decode(view, message, random() % 2 == 0)) continue;
    EXPECT_TRUE(view.starts_with("GET ") || view.starts_with("HTTP/1.1 200")) << text;
    EXPECT_EQ(message.is_request, view.starts_with("GET "));
  }
}

}  // namespace
}  // namespace sfkit::events::http
