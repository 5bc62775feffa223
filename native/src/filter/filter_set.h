// Evaluates many filters on the same events. Equal conditions are evaluated once, results for
// repeated texts are cached, and an event is checked only by filters that its code can pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "filter/filter.h"
#include "filter/text_answers.h"

namespace sfkit::filter {

class FilterSet {
 public:
  FilterSet() : by_code_(scap::kEventCount), tailored_(scap::kEventCount) {}

  // Adds a filter; filters are numbered from 0. Not allowed after the first event.
  void add(const Filter& filter);
  size_t size() const { return programs_.size(); }
  size_t distinct_conditions() const { return conditions_.size(); }

  // Whether an event with this code can pass any filter.
  bool may_pass(uint16_t code) const { return !by_code_[code].empty(); }

  // Calls `visit(number)` for each filter that the reader's current event passes, in order, until
  // it returns false.
  template <typename Visit>
  void each_passing(fields::FieldReader& reader, Visit visit) {
    find_passing(reader);
    for (const uint32_t number : passing_) {
      if (!visit(number)) return;
    }
  }

 private:
  struct Program {
    std::vector<Filter::Step> steps;
    int32_t start = Filter::kPass;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  // State of a condition.
  struct Answer {
    uint32_t stamp = 0;  // event for which `holds` is valid
    bool holds = false;
    uint32_t by_code = kNone;  // start in by_code_answers_, if is_static
    uint32_t subject = kNone;  // for conditions on one text
    uint32_t place = 0;        // index among the subject's conditions
  };
  // A text that several conditions check.
  struct Subject {
    enum class Kind : uint8_t { kMissing, kText, kOther };
    uint32_t condition = 0;  // one of its conditions
    uint32_t conditions = 0;
    uint32_t stamp = 0;  // event for which the rest is valid
    Kind kind = Kind::kMissing;
    std::unique_ptr<TextAnswers> answers;
  };

  // The filters that events of a code can pass, without conditions that the code decides.
  struct Tailored {
    // Filters that fail unless the condition holds; it is checked once for all of them.
    struct Group {
      uint32_t condition = kNone;                          // kNone: no such condition
      std::vector<std::pair<uint32_t, int32_t>> programs;  // filter number and first step
    };
    bool is_made = false;
    bool is_whole = true;  // false if the step limit was reached
    std::vector<Filter::Step> steps;
    std::vector<Group> groups;
  };

  void find_passing(fields::FieldReader& reader);
  void begin_event();
  void tailor(uint16_t code);
  // The index of the filter's first step in `made`.
  int32_t add_tailored(Tailored& made, const Program& program, uint16_t code);
  // What the code decides about a condition.
  uint8_t known_of(uint32_t condition, uint16_t code) const;
  bool passes(const Program& program, uint16_t code, fields::FieldReader& reader);
  bool holds(uint32_t condition, fields::FieldReader& reader);
  bool ask(uint32_t condition, fields::FieldReader& reader);
  void take_subject(const Condition& condition, Answer& answer);
  void look_at(Subject& subject, fields::FieldReader& reader);

  std::vector<Condition> conditions_;
  std::vector<Answer> answers_;  // parallel to conditions_
  std::vector<uint8_t> by_code_answers_;
  std::vector<Subject> subjects_;
  std::unordered_map<std::string, uint32_t> subject_by_name_;
  uint32_t stamp_ = 0;
  std::unordered_map<std::string, uint32_t> by_key_;
  std::vector<Program> programs_;
  std::vector<std::vector<uint32_t>> by_code_;
  std::vector<Tailored> tailored_;  // by code, filled on the first event
  size_t tailored_steps_ = 0;
  std::vector<uint32_t> passing_;
  // Scratch space of tailor():
  std::vector<int32_t> resolved_;
  std::vector<bool> reached_;
  Evaluator evaluator_;
};

}  // namespace sfkit::filter
