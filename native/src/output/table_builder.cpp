#include "output/table_builder.h"

#include <algorithm>
#include <utility>

#include "base/times.h"

namespace sfkit::output {

namespace {

constexpr uint32_t kFirstRows = 1024;

}  // namespace

TableBuilder::TableBuilder(Table table, uint32_t batch_rows)
    : table_(table), batch_rows_(batch_rows), next_capacity_(std::min(batch_rows, kFirstRows)) {}

void TableBuilder::allocate(uint32_t capacity) {
  const auto columns = kTables[static_cast<size_t>(table_)].columns;
  values_.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto column = static_cast<size_t>(columns[i].column);
    values_[i].resize(capacity * value_size(kColumns[column].type));
    at_[column] = values_[i].data();
  }
  validity_.resize(capacity);
  capacity_ = capacity;
}

void TableBuilder::grow() {
  allocate(next_capacity_);
  next_capacity_ = static_cast<uint32_t>(std::min<uint64_t>(batch_rows_, uint64_t{capacity_} * 2));
}

HeapBlock TableBuilder::bitmap(Group group) const {
  HeapBlock block((size_t{rows_} + 7) / 8);
  const bool always = group == Group::kAlways;
  const auto shift = static_cast<unsigned>(group);
  uint8_t* const bytes = block.data();
  const auto has = [&](uint32_t row) { return always ? 1 : validity_[row] >> shift & 1; };
  uint32_t row = 0;
  for (; row + 8 <= rows_; row += 8) {
    Groups byte = 0;
    for (uint32_t i = 0; i < 8; ++i) byte |= has(row + i) << i;
    bytes[row / 8] = static_cast<uint8_t>(byte);
  }
  for (; row < rows_; ++row)
    bytes[row / 8] = static_cast<uint8_t>(bytes[row / 8] | has(row) << (row % 8));
  return block;
}

// Rows without a string lose their mark in the values and get one in the bitmap.
void TableBuilder::drop_missing(ColumnValues& column, Group group) const {
  auto* const numbers = column.values.as<uint32_t>();
  uint32_t missing = 0;
  for (uint32_t row = 0; row < rows_; ++row)
    missing |= static_cast<uint32_t>(numbers[row] == kNoString);
  if (missing == 0) return;
  if (!column.valid) column.valid = bitmap(group);
  uint8_t* const bytes = column.valid.data();
  for (uint32_t row = 0; row < rows_; row += 8) {
    const uint32_t count = std::min(8u, rows_ - row);
    uint32_t gone = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t is_gone = numbers[row + i] == kNoString ? 1 : 0;
      gone |= is_gone << i;
      numbers[row + i] &= is_gone - 1;
    }
    bytes[row / 8] = static_cast<uint8_t>(bytes[row / 8] & ~gone);
  }
}

void TableBuilder::mark_impossible(ColumnValues& column, Group group) const {
  const auto* const times = column.values.as<int64_t>();
  bool impossible = false;
  for (uint32_t row = 0; row < rows_; ++row) impossible |= !is_possible_time(times[row]);
  if (!impossible) return;
  column.possible = bitmap(group);
  uint8_t* const bytes = column.possible.data();
  for (uint32_t row = 0; row < rows_; ++row) {
    if (!is_possible_time(times[row]))
      bytes[row / 8] = static_cast<uint8_t>(bytes[row / 8] & ~(1u << (row % 8)));
  }
}

ColumnBatch TableBuilder::take() {
  const auto columns = kTables[static_cast<size_t>(table_)].columns;
  ColumnBatch batch;
  batch.table = table_;
  batch.rows = rows_;
  batch.string_count = dictionary_.count();
  batch.string_size = dictionary_.size();
  dictionary_.take(batch.string_offsets, batch.string_bytes);
  batch.columns.resize(columns.size());
  std::array<size_t, 32> made{};  // by group, the place plus one of a column that has its bitmap
  for (size_t i = 0; i < columns.size(); ++i) {
    ColumnValues& column = batch.columns[i];
    column.type = kColumns[static_cast<size_t>(columns[i].column)].type;
    column.values = std::move(values_[i]);
    const Group group = group_of(columns[i].column);
    if (group == Group::kTime || group == Group::kEnd) mark_impossible(column, group);
    if (!columns[i].nullable || group == Group::kAlways || (common_ & bit(group)) != 0) continue;
    size_t& first = made[static_cast<size_t>(group)];
    if (first == 0) {
      column.valid = bitmap(group);
      first = i + 1;
    } else {
      const HeapBlock& same = batch.columns[first - 1].valid;
      column.valid = HeapBlock(same.size());
      std::memcpy(column.valid.data(), same.data(), same.size());
    }
  }
  // After the bitmaps of groups were shared.
  for (size_t i = 0; i < columns.size(); ++i) {
    ColumnValues& column = batch.columns[i];
    if (columns[i].nullable && column.type == ColumnType::kStr)
      drop_missing(column, group_of(columns[i].column));
  }
  rows_ = 0;
  common_ = ~Groups{0};
  ++epoch_;
  // The next batch is expected to become as large as this one.
  next_capacity_ = capacity_ != 0 ? capacity_ : next_capacity_;
  capacity_ = 0;
  return batch;
}

}  // namespace sfkit::output
