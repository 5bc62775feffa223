#include "base/dns.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::dns {
namespace {

std::string u16(unsigned number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}
std::string u32(unsigned number) {
  return u16(number >> 16) + u16(number & 0xffff);
}
// Labels without the end of the name.
std::string labels(std::initializer_list<std::string_view> list) {
  std::string out;
  for (const std::string_view label : list)
    out.append(1, static_cast<char>(label.size())).append(label);
  return out;
}
std::string name(std::initializer_list<std::string_view> list) {
  return labels(list) + std::string(1, '\0');
}
std::string pointer(unsigned target) {
  return u16(0xc000 | target);
}
std::string header(unsigned flags, unsigned questions, unsigned answers, unsigned authority = 0,
                   unsigned additional = 0) {
  return u16(0x1234) + u16(flags) + u16(questions) + u16(answers) + u16(authority) +
         u16(additional);
}
std::string question(const std::string& encoded, unsigned type) {
  return encoded + u16(type) + u16(1);
}
std::string answer(const std::string& encoded, unsigned type, const std::string& data,
                   unsigned ttl = 300) {
  return encoded + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(data.size())) + data;
}

constexpr unsigned kQuery = 0x0100;
constexpr unsigned kAnswer = 0x8180;
constexpr unsigned kQuestionName = 12;

bool decode(Message& message, const std::string& bytes, Transport transport = Transport::kUnicast) {
  return message.decode(Bytes(bytes), bytes.size(), transport);
}

std::string type_name(uint16_t type) {
  std::string out;
  append_type(out, type);
  return out;
}

TEST(Dns, AQueryHasOneQuestion) {
  Message message;
  ASSERT_TRUE(decode(message, header(kQuery, 1, 0, 0, 1) +
                                  question(name({"www", "Example", "com"}), 28) +
                                  std::string("\0\0\x29\x10\0\0\0\0\0\0\0", 11)));
  EXPECT_FALSE(message.is_response);
  EXPECT_FALSE(message.is_cut);
  EXPECT_EQ(message.id, 0x1234);
  ASSERT_EQ(message.size(), 1u);
  EXPECT_TRUE(message[0].is_question);
  EXPECT_EQ(message[0].name, "www.Example.com");
  EXPECT_EQ(message[0].type, 28);
}

// The data of one answer to a question about example.com, as text.
std::string answer_text(unsigned type, const std::string& data) {
  Message message;
  const std::string bytes = header(kAnswer, 1, 1) + question(name({"example", "com"}), type) +
                            answer(pointer(kQuestionName), type, data);
  if (!decode(message, bytes) || message.size() != 2) return "(rejected)";
  EXPECT_EQ(message[1].name, "example.com");
  EXPECT_EQ(message[1].ttl, 300u);
  EXPECT_TRUE(message[1].has_answer);
  return message[1].answer;
}

TEST(Dns, AnswersAreTextByType) {
  const std::string example = pointer(kQuestionName);
  EXPECT_EQ(answer_text(1, "\xc0\x01\x02\x03"), "192.1.2.3");
  EXPECT_EQ(answer_text(28, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16)),
            "2001:db8::1");
  EXPECT_EQ(answer_text(5, labels({"cdn"}) + example), "cdn.example.com");
  EXPECT_EQ(answer_text(12, name({"host"})), "host");
  EXPECT_EQ(answer_text(2, name({})), ".");
  EXPECT_EQ(answer_text(15, u16(10) + labels({"mx"}) + example), "10 mx.example.com");
  EXPECT_EQ(answer_text(33, u16(1) + u16(2) + u16(5060) + name({"sip"})), "1 2 5060 sip");
  EXPECT_EQ(answer_text(16, std::string("\x03"
                                        "a\\b"
                                        "\x02"
                                        "c\x01",
                                        7)),
            "a\\\\bc\\001");
  EXPECT_EQ(answer_text(16, ""), "");
  EXPECT_EQ(answer_text(6, labels({"ns"}) + example + name({"me"}) + u32(1) + u32(2) + u32(3) +
                               u32(4) + u32(5)),
            "ns.example.com me 1 2 3 4 5");
  EXPECT_EQ(answer_text(65, u16(1) + name({}) + u16(1) + u16(3) + "\x02h2"), "1 .");
  EXPECT_EQ(answer_text(257, std::string("\0\x05", 2)), "\\# 2 0005");
  EXPECT_EQ(answer_text(10, ""), "\\# 0");
}

TEST(Dns, DataThatDoesNotFitItsTypeIsRejected) {
  for (const auto& [type, data] :
       std::vector<std::pair<unsigned, std::string>>{{1, "abc"},
                                                     {1, "abcde"},
                                                     {28, "abcd"},
                                                     {5, name({"a"}) + "b"},
                                                     {5, ""},
                                                     {15, "ab"},
                                                     {33, "abcdef"},
                                                     {16,
                                                      "\x05"
                                                      "abc"},
                                                     {6, name({"a"}) + name({"b"}) + u32(1)},
                                                     {65, "a"},
                                                     {65, u16(1) + labels({"a"})}}) {
    EXPECT_EQ(answer_text(type, data), "(rejected)") << type;
  }
}

TEST(Dns, NamesAreEscaped) {
  Message message;
  ASSERT_TRUE(decode(
      message,
      header(kQuery, 1, 0) + question(name({"a.b", "c\\d", std::string_view("e \0\xff", 4)}), 1)));
  EXPECT_EQ(message[0].name, "a\\.b.c\\\\d.e\\032\\000\\255");
}

TEST(Dns, PointersLeadBackwardAndAreBounded) {
  Message message;
  const std::string start = header(kAnswer, 1, 1) + question(name({"a"}), 5);
  const auto here = static_cast<unsigned>(start.size());
  // To itself, forward, into the header.
  for (const unsigned target : {here, here + 1, here + 20, 0u, 11u})
    EXPECT_FALSE(decode(message, start + answer(pointer(target), 1, "abcd")));
  // Two names that point at each other.
  EXPECT_FALSE(decode(message, start + answer(labels({"b"}) + pointer(here), 1, "abcd")));
  EXPECT_TRUE(decode(message, start + answer(labels({"b"}) + pointer(kQuestionName), 1, "abcd")));
  EXPECT_EQ(message[1].name, "b.a");
  EXPECT_FALSE(decode(message, start + answer("\x80", 1, "abcd")));
}

// Answers whose names each continue with the one before.
std::string chain(unsigned links) {
  std::string bytes = header(kAnswer, 1, links) + question(name({"a"}), 1);
  unsigned target = kQuestionName;
  for (unsigned i = 0; i < links; ++i) {
    const auto here = static_cast<unsigned>(bytes.size());
    bytes += answer(pointer(target), 1, "abcd");
    target = here;
  }
  return bytes;
}

TEST(Dns, LongChainsOfPointersAreRejected) {
  Message message;
  EXPECT_TRUE(decode(message, chain(16)));
  EXPECT_EQ(message.size(), 17u);
  EXPECT_FALSE(decode(message, chain(17)));
}

TEST(Dns, NamesAreAtMost255Bytes) {
  Message message;
  const std::string label(63, 'x');
  EXPECT_TRUE(decode(message, header(kQuery, 1, 0) +
                                  question(name({label, label, label, std::string(61, 'y')}), 1)));
  EXPECT_FALSE(decode(message, header(kQuery, 1, 0) +
                                   question(name({label, label, label, std::string(62, 'y')}), 1)));
}

TEST(Dns, WhatIsNoMessageIsRejected) {
  Message message;
  const std::string about = question(name({"a"}), 1);
  EXPECT_FALSE(decode(message, ""));
  EXPECT_FALSE(decode(message, "data"));
  EXPECT_FALSE(decode(message, std::string(64, '\0')));
  EXPECT_FALSE(decode(message, std::string(64, 'x')));
  EXPECT_FALSE(decode(message, header(kQuery | 0x0800, 1, 0) + about)) << "opcode";
  EXPECT_FALSE(decode(message, header(kQuery | 0x0040, 1, 0) + about)) << "reserved bit";
  EXPECT_FALSE(decode(message, header(kQuery | 3, 1, 0) + about)) << "query with a result";
  EXPECT_FALSE(decode(message, header(kQuery, 2, 0) + about + about)) << "two questions";
  EXPECT_FALSE(decode(message, header(kQuery, 1, 1) + about + answer(pointer(12), 1, "abcd")));
  EXPECT_FALSE(decode(message, header(kAnswer, 1, 0, 500) + about)) << "more records than bytes";
  EXPECT_FALSE(decode(message, header(kQuery, 1, 0) + name({"a"}) + u16(1) + u16(99))) << "class";
  EXPECT_FALSE(decode(message, header(kQuery, 1, 0) + name({"a"}) + u16(0) + u16(1))) << "type";
  EXPECT_FALSE(decode(message, header(kQuery, 1, 0) + labels({"a"}))) << "incomplete, but not cut";
}

TEST(Dns, MulticastMessagesHaveSeveralQuestionsAndKnownAnswers) {
  Message message;
  const std::string printers = name({"_ipp", "_tcp", "local"});
  const std::string bytes = header(0, 2, 1) + printers + u16(12) + u16(0x8001) +
                            question(pointer(12), 16) +
                            answer(pointer(12), 12, labels({"p"}) + pointer(12));
  EXPECT_FALSE(decode(message, bytes));
  ASSERT_TRUE(decode(message, bytes, Transport::kMulticast));
  ASSERT_EQ(message.size(), 3u);
  EXPECT_EQ(message[2].answer, "p._ipp._tcp.local");
}

TEST(Dns, ATruncatedResponseMayLackAnswers) {
  Message message;
  ASSERT_TRUE(decode(message, header(kAnswer | 0x0200, 1, 9) + question(name({"a"}), 1)));
  EXPECT_EQ(message.size(), 1u);
  EXPECT_FALSE(message.is_cut);
}

TEST(Dns, CutAtEveryLengthItGivesWhatIsComplete) {
  const std::string whole = header(kAnswer, 1, 2) + question(name({"www", "example", "com"}), 1) +
                            answer(pointer(kQuestionName), 5, labels({"cdn"}) + pointer(16)) +
                            answer(labels({"cdn"}) + pointer(16), 1, "\xc0\x01\x02\x03");
  Message full;
  ASSERT_TRUE(decode(full, whole));
  ASSERT_EQ(full.size(), 3u);
  size_t rows = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    // Memory of exactly that size, so that the sanitizer sees a read past the end.
    const std::vector<uint8_t> bytes(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(length));
    Message message;
    const bool has_rows =
        message.decode(Bytes(bytes.data(), bytes.size()), whole.size(), Transport::kUnicast);
    EXPECT_EQ(has_rows, length >= 12 + 4);
    EXPECT_GE(message.size(), rows);
    rows = message.size();
    for (size_t i = 0; has_rows && i < message.size(); ++i) {
      EXPECT_TRUE(message.is_cut);
      EXPECT_TRUE(full[i].name.starts_with(message[i].name));
      if (message[i].has_type) {
        EXPECT_EQ(message[i].name, full[i].name);
        EXPECT_EQ(message[i].type, full[i].type);
      }
      if (message[i].has_answer) {
        EXPECT_EQ(message[i].answer, full[i].answer);
      }
    }
    Message not_cut;
    EXPECT_FALSE(not_cut.decode(Bytes(bytes.data(), bytes.size()), length, Transport::kUnicast));
  }
  EXPECT_EQ(rows, 3u);
}

TEST(Dns, RandomBytesRarelyPassAndMakeFewRecords) {
  std::mt19937 random(7);
  Message message;
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> bytes(random() % 200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    for (const auto transport : {Transport::kUnicast, Transport::kMulticast}) {
      if (message.decode(Bytes(bytes.data(), bytes.size()), bytes.size() + random() % 2 * 50,
                         transport))
        ++accepted;
      if (message.size() != 0) {
        EXPECT_LE(message.size() * 5, bytes.size());
      }
    }
  }
  EXPECT_LT(accepted, 10);
}

TEST(Dns, ChangedMessagesKeepTheBounds) {
  std::mt19937 random(11);
  Message message;
  const std::string whole = chain(12) + answer(pointer(12), 16,
                                               "\x03"
                                               "abc");
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> bytes(whole.begin(), whole.end());
    for (unsigned change = 0; change <= random() % 4; ++change)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    bytes.resize(bytes.size() - random() % 3 * (random() % bytes.size()) / 2);
    (void)message.decode(Bytes(bytes.data(), bytes.size()), whole.size(), Transport::kMulticast);
    EXPECT_LE(message.size() * 5, bytes.size());
    for (size_t i = 0; i < message.size(); ++i) EXPECT_LE(message[i].name.size(), 4 * 255u);
  }
}

TEST(Dns, AStreamHasMessagesAfterTheirLengths) {
  const std::string one = header(kQuery, 1, 0) + question(name({"a"}), 1);
  const std::string text = u16(static_cast<unsigned>(one.size())) + one + u16(500) + "rest";
  Bytes stream(text);
  size_t stream_size = text.size();
  size_t size = 0;
  EXPECT_EQ(next_in_stream(stream, stream_size, size).text(), one);
  EXPECT_EQ(size, one.size());
  EXPECT_EQ(next_in_stream(stream, stream_size, size).text(), "rest");
  EXPECT_EQ(size, 500u);
  EXPECT_TRUE(next_in_stream(stream, stream_size, size).empty());
}

TEST(Dns, TypesAndCodesHaveNamesOrNumbers) {
  EXPECT_EQ(type_name(65), "HTTPS");
  EXPECT_EQ(type_name(1234), "TYPE1234");
  std::string text;
  append_rcode(text, 3);
  append_rcode(text, 15);
  EXPECT_EQ(text, "NXDOMAINRCODE15");
}

}  // namespace
}  // namespace sfkit::dns
