// A compiled filter; evaluation does not allocate.
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
  // Fails with kInvalidArgument; the message has the problem, its position and a suggestion.
  static Result<std::unique_ptr<Filter>> compile(std::string_view text);
  // Compiles a tree without macros and resolves its fields. Returns null and sets `problem` on an
  // error. For rules, `warnings` receives likely mistakes.
  static std::unique_ptr<Filter> compile(Node& tree, Dialect dialect, Problem& problem,
                                         std::vector<Problem>* warnings = nullptr);

  // Whether an event with this code can pass at all.
  bool may_pass(uint16_t code) const { return may_pass_[code]; }

  // Whether codes alone decide, except for events that carry their own name.
  bool is_static() const;
  // Whether events with this code pass: kDepends if the code leaves it open.
  Known passes(uint16_t code) const;

  // Whether the reader's current event passes. A missing value makes its condition false, whatever
  // the operator.
  bool passes(fields::FieldReader& reader);

 private:
  friend class Compiler;
  friend class FilterSet;

  // Results of a step, besides the index of a later step.
  static constexpr int32_t kPass = -1;
  static constexpr int32_t kFail = -2;

  // A use of a condition; several steps can use the same one.
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
