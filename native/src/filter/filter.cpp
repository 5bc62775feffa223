#include "filter/filter.h"

#include <algorithm>

namespace sfkit::filter {

bool Filter::is_static() const {
  return std::ranges::all_of(conditions_, &Condition::is_static);
}

Known Filter::passes(uint16_t code) const {
  int32_t at = start_;
  while (at >= 0) {
    const Step& step = steps_[static_cast<size_t>(at)];
    const Condition& condition = conditions_[step.condition];
    if (!condition.is_static || condition.by_code[code] == kDepends) return kDepends;
    at = condition.by_code[code] == kYes ? step.on_true : step.on_false;
  }
  return at == kPass ? kYes : kNo;
}

bool Filter::passes(fields::FieldReader& reader) {
  int32_t at = start_;
  const uint16_t code = reader.context().event->code;
  while (at >= 0) {
    const Step& step = steps_[static_cast<size_t>(at)];
    const Condition& condition = conditions_[step.condition];
    const uint8_t known = condition.is_static ? condition.by_code[code] : uint8_t{kDepends};
    const bool result = known == kDepends ? evaluator_.holds(condition, reader) : known == kYes;
    at = result ? step.on_true : step.on_false;
  }
  return at == kPass;
}

}  // namespace sfkit::filter
