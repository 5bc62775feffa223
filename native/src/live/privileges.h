// Privileges that only the start of a capture needs.
#pragma once

#include "base/status.h"

namespace sfkit::live {

// Drops all capabilities except CAP_DAC_OVERRIDE, in every thread and permanently. CAP_DAC_OVERRIDE
// stays so that output can go to directories of other users.
Status drop_privileges();

}  // namespace sfkit::live
