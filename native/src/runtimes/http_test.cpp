#include "runtimes/http.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "testing/stub_server.h"

namespace sfkit::runtimes {
namespace {

using namespace std::chrono_literals;

Patience patience(std::chrono::milliseconds time = 60s) {
  return {Clock::now() + time, nullptr};
}

Result<HttpAnswer> get(const std::string& answer) {
  const sfkit::testing::StubServer server(answer);
  return http_get(server.path(), "/x", patience());
}

TEST(Http, ReadsABodyOfEachForm) {
  for (const std::string& answer : std::vector<std::string>{
           "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody, and more",
           "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length:4 \r\n\r\nbody",
           "HTTP/1.0 200 OK\r\n\r\nbody",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
           "Chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\n",
       }) {
    const Result<HttpAnswer> got = get(answer);
    ASSERT_TRUE(got.is_ok()) << answer << got.status().message();
    EXPECT_EQ(got.value().status, 200);
    EXPECT_EQ(got.value().body, "body") << answer;
  }
}

TEST(Http, HasTheStatus) {
  const Result<HttpAnswer> got = get("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(got.is_ok());
  EXPECT_EQ(got.value().status, 404);
  EXPECT_EQ(got.value().body, "");
}

TEST(Http, RefusesHostileAnswers) {
  for (const std::string& answer : {
           std::string(""),
           std::string("SSH-2.0-x\r\n\r\n"),
           std::string("HTTP/1.1 200"),
           std::string("HTTP/1.1 xyz OK\r\n\r\n"),
           std::string("HTTP/1.1 101 Switching\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbody"),
           "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\n" + std::string(kMaxHttpBody + 1, 'x'),
       }) {
    EXPECT_FALSE(get(answer).is_ok()) << answer.substr(0, 80);
  }
}

TEST(Http, EndsInTimeWithASilentServer) {
  const sfkit::testing::StubServer server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", false);
  EXPECT_FALSE(http_get(server.path(), "/x", patience(1ms)).is_ok());
  const std::atomic<bool> cancelled{true};
  EXPECT_FALSE(http_get(server.path(), "/x", {Clock::now() + 60s, &cancelled}).is_ok());
  EXPECT_FALSE(http_get("/nowhere/socket", "/x", patience()).is_ok());
  EXPECT_FALSE(http_get(std::string(200, 'x'), "/x", patience()).is_ok());
}

}  // namespace
}  // namespace sfkit::runtimes
