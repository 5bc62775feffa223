#include "sysflow/convert.h"

#include <array>
#include <memory>
#include <utility>

#include "filter/feed.h"
#include "scap/blocks.h"
#include "sysflow/dispatcher.h"
#include "sysflow/ops.h"

namespace sfkit::sysflow {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Connects the state engine to the dispatcher.
class Pipeline : public filter::Feed {
  using Effect = state::Engine::Effect;

 public:
  Pipeline(std::unique_ptr<filter::Filter> filter, const ConvertOptions& options, RecordSink& sink,
           const std::atomic<bool>& cancel)
      : Feed(std::move(filter), options.compat, cancel),
        options_(options),
        sink_(sink),
        dispatcher_(options, engine(), sink) {
    if (!has_filter()) engine().ignore_memory();
    for (uint16_t code = 0; code < scap::kEventCount; ++code) {
      makes_records_[code] = state::Engine::is_visited(code) && op_of(code, options.compat) != 0;
      is_dispatched_[code] = Dispatcher::needs_dispatch(code, options.compat);
      const bool is_seen = is_dispatched_[code] || options.tally != nullptr;
      effects_[code] = is_seen ? Effect::kOther : engine().effect_of(code);
    }
    set_plain(is_always_plain());
    limit_memory(options.max_memory);
  }

  void lists_complete() override {
    Feed::lists_complete();
    if (header_written_) return;
    header_written_ = true;
    // libs 0.18.1 does not pass on the host name of the capture.
    header_.exporter =
        options_.exporter.empty() && !options_.compat ? host_name() : options_.exporter;
    header_.ip = options_.node_ip;
    header_.filename = options_.filename;
    if (options_.name_file) {
      waits_for_time_ = true;
      set_plain(false);
    } else {
      dispatcher_.begin(header_);
    }
  }

  bool events(scap::EventRun& run) override {
    return take_all(run, [this](const scap::EventView& event, bool shown) {
      return is_special_[event.code] ? take_special(event, shown) : take_plain(event, shown);
    });
  }

  void finish() {
    if (waits_for_time_) begin_file(0);
    dispatcher_.finish();
  }

  const Dispatcher& dispatcher() const { return dispatcher_; }

 protected:
  void release_records(const state::MemoryBudget& budget) override {
    dispatcher_.release_memory(budget);
  }
  void follow_forgotten() override { dispatcher_.forget_unused(); }

  bool take(const scap::EventView& event, bool shown) override {
    return take_special(event, shown);
  }

 private:
  bool is_always_plain() const {
    return options_.stop == nullptr && options_.flush_interval == 0 && !has_filter();
  }

  // Whether take_special() is needed for few codes only.
  void set_plain(bool is_plain) {
    is_special_.fill(!is_plain);
    if (!options_.compat) is_special_[scap::ev::K8S_E] = true;
  }

  // Nearly all events of a run without a filter.
  [[gnu::always_inline]] bool take_plain(const scap::EventView& event, bool shown) {
    if (shown) dispatcher_.advance(event.ts);
    switch (effects_[event.code]) {
      case Effect::kNone: engine().pass(); return true;
      case Effect::kBeginsCall: engine().begin_call(event); return true;
      case Effect::kEndsCall: engine().end_call(event); return true;
      case Effect::kOther: break;
    }
    engine().apply(event, [this, shown](const state::Context& context) {
      if (shown) dispatch(context);
    });
    return true;
  }

  bool take_special(const scap::EventView& event, bool shown) {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) return false;
    if (waits_for_time_) await_time(event);
    if (options_.flush_interval != 0) follow_live(event.ts);
    if (event.code == scap::ev::K8S_E && !options_.compat) {
      take_kubernetes(event, shown);
      return true;
    }
    if (has_filter()) {
      take_filtered(event, shown);
      return true;
    }
    return take_plain(event, shown);
  }

  // Starts the first file at the first event with a time, or before the first record.
  void await_time(const scap::EventView& event) {
    const bool has_time = event.ts != 0 && is_possible_time(event.ts);
    if (!has_time && !makes_records_[event.code]) return;
    begin_file(has_time ? static_cast<int64_t>(event.ts / kSecond) : 0);
  }

  void begin_file(int64_t second) {
    waits_for_time_ = false;
    set_plain(is_always_plain());
    header_.filename = options_.name_file(second);
    dispatcher_.begin(header_);
  }

  void dispatch(const state::Context& context) {
    if (options_.tally != nullptr)
      options_.tally->count(context, op_of(context.event->code, false));
    if (!is_dispatched_[context.event->code] && !engine().has_effects()) return;
    dispatcher_.dispatch(context);
  }

  // Live captures have no end to wait for: flush records and report new containers as they appear.
  void follow_live(uint64_t ts) {
    if (ts >= flush_at_) {
      if (flush_at_ != 0) sink_.flush();
      flush_at_ = ts + static_cast<uint64_t>(options_.flush_interval) * kSecond;
    }
    const state::ContainerTable& containers = engine().containers();
    if (containers_seen_ == containers.seen()) return;
    for (uint32_t index = 1; index < containers.size(); ++index) {
      const state::ContainerInfo& container = containers.at(index);
      if (container.sequence < containers_seen_ || container.id.empty()) continue;
      if (options_.container_seen && !container.known) options_.container_seen(container);
    }
    containers_seen_ = containers.seen();
  }

  void take_kubernetes(const scap::EventView& event, bool shown) {
    if (shown) dispatcher_.advance(event.ts);
    apply_passing(
        event, shown, [](const state::Context& context, const auto& step) { step(context, 0); },
        [this](const state::Context& context, uint32_t) {
          dispatcher_.on_kubernetes(context, true);
        },
        [this](const state::Context& context) { dispatcher_.on_kubernetes(context, false); });
  }

  void take_filtered(const scap::EventView& event, bool shown) {
    if (options_.compat) {
      // The collector never sees filtered events, so its clock follows matching events only.
      apply_passing(event, shown, [this, &event](const state::Context& context) {
        dispatcher_.advance(event.ts);
        if (state::Engine::is_visited(event.code)) dispatch(context);
      });
      return;
    }
    // The clock follows all events, so that a filter does not change other records. Only events
    // that can make records need to be checked.
    if (shown) dispatcher_.advance(event.ts);
    if (!makes_records_[event.code] && !makes_records_[event.code | 1]) {
      reader().next_event(event);
      engine().apply(event, [this, shown](const state::Context& context) {
        if (!shown) return;
        dispatcher_.learn_kind(context);
        if (engine().has_effects()) dispatcher_.follow_excluded(context);
      });
      return;
    }
    // A call with two descriptors is filtered once for each.
    const auto each = [op = op_of(event.code, false)](const state::Context& context,
                                                      const auto& step) {
      each_operation(context, op, step);
    };
    apply_passing(
        event, shown && makes_records_[event.code], each,
        [this](const state::Context& part, uint32_t op) {
          if (options_.tally != nullptr) options_.tally->count(part, op);
          if (engine().has_effects()) dispatcher_.take_effects(part, true);
          dispatcher_.dispatch(part, op);
        },
        [this](const state::Context& context) { dispatcher_.follow_excluded(context); });
  }

  const ConvertOptions& options_;
  RecordSink& sink_;
  Dispatcher dispatcher_;
  std::array<bool, scap::kEventCount> makes_records_{};
  std::array<bool, scap::kEventCount> is_dispatched_{};
  std::array<Effect, scap::kEventCount> effects_{};   // of events that no consumer sees
  std::array<bool, scap::kEventCount> is_special_{};  // take_special() is needed
  Header header_;
  bool header_written_ = false;
  bool waits_for_time_ = false;  // the header is due once a time is known
  uint64_t flush_at_ = 0;
  size_t containers_seen_ = 0;
};

}  // namespace

Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, InputSummary& summary) {
  summary.format = "scap";
  auto opened = scap::Input::open(path);
  if (!opened.is_ok()) return opened.status();
  return convert_capture(*opened.value(), path == "-" ? "standard input" : path, options, sink,
                         cancel, summary);
}

Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, InputSummary& summary) {
  summary.format = "scap";
  summary.compression = input.is_gzip() ? "gzip" : "none";

  auto filter = filter::compile_optional(options.filter);
  if (!filter.is_ok()) return filter.status();
  auto pipeline = std::make_unique<Pipeline>(std::move(filter.value()), options, sink, cancel);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, *pipeline, stats); !status.is_ok()) {
    return status;
  }
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  pipeline->finish();

  pipeline->describe(summary, input, stats);
  const Dispatcher& dispatcher = pipeline->dispatcher();
  const DispatchCounts& counts = dispatcher.counts();
  summary.add_skipped(options.compat ? Reason::kFilteredEvents : Reason::kFilteredRecordEvents,
                      pipeline->left_out());
  summary.add_skipped(Reason::kUnknownDescriptor, counts.unknown_descriptor);
  summary.add_skipped(
      options.file_only ? Reason::kNotAFileOrConnection : Reason::kDescriptorWithoutRecords,
      counts.other_descriptor);
  summary.add_skipped(Reason::kCompatIpv6Calls, counts.ipv6);
  summary.add_skipped(Reason::kOutsideContainers, counts.outside_containers);
  summary.add_skipped(Reason::kKubernetesLimits, dispatcher.kubernetes_left_out());
  summary.add_skipped(Reason::kReadOnlyFileFlows, dispatcher.discarded_flows());
  summary.add_note(Reason::kFlowsEndedEarly, dispatcher.flows_ended_early());
  return Status::ok();
}

}  // namespace sfkit::sysflow
