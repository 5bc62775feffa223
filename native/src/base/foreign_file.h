// Names files that are neither captures nor SysFlow files, by their first bytes.
#pragma once

#include <string>

#include "base/bytes.h"

namespace sfkit {

// What the file is and what to do with it, as the rest of "NAME: ..."; empty if unknown. `name` is
// the input's name in messages, `start` its first bytes: 512 are enough.
std::string describe_foreign_file(const std::string& name, Bytes start);

}  // namespace sfkit
