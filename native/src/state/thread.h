// Threads, thread groups and the thread table (spec: scap-state, sections 1, 5 and 7).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/flat_map.h"
#include "base/memory_count.h"
#include "base/pool.h"
#include "base/shared_text.h"
#include "scap/event.h"
#include "state/descriptor.h"
#include "state/working_directory.h"

namespace sfkit::state {

// Bits of a thread's flags (PPM_CL_).
enum ThreadFlag : uint32_t {
  kCloneFiles = 1u << 0,
  kCloneFs = 1u << 1,
  kCloneNewNs = 1u << 5,
  kCloneNewPid = 1u << 6,
  kCloneParent = 1u << 8,
  kCloneThread = 1u << 13,
  kCloneNewUser = 1u << 20,
  kCloneInverted = 1u << 16,  // created from the child's own event
  kCloneVfork = 1u << 27,
  kChildInPidns = 1u << 29,
  kIsMainThread = 1u << 30,
  kPipeSource = 1u << 21,
  kPipeDestination = 1u << 22,
};

inline constexpr uint32_t kNoId = UINT32_MAX;  // no uid or gid

struct Thread;

struct ThreadGroup {
  int64_t pid = -1;
  Thread* leader = nullptr;
  // Living members in the order they joined, then the dead ones.
  Thread* first = nullptr;
  Thread* last_alive = nullptr;
  Thread* last = nullptr;
  uint32_t alive = 0;
  bool reaper = false;
  [[no_unique_address]] Counted<144> cost;
};

// The children of one thread. When the thread ends, its set is merged into the set of the new
// parent in one step. Each child finds the new parent when it is next asked for (union-find).
struct Siblings {
  Thread* parent = nullptr;  // null if unknown
  Siblings* merged_into = nullptr;
  uint32_t references = 0;  // from children, sets merged into it and the parent
  uint32_t children = 0;    // including merged sets
  [[no_unique_address]] Counted<48> cost;
};

// The executable, from an exec or the process list. Times in ns since 1970, 0 when unknown.
struct Executable {
  uint64_t inode = 0;
  uint64_t ctime = 0;
  uint64_t mtime = 0;
  uint32_t flags = 0;  // bits of ExecutableFlag
};

enum ExecutableFlag : uint32_t {
  kExeWritable = 1u << 0,
  kExeUpperLayer = 1u << 1,
  kExeFromMemfd = 1u << 2,
  kExeLowerLayer = 1u << 3,
};

inline constexpr uint32_t kKeepCapabilities = 1u << 4;  // SECBIT_KEEP_CAPS, until an exec

struct Capabilities {
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t effective = 0;
};

// Kilobytes and page faults, as last reported.
struct MemoryUse {
  uint64_t size_kb = 0;
  uint64_t resident_kb = 0;
  uint64_t swap_kb = 0;
  uint64_t major_faults = 0;
  uint64_t minor_faults = 0;
};

// The pid namespace of a thread's children, which unshare and setns change.
enum class ChildPidNamespace : uint8_t {
  kSame,   // that of the thread
  kNew,    // the next child is the first process of a new namespace
  kOther,  // another one: their pids are unknown until they report them
};

// Which of the two exit events of its clone a thread is known from.
enum CloneEvent : uint8_t {
  kCallerEvent = 1,
  kChildEvent = 2,
};

struct Thread {
  static constexpr int64_t kNoFd = INT64_MIN;

  int64_t tid = -1;
  int64_t pid = -1;
  int64_t ptid = -1;
  int64_t sid = -1;
  int64_t vpgid = -1;
  int64_t pgid = -1;
  int64_t vtid = -1;
  int64_t vpid = -1;
  uint32_t flags = 0;
  uint32_t uid = kNoId;
  uint32_t gid = kNoId;
  uint32_t loginuid = kNoId;
  uint32_t tty = 0;
  uint32_t container = 0;  // index into the container table, 0 for the host
  int64_t fdlimit = -1;
  int64_t reaper_tid = -1;
  int64_t last_child = -1;  // tid of its newest child process
  bool has_reaper_tid = false;
  bool dead = false;
  bool in_user_namespace = false;  // one created during the capture
  uint32_t secure_bits = 0;        // SECBIT_ flags: how capabilities follow user ids
  ChildPidNamespace child_pid_namespace = ChildPidNamespace::kSame;
  uint8_t clone_events = 0;       // bits of CloneEvent
  uint32_t changes = 0;           // leaders: counts changes that records show
  uint32_t identity_changes = 0;  // leaders: counts changes of program, user, group or container
  uint64_t clone_ts = 0;          // 0: from the process list, or without its clone
  uint64_t exec_ts = 0;           // of the last exec, 0 without one
  uint64_t pidns_start_ts = 0;
  Executable executable;
  Capabilities capabilities;
  MemoryUse memory;
  // NUL-terminated `subsystem=path` strings, shared between threads with the same text.
  std::shared_ptr<const std::string> cgroups;
  std::string comm;
  std::string exe;  // argv[0]
  SharedText exepath;
  std::string args;      // NUL-terminated
  SharedText user_name;  // compat: as last found, "" if never
  SharedText group_name;
  SharedText root;
  SharedText env;  // leaders only: shared by the process
  // Shared between threads, and between processes (CLONE_FS, CLONE_FILES). Null: the leader's. In
  // compat mode only leaders have their own.
  std::shared_ptr<WorkingDirectory> cwd;
  std::shared_ptr<DescriptorTable> descriptors;

  scap::StoredEnter enter;
  uint64_t last_exit = 0;  // time of its last exit event, 0 without one
  uint16_t last_enter = 0;
  int64_t enter_fd = kNoFd;  // the descriptor of that enter event, for apply_all()
  bool has_last_enter = false;

  ThreadGroup* group = nullptr;
  Thread* previous_member = nullptr;
  Thread* next_member = nullptr;
  mutable Siblings* siblings = nullptr;  // the set it belongs to; null if not linked
  Siblings* children = nullptr;          // null without any

  void* process = nullptr;  // for the SysFlow layer

  [[no_unique_address]] Counted<800> cost;
  CountedBytes texts;  // comm, exe and args
  // Call this after a change of those texts.
  void count_texts() { texts.raise(comm.size() + exe.size() + args.size()); }

  bool is_leader() const { return tid == pid || (flags & kIsMainThread) != 0; }
  // The current parent, after any reparenting; null when unknown.
  Thread* parent() const;
  // The parent's tid; for a thread that is not linked, as in the capture.
  int64_t parent_tid() const;
  // Whether this is a placeholder for a thread the capture never introduced.
  bool is_invalid() const { return tid < 0 || pid < 0 || ptid < 0; }
  // The group's leader, which may be this thread; nullptr when unknown.
  Thread* leader() {
    if (is_leader()) return this;
    return group == nullptr ? nullptr : group->leader;
  }
  // The thread that holds the attributes of the process: its leader, or this thread if the leader
  // is unknown.
  Thread& process_thread() {
    Thread* const known_leader = leader();
    return known_leader == nullptr ? *this : *known_leader;
  }
  const Thread& process_thread() const { return const_cast<Thread*>(this)->process_thread(); }
  // Its descriptor table; nullptr if it uses that of an unknown leader.
  DescriptorTable* table() {
    if (descriptors != nullptr) return descriptors.get();
    const Thread* const owner = leader();
    return owner == nullptr ? nullptr : owner->descriptors.get();
  }
  // Its working directory; nullptr if it uses that of an unknown leader.
  WorkingDirectory* directory() {
    if (cwd != nullptr) return cwd.get();
    const Thread* const owner = leader();
    return owner == nullptr ? nullptr : owner->cwd.get();
  }
  // Use the table, or the working directory, of `other` from now on.
  void share_table(Thread& other) {
    const Thread* const owner = other.descriptors != nullptr ? &other : other.leader();
    descriptors = owner == nullptr ? nullptr : owner->descriptors;
  }
  void share_directory(Thread& other) {
    const Thread* const owner = other.cwd != nullptr ? &other : other.leader();
    cwd = owner == nullptr ? nullptr : owner->cwd;
  }

  // Resets to the initial state, keeping buffers.
  void reset();
};

class ThreadTable {
 public:
  ThreadTable() = default;
  ~ThreadTable() { clear(); }
  ThreadTable(const ThreadTable&) = delete;
  ThreadTable& operator=(const ThreadTable&) = delete;

  [[gnu::always_inline]] Thread* find(int64_t tid) {
    return last_ != nullptr && last_->tid == tid ? last_ : look_up(tid);
  }
  Thread* look_up(int64_t tid) {
    Thread** found = threads_.find(tid);
    if (found == nullptr) return nullptr;
    last_ = *found;
    return last_;
  }

  size_t size() const { return threads_.size(); }

  // Calls `visit(const Thread&)` for every thread, in no particular order.
  template <typename Visit>
  void for_each(Visit visit) const {
    threads_.for_each([&visit](int64_t, const Thread* thread) { visit(*thread); });
  }

  // All threads in order of tid.
  std::vector<const Thread*> sorted() const;

  // Creates a thread with its own table and working directory, replacing any thread with this tid.
  // The caller sets the ids and calls link().
  Thread* create(int64_t tid);
  // A copy of a table.
  std::shared_ptr<DescriptorTable> copy_of(const DescriptorTable& table);

  // Adds the thread to its group and to its parent, by pid, ptid and vpid.
  void link(Thread* thread);
  // The same after the pid or the parent changed.
  void relink(Thread* thread);

  // Marks the thread as ended. It stays visible until remove_ended().
  void end(Thread* thread);
  // Undoes end(): another thread of the group called exec and took over this tid.
  void revive(Thread* thread);
  // Removes an ended thread. Its children go to a reaper. A leader stays while its group lives.
  void remove_ended(Thread* thread);
  // Removes a thread in any state; for a leader, also its group.
  void remove(Thread* thread);
  // Removes a thread of which nothing more is known, not even whether it ended. Its children have
  // no known parent then. Not for a leader with other members.
  void forget(Thread* thread) { drop(thread); }
  // Frees the memory of removed threads.
  void trim() {
    thread_pool_.trim();
    group_pool_.trim();
  }
  // Calls `visit(Thread&)` for every thread, in no particular order.
  template <typename Visit>
  void for_each_thread(Visit visit) {
    threads_.for_each([&visit](int64_t, Thread* thread) { visit(*thread); });
  }
  // Removes all threads of the group except `keep`.
  void keep_only(Thread* keep);

  // A removed thread for which the SysFlow layer had a process.
  struct Removed {
    uint64_t clone_ts;
    int64_t pid;
  };
  // The threads removed so far. The SysFlow layer clears the list.
  std::vector<Removed>& removed() { return removed_; }

  void clear();

 private:
  static void add_member(ThreadGroup& group, Thread* thread);
  static void remove_member(ThreadGroup& group, Thread* thread);
  void join_group(Thread* thread);
  void leave_group(Thread* thread);
  void set_parent(Thread* thread, Thread* parent);
  void reparent_children(Thread* thread);
  Thread* find_reaper(Thread* thread);
  void drop(Thread* thread);
  void note_removed(const Thread& thread);

  FlatMap<int64_t, Thread*> threads_;
  FlatMap<int64_t, ThreadGroup*> groups_;
  Pool<Thread> thread_pool_;
  Pool<ThreadGroup> group_pool_;
  Thread* last_ = nullptr;
  uint64_t copies_ = 0;  // of descriptor tables
  std::vector<Removed> removed_;
};

}  // namespace sfkit::state
