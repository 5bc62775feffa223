#include "filter/filter.h"

namespace sfkit::filter {

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
