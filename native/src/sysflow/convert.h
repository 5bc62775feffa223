// Converts a capture to SysFlow records.
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

// Which file records to make. kConsumer: one flow for each open, and no other file records.
// kNoFiles: no records of files and pipes.
enum class Mode : uint8_t { kFlow, kConsumer, kNoFiles };

// Table sizes, updated once a second of event time and at the end. Other threads read them.
struct TableSizes {
  std::atomic<int64_t> start_seconds{0};  // time of the first event
  std::atomic<uint64_t> containers{0}, processes{0}, files{0}, network_flows{0}, file_flows{0},
      process_flows{0};
};

// The options of src/engine/native.ts.
struct ConvertOptions {
  std::string exporter, node_ip, filename;
  int file_read_mode = 2;
  bool file_only = true;
  bool process_flow = true;
  bool containers_only = false;
  bool compat = false;
  std::string filter;  // only events that match make records; "" for all
  Mode mode = Mode::kFlow;
  // Seconds of event time between rotations, which repeat the header and write entities again; 0
  // for none.
  int64_t rotate_interval = 0;
  // Called before each header with the second at which its file starts; returns the file's name for
  // the header. The first call waits for the first event with a time. May be empty.
  std::function<std::string(int64_t second)> name_file;
  TableSizes* sizes = nullptr;
  // Bytes that the engine may take, at least state::MemoryBudget::kMinLimit; 0 for no limit.
  uint64_t max_memory = 0;
  // Seconds of event time between calls of sink.flush(); 0 for none.
  int64_t flush_interval = 0;
  // Called once for each new container that the capture does not describe; may be empty.
  std::function<void(const state::ContainerInfo&)> container_seen;
  // Counts the events that match the filter; may be null.
  Tally* tally = nullptr;
  // Ends the input at the current event once it is true; may be null.
  const std::atomic<bool>* stop = nullptr;
};

// Reads the capture to its end and writes every record to `sink`, then calls sink.finish(). Returns
// an error if nothing could be read or on `cancel`; `summary` lists damage. `name` is for messages.
Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, InputSummary& summary);
// Converts the file `path`; "-" is standard input.
Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, InputSummary& summary);

}  // namespace sfkit::sysflow
