// Decompresses gzip members with isa-l if available (twice as fast), else with zlib.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace sfkit::scap {

class Inflater {
 public:
  enum class Outcome : uint8_t {
    kMore,       // the member continues: provide more input or room
    kMemberEnd,  // the member is complete and its checksum matches
    kDamaged,    // see failure(); reset() makes the inflater usable again
  };
  struct Step {
    size_t consumed = 0;
    size_t produced = 0;
    Outcome outcome = Outcome::kMore;
  };

  virtual ~Inflater() = default;

  // Consumes bytes of `in` and writes at most `room` bytes to `out`. The first input must be a
  // member's start; each later step continues where the last one stopped.
  virtual Step step(Bytes in, uint8_t* out, size_t room) = 0;
  // Prepares for another member.
  virtual void reset() = 0;

  // Describes the damage after kDamaged.
  const std::string& failure() const { return failure_; }

  // nullptr if out of memory.
  static std::unique_ptr<Inflater> zlib();
  // Raw deflate data without a gzip header, as after a full flush. Checks no checksum.
  static std::unique_ptr<Inflater> zlib_raw();
  // nullptr if the build or the machine has no isa-l.
  static std::unique_ptr<Inflater> isal();

 protected:
  std::string failure_;
};

}  // namespace sfkit::scap
