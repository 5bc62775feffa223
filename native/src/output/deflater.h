// Compresses the blocks of Avro object containers.
#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"

namespace sfkit::output {

// How blocks are compressed; the name in the file's header is codec_name().
enum class Codec : uint8_t {
  kNull,     // not at all: every byte of a file is the same on every machine
  kDeflate,  // what blocks decompress to is the same on every machine
};

inline const char* codec_name(Codec codec) {
  return codec == Codec::kNull ? "null" : "deflate";
}

// Compresses to raw deflate (RFC 1951). Blocks are independent of each other.
class Deflater {
 public:
  enum class Library : uint8_t { kFastest, kZlib };

  // The fastest library of this build: libdeflate, or zlib without it.
  static std::unique_ptr<Deflater> make(Library library = Library::kFastest);
  // Name of the fastest library of this build.
  static const char* library_name();

  virtual ~Deflater() = default;

  // The result depends only on the blocks so far, and is valid until the next call. Without memory
  // for compression it has stored blocks.
  Bytes deflate(Bytes in);

 protected:
  // Appends the compressed block to `out`; false if that is impossible.
  virtual bool compress(Bytes in, ByteBuffer& out) = 0;

 private:
  void store(Bytes in);

  ByteBuffer out_;
};

}  // namespace sfkit::output
