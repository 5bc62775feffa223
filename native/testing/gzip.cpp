#include "testing/gzip.h"

#include <zlib.h>

#include <cstdint>

namespace sfkit::testing {

std::string gzip(std::string_view text, const std::vector<size_t>& flushes) {
  z_stream stream{};
  constexpr int kGzipWindow = 16 + 15;
  constexpr int kMemory = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  constexpr size_t kPerFlush = 64;
  std::string packed(deflateBound(&stream, text.size()) + kPerFlush * (flushes.size() + 1), '\0');
  stream.next_out = reinterpret_cast<uint8_t*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  std::string copy(text);
  size_t from = 0;
  const auto feed = [&](size_t to, int flush) {
    stream.next_in = reinterpret_cast<uint8_t*>(copy.data() + from);
    stream.avail_in = static_cast<uInt>(to - from);
    deflate(&stream, flush);
    from = to;
  };
  for (const size_t at : flushes) feed(at, Z_FULL_FLUSH);
  feed(text.size(), Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace sfkit::testing
