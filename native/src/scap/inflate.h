// Decompression of gzip members by the library that is there: isa-l, twice as fast, or zlib.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace sfkit::scap {

class Inflater {
 public:
  enum class Outcome : uint8_t {
    kMore,       // the member goes on: give more input or more room
    kMemberEnd,  // the member is complete and its checksum right
    kDamaged,    // see failure(); reset() makes the inflater usable again
  };
  struct Step {
    size_t consumed = 0;
    size_t produced = 0;
    Outcome outcome = Outcome::kMore;
  };

  virtual ~Inflater() = default;

  // Takes from `in`, writes at most `room` bytes at `out`. Input must start at a member's first byte and
  // continue where the last step left off.
  virtual Step step(Bytes in, uint8_t* out, size_t room) = 0;
  // Ready for the first byte of another member.
  virtual void reset() = 0;

  // Why the last step ended in damage.
  const std::string& failure() const { return failure_; }

  // nullptr when memory is short.
  static std::unique_ptr<Inflater> zlib();
  // Deflate data without a gzip wrapping, as stands behind a full flush; never ends in a checksum.
  static std::unique_ptr<Inflater> zlib_raw();
  // nullptr when this build or this machine is without isa-l.
  static std::unique_ptr<Inflater> isal();

 protected:
  std::string failure_;
};

}  // namespace sfkit::scap
