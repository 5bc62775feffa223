// Regular expressions that take time in proportion to the text, whatever the expression: all ways through it
// are followed at once.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sfkit {

// POSIX extended syntax: alternatives, groups, * + ? {m,n}, sets with ranges and classes, anchors, \n \t
// \xHH; unless kPosix forbids them \d \w \s and their opposites, (?:...) and (?i) as in RE2. Characters are
// bytes. Without groups to ask for, without references back.
class Regex {
 public:
  enum class Syntax : uint8_t { kFull, kPosix };

  // Fails with kInvalidArgument and a message that says where in the expression.
  static Result<Regex> compile(std::string_view expression, Syntax syntax = Syntax::kFull);

  // Whether the whole of `text` fits. Allocates nothing.
  bool matches(std::string_view text);

 private:
  friend class RegexParser;

  enum class Kind : uint8_t { kSet, kSplit, kJump, kBegin, kEnd, kAccept };
  struct Step {
    Kind kind = Kind::kAccept;
    uint32_t set = 0;   // kSet: which
    uint32_t next = 0;  // kSplit: the first way
    uint32_t other = 0;
  };
  using Set = std::bitset<256>;

  // Adds the steps that can be reached from `step` without a character.
  void follow(uint32_t step, bool at_begin, bool at_end, std::vector<uint32_t>& to);

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  // Of a run: the steps under way, and when each was added last.
  std::vector<uint32_t> now_;
  std::vector<uint32_t> then_;
  std::vector<uint32_t> open_;
  std::vector<uint64_t> seen_;
  uint64_t round_ = 0;
};

}  // namespace sfkit
