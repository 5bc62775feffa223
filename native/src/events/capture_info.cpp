#include "events/capture_info.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "event_names.gen.h"
#include "fields/event_name.h"
#include "filter/feed.h"
#include "scap/blocks.h"

namespace sfkit::events {
namespace {

class Inspector final : public filter::Feed {
 public:
  Inspector(std::unique_ptr<filter::Filter> filter, CaptureInfo& info,
            const std::atomic<bool>& cancel)
      : Feed(std::move(filter), false, cancel), info_(info) {}

  void machine(const scap::MachineInfo& entry) override {
    info_.cpus = entry.cpus;
    info_.memory_bytes = entry.memory_bytes;
    info_.boot_time = entry.boot_time;
    Feed::machine(entry);
    info_.hostname = host_name();
  }
  void list_begin(uint32_t type, Bytes, ByteOrder) override {
    info_.process_list = std::max(info_.process_list, scap::process_list_version(type));
  }
  void thread(const scap::ThreadEntry& entry) override {
    ++info_.threads;
    if (entry.tid == entry.pid) ++info_.processes;
    info_.process_tail = std::max(info_.process_tail, entry.tail_size);
    Feed::thread(entry);
  }
  void descriptor(int64_t tid, const scap::FdEntry& entry) override {
    ++info_.descriptors;
    Feed::descriptor(tid, entry);
  }
  void user(const scap::UserEntry& entry) override {
    ++info_.users;
    Feed::user(entry);
  }
  void group(const scap::GroupEntry& entry) override {
    ++info_.groups;
    Feed::group(entry);
  }
  void interface(const scap::InterfaceEntry& entry) override {
    ++info_.interfaces;
    Feed::interface(entry);
  }

  bool events(scap::EventRun& run) override {
    if (!counts_alone()) return Feed::events(run);
    return take_all(run, [this](const scap::EventView& event, bool is_shown) {
      count_alone(event, is_shown);
      return true;
    });
  }

  // Merges the counts by code into counts by name.
  void finish() {
    info_.containers = engine().containers().seen();
    std::map<std::string_view, CaptureInfo::EventCount> by_name;
    const auto add = [&by_name](std::string_view name, bool enter, uint64_t count) {
      if (count == 0) return;
      CaptureInfo::EventCount& entry = by_name[name];
      entry.name = name;
      (enter ? entry.enter : entry.exit) += count;
    };
    for (uint16_t code = 0; code < scap::kEventCount; ++code) {
      add(fields::event_name(code), scap::is_enter(code), by_code_[code]);
    }
    for (size_t code = 0; code < generic_.size(); ++code) {
      const std::string_view name = scap::kSyscallNames[code];
      for (const bool enter : {true, false}) {
        add(name.empty() ? fields::event_name(scap::ev::GENERIC_E) : name, enter,
            generic_[code][enter ? 0 : 1]);
      }
    }
    for (const auto& [name, count] : by_name) info_.events.push_back(count);
    std::stable_sort(info_.events.begin(), info_.events.end(), [](const auto& a, const auto& b) {
      return a.enter + a.exit > b.enter + b.exit;
    });
  }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    if (counts_alone()) {
      count_alone(event, shown);
    } else {
      note_age(event);
      apply_passing(event, shown, [this, &event](const state::Context&) { count(event); });
    }
    return true;
  }

 private:
  void count_alone(const scap::EventView& event, bool shown) {
    note_age(event);
    if (count_passing(event, shown, /*needs_threads=*/true)) count(event);
  }
  void note_age(const scap::EventView& event) {
    if (scap::is_enter(event.code) && (event.info().flags & scap::kOldVersion) != 0)
      info_.has_enters = true;
  }
  void count(const scap::EventView& event) {
    if ((event.code | 1) == scap::ev::GENERIC_X) {
      const uint64_t code = scap::to_uint(event.param(scap::P::ID), 0);
      ++generic_[code < generic_.size() ? code : 0][event.code & 1];
    } else {
      ++by_code_[event.code];
    }
  }

  CaptureInfo& info_;
  std::array<uint64_t, scap::kEventCount> by_code_{};
  // Enter and exit counts by portable system call code.
  std::array<std::array<uint64_t, 2>, std::size(scap::kSyscallNames)> generic_{};
};

// Infers the age of the writer's library from the layout of its lists (spec: scap-format, sections
// 2, 3, 5 and 13).
std::string writer_of(const CaptureInfo& info) {
  if (info.process_list == 0) return {};
  if (info.process_list < 9) {
    constexpr std::string_view kSince[] = {"2014",           "May 2014",     "September 2014",
                                           "December 2014",  "January 2016", "May 2016",
                                           "September 2017", "January 2018"};
    return "sysdig or Falco, " + std::string(kSince[info.process_list - 1]) +
           " or later, before August 2018";
  }
  struct Age {
    size_t tail;
    std::string_view text;
  };
  constexpr Age kAges[] = {{76, "libs 0.19 or later"},
                           {68, "libs 0.18"},
                           {67, "libs 0.12 to 0.17"},
                           {66, "libs 0.10 or 0.11"},
                           {29, "libs of March 2022 to 0.9"},
                           {5, "libs of December 2021 to March 2022"},
                           {4, "September 2018 to December 2021"},
                           {0, "August 2018"}};
  const auto* age = std::find_if(std::begin(kAges), std::end(kAges), [&info](const Age& candidate) {
    return info.process_tail >= candidate.tail;
  });
  const bool exits_only =
      info.process_tail >= kAges[0].tail && !info.has_enters && !info.events.empty();
  return exits_only ? "libs 0.22 or later" : std::string(age->text);
}

}  // namespace

Status inspect_capture(scap::Input& input, const std::string& name, const InspectOptions& options,
                       const std::atomic<bool>& cancel, InputSummary& summary, CaptureInfo& info) {
  auto filter = filter::compile_optional(options.filter);
  if (!filter.is_ok()) return filter.status();
  Inspector inspector(std::move(filter.value()), info, cancel);
  inspector.limit_memory(options.max_memory);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, inspector, stats); !status.is_ok())
    return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  inspector.finish();
  inspector.describe(summary, input, stats);
  summary.add_skipped(Reason::kFilteredEvents, inspector.left_out());
  info.major = stats.major;
  info.minor = stats.minor;
  info.swapped = stats.order == ByteOrder::kSwapped;
  info.sections = stats.sections;
  info.counted_parameters = stats.version1_events == 0;
  info.writer = writer_of(info);
  return Status::ok();
}

}  // namespace sfkit::events
