#include "events/field_rows.h"

#include <algorithm>
#include <utility>

#include "state/values.h"

namespace sfkit::events {

using fields::FieldValue;
using output::Column;
using output::ColumnType;

fields::FieldRef field_named(std::string_view name) {
  size_t used = 0;
  return std::move(fields::parse_field(name, used).value());
}

Result<std::vector<FieldRows::Wanted>> FieldRows::resolve(output::Table table,
                                                          const std::vector<Column>& chosen) {
  std::vector<Wanted> wanted;
  for (const auto& [column, nullable] : output::kTables[static_cast<size_t>(table)].columns) {
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), column) == chosen.end())
      continue;
    const output::ColumnSpec& spec = output::kColumns[static_cast<size_t>(column)];
    Wanted one{column, spec.type, nullable, output::group_of(column), false, {}};
    if (!spec.field.empty()) {
      size_t used = 0;
      auto field = fields::parse_field(spec.field, used);
      if (!field.is_ok()) return field.status();
      one.field = std::move(field.value());
      one.has_field = true;
    }
    wanted.push_back(std::move(one));
  }
  return wanted;
}

bool FieldRows::field(const Wanted& wanted, const FieldValue& value) {
  if (value.is_missing()) return missing(wanted);
  const bool is_text =
      value.kind == FieldValue::Kind::kText || value.kind == FieldValue::Kind::kBytes;
  const auto integer =
      value.kind == FieldValue::Kind::kSigned ? value.integer : static_cast<int64_t>(value.number);
  switch (wanted.type) {
    case ColumnType::kI32:
      builder_.set_i32(wanted.column, static_cast<int32_t>(integer));
      return true;
    case ColumnType::kI64: return number(wanted, integer);
    case ColumnType::kBool: return truth(wanted, value.number != 0);
    case ColumnType::kStr: break;
  }
  if (!is_text) return missing(wanted);
  const bool is_absent = value.text.empty() || value.text == state::kNotAvailable;
  return is_absent && wanted.nullable ? missing(wanted) : text(wanted, value.text);
}

}  // namespace sfkit::events
