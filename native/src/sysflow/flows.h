// Open flows: what a thread does with one file or connection, and which threads a process starts
// and ends (spec: sysflow-semantics, section 7).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/flat_map.h"
#include "base/memory_count.h"
#include "base/pool.h"
#include "base/shared_map.h"
#include "state/engine.h"
#include "state/memory_budget.h"
#include "sysflow/convert.h"
#include "sysflow/dns_names.h"
#include "sysflow/entities.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

struct Flow : TimerEntry {
  [[no_unique_address]] Counted<600> cost;
  int64_t updated = 0;  // seconds: last operation
  bool alive = false;
  bool network = false;
  bool resting = false;  // in process->resting, which holds its `ts` and `exported`
  ProcessEntity* process = nullptr;
  FileEntity* file = nullptr;  // file flows
  NetworkFlow net;             // network flows: the whole record
  FileFlow data;               // file flows: the whole record
  int64_t last_ts = 0;         // time of the last operation
  Flow* previous = nullptr;    // list of the process
  Flow* next = nullptr;
  // Flows of other threads on the same descriptor and resource: network flows, and all flows in
  // compat mode.
  Flow* previous_related = nullptr;
  Flow* next_related = nullptr;
  Flow* previous_of_thread = nullptr;  // used if the process is in FlowTable::threads_
  Flow* next_of_thread = nullptr;
  TableFlows* table = nullptr;     // null in compat mode
  Flow* previous_on_fd = nullptr;  // flows of the process on the same descriptor, newest first
  Flow* next_on_fd = nullptr;
  // Number of the chain in FlowTable::members_; 0 for short chains.
  uint64_t chain = 0;

  uint32_t& op_flags() { return network ? net.op_flags : data.op_flags; }
  int64_t& ts() { return network ? net.ts : data.ts; }
  int64_t& end_ts() { return network ? net.end_ts : data.end_ts; }
  int64_t tid() const { return network ? net.tid : data.tid; }
  int32_t fd() const { return network ? net.fd : data.fd; }
  Counters& counters() { return network ? net.counters : data.counters; }
};

// The data flows of one process on the descriptors of one table: closing descriptors ends their
// flows without visiting others. Kept while the process uses that table.
struct TableFlows {
  static constexpr uint32_t kLow = 64;

  const ProcessEntity* process = nullptr;
  uint64_t table = 0;
  size_t flows = 0;
  std::array<Flow*, kLow> low{};
  // Descriptors from kLow on: those that the next exec may close, and those that it will not.
  SharedMap<Flow*> open;
  SharedMap<Flow*> kept;
  [[no_unique_address]] Counted<680> cost;
};

struct ThreadFlow : TimerEntry {
  ProcessEntity* process = nullptr;
  ProcessFlow record;
  int64_t last_ts = 0;
  int64_t updated = 0;  // seconds: last operation
  [[no_unique_address]] Counted<160> cost;
};

// What identifies a flow within its process.
struct FlowTarget {
  bool network = false;
  FileEntity* file = nullptr;                     // file flows
  const state::Descriptor* descriptor = nullptr;  // network flows: addresses, ports, protocol
  state::Thread* thread = nullptr;
  int64_t tid = 0;
  int64_t fd = -1;
};

class FlowTable {
 public:
  FlowTable(const ConvertOptions& options, EntityStore& entities, RecordSink& sink,
            const Clock& clock)
      : options_(options), entities_(entities), sink_(sink), clock_(clock) {}

  // Handles one operation. `result`: the bytes of a read or write. `open_flags`: the flags of an
  // open. `slot` caches the flow last used on the descriptor.
  void operate(ProcessEntity& process, const FlowTarget& target, uint32_t op, int64_t result,
               uint32_t open_flags, const state::FdSlot& slot);

  // Writes and removes the flows on descriptors that a thread closed. `process`: that of the
  // thread, null if no record mentions it. `is_shown`: the event passes the filter.
  void end_closed(ProcessEntity* process, const state::Thread& thread, const state::Closed& closed,
                  bool is_shown);

  // Writes and removes the flows of one thread. (The collector also ends flows of other threads on
  // the same descriptors.)
  void end_thread(ProcessEntity& process, int64_t tid);
  // Writes and removes all data flows of a process.
  void end_process(ProcessEntity& process);
  // Writes all data flows of a process and restarts them from zero. Visits only flows with activity
  // since the last export.
  void export_process(ProcessEntity& process);

  // Names for the destinations of later flows.
  DnsNames& names() { return names_; }

  // Process flows.
  void thread_cloned(ProcessEntity& process, int64_t result);
  void thread_exited(ProcessEntity& process);
  void end_thread_flow(ProcessEntity& process);

  // Restarts all timers at `seconds`, after time went back further than events come out of order.
  void rebase(int64_t seconds);

  // Exports flows after 30 s and ends idle ones. Call it once a second of event time.
  void run_timers();
  // Writes and removes flows until the budget wants no less, those first that were not exported for
  // the longest time, at most half of them. Returns how many had something to write. Do not call
  // this while handling an event.
  uint64_t end_early(const state::MemoryBudget& budget, state::Engine& state);
  // Frees what is kept for a process that has no flows.
  void leave(ProcessEntity& process) { drop_table(std::exchange(process.table_flows, nullptr)); }
  // Frees the memory of removed flows. `state` has pointers to them.
  void trim(state::Engine& state);
  // Ends the input: writes all remaining flows in order of creation.
  void finish(int64_t end_ts);

  // Writes a flow that is not tracked, unless the read mode discards it (whatever its path).
  void write_untracked(const FileFlow& record);

  uint64_t network_flows() const { return network_count_; }
  uint64_t file_flows() const { return file_count_; }
  uint64_t process_flows() const { return thread_count_; }

  // File flows discarded by the read mode.
  uint64_t discarded() const { return discarded_; }

 private:
  // The keys of flow chains, which hold the flows of several threads on one resource. Outside
  // compat mode file flows need none: all flows on one descriptor of a table are on the same file.
  struct FileKey {
    const ProcessEntity* process = nullptr;
    const FileEntity* file = nullptr;
    int64_t fd = 0;
    bool operator==(const FileKey&) const = default;
  };
  struct NetworkKey {
    const ProcessEntity* process = nullptr;
    Address sip;
    Address dip;
    uint64_t ports_and_family = 0;
    int64_t fd = 0;
    bool operator==(const NetworkKey&) const = default;
  };
  // A flow in a long chain.
  struct MemberKey {
    uint64_t chain = 0;
    int64_t tid = 0;
    const FileEntity* file = nullptr;
    bool operator==(const MemberKey&) const = default;
  };
  // The flows of one thread.
  struct ThreadKey {
    const ProcessEntity* process = nullptr;
    int64_t tid = 0;
    bool operator==(const ThreadKey&) const = default;
  };
  // The flows of a process on one descriptor table.
  struct TableKey {
    const ProcessEntity* process = nullptr;
    uint64_t table = 0;
    bool operator==(const TableKey&) const = default;
  };
  struct KeyHash {
    uint64_t operator()(const FileKey& key) const;
    uint64_t operator()(const NetworkKey& key) const;
    uint64_t operator()(const MemberKey& key) const {
      return mix_words(mix_words(key.chain, static_cast<uint64_t>(key.tid)),
                       reinterpret_cast<uintptr_t>(key.file));
    }
    uint64_t operator()(const ThreadKey& key) const {
      return mix_words(reinterpret_cast<uintptr_t>(key.process), static_cast<uint64_t>(key.tid));
    }
    uint64_t operator()(const TableKey& key) const {
      return mix_words(reinterpret_cast<uintptr_t>(key.process), key.table);
    }
  };
  struct ThreadFlows {
    Flow* first = nullptr;
    Flow* last = nullptr;
  };
  static FileKey file_key(const Flow& flow) { return {flow.process, flow.file, flow.data.fd}; }
  static NetworkKey network_key(const Flow& flow);

  // The first flow of the chain on the target's resource, or nullptr.
  Flow* find_chain(ProcessEntity& process, const FlowTarget& target);
  // The flow of the target's thread in a chain, or nullptr.
  Flow* find_in_chain(Flow* chain, const FlowTarget& target);
  static MemberKey member_key(const Flow& flow) { return {flow.chain, flow.tid(), flow.file}; }
  bool is_chained_by_fd(bool network) const { return !network && !options_.compat; }
  static bool matches(const Flow& flow, const ProcessEntity& process, const FlowTarget& target);
  Flow* create(ProcessEntity& process, const FlowTarget& target);
  void add(Flow& flow, Flow* chain, const FlowTarget& target);
  void remove(Flow& flow);
  void add_to_related(Flow& flow, Flow* chain);
  void remove_from_related(Flow& flow);
  void add_to_thread(Flow& flow);
  void remove_from_thread(Flow& flow);
  void index_threads(ProcessEntity& process);
  TableFlows* find_table(const ProcessEntity& process, uint64_t table);
  void add_to_fd(Flow& flow, const state::DescriptorTable& descriptors);
  void remove_from_fd(Flow& flow);
  // The thread that closes a descriptor. Its flows end with `op`, those of other threads are
  // truncated.
  struct Closer {
    const ProcessEntity* process;
    int64_t tid;
    uint32_t op;
  };
  void end_fd(Flow* last, const Closer& closer, const Flow* except = nullptr);
  // Ends flows of another process that shares the table. `hint`: the flow cached in the slot.
  void end_in_other_process(void* hint, uint64_t table, int64_t fd, const Closer& closer);
  void close(Flow& flow, const FlowTarget& target, const state::FdSlot& slot);
  void drop_table(TableFlows* table);
  void end_fd_range(TableFlows& table, uint64_t first, uint64_t last, const Closer& closer);
  void end_cloexec_fds(TableFlows& table, const state::DescriptorTable& descriptors,
                       const Closer& closer);
  static void mark_fds(TableFlows& table, uint64_t first, uint64_t last);
  void move_table(ProcessEntity& process, uint64_t from, uint64_t to);
  void wake(Flow& flow);
  void leave_resting(Flow& flow);
  void wake_all(RestingFlows& resting);
  void link(Flow& flow);
  void unlink(Flow& flow);
  void close_related(Flow& flow, int64_t end_ts);
  void write(Flow& flow, bool final = false);
  bool is_discarded(const FileFlow& record, std::string_view path) const;
  void write(ThreadFlow& flow);
  void end_idle(Flow& flow);
  void end_idle(ThreadFlow& flow);
  void remove(ThreadFlow& flow);
  int64_t clamp_end(int64_t begin, int64_t end) const;
  void reset_flow(Flow& flow);
  void restart(Flow& flow);
  ThreadFlow& thread_flow(ProcessEntity& process);

  const ConvertOptions& options_;
  EntityStore& entities_;
  RecordSink& sink_;
  const Clock& clock_;
  int64_t last_timer_ = 0;
  uint64_t discarded_ = 0;
  uint64_t network_count_ = 0;
  uint64_t file_count_ = 0;
  uint64_t thread_count_ = 0;
  FlatMap<FileKey, Flow*, KeyHash> file_flows_;
  FlatMap<NetworkKey, Flow*, KeyHash> network_flows_;
  DnsNames names_;
  // Indexes for chains of many threads and processes with many flows.
  FlatMap<MemberKey, Flow*, KeyHash> members_;
  FlatMap<ThreadKey, ThreadFlows, KeyHash> threads_;
  FlatMap<TableKey, TableFlows*, KeyHash> tables_;
  uint64_t last_chain_ = 0;
  Pool<Flow> pool_;
  Pool<ThreadFlow> thread_pool_;
  Pool<TableFlows> table_pool_;
  TimerList data_timers_;
  TimerList thread_timers_;
  std::vector<Flow*> related_;
  std::vector<Flow*> flows_on_fd_;
  std::vector<uint64_t> fds_;
};

}  // namespace sfkit::sysflow
