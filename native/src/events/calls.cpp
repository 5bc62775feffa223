#include "events/calls.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ip_text.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using fields::FieldValue;
using output::Column;
using output::ColumnType;

constexpr uint32_t kMissingText = UINT32_MAX;

template <typename T>
void append_number(std::string& key, T number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  key.append(bytes, sizeof number);
}

template <typename T>
T take_number(std::string_view& key) {
  T number;
  std::memcpy(&number, key.data(), sizeof number);
  key.remove_prefix(sizeof number);
  return number;
}

// Sums of hostile sizes must not overflow.
int64_t sum(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

}  // namespace

Calls::Calls(std::unique_ptr<filter::Filter> filter, FieldRows& rows,
             const std::atomic<bool>& cancel)
    : Feed(std::move(filter), false, cancel),
      rows_(rows),
      failed_(field_named("evt.failed")),
      bytes_read_(field_named("evt.buflen.in")),
      bytes_written_(field_named("evt.buflen.out")),
      latency_(field_named("evt.latency")) {
  for (const Wanted& wanted : rows_.wanted()) {
    switch (wanted.column) {
      case Column::kCallsBytes:
      case Column::kCallsBytesRead:
      case Column::kCallsBytesWritten: wants_bytes_ = true; break;
      case Column::kCallsLatency:
      case Column::kCallsMaxLatency: wants_latency_ = true; break;
      default: break;
    }
  }
}

bool Calls::take(const scap::EventView& event, bool shown) {
  bool wants_more = true;
  // Exit events count. Tracepoints and meta events are not calls, and have only the code of an
  // enter event.
  apply_passing(event, shown, [&](const state::Context& context) {
    if (!scap::is_enter(context.event->code)) wants_more = add(context);
  });
  return wants_more;
}

bool Calls::add(const state::Context& context) {
  const bool failed = reader().get(failed_).number != 0;
  key_.clear();
  for (const Wanted& wanted : rows_.wanted()) {
    if (wanted.has_field) append_key(wanted, context, failed);
  }
  const auto time = static_cast<int64_t>(context.event->ts);
  Count& count = find();
  if (count.calls == 0) count.first = time;
  count.last = time;
  ++count.calls;
  if (failed) ++count.failed;
  if (wants_bytes_) {
    count.bytes_read = sum(count.bytes_read, bytes_of(bytes_read_));
    count.bytes_written = sum(count.bytes_written, bytes_of(bytes_written_));
  }
  if (wants_latency_) {
    if (const FieldValue value = reader().get(latency_); !value.is_missing()) {
      const auto latency = static_cast<int64_t>(std::min<uint64_t>(value.number, INT64_MAX));
      count.latency = sum(count.latency, latency);
      count.max_latency = std::max(count.max_latency, latency);
    }
  }
  return (counts_.size() < kMaxKeys && key_bytes_ < kMaxKeyBytes) || write();
}

Calls::Count& Calls::find() {
  if (const auto found = places_.find(key_); found != places_.end()) return *found->second;
  Count& count = counts_.emplace_back();
  count.key = key_;
  key_bytes_ += key_.size();
  places_.emplace(count.key, &count);
  return count;
}

bool Calls::write() {
  bool wants_more = true;
  for (const Count& count : counts_) {
    std::string_view key = count.key;
    wants_more = wants_more && rows_.add([&](const Wanted& wanted) {
      return wanted.has_field ? put_key(wanted, key) : put_measure(wanted, count);
    });
  }
  places_.clear();
  counts_.clear();
  key_bytes_ = 0;
  return wants_more;
}

void Calls::append_key(const Wanted& wanted, const state::Context& context, bool failed) {
  const bool is_absent = (wanted.column == Column::kCallsError && !failed) ||
                         ((wanted.column == Column::kCallsContainerId ||
                           wanted.column == Column::kCallsContainerName) &&
                          (context.thread == nullptr || context.thread->container == 0));
  const FieldValue value = is_absent ? FieldValue() : reader().get(wanted.field);
  if (wanted.type != ColumnType::kStr) {
    key_ += value.is_missing() ? '\0' : '\1';
    append_number(key_, value.kind == FieldValue::Kind::kSigned
                            ? value.integer
                            : static_cast<int64_t>(value.number));
    return;
  }
  if (value.kind == FieldValue::Kind::kIp) {
    address_.clear();
    value.ipv6 ? append_ipv6(address_, value.ip) : append_ipv4(address_, value.ip);
    append_number(key_, static_cast<uint32_t>(address_.size()));
    key_ += address_;
    return;
  }
  const bool is_text =
      value.kind == FieldValue::Kind::kText || value.kind == FieldValue::Kind::kBytes;
  if (!is_text || value.text.empty() || value.text == state::kNotAvailable) {
    append_number(key_, kMissingText);
    return;
  }
  append_number(key_, static_cast<uint32_t>(value.text.size()));
  key_ += value.text;
}

bool Calls::put_key(const Wanted& wanted, std::string_view& key) {
  if (wanted.type != ColumnType::kStr) {
    const bool has_value = key[0] != '\0';
    key.remove_prefix(1);
    const auto number = take_number<int64_t>(key);
    if (wanted.type == ColumnType::kBool) return rows_.truth(wanted, number != 0);
    return has_value ? rows_.number(wanted, number) : rows_.missing(wanted);
  }
  const auto size = take_number<uint32_t>(key);
  if (size == kMissingText) return rows_.missing(wanted);
  const std::string_view text = key.substr(0, size);
  key.remove_prefix(size);
  return rows_.text(wanted, text);
}

bool Calls::put_measure(const Wanted& wanted, const Count& count) {
  switch (wanted.column) {
    case Column::kCallsCount: return rows_.number(wanted, count.calls);
    case Column::kCallsFailed: return rows_.number(wanted, count.failed);
    case Column::kCallsBytes:
      return rows_.number(wanted, sum(count.bytes_read, count.bytes_written));
    case Column::kCallsBytesRead: return rows_.number(wanted, count.bytes_read);
    case Column::kCallsBytesWritten: return rows_.number(wanted, count.bytes_written);
    case Column::kCallsTsUts: return rows_.number(wanted, count.first);
    case Column::kCallsEndtsUts: return rows_.number(wanted, count.last);
    case Column::kCallsLatency:
    case Column::kCallsMaxLatency:
      if (count.max_latency < 0) return rows_.missing(wanted);
      return rows_.number(
          wanted, wanted.column == Column::kCallsLatency ? count.latency : count.max_latency);
    default: return rows_.missing(wanted);
  }
}

int64_t Calls::bytes_of(const fields::FieldRef& field) {
  const FieldValue value = reader().get(field);
  return value.is_missing() ? 0 : static_cast<int64_t>(std::min<uint64_t>(value.number, INT64_MAX));
}

}  // namespace sfkit::events
