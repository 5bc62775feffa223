// Decompresses Snappy's raw format (github.com/google/snappy, format_description.txt).
#pragma once

#include "base/byte_buffer.h"
#include "base/bytes.h"

namespace sfkit::sysflow_file {

// Appends the decompressed `in` to `out`. False if `in` is not a complete Snappy stream or exceeds
// `limit` bytes; the content of `out` is then unspecified.
bool snappy_decompress(Bytes in, size_t limit, ByteBuffer& out);

}  // namespace sfkit::sysflow_file
