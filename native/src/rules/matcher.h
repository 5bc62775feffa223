// Asks many rules about the same events and says what matched, as lines of JSON.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "fields/fields.h"
#include "filter/evaluator.h"
#include "filter/filter_set.h"
#include "rules/compiler.h"

namespace sfkit::rules {

struct MatchOptions {
  bool all_matching = false;  // every rule that an event matches; else the first in order
  bool fold = true;           // the same finding again is only counted
  // With `fold` so many findings are written at most, and so many bytes of them; more are only counted.
  size_t max_distinct = 100'000;
  size_t max_bytes = size_t{64} << 20;
};

class RuleMatcher {
 public:
  // Asks the rules of the compilation that can match, in their order.
  RuleMatcher(const Compilation& rules, const MatchOptions& options);

  // Whether a rule may match an event of this code.
  bool may_match(uint16_t code) const { return may_match_[code]; }

  // Asks about the event that the reader looks at and appends a line for each finding that is new.
  void match(fields::FieldReader& reader, std::string& out);

  // Appends one line: how often each rule matched, how often each finding that was written occurred and when
  // last, and how many of each rule were left out.
  void append_totals(std::string& out) const;

 private:
  // A finding that was written.
  struct Folded {
    uint64_t count = 1;
    uint64_t last = 0;  // ns since 1970
  };
  struct Rule {
    uint32_t index = 0;  // in the compilation
    OutputTemplate output;
    uint64_t matches = 0;
    uint64_t left_out = 0;
  };

  // Whether the finding is to be written; counts it else.
  bool is_new(Rule& rule, uint32_t number, fields::FieldReader& reader);
  void append_finding(const Rule& rule, fields::FieldReader& reader, std::string& out);

  const MatchOptions options_;
  filter::FilterSet filters_;
  std::vector<bool> may_match_;
  std::vector<Rule> rules_;  // beside the filters
  filter::Evaluator evaluator_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> by_key_;
  std::vector<Folded> folded_;
  size_t folded_bytes_ = 0;
  std::string key_;
  std::string text_;
};

}  // namespace sfkit::rules
