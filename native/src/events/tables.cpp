#include "events/tables.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "base/hash.h"
#include "event_names.gen.h"
#include "events/calls.h"
#include "events/cpu.h"
#include "events/dns_table.h"
#include "events/field_rows.h"
#include "events/http_table.h"
#include "events/list_tables.h"
#include "events/table_feed.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using fields::FieldValue;
using output::Column;
using scap::P;
using Wanted = FieldRows::Wanted;
namespace ev = scap::ev;

class Events : public filter::Feed {
 public:
  Events(std::unique_ptr<filter::Filter> filter, FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(std::move(filter), false, cancel), rows_(rows) {}

  bool finish() { return rows_.flush(); }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    bool wants_more = true;
    apply_passing(event, shown, [&](const state::Context& context) {
      wants_more = rows_.add([&](const Wanted& wanted) { return put(wanted, context); });
    });
    return wants_more;
  }

 private:
  bool put(const Wanted& wanted, const state::Context& context) {
    const bool is_exit = !scap::is_enter(context.event->code);
    switch (wanted.column) {
      case Column::kEventsDirection: return rows_.text(wanted, is_exit ? "exit" : "enter");
      case Column::kEventsFailed: return rows_.truth(wanted, failed());
      case Column::kEventsArgumentsJson: return arguments(wanted, context);
      case Column::kEventsBufferBase64: return buffer(wanted);
      case Column::kEventsError:
        if (!failed()) return rows_.missing(wanted);
        break;
      case Column::kEventsLatency:
        if (!is_exit) return rows_.missing(wanted);
        break;
      case Column::kEventsContainerId:
      case Column::kEventsContainerName:
        if (context.thread == nullptr || context.thread->container == 0)
          return rows_.missing(wanted);
        break;
      default: break;
    }
    return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field))
                            : rows_.missing(wanted);
  }

  bool failed() { return reader().get(failed_).number != 0; }

  bool buffer(const Wanted& wanted) {
    const FieldValue value = reader().get(wanted.field);
    if (value.is_missing()) return rows_.missing(wanted);
    text_.clear();
    append_base64(text_, Bytes(value.text));
    return rows_.text(wanted, text_);
  }

  bool arguments(const Wanted& wanted, const state::Context& context) {
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
    return rows_.text(wanted, text_);
  }

  FieldRows& rows_;
  const fields::FieldRef failed_ = field_named("evt.failed");
  std::string text_;
  std::string value_;
};

// A process makes a row when it exits, and what is alive at the end makes one then.
class Processes : public filter::Feed {
 public:
  Processes(FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(nullptr, false, cancel), rows_(rows) {}

  bool finish() {
    bool wants_more = true;
    // Stands for an event that never comes: it has no time and no parameters.
    const scap::EventView none{};
    // By number, as the order in the table differs from run to run.
    std::vector<int64_t> alive;
    engine().threads().for_each([&](const state::Thread& thread) {
      if (thread.is_leader() && !thread.dead) alive.push_back(thread.tid);
    });
    std::sort(alive.begin(), alive.end());
    for (const int64_t tid : alive) {
      state::Context context;
      context.event = &none;
      context.thread = engine().find_thread(tid);
      wants_more = wants_more && add(context);
    }
    return wants_more && rows_.flush();
  }

 protected:
  bool take(const scap::EventView& event, bool /*shown*/) override {
    bool wants_more = true;
    reader().next_event(event);
    engine().apply_all(event, [&](const state::Context& context) {
      if (context.thread != nullptr && context.thread->is_leader()) note_parent(*context.thread);
      const bool ends = event.code == ev::PROCEXIT_1_E || event.code == ev::PROCEXIT_E;
      if (!ends || context.thread == nullptr || !context.thread->is_leader()) return;
      wants_more = add(context);
      parents_.erase(static_cast<uint64_t>(context.thread->tid));
    });
    return wants_more;
  }

 private:
  bool add(const state::Context& context) {
    reader().set_context(context);
    return rows_.add([&](const Wanted& wanted) { return put(wanted, context); });
  }

  bool put(const Wanted& wanted, const state::Context& context) {
    const scap::EventView& event = *context.event;
    const uint64_t begin = context.thread->clone_ts;
    const uint64_t end = event.ts;
    switch (wanted.column) {
      case Column::kProcessesEndtsUts:
        return end == 0 ? rows_.missing(wanted) : rows_.number(wanted, static_cast<int64_t>(end));
      case Column::kProcessesDuration:
        if (begin == 0 || end < begin) return rows_.missing(wanted);
        return rows_.number(wanted, static_cast<int64_t>(end - begin));
      case Column::kProcessesForkedBy: return forked_by(wanted, *context.thread);
      case Column::kProcessesExitCode: return parameter(wanted, event, P::ret);
      case Column::kProcessesSignal: return parameter(wanted, event, P::sig);
      case Column::kProcessesContainerId:
      case Column::kProcessesContainerName:
        if (context.thread->container == 0) return rows_.missing(wanted);
        break;
      default: break;
    }
    return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field))
                            : rows_.missing(wanted);
  }

  struct Parent {
    uint64_t clone_ts = 0;  // of the child: its number can come back
    int64_t pid = -1;       // -1: unknown
  };

  // Remembers the parent that a process has at its first event.
  void note_parent(state::Thread& thread) {
    const auto [place, is_new] = parents_.try_emplace(static_cast<uint64_t>(thread.tid));
    if (is_new || place->second.clone_ts != thread.clone_ts) place->second = parent_of(thread);
  }
  Parent parent_of(state::Thread& thread) {
    const state::Thread* const parent = engine().parent_of(thread);
    return {thread.clone_ts, parent == nullptr ? -1 : parent->pid};
  }
  bool forked_by(const Wanted& wanted, state::Thread& thread) {
    const auto found = parents_.find(static_cast<uint64_t>(thread.tid));
    const bool is_known = found != parents_.end() && found->second.clone_ts == thread.clone_ts;
    const int64_t pid = (is_known ? found->second : parent_of(thread)).pid;
    return pid < 0 ? rows_.missing(wanted) : rows_.number(wanted, pid);
  }

  // Captures from before 2018 do not say how a process ended.
  bool parameter(const Wanted& wanted, const scap::EventView& event, P name) {
    const Bytes value = event.param(name);
    return value.empty() ? rows_.missing(wanted) : rows_.number(wanted, scap::to_int(value, 0));
  }

  FieldRows& rows_;
  std::unordered_map<uint64_t, Parent, NumberHash> parents_;  // by tid, of processes that are alive
};

}  // namespace

bool is_capture_table(output::Table table) {
  return static_cast<size_t>(table) >= output::kTableCount - output::kCaptureTableCount;
}

Status tabulate(scap::Input& input, const std::string& name, const TableOptions& options,
                const std::function<bool(output::ColumnBatch)>& give,
                const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& rows) {
  auto wanted = FieldRows::resolve(options.table, options.columns);
  if (!wanted.is_ok()) return wanted.status();
  auto filter = filter::compile_optional(options.filter);
  if (!filter.is_ok()) return filter.status();
  FieldRows made(options.table, wanted.value(), options.batch_rows, give);
  const auto make = [&](auto& feed) {
    feed.limit_memory(options.max_memory);
    Status status = read_table(input, name, feed, cancel, summary);
    if (status.is_ok()) feed.finish();
    return status;
  };
  Status status = Status::ok();
  switch (options.table) {
    case output::Table::kEvents: {
      Events events(std::move(filter.value()), made, cancel);
      status = make(events);
      break;
    }
    case output::Table::kCalls: {
      Calls calls(std::move(filter.value()), made, cancel);
      status = make(calls);
      break;
    }
    case output::Table::kDns: {
      DnsTable dns(made, cancel);
      status = make(dns);
      break;
    }
    case output::Table::kHttp: {
      HttpTable http(made, cancel);
      status = make(http);
      break;
    }
    case output::Table::kCpu: {
      CpuTime cpu(made, cancel);
      status = make(cpu);
      break;
    }
    case output::Table::kProcesses: {
      Processes processes(made, cancel);
      status = make(processes);
      break;
    }
    case output::Table::kCapture:
    case output::Table::kDamage:
      status = tabulate_capture(input, name, options.table, made, cancel, summary);
      break;
    case output::Table::kContainers:
      status = tabulate_containers(input, name, wanted.value(), made, cancel, summary);
      break;
    case output::Table::kUsers:
    case output::Table::kGroups:
    case output::Table::kInterfaces:
      status = tabulate_lists(input, name, options.table, made, cancel, summary);
      break;
    default:
      status = tabulate_state(input, name, options.table, options.moments, made, cancel, summary);
      break;
  }
  if (!status.is_ok()) return status;
  rows = made.rows();
  summary.add_skipped(Reason::kCutTexts, made.cut_texts());
  return Status::ok();
}

}  // namespace sfkit::events
