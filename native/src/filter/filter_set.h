// Many filters asked about the same events: equal conditions are asked once, and an event meets only the
// filters that its code lets pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "filter/filter.h"

namespace sfkit::filter {

class FilterSet {
 public:
  FilterSet() : by_code_(scap::kEventCount) {}

  // Adds a filter; its number is how many were added before.
  void add(const Filter& filter);
  size_t size() const { return programs_.size(); }
  size_t distinct_conditions() const { return conditions_.size(); }

  // Whether an event of this code can pass any filter.
  bool may_pass(uint16_t code) const { return !by_code_[code].empty(); }

  // Calls `visit(number)` for each filter that the event passes that `reader` looks at, in the order they
  // were added, until it returns false.
  template <typename Visit>
  void each_passing(fields::FieldReader& reader, Visit visit) {
    begin_event();
    const uint16_t code = reader.context().event->code;
    for (const uint32_t number : by_code_[code]) {
      if (passes(programs_[number], code, reader) && !visit(number)) return;
    }
  }

 private:
  struct Program {
    std::vector<Filter::Step> steps;
    int32_t start = Filter::kPass;
  };
  // The answer of a condition for the event of this stamp.
  struct Answer {
    uint32_t stamp = 0;
    bool holds = false;
  };

  void begin_event();
  bool passes(const Program& program, uint16_t code, fields::FieldReader& reader);

  std::vector<Condition> conditions_;
  std::vector<Answer> answers_;  // beside conditions_
  uint32_t stamp_ = 0;
  std::unordered_map<std::string, uint32_t> by_key_;
  std::vector<Program> programs_;
  std::vector<std::vector<uint32_t>> by_code_;
  Evaluator evaluator_;
};

}  // namespace sfkit::filter
