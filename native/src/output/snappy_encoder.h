// Compresses to Snappy's raw format (github.com/google/snappy, format_description.txt).
#pragma once

#include "base/byte_buffer.h"
#include "base/bytes.h"

namespace sfkit::output {

// Appends the compressed `in` to `out`. The same input gives the same bytes on every machine.
void snappy_compress(Bytes in, ByteBuffer& out);

}  // namespace sfkit::output
