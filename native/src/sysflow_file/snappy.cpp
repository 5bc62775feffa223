#include "sysflow_file/snappy.h"

namespace sfkit::sysflow_file {

namespace {

// The decompressed length: seven bits per byte, at most five bytes.
bool read_length(Cursor& in, uint64_t& length) {
  length = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const auto byte = in.read<uint8_t>();
    length |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return !in.failed();
  }
  return false;
}

uint32_t read_little_endian(Cursor& in, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint32_t{in.read<uint8_t>()} << (8 * i);
  return value;
}

}  // namespace

bool snappy_decompress(Bytes in, size_t limit, ByteBuffer& out) {
  Cursor cursor(in);
  uint64_t length = 0;
  if (!read_length(cursor, length) || length > limit) return false;
  uint8_t* const begin = out.reserve(length);
  size_t written = 0;

  while (cursor.remaining() != 0) {
    const auto tag = cursor.read<uint8_t>();
    size_t count = 0;
    if ((tag & 3) == 0) {
      count = tag >> 2;
      if (count >= 60) count = read_little_endian(cursor, count - 59);
      ++count;
      const Bytes literal = cursor.take(count);
      if (cursor.failed() || count > length - written) return false;
      std::memcpy(begin + written, literal.data(), count);
      written += count;
      continue;
    }
    size_t offset = 0;
    if ((tag & 3) == 1) {
      count = 4 + (tag >> 2 & 7);
      offset = static_cast<size_t>(tag >> 5) << 8 | cursor.read<uint8_t>();
    } else {
      count = 1 + (tag >> 2);
      offset = read_little_endian(cursor, (tag & 3) == 2 ? 2 : 4);
    }
    if (cursor.failed() || offset == 0 || offset > written || count > length - written)
      return false;
    // Source and target can overlap, which repeats bytes.
    for (size_t i = 0; i < count; ++i) begin[written + i] = begin[written + i - offset];
    written += count;
  }
  if (written != length) return false;
  out.advance(written);
  return true;
}

}  // namespace sfkit::sysflow_file
