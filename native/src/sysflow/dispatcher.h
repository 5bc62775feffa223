// Turns events, with the state around them, into SysFlow records (spec: sysflow-semantics, section
// 5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "state/engine.h"
#include "sysflow/convert.h"
#include "sysflow/entities.h"
#include "sysflow/flows.h"

namespace sfkit::state {
struct PathParameters;
}

namespace sfkit::sysflow {

// Counts of events without records.
struct DispatchCounts {
  uint64_t unknown_descriptor = 0;  // calls on descriptors that the capture never introduced
  uint64_t other_descriptor = 0;    // on types without SysFlow records, or excluded by fileOnly
  uint64_t ipv6 = 0;                // compat only
  uint64_t outside_containers = 0;  // events, with containersOnly
};

class Dispatcher {
 public:
  Dispatcher(const ConvertOptions& options, state::Engine& state, RecordSink& sink)
      : options_(options),
        state_(state),
        sink_(sink),
        entities_(state, sink, clock_, options.compat),
        flows_(options, entities_, sink, clock_),
        simple_ops_(simple_ops(options.compat)) {}

  // Writes the header. Rotations write it again.
  void begin(const Header& header);
  // Sets the event time and runs timers. Call it for every event before dispatch().
  [[gnu::always_inline]] void advance(uint64_t ts) {
    // Synthetic events have the time 0 or all ones.
    if (ts - 1 >= UINT64_MAX - 1) return;
    clock_.ts = static_cast<int64_t>(ts);
    // This counts events, not seconds: event time may stand still.
    if (--until_limit_ == 0) [[unlikely]]
      limit_memory();
    if (ts - second_start_ >= second_length_) [[unlikely]]
      return change_second(ts);
    last_valid_ts_ = static_cast<int64_t>(ts);
  }
  // Whether dispatch() is needed for events of this code. Events that close descriptors always need
  // it.
  static bool needs_dispatch(uint16_t code, bool compat);
  // Handles one event.
  void dispatch(const state::Context& context) {
    const uint32_t op = simple_ops_[context.event->code];
    if (op == 0) return dispatch_special(context);
    if (context.thread == nullptr) return;
    if (state_.has_effects()) take_effects(context, true);
    dispatch(context, op);
  }
  // Handles one operation of an event (ops.h), after take_effects().
  void dispatch(const state::Context& context, uint32_t op);
  // Ends the flows on descriptors that the event closed. `is_shown`: the event passes the filter.
  void take_effects(const state::Context& context, bool is_shown);
  // Handles an event that the filter excludes: it still ends flows and processes, changes programs
  // and users, and answers DNS queries.
  void follow_excluded(const state::Context& context);
  // Learns the kind of a file from an event without an operation.
  void learn_kind(const state::Context& context);
  // Handles an event of the Kubernetes API. `is_shown`: the event passes the filter.
  void on_kubernetes(const state::Context& context, bool is_shown);
  // Forgets entities, which references write again, and if the budget wants less, ends flows early.
  // Do not call this while handling an event.
  void release_memory(const state::MemoryBudget& budget);
  // Forgets processes whose threads the engine forgot, and other entities without flows.
  void forget_unused();
  // Ends the input: writes the remaining flows.
  void finish();

  const DispatchCounts& counts() const { return counts_; }
  // Flows that release_memory() ended.
  uint64_t flows_ended_early() const { return flows_ended_early_; }
  uint64_t discarded_flows() const { return flows_.discarded(); }
  uint64_t kubernetes_left_out() const { return state_.pods().left_out(); }

 private:
  static std::array<uint32_t, scap::kEventCount> simple_ops(bool compat);

  struct EndedProcess {
    int64_t since;  // seconds
    Oid oid;
  };

  void dispatch_special(const state::Context& context);
  // Continues advance() when `ts` is not in the current second.
  void change_second(uint64_t ts);
  bool represents_process(const state::Thread& thread) const;
  // The process of `thread`, with an up-to-date record.
  ProcessEntity& process_of(state::Thread& thread, ObjectState state) {
    ProcessEntity* const current = entities_.current(thread);
    ProcessEntity& process = current == nullptr ? fetch(thread, state) : *current;
    entities_.update_facts(process, thread);
    return process;
  }
  ProcessEntity& fetch(state::Thread& thread, ObjectState state);
  void refresh_fetched(const EntityStore::Fetched& fetched, state::Thread& thread);
  void refresh(ProcessEntity& process, state::Thread& thread);
  void refresh_parent(state::Thread& thread);
  bool ends_process(const state::Thread& thread) const;
  void end_process(ProcessEntity& process);
  void change_identity(ProcessEntity& process, state::Thread& thread, bool succeeded);
  void tick();
  void rotate();
  void publish_sizes();
  void write_open(const state::Context& context, const ProcessEntity& process,
                  const FileEntity& file);
  void rebase();
  void limit_memory();
  void end_removed_threads();
  // Removes processes that ended at least `keep` seconds ago.
  void remove_ended(int64_t keep);
  void on_process(const state::Context& context, uint32_t op);
  void on_data(const state::Context& context, uint32_t op);
  // Remembers the names in DNS answers.
  void learn_names(const state::Context& context);
  void on_flow(const state::Context& context, uint32_t op, bool network);
  void on_file_event(const state::Context& context, uint32_t op);
  void write_event(const state::Context& context, const ProcessEntity& process, uint32_t op,
                   int64_t result);
  std::string setuid_arguments(const state::Context& context);
  int64_t result_of(const state::Context& context) const {
    const int64_t result = scap::to_int(context.event->param(0), -1);
    return options_.compat ? static_cast<int32_t>(result) : result;
  }
  void read_paths(const state::Context& context, uint32_t op);
  const state::FdSlot* shown_directory(const state::Context& context) const;
  void absolute_path(const state::Context& context, scap::P path, scap::P directory,
                     std::string& out);
  void link_target(const state::Context& context, const state::PathParameters& paths);
  // The files with the paths in path1_ and path2_.
  void learn_kind(state::Thread& thread, std::string_view path, FileKind kind);
  FileEntity* file_of_event(const state::Context& context, uint32_t op);
  std::pair<FileEntity*, FileEntity*> files_of_event(const state::Context& context, uint32_t op);
  std::string_view path_text(Bytes value);

  const ConvertOptions& options_;
  state::Engine& state_;
  RecordSink& sink_;
  Clock clock_;
  EntityStore entities_;
  FlowTable flows_;
  DispatchCounts counts_;
  // The operation of each event code; 0 if there is none or the event needs more than that.
  const std::array<uint32_t, scap::kEventCount> simple_ops_;
  uint64_t flows_ended_early_ = 0;

  int64_t last_valid_ts_ = 0;   // last plausible event time
  uint64_t second_start_ = 0;   // of the current second in ns
  uint64_t second_length_ = 0;  // 0 until an event has a time
  Header header_;
  int64_t rotated_ = 0;  // seconds: first event or last rotation
  int64_t last_removal_ = 0;
  static constexpr uint32_t kLimitEvery = 256;  // events
  uint32_t until_limit_ = kLimitEvery;
  int rebases_ = 0;
  std::vector<EndedProcess> ended_;
  std::string last_setuid_;  // compat mode: shared by all threads
  ProcessEvent event_;
  std::string path1_;
  std::string path2_;
  std::string text_;
};

// Folds `//`, `.` and `..` as the collector does; a trailing slash stays.
void normalize_path(std::string_view path, std::string& out);

}  // namespace sfkit::sysflow
