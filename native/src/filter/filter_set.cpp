#include "filter/filter_set.h"

#include <algorithm>

namespace sfkit::filter {
namespace {

// Texts that are kept, of one subject and of all together.
constexpr size_t kTextsOfSubject = 1024;
constexpr size_t kTextsOfAll = size_t{64} << 10;

// Whether the answer depends on one text, or on nothing else where the value is one.
bool asks_one_text(const Condition& condition) {
  return condition.left.call == nullptr && condition.left.field.several == fields::Several::kNo &&
         !condition.right && condition.op != Operator::kExists && !condition.is_static &&
         !condition.is_unanswered &&
         (condition.left.field.type == fields::FieldType::kStr ||
          condition.left.field.type == fields::FieldType::kRaw);
}

}  // namespace

void FilterSet::add(const Filter& filter) {
  std::vector<uint32_t> places;
  for (const Condition& condition : filter.conditions_) {
    const auto [found, is_new] =
        by_key_.try_emplace(condition.key, static_cast<uint32_t>(conditions_.size()));
    places.push_back(found->second);
    if (!is_new) continue;
    conditions_.push_back(condition);
    Answer& answer = answers_.emplace_back();
    if (condition.is_static) {
      answer.by_code = static_cast<uint32_t>(by_code_answers_.size());
      by_code_answers_.insert(by_code_answers_.end(), condition.by_code.begin(), condition.by_code.end());
    }
    if (asks_one_text(condition)) take_subject(condition, answer);
  }
  const auto number = static_cast<uint32_t>(programs_.size());
  Program& program = programs_.emplace_back();
  program.steps = filter.steps_;
  program.start = filter.start_;
  for (Filter::Step& step : program.steps) step.condition = places[step.condition];
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    if (filter.may_pass(code)) by_code_[code].push_back(number);
  }
}

void FilterSet::take_subject(const Condition& condition, Answer& answer) {
  const auto [found, is_new] =
      subject_by_name_.try_emplace(text_of(condition.left), static_cast<uint32_t>(subjects_.size()));
  if (is_new) subjects_.emplace_back().condition = static_cast<uint32_t>(conditions_.size() - 1);
  answer.subject = found->second;
  answer.place = subjects_[found->second].conditions++;
}

void FilterSet::begin_event() {
  if (++stamp_ != 0) return;
  for (Answer& answer : answers_) answer.stamp = 0;
  for (Subject& subject : subjects_) subject.stamp = 0;
  stamp_ = 1;
}

bool FilterSet::passes(const Program& program, uint16_t code, fields::FieldReader& reader) {
  int32_t at = program.start;
  while (at >= 0) {
    const Filter::Step& step = program.steps[static_cast<size_t>(at)];
    Answer& answer = answers_[step.condition];
    const uint8_t known = answer.by_code == kNone ? uint8_t{kDepends} : by_code_answers_[answer.by_code + code];
    bool result = known == kYes;
    if (known == kDepends) {
      if (answer.stamp != stamp_) {
        answer.stamp = stamp_;
        answer.holds = ask(step.condition, reader);
      }
      result = answer.holds;
    }
    at = result ? step.on_true : step.on_false;
  }
  return at == Filter::kPass;
}

bool FilterSet::ask(uint32_t number, fields::FieldReader& reader) {
  const Condition& condition = conditions_[number];
  const Answer& answer = answers_[number];
  if (answer.subject == kNone || subjects_[answer.subject].conditions == 1)
    return evaluator_.holds(condition, reader);
  Subject& subject = subjects_[answer.subject];
  if (subject.stamp != stamp_) look_at(subject, reader);
  switch (subject.kind) {
    case Subject::Kind::kMissing: return false;
    case Subject::Kind::kOther: return evaluator_.holds(condition, reader);
    case Subject::Kind::kText: break;
  }
  return subject.answers->holds(
      answer.place, [&](std::string_view text) { return evaluator_.accepts_text(condition, text); });
}

void FilterSet::look_at(Subject& subject, fields::FieldReader& reader) {
  subject.stamp = stamp_;
  subject.kind = Subject::Kind::kMissing;
  evaluator_.visit_value(conditions_[subject.condition].left, reader, [&](const fields::FieldValue& value) {
    const bool is_text =
        value.kind == fields::FieldValue::Kind::kText || value.kind == fields::FieldValue::Kind::kBytes;
    subject.kind = Subject::Kind::kOther;
    if (!is_text || value.text.size() > TextAnswers::kMaxText) return;
    subject.kind = Subject::Kind::kText;
    if (subject.answers == nullptr) {
      const size_t texts = std::min(kTextsOfSubject, kTextsOfAll / subjects_.size());
      subject.answers = std::make_unique<TextAnswers>(subject.conditions, texts);
    }
    subject.answers->look_at(value.text);
  });
}

}  // namespace sfkit::filter
