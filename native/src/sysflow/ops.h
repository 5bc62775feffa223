// Which event means which operation (spec: sysflow-semantics, section 5).
#pragma once

#include <cstdint>

#include "sysflow/records.h"

namespace sfkit::sysflow {

inline constexpr uint32_t kFileEventOps = kOpMkdir | kOpRmdir | kOpLink | kOpUnlink | kOpSymlink | kOpRename;
inline constexpr uint32_t kProcessOps = kOpClone | kOpExec | kOpExit | kOpSetuid;

// The operation of event `code`, 0 for none. `compat`: only the events the collector 0.7 knows, and mmap
// counted on entry.
uint32_t op_of(uint16_t code, bool compat);

// Whether the paths of the call are relative to a directory descriptor of the call.
bool is_at_call(uint16_t code);

}  // namespace sfkit::sysflow
