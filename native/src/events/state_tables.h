// Tables of the state at moments: processes, threads, descriptors and sockets of the whole machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "events/field_rows.h"
#include "scap/input.h"

namespace sfkit::events {

struct Moment {
  enum class Kind : uint8_t {
    kStart,     // before the first event
    kEnd,       // after the last event
    kTime,      // ns since 1970
    kRelative,  // ns since the first system call
  };
  Kind kind = Kind::kStart;
  uint64_t value = 0;
};

// Descriptors that a table shows of one moment: processes can share large descriptor tables, so the
// rows of a capture could otherwise exceed any limit.
inline constexpr uint64_t kMaxDescriptorsAtMoment = 1'000'000;

// Adds the rows of each moment: the state before the first event that is later. Reading ends when
// all moments have rows. `moment_number` of a row is the index of its moment. Not ok if the input
// is not a capture.
Status tabulate_state(scap::Input& input, const std::string& name, output::Table table,
                      const std::vector<Moment>& moments, FieldRows& rows,
                      const std::atomic<bool>& cancel, InputSummary& summary,
                      uint64_t max_descriptors = kMaxDescriptorsAtMoment);

}  // namespace sfkit::events
