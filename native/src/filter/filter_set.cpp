#include "filter/filter_set.h"

namespace sfkit::filter {

void FilterSet::add(const Filter& filter) {
  std::vector<uint32_t> places;
  for (const Condition& condition : filter.conditions_) {
    const auto [found, is_new] =
        by_key_.try_emplace(condition.key, static_cast<uint32_t>(conditions_.size()));
    if (is_new) {
      conditions_.push_back(condition);
      answers_.emplace_back();
    }
    places.push_back(found->second);
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

void FilterSet::begin_event() {
  if (++stamp_ != 0) return;
  for (Answer& answer : answers_) answer.stamp = 0;
  stamp_ = 1;
}

bool FilterSet::passes(const Program& program, uint16_t code, fields::FieldReader& reader) {
  int32_t at = program.start;
  while (at >= 0) {
    const Filter::Step& step = program.steps[static_cast<size_t>(at)];
    const Condition& condition = conditions_[step.condition];
    bool result = false;
    if (condition.is_static && condition.by_code[code] != kDepends) {
      result = condition.by_code[code] == kYes;
    } else {
      Answer& answer = answers_[step.condition];
      if (answer.stamp != stamp_) answer = {stamp_, evaluator_.holds(condition, reader)};
      result = answer.holds;
    }
    at = result ? step.on_true : step.on_false;
  }
  return at == Filter::kPass;
}

}  // namespace sfkit::filter
