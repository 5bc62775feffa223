// A batch of rows of one table, stored by column (see src/engine/native.ts).
#pragma once

#include <cstdint>
#include <vector>

#include "base/heap_block.h"
#include "columns.gen.h"

namespace sfkit::output {

struct ColumnValues {
  ColumnType type = ColumnType::kI32;
  // At least `rows` values of the type's C++ type: int32, int64, uint32 (string index) or uint8 (0
  // or 1). Missing values are 0.
  HeapBlock values;
  // Validity bitmap, least significant bit first: 1 if the row has a value. Empty if all rows have
  // one.
  HeapBlock valid;
  // For time columns: bitmap of the times that the formats can store (base/times.h). Empty if all
  // are.
  HeapBlock possible;
};

struct ColumnBatch {
  Table table = Table::kSysflow;
  uint32_t rows = 0;
  uint32_t file = 0;          // index of the rotation that the rows belong to
  int64_t start_seconds = 0;  // from that rotation's header
  // String i is string_bytes[offsets[i]..offsets[i + 1]], valid UTF-8; string 0 is empty.
  uint32_t string_count = 0;
  size_t string_size = 0;
  HeapBlock string_offsets;  // string_count + 1 uint32
  HeapBlock string_bytes;
  std::vector<ColumnValues> columns;  // in the order of kTables[table].columns
};

constexpr size_t value_size(ColumnType type) {
  switch (type) {
    case ColumnType::kI32:
    case ColumnType::kStr: return 4;
    case ColumnType::kI64: return 8;
    case ColumnType::kBool: return 1;
  }
  return 0;
}

}  // namespace sfkit::output
