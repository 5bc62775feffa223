// A filter ready to be asked about events: compiled once, then evaluated without allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "fields/fields.h"
#include "filter/condition.h"
#include "filter/evaluator.h"

namespace sfkit::filter {

class Filter {
 public:
  // Fails with kInvalidArgument and a message that says what, where and what is likely meant.
  static Result<std::unique_ptr<Filter>> compile(std::string_view text);
  // The filter of a tree without macros, whose fields are looked up on the way; null where `problem` says
  // what is wrong. Of rules, `warnings` get what is likely meant otherwise.
  static std::unique_ptr<Filter> compile(Node& tree, Dialect dialect, Problem& problem,
                                         std::vector<Problem>* warnings = nullptr);

  // Whether an event of this code can pass at all; where not, there is no need to look at it.
  bool may_pass(uint16_t code) const { return may_pass_[code]; }

  // Whether the event that `reader` looks at passes. A field without a value makes its condition false,
  // whatever the operator.
  bool passes(fields::FieldReader& reader);

 private:
  friend class Compiler;
  friend class FilterSet;

  // Where to go on after a condition; places are of later conditions.
  static constexpr int32_t kPass = -1;
  static constexpr int32_t kFail = -2;

  // A place where a condition is asked; a condition may be asked at several.
  struct Step {
    uint32_t condition = 0;
    int32_t on_true = kPass;
    int32_t on_false = kFail;
  };

  std::vector<Condition> conditions_;
  std::vector<Step> steps_;
  int32_t start_ = kPass;
  std::vector<bool> may_pass_;
  Evaluator evaluator_;
};

}  // namespace sfkit::filter
