// Evaluates many rules on the same events; writes findings as lines of JSON.
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
  bool all_matching = false;  // report every matching rule; else the first in order
  bool fold = true;           // repeated findings are only counted
  // With `fold`, at most this many findings and bytes are written; more are only counted.
  size_t max_distinct = 100'000;
  size_t max_bytes = size_t{64} << 20;
};

class RuleMatcher {
 public:
  // Uses the rules of the compilation that can match, in order.
  RuleMatcher(const Compilation& rules, const MatchOptions& options);

  // Whether a rule can match an event with this code.
  bool may_match(uint16_t code) const { return may_match_[code]; }

  // Evaluates the reader's current event and appends a line for each new finding.
  void match(fields::FieldReader& reader, std::string& out);

  // Appends one line with totals: matches of each rule, count and last time of each written
  // finding, and the number of findings dropped for each rule.
  void append_totals(std::string& out) const;

 private:
  // A written finding.
  struct Folded {
    uint64_t count = 1;
    uint64_t last = 0;  // ns since 1970
  };
  struct Rule {
    uint32_t index = 0;  // index in the compilation
    OutputTemplate output;
    uint64_t matches = 0;
    uint64_t left_out = 0;
  };

  // Whether to write the finding; else it is counted.
  bool is_new(Rule& rule, uint32_t number, fields::FieldReader& reader);
  void append_finding(const Rule& rule, fields::FieldReader& reader, std::string& out);

  const MatchOptions options_;
  filter::FilterSet filters_;
  std::vector<bool> may_match_;
  std::vector<Rule> rules_;  // parallel to the filters
  filter::Evaluator evaluator_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> by_key_;
  std::vector<Folded> folded_;
  size_t folded_bytes_ = 0;
  std::string key_;
  std::string text_;
};

}  // namespace sfkit::rules
