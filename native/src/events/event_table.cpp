#include "events/event_table.h"

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "event_names.gen.h"
#include "filter/feed.h"
#include "output/table_builder.h"
#include "scap/blocks.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using fields::FieldRef;
using fields::FieldValue;
using output::Column;
using output::ColumnType;
using output::Group;
using output::Groups;

// A column that gets values, and the field that it shows if it is one's.
struct WantedColumn {
  Column column;
  ColumnType type;
  bool nullable = false;
  Group group = Group::kAlways;  // of a number that a row may lack
  bool has_field = false;
  FieldRef field;
};

Result<std::vector<WantedColumn>> resolve(const std::vector<Column>& chosen) {
  std::vector<WantedColumn> wanted;
  for (const auto& [column, nullable] :
       output::kTables[static_cast<size_t>(output::Table::kEvents)].columns) {
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), column) == chosen.end()) continue;
    const output::ColumnSpec& spec = output::kColumns[static_cast<size_t>(column)];
    WantedColumn one{column, spec.type, nullable, output::group_of(column), false, {}};
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

class Tabulator : public filter::Feed {
 public:
  Tabulator(std::unique_ptr<filter::Filter> filter, std::vector<WantedColumn> wanted, uint32_t batch_rows,
            const std::function<bool(output::ColumnBatch)>& give, const std::atomic<bool>& cancel)
      : Feed(std::move(filter), false, cancel),
        wanted_(std::move(wanted)),
        builder_(output::Table::kEvents, batch_rows),
        give_(give) {}

  // Gives what is left; false when it was not wanted.
  bool flush() { return builder_.rows() == 0 || give_(builder_.take()); }
  uint64_t rows() const { return rows_; }
  uint64_t cut_texts() const { return builder_.cut_texts(); }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    apply_passing(event, shown, [this](const state::Context& context) { add(context); });
    return !builder_.full() || flush();
  }

 private:
  void add(const state::Context& context) {
    ++rows_;
    builder_.begin_row();
    Groups groups = 0;
    for (const WantedColumn& wanted : wanted_) {
      if (put(wanted, context)) groups |= output::bit(wanted.group);
    }
    builder_.end_row(groups);
  }

  // Whether the row has a value there.
  bool put(const WantedColumn& wanted, const state::Context& context) {
    switch (wanted.column) {
      case Column::kEventsDirection:
        text(wanted, scap::is_enter(context.event->code) ? "enter" : "exit");
        return true;
      case Column::kEventsFailed: builder_.set_bool(wanted.column, failed(context)); return true;
      case Column::kEventsError:
        if (!failed(context)) return missing(wanted);
        break;
      case Column::kEventsContainerId:
      case Column::kEventsContainerName:
        if (context.thread == nullptr || context.thread->container == 0) return missing(wanted);
        break;
      case Column::kEventsArgumentsJson: return arguments(wanted, context);
      case Column::kEventsBufferBase64: return buffer(wanted);
      case Column::kEventsLatency:
        if (scap::is_enter(context.event->code)) return missing(wanted);
        break;
      default: break;
    }
    return wanted.has_field ? put(wanted, reader().get(wanted.field)) : missing(wanted);
  }

  bool put(const WantedColumn& wanted, const FieldValue& value) {
    if (value.is_missing()) return missing(wanted);
    switch (wanted.type) {
      case ColumnType::kI32:
        builder_.set_i32(wanted.column, static_cast<int32_t>(number(value)));
        return true;
      case ColumnType::kI64: builder_.set_i64(wanted.column, number(value)); return true;
      case ColumnType::kBool: builder_.set_bool(wanted.column, value.number != 0); return true;
      case ColumnType::kStr: break;
    }
    if (value.kind != FieldValue::Kind::kText && value.kind != FieldValue::Kind::kBytes)
      return missing(wanted);
    const bool is_absent = value.text.empty() || value.text == state::kNotAvailable;
    if (is_absent && wanted.nullable) return missing(wanted);
    text(wanted, value.text);
    return true;
  }

  static int64_t number(const FieldValue& value) {
    return value.kind == FieldValue::Kind::kSigned ? value.integer : static_cast<int64_t>(value.number);
  }

  static bool failed(const state::Context& context) {
    return context.call != nullptr && !scap::is_enter(context.event->code) && context.call->result() < 0;
  }

  void text(const WantedColumn& wanted, std::string_view value) {
    builder_.set_string(wanted.column, builder_.intern(value));
  }

  // A text has a mark where it is missing; a number has none, its group is not set.
  bool missing(const WantedColumn& wanted) {
    if (wanted.type == ColumnType::kStr) builder_.set_string(wanted.column, output::kNoString);
    return false;
  }

  bool buffer(const WantedColumn& wanted) {
    const FieldValue value = reader().get(wanted.field);
    if (value.is_missing()) return missing(wanted);
    text_.clear();
    append_base64(text_, Bytes(value.text));
    text(wanted, text_);
    return true;
  }

  bool arguments(const WantedColumn& wanted, const state::Context& context) {
    const scap::EventView& event = *context.event;
    text_ = "{";
    for (uint32_t i = 0; i < event.size(); ++i) {
      if (i != 0) text_ += ',';
      const scap::ParamInfo& info = scap::kParams[event.info().first_param + i];
      append_json_string(text_, scap::kParamNames[static_cast<size_t>(info.name)]);
      text_ += ':';
      value_.clear();
      reader().parameters().append(value_, event, i, context.thread);
      append_json_string(text_, value_);
    }
    text_ += '}';
    text(wanted, text_);
    return true;
  }

  const std::vector<WantedColumn> wanted_;
  output::TableBuilder builder_;
  const std::function<bool(output::ColumnBatch)>& give_;
  uint64_t rows_ = 0;
  std::string text_;
  std::string value_;
};

}  // namespace

Status tabulate_events(scap::Input& input, const std::string& name, const TableOptions& options,
                       const std::function<bool(output::ColumnBatch)>& give, const std::atomic<bool>& cancel,
                       InputSummary& summary, uint64_t& rows) {
  auto wanted = resolve(options.columns);
  if (!wanted.is_ok()) return wanted.status();
  auto filter = filter::compile_optional(options.filter);
  if (!filter.is_ok()) return filter.status();
  Tabulator table(std::move(filter.value()), std::move(wanted.value()), options.batch_rows, give, cancel);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, table, stats); !status.is_ok()) return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  table.flush();
  rows = table.rows();
  table.describe(summary, input, stats);
  summary.add_skipped("events that the filter leaves out", table.left_out());
  summary.add_skipped("texts cut at 1 MiB, the most that tables take", table.cut_texts());
  return Status::ok();
}

}  // namespace sfkit::events
