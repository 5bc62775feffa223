// Reads the bytes as a SysFlow file and builds tables.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "output/column_sink.h"
#include "sysflow_file/reader.h"

using namespace sfkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = ::memfd_create("sysflow", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
    return 0;

  std::vector<output::Table> tables;
  for (size_t table = 0; table < output::kTableCount; ++table)
    tables.push_back(static_cast<output::Table>(table));
  constexpr uint32_t kBatchRows = 64;
  output::ColumnSink columns(tables, kBatchRows, [](output::ColumnBatch) { return true; });
  const std::atomic<bool> cancel{false};
  InputSummary summary;
  (void)sysflow_file::read_sysflow_file(path, columns, cancel, summary);
  return 0;
}
