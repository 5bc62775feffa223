#include "output/snappy_encoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "sysflow_file/snappy.h"

namespace sfkit::sysflow_file {
namespace {

// The size after compression; fails unless the text comes back.
size_t compressed(const std::string& text) {
  ByteBuffer packed;
  output::snappy_compress(Bytes(text), packed);
  ByteBuffer out;
  EXPECT_TRUE(snappy_decompress(packed.bytes(), text.size(), out));
  EXPECT_TRUE(out.bytes().text() == text);
  return packed.size();
}

TEST(SnappyEncoder, KeepsShortTexts) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    compressed(text);
    text += static_cast<char>('a' + i % 3);
  }
}

TEST(SnappyEncoder, KeepsTextsOfAllKinds) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    const size_t size = random() % (round % 10 == 0 ? 300'000 : 3000);
    while (text.size() < size) {
      const size_t part = random() % 100;
      const size_t distance = 1 + random() % (round % 2 == 0 ? 20 : 70'000);
      if (random() % 3 == 0 || distance > text.size()) {
        for (size_t i = 0; i < part; ++i) text += static_cast<char>(random());
      } else {
        for (size_t i = 0; i < part; ++i) text += text[text.size() - distance];
      }
    }
    compressed(text);
  }
}

TEST(SnappyEncoder, ShortensWhatRepeats) {
  EXPECT_LT(compressed(std::string(100'000, 'x')), 5'000u);
  std::string paths;
  for (int i = 0; i < 1000; ++i) paths += "/usr/lib/x86_64-linux-gnu/lib" + std::to_string(i);
  EXPECT_LT(compressed(paths), paths.size() / 3);
}

TEST(SnappyEncoder, HardlyLengthensWhatDoesNot) {
  std::mt19937 random(2);
  std::string noise(200'000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  EXPECT_LT(compressed(noise), noise.size() + 32);
}

TEST(SnappyEncoder, GivesTheSameBytesOnEveryMachine) {
  ByteBuffer out;
  output::snappy_compress(Bytes("abcdabcdabcdabcdXabcdabcdabcd"), out);
  const std::string wanted = std::string("\x1d\x0c") + "abcd" + std::string("\x2e\x04\x00", 3) +
                             std::string("\x00X", 2) + std::string("\x2e\x0d\x00", 3);
  EXPECT_EQ(out.bytes().text(), wanted);
}

}  // namespace
}  // namespace sfkit::sysflow_file
