// Regular expressions in linear time for any expression: all alternatives are followed in parallel.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sfkit {

// POSIX extended syntax: alternatives, groups, * + ? {m,n}, sets with ranges and classes, anchors,
// \n \t \xHH. kFull adds \d \w \s and their opposites, (?:...) and (?i) as in RE2. Matches bytes.
// No capture groups, no back-references.
class Regex {
 public:
  enum class Syntax : uint8_t { kFull, kPosix };

  // Fails with kInvalidArgument; the message has the position in the expression.
  static Result<Regex> compile(std::string_view expression, Syntax syntax = Syntax::kFull);

  // Whether the whole of `text` matches. Allocates nothing.
  bool matches(std::string_view text);

 private:
  friend class RegexParser;

  enum class Kind : uint8_t { kSet, kSplit, kJump, kBegin, kEnd, kAccept };
  struct Step {
    Kind kind = Kind::kAccept;
    uint32_t set = 0;   // kSet: index into sets_
    uint32_t next = 0;  // kSplit: first alternative
    uint32_t other = 0;
  };
  using Set = std::bitset<256>;

  // Adds the steps that `step` reaches without consuming a character.
  void follow(uint32_t step, bool at_begin, bool at_end, std::vector<uint32_t>& to);

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  // State of a match: active steps, and the round in which each was last added.
  std::vector<uint32_t> now_;
  std::vector<uint32_t> then_;
  std::vector<uint32_t> open_;
  std::vector<uint64_t> seen_;
  uint64_t round_ = 0;
};

}  // namespace sfkit
