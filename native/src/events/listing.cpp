#include "events/listing.h"

#include <memory>
#include <utility>

#include "base/escape.h"
#include "base/ip_text.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "event_names.gen.h"
#include "filter/feed.h"
#include "scap/blocks.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using fields::FieldReader;
using fields::FieldValue;

constexpr size_t kBatchSize = size_t{256} << 10;

// Members of a JSON object without a template; the parameters follow.
constexpr std::string_view kJsonFields[] = {
    "evt.num",   "evt.time.iso8601", "evt.rawtime", "evt.cpu",     "evt.dir",
    "evt.type",  "evt.code",         "thread.tid",  "proc.pid",    "proc.ppid",
    "proc.name", "proc.exepath",     "proc.cwd",    "user.uid",    "container.id",
    "evt.res",   "evt.rawres",       "fd.num",      "fd.typechar", "fd.name"};

class Printer {
 public:
  Printer(const ListOptions& options, const LineTemplate& line, FieldReader& fields)
      : is_json_(options.format == ListOptions::Format::kJson),
        with_parameters_(is_json_ && options.line.empty()),
        line_(line),
        fields_(fields) {}

  // Appends the current event.
  void append(std::string& out) {
    if (is_json_) {
      append_object(out);
    } else {
      for (const LineTemplate::Piece& piece : line_.pieces()) {
        out += piece.text;
        if (piece.has_field) append_text(out, piece.field.field, fields_.get(piece.field));
      }
    }
    out += '\n';
  }

 private:
  // Missing values are printed as such, except parameters: an event can have none.
  static bool is_shown_missing(fields::Field field, const FieldValue& value) {
    const bool is_text =
        value.kind == FieldValue::Kind::kText || value.kind == FieldValue::Kind::kBytes;
    if (value.is_missing() || (is_text && value.text == state::kNotAvailable)) return true;
    const bool of_parameters =
        field == fields::Field::kEvtArgs || field == fields::Field::kEvtInfo ||
        field == fields::Field::kEvtArg || field == fields::Field::kEvtRawarg;
    return is_text && value.text.empty() && !of_parameters;
  }

  static void append_text(std::string& out, fields::Field field, const FieldValue& value) {
    if (is_shown_missing(field, value)) {
      out += state::kNotAvailable;
      return;
    }
    switch (value.kind) {
      case FieldValue::Kind::kMissing: return;
      case FieldValue::Kind::kSigned: return append_number(out, value.integer);
      case FieldValue::Kind::kUnsigned: return append_number(out, value.number);
      case FieldValue::Kind::kReal: {
        constexpr double kTenths = 10;
        const auto tenths = static_cast<uint64_t>(value.real * kTenths + 0.5);
        append_number(out, tenths / 10);
        out += '.';
        return append_number(out, tenths % 10);
      }
      case FieldValue::Kind::kText:
      case FieldValue::Kind::kBytes: return append_escaped(out, value.text);
      case FieldValue::Kind::kBool: out += value.number != 0 ? "true" : "false"; return;
      case FieldValue::Kind::kIp:
        if (value.ipv6) return append_ipv6(out, value.ip);
        return append_ipv4(out, value.ip);
    }
  }

  static void append_json(std::string& out, fields::Field field, const FieldValue& value) {
    if (is_shown_missing(field, value)) {
      out += "null";
      return;
    }
    switch (value.kind) {
      case FieldValue::Kind::kText: return append_json_string(out, value.text);
      case FieldValue::Kind::kBytes:
        out += "{\"base64\":\"";
        append_base64(out, Bytes(value.text));
        out += "\"}";
        return;
      case FieldValue::Kind::kIp:
        out += '"';
        append_text(out, field, value);
        out += '"';
        return;
      default: return append_text(out, field, value);
    }
  }

  void append_object(std::string& out) {
    out += '{';
    bool first = true;
    for (const LineTemplate::Piece& piece : line_.pieces()) {
      if (!piece.has_field) continue;
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, piece.field.name);
      out += ':';
      append_json(out, piece.field.field, fields_.get(piece.field));
    }
    if (with_parameters_) append_parameters(out);
    out += '}';
  }

  void append_parameters(std::string& out) {
    const scap::EventView& event = *fields_.context().event;
    out += ",\"args\":{";
    for (uint32_t i = 0; i < event.size(); ++i) {
      const scap::ParamInfo& info = scap::kParams[event.info().first_param + i];
      if (i != 0) out += ',';
      append_json_string(out, scap::kParamNames[static_cast<size_t>(info.name)]);
      out += ":{\"raw\":";
      append_raw(out, info, event.param(i));
      out += ",\"text\":";
      text_.clear();
      fields_.parameters().append(text_, event, i, fields_.context().thread);
      append_json_string(out, text_);
      out += '}';
    }
    out += '}';
  }

  // A number, text, or {"base64": ...}; null if missing.
  static void append_raw(std::string& out, const scap::ParamInfo& info, Bytes value) {
    using scap::ParamType;
    if (value.empty()) {
      out += "null";
      return;
    }
    switch (info.type) {
      case ParamType::kCharbuf:
      case ParamType::kFspath:
      case ParamType::kFsrelpath: {
        std::string_view text = value.text();
        if (text.ends_with('\0')) text.remove_suffix(1);
        if (is_utf8(text)) return append_json_string(out, text);
        break;
      }
      case ParamType::kInt8:
      case ParamType::kInt16:
      case ParamType::kInt32:
      case ParamType::kInt64:
      case ParamType::kErrno:
      case ParamType::kFd:
      case ParamType::kFd32:
      case ParamType::kPid:
      case ParamType::kPid32:
        if (value.size() <= sizeof(int64_t)) return append_number(out, scap::to_int(value, 0));
        break;
      default:
        if (info.size != 0 && value.size() <= sizeof(uint64_t))
          return append_number(out, scap::to_uint(value, 0));
    }
    out += "{\"base64\":\"";
    append_base64(out, value);
    out += "\"}";
  }

  const bool is_json_;
  const bool with_parameters_;
  const LineTemplate& line_;
  FieldReader& fields_;
  std::string text_;
};

class Lister final : public filter::Feed {
 public:
  Lister(std::unique_ptr<filter::Filter> filter, const ListOptions& options,
         const LineTemplate& line, const std::function<bool(std::vector<uint8_t>)>& give,
         const std::atomic<bool>& cancel)
      : Feed(std::move(filter), false, cancel),
        options_(options),
        give_(give),
        printer_(options, line, reader()),
        only_counts_(options.format == ListOptions::Format::kNone && counts_alone()),
        has_bounds_(options.from.kind != Bound::Kind::kNone ||
                    options.to.kind != Bound::Kind::kNone) {}

  // Delivers pending lines; false if the consumer stopped.
  bool flush() {
    if (out_.empty()) return true;
    std::vector<uint8_t> bytes(out_.begin(), out_.end());
    out_.clear();
    return give_(std::move(bytes));
  }

  uint64_t shown() const { return shown_; }

  bool events(scap::EventRun& run) override {
    if (only_counts_ && !has_bounds_) {
      return take_all(run, [this](const scap::EventView& event, bool is_shown) {
        shown_ += count_passing(event, is_shown, /*needs_threads=*/false) ? 1 : 0;
        return true;
      });
    }
    return take_all(run, [this](const scap::EventView& event, bool is_shown) {
      return Lister::take(event, is_shown);
    });
  }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    if (options_.to.kind == Bound::Kind::kNumber && event.number > options_.to.value) return false;
    const bool in_range = shown && is_started(event) && !is_past_end(event);
    if (only_counts_) {
      shown_ += count_passing(event, in_range, /*needs_threads=*/false) ? 1 : 0;
      return true;
    }
    apply_passing(event, in_range, [this](const state::Context&) {
      ++shown_;
      if (options_.format != ListOptions::Format::kNone) printer_.append(out_);
    });
    return out_.size() < kBatchSize || flush();
  }

 private:
  bool is_started(const scap::EventView& event) const {
    const Bound& from = options_.from;
    switch (from.kind) {
      case Bound::Kind::kNone: return true;
      case Bound::Kind::kNumber: return event.number >= from.value;
      case Bound::Kind::kTime: return event.ts >= from.value;
      case Bound::Kind::kRelative: return has_origin() && event.ts >= times().origin() + from.value;
    }
    return true;
  }
  bool is_past_end(const scap::EventView& event) const {
    const Bound& to = options_.to;
    switch (to.kind) {
      case Bound::Kind::kNone: return false;
      case Bound::Kind::kNumber: return event.number > to.value;
      case Bound::Kind::kTime: return event.ts > to.value;
      case Bound::Kind::kRelative: return has_origin() && event.ts > times().origin() + to.value;
    }
    return false;
  }
  // Relative bounds count from the first system call; earlier events are at 0.
  bool has_origin() const { return times().origin() != 0; }

  const ListOptions& options_;
  const std::function<bool(std::vector<uint8_t>)>& give_;
  Printer printer_;
  const bool only_counts_;
  const bool has_bounds_;
  std::string out_;
  uint64_t shown_ = 0;
};

}  // namespace

Status list_events(scap::Input& input, const std::string& name, const ListOptions& options,
                   const std::function<bool(std::vector<uint8_t>)>& give,
                   const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& shown) {
  std::string text(options.line.empty() ? LineTemplate::kDefault : std::string_view(options.line));
  if (options.line.empty() && options.format == ListOptions::Format::kJson) {
    text.clear();
    for (const std::string_view field : kJsonFields) text.append("%").append(field).append(" ");
  }
  auto line = LineTemplate::parse(text);
  if (!line.is_ok()) return line.status();

  auto filter = filter::compile_optional(options.filter);
  if (!filter.is_ok()) return filter.status();
  Lister lister(std::move(filter.value()), options, line.value(), give, cancel);
  lister.limit_memory(options.max_memory);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, lister, stats); !status.is_ok())
    return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  lister.flush();
  shown = lister.shown();
  lister.describe(summary, input, stats);
  summary.add_skipped(Reason::kFilteredEvents, lister.left_out());
  return Status::ok();
}

}  // namespace sfkit::events
