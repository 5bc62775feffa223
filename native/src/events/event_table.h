// The events of a capture as rows of the table `events` (native/tables/columns.json).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "output/column_batch.h"
#include "scap/input.h"

namespace sfkit::events {

struct TableOptions {
  std::string filter;                   // only events that pass it; "" for all
  std::vector<output::Column> columns;  // those that get values; empty for all. The rest hold zeros.
  uint32_t batch_rows = 1;              // rows of a full batch, at least 1
};

// Gives batches to `give` until it returns false. Events that only serve the state (spec: scap-format,
// section 9) are left out. `rows` becomes the number of rows. Not ok when the input is no capture or the
// filter is wrong; damage is in the summary.
Status tabulate_events(scap::Input& input, const std::string& name, const TableOptions& options,
                       const std::function<bool(output::ColumnBatch)>& give, const std::atomic<bool>& cancel,
                       InputSummary& summary, uint64_t& rows);

}  // namespace sfkit::events
