// What the feeds that make tables of a capture share.
#pragma once

#include <atomic>
#include <string>

#include "base/status.h"
#include "base/summary.h"
#include "filter/feed.h"
#include "scap/blocks.h"

namespace sfkit::events {

// Reads a capture through a feed, and completes the summary. Fails if the input is not a capture.
template <typename Feed>
Status read_table(scap::Input& input, const std::string& name, Feed& feed,
                  const std::atomic<bool>& cancel, InputSummary& summary) {
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, feed, stats); !status.is_ok()) return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  feed.describe(summary, input, stats);
  summary.add_skipped(Reason::kFilteredEvents, feed.left_out());
  return Status::ok();
}

}  // namespace sfkit::events
