// Rows of a table whose columns show fields of events (native/tables/columns.json).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "fields/fields.h"
#include "output/column_batch.h"
#include "output/table_builder.h"

namespace sfkit::events {

// The field of a name that exists.
fields::FieldRef field_named(std::string_view name);

class FieldRows {
 public:
  // A column that gets values, and the field that it shows if it shows one.
  struct Wanted {
    output::Column column;
    output::ColumnType type;
    bool nullable = false;
    output::Group group = output::Group::kAlways;  // of a number that a row may lack
    bool has_field = false;
    fields::FieldRef field;
  };
  using Give = std::function<bool(output::ColumnBatch)>;

  // The columns of a table that get values: those of `chosen`, or all if it is empty.
  static Result<std::vector<Wanted>> resolve(output::Table table,
                                             const std::vector<output::Column>& chosen);

  // `batch_rows`: rows of a full batch, at least 1. `give` takes batches until it returns false.
  FieldRows(output::Table table, std::vector<Wanted> wanted, uint32_t batch_rows, Give give)
      : wanted_(std::move(wanted)), builder_(table, batch_rows), give_(std::move(give)) {}

  // Adds a row. `put(const Wanted&)` sets a value with one of the functions below and returns
  // whether the row has one. Returns false if the consumer wants no more rows.
  template <typename Put>
  bool add(Put put) {
    ++rows_;
    builder_.begin_row();
    output::Groups groups = 0;
    for (const Wanted& wanted : wanted_) {
      if (put(wanted)) groups |= output::bit(wanted.group);
    }
    builder_.end_row(groups);
    return !builder_.full() || flush();
  }
  // Passes the remaining rows to `give`; false if it rejects them.
  bool flush() { return builder_.rows() == 0 || give_(builder_.take()); }

  bool field(const Wanted& wanted, const fields::FieldValue& value);
  bool text(const Wanted& wanted, std::string_view value) {
    builder_.set_string(wanted.column, builder_.intern(value));
    return true;
  }
  bool number(const Wanted& wanted, int64_t value) {
    builder_.set_i64(wanted.column, value);
    return true;
  }
  bool small_number(const Wanted& wanted, int32_t value) {
    builder_.set_i32(wanted.column, value);
    return true;
  }
  bool truth(const Wanted& wanted, bool value) {
    builder_.set_bool(wanted.column, value);
    return true;
  }
  // A missing text needs a special index. A missing number needs none: its group has no value in
  // this row.
  bool missing(const Wanted& wanted) {
    if (wanted.type == output::ColumnType::kStr)
      builder_.set_string(wanted.column, wanted.nullable ? output::kNoString : builder_.intern({}));
    return false;
  }

  const std::vector<Wanted>& wanted() const { return wanted_; }
  uint64_t rows() const { return rows_; }
  uint64_t cut_texts() const { return builder_.cut_texts(); }

 private:
  const std::vector<Wanted> wanted_;
  output::TableBuilder builder_;
  const Give give_;
  uint64_t rows_ = 0;
};

}  // namespace sfkit::events
