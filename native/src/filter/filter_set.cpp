#include "filter/filter_set.h"

#include <algorithm>

namespace sfkit::filter {
namespace {

// Maximum cached texts of one subject, and of all subjects.
constexpr size_t kMaxTextsOfSubject = 1024;
constexpr size_t kMaxTextsOfAll = size_t{64} << 10;

// Maximum steps of all tailored filters.
constexpr size_t kMaxTailoredSteps = size_t{4} << 20;

// Whether the result depends on a single text.
bool asks_one_text(const Condition& condition) {
  return condition.left.call == nullptr && condition.left.field.several == fields::Several::kNo &&
         !condition.right && condition.op != Operator::kExists && !condition.is_unavailable &&
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
      by_code_answers_.insert(by_code_answers_.end(), condition.by_code.begin(),
                              condition.by_code.end());
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
  const auto [found, is_new] = subject_by_name_.try_emplace(
      text_of(condition.left), static_cast<uint32_t>(subjects_.size()));
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

void FilterSet::find_passing(fields::FieldReader& reader) {
  begin_event();
  passing_.clear();
  const uint16_t code = reader.context().event->code;
  if (!tailored_[code].is_made) tailor(code);
  const Tailored& tailored = tailored_[code];
  if (!tailored.is_whole) {
    for (const uint32_t number : by_code_[code]) {
      if (passes(programs_[number], code, reader)) passing_.push_back(number);
    }
    return;
  }
  for (const Tailored::Group& group : tailored.groups) {
    if (group.condition != kNone && !holds(group.condition, reader)) continue;
    for (const auto& [number, start] : group.programs) {
      int32_t at = start;
      while (at >= 0) {
        const Filter::Step& step = tailored.steps[static_cast<size_t>(at)];
        at = holds(step.condition, reader) ? step.on_true : step.on_false;
      }
      if (at == Filter::kPass) passing_.push_back(number);
    }
  }
  if (passing_.size() > 1) std::ranges::sort(passing_);
}

uint8_t FilterSet::known_of(uint32_t condition, uint16_t code) const {
  const uint32_t place = answers_[condition].by_code;
  return place == kNone ? uint8_t{kDepends} : by_code_answers_[place + code];
}

bool FilterSet::passes(const Program& program, uint16_t code, fields::FieldReader& reader) {
  int32_t at = program.start;
  while (at >= 0) {
    const Filter::Step& step = program.steps[static_cast<size_t>(at)];
    const uint8_t known = known_of(step.condition, code);
    const bool result = known == kDepends ? holds(step.condition, reader) : known == kYes;
    at = result ? step.on_true : step.on_false;
  }
  return at == Filter::kPass;
}

void FilterSet::tailor(uint16_t code) {
  Tailored& made = tailored_[code];
  made.is_made = true;
  std::unordered_map<uint32_t, size_t> groups;  // by condition
  for (const uint32_t number : by_code_[code]) {
    int32_t start = add_tailored(made, programs_[number], code);
    if (tailored_steps_ + made.steps.size() > kMaxTailoredSteps) {
      made = {true, false, {}, {}};
      return;
    }
    uint32_t condition = kNone;
    if (start >= 0 && made.steps[static_cast<size_t>(start)].on_false == Filter::kFail) {
      condition = made.steps[static_cast<size_t>(start)].condition;
      start = made.steps[static_cast<size_t>(start)].on_true;
    }
    const auto [group, is_new] = groups.try_emplace(condition, made.groups.size());
    if (is_new) made.groups.push_back({condition, {}});
    made.groups[group->second].programs.emplace_back(number, start);
  }
  tailored_steps_ += made.steps.size();
}

int32_t FilterSet::add_tailored(Tailored& made, const Program& program, uint16_t code) {
  const size_t count = program.steps.size();
  const auto next_of = [](const Filter::Step& step, uint8_t known) {
    return known == kYes ? step.on_true : step.on_false;
  };
  // Jumps go to smaller indexes only. A backward pass finds the reached steps, a forward pass where
  // each one leads.
  reached_.assign(count, false);
  const auto reach = [this](int32_t place) {
    if (place >= 0) reached_[static_cast<size_t>(place)] = true;
  };
  reach(program.start);
  for (size_t i = count; i-- > 0;) {
    if (!reached_[i]) continue;
    const Filter::Step& step = program.steps[i];
    const uint8_t known = known_of(step.condition, code);
    if (known != kDepends) {
      reach(next_of(step, known));
    } else {
      reach(step.on_true);
      reach(step.on_false);
    }
  }
  resolved_.assign(count, Filter::kFail);
  const auto resolve = [this](int32_t place) {
    return place < 0 ? place : resolved_[static_cast<size_t>(place)];
  };
  for (size_t i = 0; i < count; ++i) {
    if (!reached_[i]) continue;
    const Filter::Step& step = program.steps[i];
    const uint8_t known = known_of(step.condition, code);
    if (known != kDepends) {
      resolved_[i] = resolve(next_of(step, known));
    } else {
      resolved_[i] = static_cast<int32_t>(made.steps.size());
      made.steps.push_back({step.condition, resolve(step.on_true), resolve(step.on_false)});
    }
  }
  return resolve(program.start);
}

bool FilterSet::holds(uint32_t condition, fields::FieldReader& reader) {
  Answer& answer = answers_[condition];
  if (answer.stamp != stamp_) {
    answer.stamp = stamp_;
    answer.holds = ask(condition, reader);
  }
  return answer.holds;
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
  return subject.answers->holds(answer.place, [&](std::string_view text) {
    return evaluator_.accepts_text(condition, text);
  });
}

void FilterSet::look_at(Subject& subject, fields::FieldReader& reader) {
  subject.stamp = stamp_;
  subject.kind = Subject::Kind::kMissing;
  evaluator_.visit_value(
      conditions_[subject.condition].left, reader, [&](const fields::FieldValue& value) {
        const bool is_text = value.kind == fields::FieldValue::Kind::kText ||
                             value.kind == fields::FieldValue::Kind::kBytes;
        subject.kind = Subject::Kind::kOther;
        if (!is_text || value.text.size() > TextAnswers::kMaxText) return;
        subject.kind = Subject::Kind::kText;
        if (subject.answers == nullptr) {
          const size_t texts = std::min(kMaxTextsOfSubject, kMaxTextsOfAll / subjects_.size());
          subject.answers = std::make_unique<TextAnswers>(subject.conditions, texts);
        }
        subject.answers->look_at(value.text);
      });
}

}  // namespace sfkit::filter
