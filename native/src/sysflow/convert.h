// A capture in, SysFlow records out: the whole of the engine's front half behind one call.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "base/summary.h"
#include "scap/input.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

// Meanings as in src/engine/native.ts.
struct ConvertOptions {
  std::string exporter, node_ip, filename;
  int file_read_mode = 2;
  bool file_only = true;
  bool process_flow = true;
  bool containers_only = false;
  bool compat = false;
  std::string filter;  // only events that pass it make records; "" for all
};

// Reads the capture to its end and gives every record to `sink` (then sink.finish()).
// Returns not-ok only when nothing could be read; damage is in the summary. `name` is for messages.
Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, InputSummary& summary);
// The same for the capture at `path`; "-" is standard input.
Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, InputSummary& summary);

}  // namespace sfkit::sysflow
