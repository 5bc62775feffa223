#include "runtimes/grpc.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "runtimes/protobuf.h"
#include "testing/stub_server.h"

namespace sfkit::runtimes {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

Patience patience() {
  return {Clock::now() + 60s, nullptr};
}

constexpr char kData = 0;
constexpr char kHeaders = 1;
constexpr char kEndStream = 1;

std::string frame(char type, char flags, char stream, const std::string& payload) {
  std::string bytes;
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(payload.size() >> shift & 0xff);
  return bytes + type + flags + "\0\0\0"s + stream + payload;
}

std::string message(const std::string& text) {
  return "\0\0\0\0"s + static_cast<char>(text.size()) + text;
}

const std::string kSettings = frame(4, 0, 0, "");

// The answer to the first call of a server that sends these bytes.
Result<std::optional<std::string>> call(const std::string& bytes) {
  const sfkit::testing::StubServer server(bytes);
  auto connection = GrpcConnection::open(server.path(), patience());
  if (!connection.is_ok()) return connection.status();
  return connection.value().call("/a.B/C", "request", patience());
}

TEST(Grpc, ReturnsTheMessageOfAnAnswer) {
  for (const std::string& bytes : {
           kSettings + frame(kHeaders, 4, 1, "opaque") + frame(kData, 0, 1, message("text")) +
               frame(kHeaders, 5, 1, "trailers"),
           kSettings + frame(kData, kEndStream, 1, message("text")),
           // In parts, with padding, and between frames about the connection.
           kSettings + frame(kData, 8, 1, "\2"s + message("text").substr(0, 3) + "\0\0"s) +
               frame(6, 0, 0, "12345678") + frame(8, 0, 0, "\0\0\0\1"s) + frame(99, 0, 7, "?") +
               frame(kData, kEndStream, 1, message("text").substr(3)),
       }) {
    const auto answer = call(bytes);
    ASSERT_TRUE(answer.is_ok()) << answer.status().message();
    EXPECT_EQ(answer.value(), "text");
  }
}

TEST(Grpc, HasNoMessageIfTheServerHasNone) {
  const auto answer = call(kSettings + frame(kHeaders, 5, 1, "grpc-status 5"));
  ASSERT_TRUE(answer.is_ok());
  EXPECT_FALSE(answer.value().has_value());
}

TEST(Grpc, CallsAgain) {
  const sfkit::testing::StubServer server(kSettings +
                                          frame(kData, kEndStream, 1, message("first")) +
                                          frame(kData, kEndStream, 3, message("second")));
  auto connection = GrpcConnection::open(server.path(), patience());
  ASSERT_TRUE(connection.is_ok());
  EXPECT_EQ(connection.value().call("/a.B/C", "", patience()).value(), "first");
  EXPECT_EQ(connection.value().call("/a.B/C", "", patience()).value(), "second");
}

TEST(Grpc, RefusesHostileAnswers) {
  const std::string long_frame = "\x00\x40\x01"s + kData + "\0\0\0\0\1"s + std::string(16385, 'x');
  std::string endless;
  for (int i = 0; i < 1100; ++i) endless += frame(kData, 0, 1, std::string(16384, 'x'));
  for (const std::string& bytes : {
           ""s,
           "HTTP/1.1 400 Bad Request\r\n\r\n"s,
           kSettings,
           kSettings + frame(kData, 0, 1, message("text")),
           kSettings + frame(kData, kEndStream, 1, "\1\0\0\0\4text"s),
           kSettings + frame(kData, kEndStream, 1, "\0\0\0\0\5text"s),
           kSettings + frame(kData, kEndStream, 1, "\0\xff\xff\xff\xfftext"s),
           kSettings + frame(kData, kEndStream, 1, "\0"s),
           kSettings + frame(kData, 9, 1, "\x09text"),
           kSettings + frame(kData, 9, 1, ""),
           kSettings + frame(3, 0, 1, "\0\0\0\7"s),
           kSettings + frame(7, 0, 0, "\0\0\0\0\0\0\0\0"s),
           kSettings + frame(5, 0, 1, "promise"),
           kSettings + long_frame,
           kSettings + endless,
       }) {
    EXPECT_FALSE(call(bytes).is_ok()) << bytes.substr(0, 40);
  }
}

TEST(Protobuf, ReadsFieldsAndEndsAtDamage) {
  std::string bytes;
  append_proto_text(bytes, 1, "text");
  append_proto_flag(bytes, 2, true);
  bytes +=
      "\x1d"
      "1234"s;  // field 3, 32 bits
  bytes +=
      "\x21"
      "12345678"s;                                           // field 4, 64 bits
  bytes += "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s;  // field 5: -1
  ProtoReader reader(bytes);
  ProtoField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.bytes, "text");
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, 1u);
  EXPECT_FALSE(field.is_bytes);
  ASSERT_TRUE(reader.next(field));
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 4u);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(static_cast<int64_t>(field.value), -1);
  EXPECT_FALSE(reader.next(field));
  for (const std::string& damaged : {"\x0a\x05text"s, "\x0a"s, "\x08\xff"s, "\x0b"s,
                                     "\x1d"
                                     "123"s,
                                     "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
    ProtoReader broken(damaged);
    EXPECT_FALSE(broken.next(field)) << damaged;
  }
}

}  // namespace
}  // namespace sfkit::runtimes
