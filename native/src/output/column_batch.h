// One batch of rows of one table, column by column, as src/engine/native.ts describes it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/heap_block.h"
#include "columns.gen.h"

namespace sfkit::output {

struct ColumnValues {
  ColumnType type = ColumnType::kI32;
  // At least `rows` values: int32, int64, uint32 (number of a string) or uint8 (0 or 1) by type. Where a row
  // has no value there is a 0.
  HeapBlock values;
  // Bit i (least significant first) is 1 where row i has a value; empty when every row has one.
  HeapBlock valid;
  // Of a column of times, the same for those that the formats can hold (base/times.h); empty when all can be.
  HeapBlock possible;
};

struct ColumnBatch {
  Table table = Table::kSysflow;
  uint32_t rows = 0;
  uint32_t file = 0;   // how many headers came before the one that the rows stand under
  int64_t begins = 0;  // as in that header
  // String i is string_bytes[offsets[i]..offsets[i + 1]], valid UTF-8; string 0 is the empty one.
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
