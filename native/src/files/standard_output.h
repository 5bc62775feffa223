// Whether the process was started with a standard output to write to.
#pragma once

namespace sfkit::files {

// Node opens /dev/null in place of standard streams that are closed, so that writing to them works. It does
// so for reading and writing and for each one alone, unlike a shell (for writing) and daemons (one /dev/null
// for several streams). Where standard error is such a one, too, both are meant to be discarded.
bool is_standard_output_closed();

}  // namespace sfkit::files
