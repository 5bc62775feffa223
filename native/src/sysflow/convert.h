// A capture in, SysFlow records out: the whole of the engine's front half behind one call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "base/summary.h"
#include "scap/input.h"
#include "state/containers.h"
#include "sysflow/records.h"
#include "sysflow/tally.h"

namespace sfkit::sysflow {

// How files are followed. kConsumer: each open is a flow of its own, and nothing else is said of files.
// kNoFiles: files and pipes are left out.
enum class Mode : uint8_t { kFlow, kConsumer, kNoFiles };

// How much is alive, told once a second of event time and at the end; read on another thread.
struct TableSizes {
  std::atomic<int64_t> start_seconds{0};  // seconds of the first event
  std::atomic<uint64_t> containers{0}, processes{0}, files{0}, network_flows{0}, file_flows{0},
      process_flows{0};
};

// Meanings as in src/engine/native.ts.
struct ConvertOptions {
  std::string exporter, node_ip, filename;
  int file_read_mode = 2;
  bool file_only = true;
  bool process_flow = true;
  bool containers_only = false;
  bool compat = false;
  std::string filter;  // only events that pass it make records; "" for all
  Mode mode = Mode::kFlow;
  // Seconds of event time after which a header begins anew and entities are written again; 0 for never.
  int64_t rotate_interval = 0;
  TableSizes* sizes = nullptr;
  // Seconds of event time after which what was made so far is flushed; 0 for never.
  int64_t flush_interval = 0;
  // Told each container of which only the id is known when it is first met; may be empty.
  std::function<void(const state::ContainerInfo&)> container_seen;
  // Counts the events that pass the filter; null for not at all.
  Tally* tally = nullptr;
  // Ends the input where it is when it becomes true.
  const std::atomic<bool>* stop = nullptr;
};

// Reads the capture to its end and gives every record to `sink` (then sink.finish()).
// Returns not-ok only when nothing could be read; damage is in the summary. `name` is for messages.
Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, InputSummary& summary);
// The same for the capture at `path`; "-" is standard input.
Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, InputSummary& summary);

}  // namespace sfkit::sysflow
