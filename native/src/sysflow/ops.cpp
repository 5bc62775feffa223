#include "sysflow/ops.h"

#include "event_ops.gen.h"

namespace sfkit::sysflow {

uint32_t op_of(uint16_t code, bool compat) {
  return compat ? kCompatOps[code] : kDefaultOps[code];
}

}  // namespace sfkit::sysflow
