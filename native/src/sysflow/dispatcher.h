// Turns what the state engine says of each event into SysFlow records (spec: sysflow-semantics, section 5).
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

// How often something was left out.
struct DispatchCounts {
  uint64_t unknown_descriptor = 0;  // calls on descriptors the capture never introduced
  uint64_t other_descriptor = 0;    // on kinds that SysFlow has no records for, or that fileOnly leaves out
  uint64_t ipv6 = 0;                // compat only
  uint64_t outside_containers = 0;  // events, with containersOnly
};

class Dispatcher {
 public:
  Dispatcher(const ConvertOptions& options, state::Engine& state, RecordSink& sink)
      : options_(options),
        state_(state),
        sink_(sink),
        entities_(state, sink, options.compat),
        flows_(options, entities_, sink) {}

  // Writes the header, which comes again with each rotation.
  void begin(const Header& header);
  // To be called for every event before dispatch(), with its time: timers, removal of ended processes.
  void advance(uint64_t ts);
  // Whether dispatch() has something to do for events of this code, unless they close descriptors.
  static bool takes(uint16_t code, bool compat);
  // One event, as the state engine saw it.
  void dispatch(const state::Context& context);
  // The same of one operation of it (ops.h), after take_effects().
  void dispatch(const state::Context& context, uint32_t op);
  // Ends the flows on descriptors that the event closed. `is_shown`: the filter passes the event.
  void take_effects(const state::Context& context, bool is_shown);
  // An event that is not to be told (a filter leaves it out): what is under way ends with its process, and a
  // new program or user is known, all the same.
  void follow_hidden(const state::Context& context);
  // Takes from an event without an operation what it shows of the kind of a file.
  void learn(const state::Context& context);
  // End of input.
  void finish();

  const DispatchCounts& counts() const { return counts_; }
  uint64_t discarded_flows() const { return flows_.discarded(); }

 private:
  struct Dying {
    int64_t since;  // seconds
    Oid oid;
  };

  bool is_main(const state::Thread& thread) const;
  // The process of `thread`, its record as it is now.
  ProcessEntity& process_of(state::Thread& thread, ObjectState state) {
    ProcessEntity* const current = entities_.current(thread);
    ProcessEntity& process = current == nullptr ? fetch(thread, state) : *current;
    entities_.update_facts(process, thread);
    return process;
  }
  ProcessEntity& fetch(state::Thread& thread, ObjectState state);
  void settle(const EntityStore::Fetched& fetched, state::Thread& thread);
  void refresh(ProcessEntity& process, state::Thread& thread);
  void refresh_parent(state::Thread& thread);
  bool ends_process(const state::Thread& thread) const;
  void end_process(ProcessEntity& process);
  void become_another(ProcessEntity& process, state::Thread& thread, bool succeeded);
  void tick();
  void rotate();
  void tell_sizes();
  void on_open_alone(const state::Context& context, const ProcessEntity& process, const FileEntity& file);
  void rebase();
  void limit();
  void end_gone();
  // Of processes that ended `keep` seconds ago or earlier.
  void remove_ended(int64_t keep);
  void on_process(const state::Context& context, uint32_t op);
  void on_data(const state::Context& context, uint32_t op);
  void on_flow(const state::Context& context, uint32_t op, bool network);
  void on_file_event(const state::Context& context, uint32_t op);
  void write_event(const state::Context& context, const ProcessEntity& process, uint32_t op, int64_t result);
  std::string setuid_arguments(const state::Context& context);
  int64_t result_of(const state::Context& context) const;
  // A path argument made absolute where the capture allows it.
  void read_paths(const state::Context& context, uint32_t op);
  const state::FdSlot* shown_directory(const state::Context& context) const;
  void absolute_path(const state::Context& context, scap::P path, scap::P directory, std::string& out);
  void link_target(const state::Context& context, const state::PathParameters& paths);
  // The files of an event whose paths are in path1_ and path2_.
  void learn(state::Thread& thread, std::string_view path, FileKind kind);
  FileEntity* file_of_event(const state::Context& context, uint32_t op);
  std::pair<FileEntity*, FileEntity*> files_of_event(const state::Context& context, uint32_t op);
  std::string_view path_text(Bytes value);

  const ConvertOptions& options_;
  state::Engine& state_;
  RecordSink& sink_;
  EntityStore entities_;
  FlowTable flows_;
  DispatchCounts counts_;

  int64_t ts_ = 0;
  int64_t reached_ = 0;         // the last time that is possible
  int64_t now_ = 0;             // seconds
  uint64_t second_begins_ = 1;  // the current second in ns; begins empty
  uint64_t second_ends_ = 0;
  Header header_;
  int64_t rotated_ = 0;  // seconds: the first event or the last rotation
  int64_t last_removal_ = 0;
  static constexpr uint32_t kLimitEvery = 256;  // events
  uint32_t until_limit_ = kLimitEvery;
  int rebases_ = 0;
  std::vector<Dying> dying_;
  std::string last_setuid_;  // compat: shared by all threads
  ProcessEvent event_;
  std::string path1_;
  std::string path2_;
  std::string text_;
};

// `path` with `//`, `.` and `..` folded; a trailing slash stays.
void tidy_path(std::string_view path, std::string& out);

}  // namespace sfkit::sysflow
