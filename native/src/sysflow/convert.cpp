#include "sysflow/convert.h"

#include <memory>

#include "scap/blocks.h"
#include "state/engine.h"
#include "sysflow/dispatcher.h"

namespace sfkit::sysflow {
namespace {

constexpr uint64_t kCheckCancelEvery = 4096;

// Connects the reader to the state engine and that to the dispatcher.
class Pipeline : public scap::CaptureVisitor {
 public:
  Pipeline(const ConvertOptions& options, RecordSink& sink, const std::atomic<bool>& cancel)
      : options_(options),
        sink_(sink),
        cancel_(cancel),
        state_(options.compat),
        dispatcher_(options, state_, sink) {}

  // State starts over; what was written is not written again.
  void section() override { state_.reset(); }
  void machine(const scap::MachineInfo& machine) override { host_name_ = machine.hostname; }
  void thread(const scap::ThreadEntry& entry) override { state_.add_thread(entry); }
  void descriptor(int64_t tid, const scap::FdEntry& entry) override { state_.add_descriptor(tid, entry); }
  void users_begin() override { state_.clear_names(); }
  void interfaces_begin() override { state_.clear_interfaces(); }
  void user(const scap::UserEntry& entry) override { state_.add_user(entry.uid, entry.name); }
  void group(const scap::GroupEntry& entry) override { state_.add_group(entry.gid, entry.name); }
  void interface(const scap::InterfaceEntry& entry) override { state_.add_interface(entry); }

  void lists_complete() override {
    state_.lists_complete();
    if (header_written_) return;
    header_written_ = true;
    Header header;
    // libs 0.18.1 does not hand the capture's machine on.
    header.exporter = options_.exporter.empty() && !options_.compat ? host_name_ : options_.exporter;
    header.ip = options_.node_ip;
    header.filename = options_.filename;
    sink_.header(header);
  }

  bool event(const scap::EventView& event) override {
    if (++since_check_ == kCheckCancelEvery) {
      since_check_ = 0;
      if (cancel_.load(std::memory_order_relaxed)) return false;
    }
    const bool shown = (event.block_flags & scap::kStateOnlyFlag) == 0;
    if (shown) dispatcher_.advance(event.ts);
    state_.apply(event, [this, shown](const state::Context& context) {
      if (shown) dispatcher_.dispatch(context);
    });
    return true;
  }

  Dispatcher& dispatcher() { return dispatcher_; }

 private:
  const ConvertOptions& options_;
  RecordSink& sink_;
  const std::atomic<bool>& cancel_;
  state::Engine state_;
  Dispatcher dispatcher_;
  std::string host_name_;
  bool header_written_ = false;
  uint64_t since_check_ = 0;
};

void add_skipped(ConvertSummary& summary, const char* reason, uint64_t count) {
  if (count > 0) summary.skipped.push_back({reason, count});
}

}  // namespace

Status convert_capture(const std::string& path, const ConvertOptions& options, RecordSink& sink,
                       const std::atomic<bool>& cancel, ConvertSummary& summary) {
  summary.format = "scap";
  auto opened = scap::Input::open(path);
  if (!opened.is_ok()) return opened.status();
  return convert_capture(*opened.value(), path == "-" ? "standard input" : path, options, sink, cancel,
                         summary);
}

Status convert_capture(scap::Input& input, const std::string& name, const ConvertOptions& options,
                       RecordSink& sink, const std::atomic<bool>& cancel, ConvertSummary& summary) {
  summary.format = "scap";
  summary.compression = input.is_gzip() ? "gzip" : "none";

  auto pipeline = std::make_unique<Pipeline>(options, sink, cancel);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, *pipeline, stats); !status.is_ok()) {
    return status;
  }
  Dispatcher& dispatcher = pipeline->dispatcher();
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  dispatcher.finish();

  summary.events = stats.events;
  summary.bytes = input.offset();
  summary.first_time = dispatcher.first_time();
  summary.last_time = dispatcher.last_time();
  for (const scap::DamageNote& note : stats.damage) {
    summary.damage.push_back({note.kind, note.offset, note.skipped_bytes, note.message});
  }
  const DispatchCounts& counts = dispatcher.counts();
  add_skipped(summary, "events of codes newer than this version of sfkit", stats.unknown_events);
  add_skipped(summary, "further places of damage", stats.more_damage);
  add_skipped(summary, "blocks of unknown type", stats.unknown_blocks);
  add_skipped(summary, "calls on descriptors that the capture does not introduce", counts.unknown_descriptor);
  add_skipped(summary,
              options.file_only
                  ? "calls on descriptors that are neither files nor connections (--no-file-only keeps "
                    "directories, pipes and unix sockets)"
                  : "calls on descriptors of kinds without records (eventfd, epoll, netlink and others)",
              counts.other_descriptor);
  add_skipped(summary, "calls on IPv6 connections (--compat leaves them out)", counts.ipv6);
  add_skipped(summary, "events outside containers (--containers-only)", counts.outside_containers);
  add_skipped(summary, "file flows that only read (--file-read-mode)", dispatcher.discarded_flows());
  return Status::ok();
}

}  // namespace sfkit::sysflow
