// All conversions of a capture: SysFlow file and tables, in both modes; lines of text; recovery.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "events/capture_info.h"
#include "events/listing.h"
#include "fuzz/check.h"
#include "output/avro_container.h"
#include "output/column_sink.h"
#include "recover.h"
#include "sysflow/convert.h"

namespace sfkit::fuzz {

inline InputSummary convert(Bytes bytes, const sysflow::ConvertOptions& options,
                            sysflow::RecordSink& sink) {
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  auto input = scap::Input::over(bytes);
  (void)sysflow::convert_capture(*input.value(), "fuzz", options, sink, cancel, summary);
  return summary;
}

// Every line is complete and cannot control a terminal.
inline void list(Bytes bytes, events::ListOptions::Format format) {
  events::ListOptions options;
  options.format = format;
  const auto look = [](const std::vector<uint8_t>& lines) {
    check(lines.back() == '\n');
    for (const uint8_t byte : lines) check(byte >= 0x20 ? byte != 0x7f : byte == '\n');
    return true;
  };
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  uint64_t shown = 0;
  auto input = scap::Input::over(bytes);
  (void)events::list_events(*input.value(), "fuzz", options, look, cancel, summary, shown);
}

// A recovered capture has all events and no damage.
inline void check_recovery(Bytes bytes) {
  std::vector<uint8_t> recovered;
  const auto keep = [&recovered](const std::vector<uint8_t>& part) {
    recovered.insert(recovered.end(), part.begin(), part.end());
    return true;
  };
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  uint64_t written = 0;
  auto input = scap::Input::over(bytes);
  if (!recover_capture(*input.value(), "fuzz", keep, cancel, summary, written).is_ok()) return;
  auto again = scap::Input::over(Bytes(recovered.data(), recovered.size()));
  InputSummary clean;
  events::CaptureInfo info;
  check(events::inspect_capture(*again.value(), "recovered", {}, cancel, clean, info).is_ok());
  check(clean.damage.empty() && clean.events == written);
}

inline void run_all_conversions(Bytes bytes) {
  sysflow::ConvertOptions everything;
  everything.file_read_mode = 0;
  everything.file_only = false;
  everything.process_flow = false;
  sysflow::ConvertOptions compatible;
  compatible.compat = true;

  uint64_t written = 0;
  output::AvroContainer file([&written](std::vector<uint8_t> block) {
    written += block.size();
    return true;
  });
  const auto first = convert(bytes, everything, file);

  std::vector<output::Table> tables;
  for (size_t table = 0; table < output::kTableCount; ++table)
    tables.push_back(static_cast<output::Table>(table));
  constexpr uint32_t kBatchRows = 64;
  output::ColumnSink columns(tables, kBatchRows, [](output::ColumnBatch) { return true; });
  const auto second = convert(bytes, compatible, columns);

  // The statistics of the input do not depend on the output.
  check(first.events == second.events && first.bytes == second.bytes);
  check(first.damage.size() == second.damage.size());

  list(bytes, events::ListOptions::Format::kText);
  list(bytes, events::ListOptions::Format::kJson);
  check_recovery(bytes);
}

}  // namespace sfkit::fuzz
