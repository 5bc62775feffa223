// Statistics of one input. They do not depend on the output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reasons.gen.h"

namespace sfkit {

struct Damage {
  std::string kind;
  uint64_t offset = 0;  // bytes from the start of the (decompressed) stream
  uint64_t skipped_bytes = 0;
  std::string message;
};

struct Skipped {
  Reason reason = {};
  uint64_t count = 0;
};

struct InputSummary {
  std::string format, compression;
  uint64_t events = 0, bytes = 0;
  std::vector<Damage> damage;
  std::vector<Skipped> skipped;
  std::vector<Skipped> notes;             // shown in another form; nothing is lost
  int64_t first_time = 0, last_time = 0;  // ns since 1970, 0 without events

  void add_skipped(Reason reason, uint64_t count) {
    if (count > 0) skipped.push_back({reason, count});
  }
  void add_note(Reason reason, uint64_t count) {
    if (count > 0) notes.push_back({reason, count});
  }
};

}  // namespace sfkit
