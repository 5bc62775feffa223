// Snappy's raw format (github.com/google/snappy, format_description.txt), reading only.
#pragma once

#include "base/byte_buffer.h"
#include "base/bytes.h"

namespace sfkit::sysflow_file {

// Appends the decompressed form of `in` to `out`. False when `in` is no whole Snappy stream or would give
// more than `limit` bytes; `out` then holds nothing of use.
bool snappy_decompress(Bytes in, size_t limit, ByteBuffer& out);

}  // namespace sfkit::sysflow_file
