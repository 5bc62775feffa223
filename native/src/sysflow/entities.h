// The objects SysFlow records refer to: containers, processes and files. Fetching one writes its record
// first when it is new (spec: sysflow-semantics, sections 4 and 9).
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
#include "base/pool.h"
#include "state/engine.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

struct Flow;
struct TableFlows;
struct ThreadFlow;

// Membership in the list that the timer walks.
struct TimerEntry {
  TimerEntry* older = nullptr;
  TimerEntry* younger = nullptr;
  int64_t exported = 0;   // seconds: creation or last export
  bool is_group = false;  // RestingFlows, not a flow
};

// A doubly linked list, oldest export first.
class TimerList {
 public:
  TimerEntry* oldest() const { return oldest_; }

  // At the young end: where time stepped back a little, the entry counts as begun with the one before it.
  void insert(TimerEntry* entry) {
    if (youngest_ != nullptr) entry->exported = std::max(entry->exported, youngest_->exported);
    insert_after(youngest_, entry);
  }

  // `after`: nullptr for the old end.
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

// The flows of a process that were exported when it became another and did nothing since. Their next export
// is one for all: a process that changes its user again and again does not visit each of its flows each time.
// In the timer's list while there are any.
struct RestingFlows : TimerEntry {
  RestingFlows() { is_group = true; }
  int64_t ts = 0;  // when that was
  TimerList flows;
};

// How well the kind of a file is known.
enum class Certainty : uint8_t {
  kNone,          // not, or what was there is gone: anything says more
  kGuessed,       // opened without a word about it, as most files are
  kNotDirectory,  // of kind 'f': opened in a way in which no directory can be
  kKnown,
};

struct FileKind {
  char letter = '?';  // of File.restype
  Certainty certainty = Certainty::kNone;
};

struct FileEntity {
  File record;
  Certainty certainty = Certainty::kNone;  // of its kind
  SharedText container;  // id of the container in which the path was seen, which tells files apart
  uint32_t written = 0;  // the epoch of EntityStore in which it was last, 0 for never
  uint32_t flows = 0;    // that are on it now
};

struct ProcessEntity {
  Process record;
  bool alive = false;
  bool is_waiting = false;  // to be written, after its ancestors
  uint32_t written = 0;     // the epoch of EntityStore in which it was last, 0 for never
  bool ended = false;       // its leader has exited
  // Of the leader (state/thread.h) when the record was made or compared with it.
  uint32_t changes = 0;
  uint32_t identities = 0;
  uint32_t cwd_changes = 0;  // of the engine, likewise
  int64_t parent_tid = -1;   // of the leader, when the facts of the record were taken
  // Data flows in order of creation, network and file apart.
  Flow* first_network = nullptr;
  Flow* last_network = nullptr;
  Flow* first_file = nullptr;
  Flow* last_file = nullptr;
  RestingFlows resting;
  uint32_t flow_count = 0;
  TableFlows* table_flows = nullptr;  // of the descriptor table in which a flow began last
  bool threads_indexed = false;       // its flows are in the index by thread of FlowTable
  ThreadFlow* thread_flow = nullptr;
  // Creation order over all processes, and over those of the same pid.
  ProcessEntity* previous = nullptr;
  ProcessEntity* next = nullptr;
  ProcessEntity* previous_same_pid = nullptr;
  ProcessEntity* next_same_pid = nullptr;

  bool has_flows() const {
    return first_network != nullptr || first_file != nullptr || thread_flow != nullptr;
  }
};

class EntityStore {
 public:
  EntityStore(state::Engine& state, RecordSink& sink, bool compat)
      : state_(state), sink_(sink), compat_(compat) {}

  struct Fetched {
    ProcessEntity* process;
    bool created;      // this call made it
    bool is_outdated;  // its record may no longer describe the leader
  };

  // The process of `thread` if it is written as it is now, null else.
  ProcessEntity* current(state::Thread& thread) const {
    const state::Thread& leader = thread.process_thread();
    auto* const cached = static_cast<ProcessEntity*>(leader.process);
    const bool is_current = cached != nullptr && cached->alive && cached->written == epoch_ &&
                            cached->changes == leader.changes &&
                            cached->cwd_changes == state_.cwd_changes() &&
                            cached->record.oid == oid_of(leader);
    return is_current ? cached : nullptr;
  }
  // The process of `thread`, written with all its missing ancestors. A new one gets `state`.
  Fetched process(state::Thread& thread, ObjectState state, int64_t ts);

  // The process of `thread` if it was met before, and null else.
  ProcessEntity* known(state::Thread& thread) {
    state::Thread* const leader = thread.leader();
    return find(oid_of(leader == nullptr ? thread : *leader));
  }

  // Whether the record may no longer describe the leader.
  bool is_outdated(ProcessEntity& process, state::Thread& leader) const;
  // Writes the process again with what an exec or a change of ids altered.
  void modified(ProcessEntity& process, state::Thread& thread, int64_t ts);
  // How the leader differs from the record of its process. kIdentity: in program, user, group or container.
  enum class Difference : uint8_t { kNone, kSurroundings, kIdentity };
  Difference compare(ProcessEntity& process, state::Thread& thread);
  // Tells the sink what changed in the facts of the process, which is written.
  void update_facts(ProcessEntity& process, state::Thread& thread) {
    const state::Thread& leader = thread.process_thread();
    if (process.parent_tid != leader.parent_tid() || process.record.facts.comm != comm_of(leader))
      renew_facts(process, leader);
  }
  // The leader of the parent's process, nullptr when the parent is unknown.
  state::Thread* parent_of(state::Thread& leader);

  // The file `path` as seen by `thread`. When its kind turns out to be another one it is written again as
  // MODIFIED; the collector leaves it as it is at first sight.
  FileEntity* file(state::Thread& thread, std::string_view path, FileKind kind, ObjectState state,
                   int64_t ts);
  // What became known of a file that nothing refers to now. One that was not met before is not written.
  void learn(state::Thread& thread, std::string_view path, FileKind kind, int64_t ts);
  void learn(FileEntity& file, FileKind kind, int64_t ts);

  // Name of a user as an argument of a call of `thread`: what the capture says, "root" for 0 (which the
  // collector does not assume here), else "<NA>".
  std::string user_argument(const state::Thread& thread, uint32_t uid) const;

  // A rotation: every entity is written again before it is next referred to, as REUP and with its ancestors.
  void forget_written() { ++epoch_; }
  // Writes the process, with the ancestors that were not written either, unless it was.
  void keep_written(ProcessEntity& process) {
    if (process.written != epoch_) write_again(process);
  }
  // The same for a file.
  void keep_written(FileEntity& file) {
    if (file.written != epoch_) write(file, ObjectState::kReup);
  }

  // Forgets the files that no flow is on, if there are many: a long run meets ever new ones. What is referred
  // to from then on is written again first. So with containers that the state has forgotten. Not to be called
  // in the middle of an event.
  void limit();
  // Changes when files were forgotten: whoever keeps a FileEntity has to ask for it again.
  uint32_t file_generation() const { return file_generation_; }

  size_t processes() const { return processes_.size(); }
  size_t files() const { return files_.size(); }
  size_t containers() const { return containers_.size(); }

  // Forgets the process. Its flows, if any are left, keep the object until release().
  void erase(ProcessEntity& process);
  // To be called when an erased process lost a flow.
  void release(ProcessEntity& process);
  ProcessEntity* find(const Oid& oid);
  // Whether a thread that the capture knows now is the leader of the process.
  bool has_leader(const Oid& oid) {
    const state::Thread* const leader = state_.find_process(oid.hpid);
    return leader != nullptr && oid_of(*leader) == oid;
  }
  ProcessEntity* first() { return first_; }

 private:
  Oid oid_of(const state::Thread& leader) const {
    // Without compat a thread the capture never introduced is told from others by its own id.
    const int64_t pid = leader.pid < 0 && !compat_ ? leader.tid : leader.pid;
    return {static_cast<int64_t>(leader.clone_ts), pid};
  }
  static std::string_view comm_of(const state::Thread& leader) {
    return std::string_view(leader.comm).substr(0, ProcessFacts::kMaxComm);
  }
  ProcessEntity* create(const state::Thread& thread, state::Thread& leader, state::Thread* parent,
                        ObjectState state, int64_t ts);
  void describe(Process& record, state::Thread& leader) const;
  void describe_surroundings(Process& record, state::Thread& leader) const;
  void set_container(Process& record, uint32_t container) const;
  void take_facts(ProcessEntity& process, const state::Thread& leader) const;
  void renew_facts(ProcessEntity& process, const state::Thread& leader);
  void write(ProcessEntity& process);
  void write(FileEntity& file, ObjectState state);
  FileEntity* find_file(const SharedText& container, std::string_view path);
  FileEntity* add_file(state::Thread& thread, std::string_view path, FileKind kind, int64_t ts);
  std::string_view limit_path(std::string_view path);
  void write_again(ProcessEntity& process);
  void write_container_again(const std::optional<SharedText>& id);
  ProcessEntity* by_pid(int64_t pid);
  void write_container(uint32_t container);
  void write_container_of(state::Thread& thread);
  void forget_files();
  void forget_containers();

  // What tells files apart.
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
    bool operator()(const FilePointer& a, const FilePointer& b) const { return (*this)(key_of(a), b); }
    bool operator()(const FileKey& key, const FilePointer& file) const {
      return key.path == file->record.path && key.container == file->container;
    }
  };
  static FileKey key_of(const FilePointer& file) { return {file->container, file->record.path}; }

  state::Engine& state_;
  RecordSink& sink_;
  const bool compat_;
  // Counts what makes everything begin anew, so that nothing need be walked for it.
  uint32_t epoch_ = 1;

  FlatMap<Oid, ProcessEntity*, OidHash> processes_;
  FlatMap<int64_t, ProcessEntity*> by_pid_;
  Pool<ProcessEntity> pool_;
  ProcessEntity* first_ = nullptr;
  ProcessEntity* last_ = nullptr;
  static constexpr size_t kManyFiles = 65536;
  static constexpr size_t kManyFileBytes = size_t{16} << 20;  // of their paths

  std::unordered_set<FilePointer, FileHash, FileEqual> files_;
  size_t file_bytes_ = 0;
  // Paths longer than this, which short events can make below a directory with a long path, may take
  // kMaxLongPaths together; those beyond become unknown.
  static constexpr size_t kLongPath = 1023;
  static constexpr size_t kMaxLongPaths = size_t{4} << 20;
  size_t long_paths_ = 0;  // bytes
  size_t most_long_paths_ = kMaxLongPaths / 2;
  std::string path_;
  size_t most_files_ = kManyFiles;
  size_t most_file_bytes_ = kManyFileBytes;
  uint32_t file_generation_ = 1;
  struct ContainerEntity {
    Container record;
    uint64_t version = 0;  // of the metadata it was last written with
    uint32_t written = 0;
    bool in_use = false;  // while forget_containers() looks
  };
  std::unordered_map<std::string, ContainerEntity, TextHash, std::equal_to<>> containers_;
  uint32_t container_generation_ = 0;
  std::vector<ProcessEntity*> to_write_;
  Process current_;  // while compare() looks
};

}  // namespace sfkit::sysflow
