// A capture in, SysFlow records out: the whole of the engine's front half behind one call.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
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
};

struct Damage {
  std::string kind;
  uint64_t offset = 0;  // bytes from the start of the (decompressed) stream
  uint64_t skipped_bytes = 0;
  std::string message;
};

struct Skipped {
  std::string reason;
  uint64_t count = 0;
};

struct ConvertSummary {
  std::string format, compression;
  uint64_t events = 0, bytes = 0;
  std::vector<Damage> damage;
  std::vector<Skipped> skipped;
  int64_t first_time = 0, last_time = 0;  // ns since 1970, 0 without events
};

// Reads the capture to its end and gives every record to `sink` (then sink.finish()).
// Returns not-ok only when nothing could be read; damage is in the summary. `name` is for messages.
Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, ConvertSummary& summary);
// The same for the capture at `path`; "-" is standard input.
Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, ConvertSummary& summary);

}  // namespace sfkit::sysflow
