// Many filters asked about the same events: equal conditions are asked once, conditions on the same text
// share what was found out of it before, and an event meets only the filters that its code lets pass.
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

  // Adds a filter; its number is how many were added before. Not after the first event.
  void add(const Filter& filter);
  size_t size() const { return programs_.size(); }
  size_t distinct_conditions() const { return conditions_.size(); }

  // Whether an event of this code can pass any filter.
  bool may_pass(uint16_t code) const { return !by_code_[code].empty(); }

  // Calls `visit(number)` for each filter that the event passes that `reader` looks at, in the order they
  // were added, until it returns false.
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

  // What is known of a condition, beside the condition itself.
  struct Answer {
    uint32_t stamp = 0;  // of the event that `holds` is about
    bool holds = false;
    uint32_t by_code = kNone;  // where it begins in by_code_answers_, if it follows from the code
    uint32_t subject = kNone;  // of a condition on a text
    uint32_t place = 0;        // among the subject's conditions
  };
  // A text that conditions are about.
  struct Subject {
    enum class Kind : uint8_t { kMissing, kText, kOther };
    uint32_t condition = 0;  // one of them
    uint32_t conditions = 0;
    uint32_t stamp = 0;  // of the event that the rest is about
    Kind kind = Kind::kMissing;
    std::unique_ptr<TextAnswers> answers;
  };

  // The filters that an event of some code can pass, without the conditions that its code answers.
  struct Tailored {
    // Filters that fail unless a condition holds: it is asked once for all of them.
    struct Group {
      uint32_t condition = kNone;                          // kNone: there is none
      std::vector<std::pair<uint32_t, int32_t>> programs;  // number, and where it goes on
    };
    bool is_made = false;
    bool is_whole = true;  // else there was no room
    std::vector<Filter::Step> steps;
    std::vector<Group> groups;
  };

  void find_passing(fields::FieldReader& reader);
  void begin_event();
  void tailor(uint16_t code);
  // Where the filter begins among the steps that it adds.
  int32_t add_tailored(Tailored& made, const Program& program, uint16_t code);
  // What the code alone says of a condition.
  uint8_t known_of(uint32_t condition, uint16_t code) const;
  bool passes(const Program& program, uint16_t code, fields::FieldReader& reader);
  bool holds(uint32_t condition, fields::FieldReader& reader);
  bool ask(uint32_t condition, fields::FieldReader& reader);
  void take_subject(const Condition& condition, Answer& answer);
  void look_at(Subject& subject, fields::FieldReader& reader);

  std::vector<Condition> conditions_;
  std::vector<Answer> answers_;  // beside conditions_
  std::vector<uint8_t> by_code_answers_;
  std::vector<Subject> subjects_;
  std::unordered_map<std::string, uint32_t> subject_by_name_;
  uint32_t stamp_ = 0;
  std::unordered_map<std::string, uint32_t> by_key_;
  std::vector<Program> programs_;
  std::vector<std::vector<uint32_t>> by_code_;
  std::vector<Tailored> tailored_;  // by code, made when an event of it comes
  size_t tailored_steps_ = 0;
  std::vector<uint32_t> passing_;
  // For tailoring.
  std::vector<int32_t> resolved_;
  std::vector<bool> reached_;
  Evaluator evaluator_;
};

}  // namespace sfkit::filter
