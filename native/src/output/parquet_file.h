// Writes one table as a Parquet file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.h"
#include "output/parquet_column.h"

namespace sfkit::output {

struct ParquetSettings {
  std::vector<ParquetColumn> columns;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string creator;
  // A row group ends at this number of bytes of pages and dictionaries in memory.
  size_t group_bytes = 0;
};

// Returns the file in parts, to be written one after the other. Memory holds one row group, encoded
// and compressed, and the rows of one page. The same rows in the same batches give the same bytes
// on every machine.
class ParquetFile {
 public:
  explicit ParquetFile(ParquetSettings settings);

  // Bytes that are complete; valid until the next call. `rows` has the columns of the batch.
  Bytes append(const ParquetRows& rows);
  // The rest of the file.
  Bytes finish();

 private:
  void end_page();
  void end_group();
  void put_group(const std::vector<ParquetChunk>& chunks, int64_t start);
  void put_schema(class ThriftWriter& thrift) const;
  Bytes take();

  ParquetSettings settings_;
  std::vector<ParquetColumnWriter> columns_;
  TextNumbers texts_;
  uint64_t page_rows_ = 0;
  uint64_t group_rows_ = 0;
  uint64_t rows_ = 0;
  uint32_t groups_ = 0;
  ByteBuffer group_metadata_;  // of all row groups, as it will be in the footer
  ByteBuffer out_;
  int64_t written_ = 0;  // bytes before out_
  bool given_ = false;   // out_ was returned
};

}  // namespace sfkit::output
