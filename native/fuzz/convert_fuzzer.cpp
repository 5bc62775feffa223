// The whole way from a capture to a SysFlow file and to tables, in both behaviours.
#include <atomic>
#include <cstdint>
#include <vector>

#include "fuzz/check.h"
#include "output/avro_container.h"
#include "output/column_sink.h"
#include "sysflow/convert.h"

namespace {

using namespace sfkit;

InputSummary convert(Bytes bytes, const sysflow::ConvertOptions& options, sysflow::RecordSink& sink) {
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  auto input = scap::Input::over(bytes);
  (void)sysflow::convert_capture(*input.value(), "fuzz", options, sink, cancel, summary);
  return summary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes bytes(data, size);
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

  // What is in a file does not depend on what is made of it.
  fuzz::check(first.events == second.events && first.bytes == second.bytes);
  fuzz::check(first.damage.size() == second.damage.size());
  return 0;
}
