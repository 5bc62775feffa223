#include "scap/event.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace sfkit::scap {
namespace {

// An event with all parameters of its kind that the table has.
constexpr uint16_t kCode = ev::SYSCALL_EXECVE_19_X;

// A body of exactly this size, so that sanitizers see every byte too many.
struct Body {
  std::vector<uint16_t> lengths;
  size_t size = 0;   // of the body
  size_t after = 0;  // bytes after it
  std::vector<uint8_t> bytes;

  Body(std::vector<uint16_t> wanted, size_t body_size, size_t bytes_after)
      : lengths(std::move(wanted)), size(body_size), after(bytes_after), bytes(size + after, 0xff) {
    const size_t array = std::min(size, lengths.size() * sizeof(uint16_t));
    if (array > 0) std::memcpy(bytes.data(), lengths.data(), array);
    for (size_t i = array; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  }
  size_t payload() const {
    size_t total = lengths.size() * sizeof(uint16_t);
    for (const uint16_t length : lengths) total += length;
    return total;
  }
  Bytes view() const { return {bytes.data(), size}; }
  // The parameters, found one after the other; empty if they do not fit.
  std::vector<std::string> params() const {
    std::vector<std::string> found;
    size_t at = lengths.size() * sizeof(uint16_t);
    for (const uint16_t length : lengths) {
      found.emplace_back(payload() <= size ? view().slice(at, length).text() : std::string_view());
      at += length;
    }
    return found;
  }
};

std::vector<std::string> params_of(const EventView& event) {
  std::vector<std::string> found;
  for (uint32_t i = 0; i < event.count_in_file(); ++i) found.emplace_back(event.param(i).text());
  return found;
}

// Lengths around those that are added in words, and bodies around their payload.
std::vector<Body> bodies() {
  std::mt19937 random(5);
  const auto below = [&random](size_t limit) { return static_cast<size_t>(random()) % limit; };
  std::vector<Body> made;
  for (size_t count = 0; count <= 11; ++count) {
    for (int i = 0; i < 200; ++i) {
      std::vector<uint16_t> lengths(count);
      for (uint16_t& length : lengths) {
        const size_t kind = below(40);
        length = static_cast<uint16_t>(kind == 0   ? 8190 + below(4)
                                       : kind == 1 ? 65535
                                       : kind < 20 ? 0
                                                   : below(20));
      }
      if (i == 0) lengths.assign(count, 8191);
      const size_t payload = Body(lengths, 0, 0).payload();
      const size_t size = below(4) == 0 ? below(payload + 1) : payload + below(4);
      made.emplace_back(lengths, size, below(3) == 0 ? 0 : below(17));
    }
  }
  return made;
}

TEST(Event, FindsParametersOfAnyNumberAndLength) {
  ASSERT_GE(kEvents[kCode].nparams, 11);
  size_t whole = 0;
  for (const Body& body : bodies()) {
    const auto count = static_cast<uint32_t>(body.lengths.size());
    EventView event;
    const bool fits = event.set(kCode, count, body.view(), body.after);
    EXPECT_EQ(fits, body.payload() <= body.size);
    EXPECT_EQ(params_of(event), body.params());
    if (fits) ++whole;
    // Also backwards, as a handler may ask for them.
    event.set(kCode, count, body.view(), body.after);
    for (uint32_t i = count; i-- > 0;) EXPECT_EQ(event.param(i).text(), body.params()[i]);
    EXPECT_TRUE(event.param(count).empty());
  }
  EXPECT_GT(whole, 1000u);
}

TEST(Event, IsKeptWithItsParameters) {
  size_t direct = 0;
  for (const Body& body : bodies()) {
    if (body.payload() > body.size || body.after < kReadableAfter) continue;
    const auto count = static_cast<uint32_t>(body.lengths.size());
    EventView event;
    event.set(kCode, count, body.view(), body.after);
    StoredEnter kept;
    kept.borrow(event);
    const std::vector<std::string> expected =
        body.size > StoredEnter::kMaxBytes ? std::vector<std::string>(count) : body.params();
    for (const bool is_own : {false, true}) {
      if (is_own) kept.own();
      EventView shown;
      kept.show(shown);
      EXPECT_EQ(params_of(shown), expected);
      for (uint32_t i = 0; i < count; ++i) {
        const std::optional<Bytes> param = kept.param(i);
        if (!param) continue;
        ++direct;
        EXPECT_EQ(param->text(), expected[i]);
      }
    }
  }
  EXPECT_GT(direct, 1000u);
}

}  // namespace
}  // namespace sfkit::scap
