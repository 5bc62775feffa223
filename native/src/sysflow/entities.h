// The entities that SysFlow records refer to: containers, processes and files. Fetching a new one
// writes its record (spec: sysflow-semantics, sections 4 and 9).
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/flat_map.h"
#include "base/memory_count.h"
#include "base/pool.h"
#include "state/engine.h"
#include "sysflow/clock.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

struct Flow;
struct TableFlows;
struct ThreadFlow;

// An entry of the timer list.
struct TimerEntry {
  TimerEntry* older = nullptr;
  TimerEntry* younger = nullptr;
  int64_t exported = 0;   // seconds: creation or last export
  bool is_group = false;  // a RestingFlows, not a flow
};

// A doubly linked list, oldest export first.
class TimerList {
 public:
  TimerEntry* oldest() const { return oldest_; }

  // Inserts at the young end. If time went back, the entry gets the time of the one before it.
  void insert(TimerEntry* entry) {
    if (youngest_ != nullptr) entry->exported = std::max(entry->exported, youngest_->exported);
    insert_after(youngest_, entry);
  }

  // `after`: nullptr inserts at the old end.
  void insert_after(TimerEntry* after, TimerEntry* entry) {
    entry->older = after;
    entry->younger = after == nullptr ? oldest_ : after->younger;
    (after == nullptr ? oldest_ : after->younger) = entry;
    (entry->younger == nullptr ? youngest_ : entry->younger->older) = entry;
  }

  void remove(TimerEntry* entry) {
    (entry->older == nullptr ? oldest_ : entry->older->younger) = entry->younger;
    (entry->younger == nullptr ? youngest_ : entry->younger->older) = entry->older;
  }

 private:
  TimerEntry* oldest_ = nullptr;
  TimerEntry* youngest_ = nullptr;
};

// The flows of a process that were exported at a change of identity and idle since. They share one
// timer entry, so that repeated changes do not visit every flow. In the timer list while not empty.
struct RestingFlows : TimerEntry {
  RestingFlows() { is_group = true; }
  int64_t ts = 0;  // time of that export
  TimerList flows;
};

// How certain the kind of a file is.
enum class Certainty : uint8_t {
  kNone,          // unknown or removed: any evidence replaces it
  kGuessed,       // opened without evidence, as most files are
  kNotDirectory,  // kind 'f', opened in a way that fails for directories
  kKnown,
};

struct FileKind {
  char letter = '?';  // File.restype
  Certainty certainty = Certainty::kNone;
};

struct FileEntity {
  File record;
  Certainty certainty = Certainty::kNone;  // of the kind
  SharedText container;  // id of the container in which the path was seen; part of the key
  uint32_t written = 0;  // epoch of EntityStore when last written, 0 for never
  uint32_t flows = 0;    // open flows on it
  [[no_unique_address]] Counted<320> cost;  // with what outputs keep of it
};

struct ProcessEntity {
  Process record;
  bool alive = false;
  bool is_waiting = false;  // to be written after its ancestors
  uint32_t written = 0;     // epoch of EntityStore when last written, 0 for never
  bool ended = false;       // the process has ended
  // Counters of the leader (state/thread.h) when the record was made or last compared.
  uint32_t changes = 0;
  uint32_t identity_changes = 0;
  uint32_t cwd_changes = 0;  // of the engine
  int64_t parent_tid = -1;   // of the leader
  // Data flows in order of creation, separate for network and file.
  Flow* first_network = nullptr;
  Flow* last_network = nullptr;
  Flow* first_file = nullptr;
  Flow* last_file = nullptr;
  RestingFlows resting;
  uint32_t flow_count = 0;
  TableFlows* table_flows = nullptr;  // of the descriptor table with the newest flow
  bool threads_indexed = false;       // its flows are in FlowTable::threads_
  ThreadFlow* thread_flow = nullptr;
  // Lists of all processes and of those with the same pid, in order of creation.
  ProcessEntity* previous = nullptr;
  ProcessEntity* next = nullptr;
  ProcessEntity* previous_same_pid = nullptr;
  ProcessEntity* next_same_pid = nullptr;
  [[no_unique_address]] Counted<800> cost;  // with what outputs keep of it

  bool has_flows() const {
    return first_network != nullptr || first_file != nullptr || thread_flow != nullptr;
  }
};

class EntityStore {
 public:
  EntityStore(state::Engine& state, RecordSink& sink, const Clock& clock, bool compat)
      : state_(state),
        sink_(sink),
        clock_(clock),
        compat_(compat),
        takes_facts_(sink.takes_facts()) {}

  struct Fetched {
    ProcessEntity* process;
    bool created;      // by this call
    bool is_outdated;  // the record may no longer describe the leader
  };

  // The process of `thread` if its written record is up to date, else null.
  ProcessEntity* current(state::Thread& thread) const {
    const state::Thread& leader = thread.process_thread();
    auto* const cached = static_cast<ProcessEntity*>(leader.process);
    const bool is_current = cached != nullptr && cached->alive && cached->written == epoch_ &&
                            cached->changes == leader.changes &&
                            cached->cwd_changes == state_.cwd_changes() &&
                            cached->record.oid == oid_of(leader);
    return is_current ? cached : nullptr;
  }
  // The process of `thread`, written together with missing ancestors. A new one gets `state`.
  Fetched process(state::Thread& thread, ObjectState state, int64_t ts);

  // The process of `thread` if it is known, else null.
  ProcessEntity* find_process(state::Thread& thread) {
    state::Thread* const leader = thread.leader();
    return find(oid_of(leader == nullptr ? thread : *leader));
  }

  // Whether the record may no longer describe the leader.
  bool is_outdated(ProcessEntity& process, state::Thread& leader) const;
  // Updates the record after an exec or a change of ids, and writes it.
  void write_modified(ProcessEntity& process, state::Thread& thread, int64_t ts);
  // How the leader differs from the record. kIdentity: in program, user, group or container.
  enum class Difference : uint8_t { kNone, kContext, kIdentity };
  Difference compare(ProcessEntity& process, state::Thread& thread);
  // Reports changed facts of a process that is already written to the sink.
  void update_facts(ProcessEntity& process, state::Thread& thread) {
    if (!takes_facts_) return;
    const state::Thread& leader = thread.process_thread();
    if (process.parent_tid != leader.parent_tid() || process.record.facts.comm != comm_of(leader))
      renew_facts(process, leader);
  }
  // The leader of the parent process, nullptr if unknown.
  state::Thread* parent_of(state::Thread& leader);

  // The file at `path` for `thread`. If its kind changes, it is written again as MODIFIED. (The
  // collector keeps the first kind.)
  FileEntity* file(state::Thread& thread, std::string_view path, FileKind kind, ObjectState state,
                   int64_t ts);
  // Records the kind of a file without a reference to it. A new file is not written.
  void learn_kind(state::Thread& thread, std::string_view path, FileKind kind, int64_t ts);
  void learn_kind(FileEntity& file, FileKind kind, int64_t ts);

  // The name of a user as a call argument: from the capture, else "root" for 0 (not in compat
  // mode), else
  // "<NA>".
  std::string user_argument(const state::Thread& thread, uint32_t uid) const;

  // Starts a rotation: every entity is written again, as REUP and after its ancestors, before the
  // next reference.
  void start_epoch() { ++epoch_; }
  // Writes the process and its ancestors if they were not written in this epoch.
  void ensure_written(ProcessEntity& process) {
    if (process.written != epoch_) rewrite(process);
  }
  // Writes the file if it was not written in this epoch.
  void ensure_written(FileEntity& file) {
    if (file.written != epoch_) write(file, ObjectState::kReup);
  }

  // Forgets files without flows once there are many, since long runs see ever new files, and
  // containers that the engine forgot. A new reference writes them again. Do not call this while
  // handling an event.
  void limit_memory();
  // Forgets all files and processes without flows, and containers that the engine forgot. A new
  // reference writes them again. Do not call this while handling an event.
  // `leave(ProcessEntity&)` is called for each process before.
  template <typename Leave>
  void forget_unused(Leave leave) {
    for (ProcessEntity* process = first_; process != nullptr;) {
      ProcessEntity* const next = process->next;
      if (!process->has_flows()) {
        leave(*process);
        erase(*process);
      }
      process = next;
    }
    forget_unused_others();
  }
  // Frees the memory of forgotten processes.
  void trim();
  // Changes when files are forgotten: FileEntity pointers from before are invalid.
  uint32_t file_generation() const { return file_generation_; }

  size_t processes() const { return processes_.size(); }
  size_t files() const { return files_.size(); }
  size_t containers() const { return containers_.size(); }

  // Writes the pods that an event of the Kubernetes API changed, and the containers that it moved
  // to another pod, if records refer to them.
  void follow(const state::KubernetesChange& change);

  // Removes the process. Remaining flows keep the object alive until release().
  void erase(ProcessEntity& process);
  // Call this after a process lost a flow. Frees it if it was erased and has none left.
  void release(ProcessEntity& process);
  ProcessEntity* find(const Oid& oid);
  // Whether a known thread is the leader of the process.
  bool has_leader(const Oid& oid) {
    const state::Thread* const leader = state_.find_process(oid.hpid);
    return leader != nullptr && oid_of(*leader) == oid;
  }
  ProcessEntity* first() { return first_; }

 private:
  Oid oid_of(const state::Thread& leader) const {
    // A thread that the capture never introduced is identified by its tid. (Not in compat mode.)
    const int64_t pid = leader.pid < 0 && !compat_ ? leader.tid : leader.pid;
    return {static_cast<int64_t>(leader.clone_ts), pid};
  }
  static std::string_view comm_of(const state::Thread& leader) {
    return std::string_view(leader.comm).substr(0, ProcessFacts::kMaxComm);
  }
  ProcessEntity* create(const state::Thread& thread, state::Thread& leader, state::Thread* parent,
                        ObjectState state, int64_t ts);
  void describe(Process& record, state::Thread& leader) const;
  void describe_context(Process& record, state::Thread& leader) const;
  void set_container(Process& record, uint32_t container) const;
  void take_facts(ProcessEntity& process, const state::Thread& leader) const;
  void renew_facts(ProcessEntity& process, const state::Thread& leader);
  void write(ProcessEntity& process);
  void write(FileEntity& file, ObjectState state);
  FileEntity* find_file(const SharedText& container, std::string_view path);
  FileEntity* add_file(state::Thread& thread, std::string_view path, FileKind kind, int64_t ts);
  std::string_view limit_path(std::string_view path);
  void rewrite(ProcessEntity& process);
  void rewrite_container(const std::optional<SharedText>& id);
  ProcessEntity* by_pid(int64_t pid);
  void write_container(uint32_t container);
  void write_container_of(state::Thread& thread);
  void write_pod(std::string_view uid);
  void forget_pods();
  void forget_unused_others();
  void forget_files();
  void forget_containers();

  // The identity of a file.
  struct FileKey {
    std::string_view container;
    std::string_view path;
  };
  using FilePointer = std::unique_ptr<FileEntity>;
  struct FileHash {
    using is_transparent = void;
    size_t operator()(const FileKey& key) const {
      const uint64_t path = hash_text(key.path);
      return key.container.empty() ? path : mix_words(path, hash_text(key.container));
    }
    size_t operator()(const FilePointer& file) const { return (*this)(key_of(file)); }
  };
  struct FileEqual {
    using is_transparent = void;
    bool operator()(const FilePointer& a, const FilePointer& b) const {
      return (*this)(key_of(a), b);
    }
    bool operator()(const FileKey& key, const FilePointer& file) const {
      return key.path == file->record.path && key.container == file->container;
    }
    // Standard libraries pass the key on either side.
    bool operator()(const FilePointer& file, const FileKey& key) const {
      return (*this)(key, file);
    }
  };
  static FileKey key_of(const FilePointer& file) { return {file->container, file->record.path}; }

  state::Engine& state_;
  RecordSink& sink_;
  const Clock& clock_;
  const bool compat_;
  const bool takes_facts_;
  // Increases with every rotation, which so needs no walk over the entities.
  uint32_t epoch_ = 1;

  FlatMap<Oid, ProcessEntity*, OidHash> processes_;
  FlatMap<int64_t, ProcessEntity*> by_pid_;
  Pool<ProcessEntity> pool_;
  ProcessEntity* first_ = nullptr;
  ProcessEntity* last_ = nullptr;
  static constexpr size_t kForgetAtFiles = 65536;
  static constexpr size_t kForgetAtFileBytes = size_t{16} << 20;  // bytes of their paths

  std::unordered_set<FilePointer, FileHash, FileEqual> files_;
  size_t file_bytes_ = 0;
  // Longer paths, which short events can make in a directory with a long path, share a budget of
  // kMaxLongPaths bytes. Paths past that budget become unknown.
  static constexpr size_t kLongPath = 1023;
  static constexpr size_t kMaxLongPaths = size_t{4} << 20;
  size_t long_paths_ = 0;  // bytes
  size_t forget_at_long_paths_ = kMaxLongPaths / 2;
  std::string path_;
  size_t forget_at_files_ = kForgetAtFiles;
  size_t forget_at_file_bytes_ = kForgetAtFileBytes;
  uint32_t file_generation_ = 1;
  struct ContainerEntity {
    Container record;
    uint64_t version = 0;  // metadata version when last written
    uint32_t written = 0;
    uint64_t pods_version = 0;  // of the engine's pods when last written
    bool in_use = false;        // scratch for forget_containers()
  };
  std::unordered_map<std::string, ContainerEntity, TextHash, std::equal_to<>> containers_;
  uint32_t container_generation_ = 0;
  struct PodEntity {
    uint64_t version = 0;  // of the pod when last written
    uint32_t written = 0;
    int64_t ts = 0;  // when it was first seen or last changed
  };
  // Pods that records refer to.
  std::unordered_map<std::string, PodEntity, TextHash, std::equal_to<>> pods_;
  uint32_t pod_generation_ = 0;
  std::vector<ProcessEntity*> to_write_;
  Process current_;  // scratch for compare()
};

}  // namespace sfkit::sysflow
