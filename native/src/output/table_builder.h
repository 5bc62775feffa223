// Rows of one table under construction.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "columns.gen.h"
#include "output/column_batch.h"
#include "output/dictionary.h"

namespace sfkit::output {

using Groups = uint32_t;

constexpr Groups bit(Group group) {
  return Groups{1} << static_cast<unsigned>(group);
}

constexpr Group group_of(Column column) {
  return kColumnGroups[static_cast<size_t>(column)];
}

// The number of a string that a row does not have although its group has values.
inline constexpr uint32_t kNoString = UINT32_MAX;

class TableBuilder {
 public:
  // `batch_rows`: rows of a full batch, at least 1.
  TableBuilder(Table table, uint32_t batch_rows);

  Table table() const { return table_; }
  // Differs from batch to batch; numbers of strings hold within one. Never 0.
  uint32_t epoch() const { return epoch_; }
  uint32_t rows() const { return rows_; }
  uint32_t intern(std::string_view text) { return dictionary_.intern(text); }

  // A row is begun, its values are set in any order, and it is ended with the groups that have
  // values. Columns that the table does not have are ignored. Strings of nullable columns may be
  // kNoString.
  void begin_row() {
    if (rows_ == capacity_) grow();
  }
  void set_i32(Column column, int32_t value) { set(column, value); }
  void set_i64(Column column, int64_t value) { set(column, value); }
  void set_string(Column column, uint32_t number) { set(column, number); }
  void set_bool(Column column, bool value) { set(column, static_cast<uint8_t>(value)); }
  void end_row(Groups groups) {
    validity_[rows_] = groups;
    common_ &= groups;
    ++rows_;
  }

  // The batch has as many rows, or as much text, as a batch may have.
  bool full() const { return rows_ == batch_rows_ || dictionary_.size() >= kMaxText; }
  // Texts that were longer than a table takes.
  uint64_t cut_texts() const { return dictionary_.cut(); }
  // Returns the rows so far and resets the builder.
  ColumnBatch take();

 private:
  // More would cost memory and gain no time.
  static constexpr size_t kMaxText = size_t{8} << 20;

  template <typename T>
  void set(Column column, T value) {
    if (uint8_t* const values = at_[static_cast<size_t>(column)])
      reinterpret_cast<T*>(values)[rows_] = value;
  }
  void grow();
  void allocate(uint32_t capacity);
  HeapBlock bitmap(Group group) const;
  void drop_missing(ColumnValues& column, Group group) const;
  void mark_impossible(ColumnValues& column, Group group) const;

  Table table_;
  uint32_t batch_rows_;
  uint32_t next_capacity_;
  uint32_t capacity_ = 0;
  uint32_t rows_ = 0;
  uint32_t epoch_ = 1;
  Groups common_ = ~Groups{0};               // groups that all rows have
  std::vector<HeapBlock> values_;            // in the order of the table's columns
  std::array<uint8_t*, kColumnCount> at_{};  // the same by column; null where the table lacks it
  std::vector<Groups> validity_;             // by row
  Dictionary dictionary_;
};

}  // namespace sfkit::output
