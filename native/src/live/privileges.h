// Rights that are needed to begin a capture and not to go on with it.
#pragma once

#include "base/status.h"

namespace sfkit::live {

// Gives up, in every thread of the process and for good, all capabilities but the one to open files of
// others: output may be wanted in a directory that is not the user's own.
Status drop_privileges();

}  // namespace sfkit::live
