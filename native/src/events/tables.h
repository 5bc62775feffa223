// Tables of what only a capture holds (captureTables in native/tables/columns.json), such as
// `events` and `processes`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "events/state_tables.h"
#include "output/column_batch.h"
#include "scap/input.h"

namespace sfkit::events {

struct TableOptions {
  output::Table table = output::Table::kEvents;
  std::string filter;  // for `events` and `calls`: only events that pass it; "" for all
  std::vector<output::Column>
      columns;                       // those that get values; empty for all. The rest hold zeros.
  uint32_t batch_rows = 1;           // rows of a full batch, at least 1
  std::vector<Moment> moments = {};  // of tables of the state at a moment
  // See state::Feed::limit_memory(). Not for tables of lists, which have no more than the lists.
  uint64_t max_memory = 0;
};

// Whether tabulate() makes the table.
bool is_capture_table(output::Table table);

// Passes batches to `give` until it returns false. Events that only serve the state (spec:
// scap-format, section 9) make no rows. `rows` becomes the number of rows. Returns an error if the
// input is not a capture or the filter is wrong; damage is in the summary.
Status tabulate(scap::Input& input, const std::string& name, const TableOptions& options,
                const std::function<bool(output::ColumnBatch)>& give,
                const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& rows);

}  // namespace sfkit::events
