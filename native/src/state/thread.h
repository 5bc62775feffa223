// Threads, their groups and the table of all of them (spec: scap-state, sections 1, 5 and 7).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/flat_map.h"
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
  kCloneInverted = 1u << 16,  // made from the child's own event
  kCloneVfork = 1u << 27,
  kChildInPidns = 1u << 29,
  kIsMainThread = 1u << 30,
  kPipeSource = 1u << 21,
  kPipeDestination = 1u << 22,
};

inline constexpr uint32_t kNoId = UINT32_MAX;  // uid, gid: none

struct Thread;

struct ThreadGroup {
  int64_t pid = -1;
  Thread* leader = nullptr;
  // Members in the order they joined; those that ended stand after the others.
  Thread* first = nullptr;
  Thread* last_alive = nullptr;
  Thread* last = nullptr;
  uint32_t alive = 0;
  bool reaper = false;
};

// The children of one thread. When it ends, another thread takes over all of them at once: its children are
// merged into those of the new parent, and each finds the way there when it is next asked for its parent.
struct Siblings {
  Thread* parent = nullptr;  // null: their parent is unknown
  Siblings* merged_into = nullptr;
  uint32_t references = 0;  // of children, of those merged into it, of the parent
  uint32_t children = 0;    // of it and of all merged into it
};

// What an exec or the process list tells of the executable. Times in ns since 1970, 0 when unknown.
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

// Kilobytes and page faults, as counted when the capture told last.
struct MemoryUse {
  uint64_t size_kb = 0;
  uint64_t resident_kb = 0;
  uint64_t swap_kb = 0;
  uint64_t major_faults = 0;
  uint64_t minor_faults = 0;
};

// Numbers of the processes that a thread makes. unshare and setns change the pid namespace of the children
// only.
enum class ChildPidNamespace : uint8_t {
  kOwn,     // in the namespace of the thread
  kFirst,   // the next child is the first process of a new namespace
  kOthers,  // in another namespace: unknown until the child reports them
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
  int64_t last_child = -1;  // tid of the process it made last
  bool has_reaper_tid = false;
  bool dead = false;
  bool in_user_namespace = false;  // that began in the capture
  uint32_t secure_bits = 0;        // how capabilities follow user ids; SECBIT_ of the kernel
  ChildPidNamespace child_pid_namespace = ChildPidNamespace::kSame;
  uint8_t clone_events = 0;       // bits of Birth
  uint32_t changes = 0;           // leaders: of what records show of the process
  uint32_t identity_changes = 0;  // leaders: of program, user, group or container
  uint64_t clone_ts = 0;          // 0: from the process list, or met without its clone
  uint64_t exec_ts = 0;           // of the last exec, 0 when none was seen
  uint64_t pidns_start_ts = 0;
  Executable executable;
  Capabilities capabilities;
  MemoryUse memory;
  // `subsystem=path` strings, each ended by NUL; shared with the threads that have the same.
  std::shared_ptr<const std::string> cgroups;
  std::string comm;
  std::string exe;  // argv[0]
  SharedText exepath;
  std::string args;      // each followed by NUL
  SharedText user_name;  // compat: as found last, "" when never
  SharedText group_name;
  SharedText root;
  SharedText env;  // leaders only: the whole process shares it
  // Shared by the threads of a process, and between processes (CLONE_FS, CLONE_FILES). Null: the thread uses
  // those of its leader. In compat mode all threads do.
  std::shared_ptr<WorkingDirectory> cwd;
  std::shared_ptr<DescriptorTable> descriptors;

  scap::StoredEnter enter;
  uint16_t last_enter = 0;
  int64_t enter_fd = kNoFd;  // the descriptor that call is about, for apply_all()
  bool has_last_enter = false;

  ThreadGroup* group = nullptr;
  Thread* previous_member = nullptr;
  Thread* next_member = nullptr;
  mutable Siblings* siblings = nullptr;  // that it is a child of; null when it was not linked
  Siblings* children = nullptr;          // null when it had none

  void* process = nullptr;  // for the layer above

  bool is_leader() const { return tid == pid || (flags & kIsMainThread) != 0; }
  // As linked, and handed on since; null when unknown.
  Thread* parent() const;
  // Its number; as the capture gave it for a thread that is not linked.
  int64_t parent_tid() const;
  // Placeholders for threads the capture never introduced.
  bool is_invalid() const { return tid < 0 || pid < 0 || ptid < 0; }
  // The group's leader, the thread itself when it leads; nullptr when unknown.
  Thread* leader() {
    if (is_leader()) return this;
    return group == nullptr ? nullptr : group->leader;
  }
  // What holds the attributes of the whole process: its leader, the thread itself when that is unknown.
  Thread& process_thread() {
    Thread* const main = leader();
    return main == nullptr ? *this : *main;
  }
  const Thread& process_thread() const { return const_cast<Thread*>(this)->process_thread(); }
  // Its descriptors; nullptr when they are the leader's, and that is unknown.
  DescriptorTable* table() {
    if (descriptors != nullptr) return descriptors.get();
    const Thread* const owner = leader();
    return owner == nullptr ? nullptr : owner->descriptors.get();
  }
  // The same for the working directory.
  WorkingDirectory* directory() {
    if (cwd != nullptr) return cwd.get();
    const Thread* const owner = leader();
    return owner == nullptr ? nullptr : owner->cwd.get();
  }
  // Shares the table, or the working directory, of `other`.
  void share_table(Thread& other) {
    const Thread* const owner = other.descriptors != nullptr ? &other : other.leader();
    descriptors = owner == nullptr ? nullptr : owner->descriptors;
  }
  void share_directory(Thread& other) {
    const Thread* const owner = other.cwd != nullptr ? &other : other.leader();
    cwd = owner == nullptr ? nullptr : owner->cwd;
  }

  // To the state of a new object, keeping buffers.
  void reset();
};

class ThreadTable {
 public:
  ThreadTable() = default;
  ~ThreadTable() { clear(); }
  ThreadTable(const ThreadTable&) = delete;
  ThreadTable& operator=(const ThreadTable&) = delete;

  Thread* find(int64_t tid) {
    if (last_ != nullptr && last_->tid == tid) return last_;
    Thread** found = threads_.find(tid);
    if (found == nullptr) return nullptr;
    last_ = *found;
    return last_;
  }

  size_t size() const { return threads_.size(); }

  // Visits every thread as visit(const Thread&), in no order that means anything.
  template <typename Visit>
  void for_each(Visit visit) const {
    threads_.for_each([&visit](int64_t, const Thread* thread) { visit(*thread); });
  }

  // Every thread, by number.
  std::vector<const Thread*> sorted() const;

  // A new thread under `tid`, replacing one that is there, with a table and a working directory of its own.
  // Not linked yet.
  Thread* create(int64_t tid);
  // A copy of a table.
  std::shared_ptr<DescriptorTable> copy_of(const DescriptorTable& table);

  // Puts the thread into its group and under its parent, as pid, ptid and vpid now say.
  void link(Thread* thread);
  // The same for a thread whose pid or parent changed.
  void relink(Thread* thread);

  // Marks the thread as ended; it stays visible until remove_ended().
  void end(Thread* thread);
  // The opposite: an exec by another thread of the group gave the thread's number a new life.
  void revive(Thread* thread);
  // Takes an ended thread out: its children go to a reaper, and a leader stays while its group lives.
  void remove_ended(Thread* thread);
  // Takes a thread out whatever its state, with its group when it leads it.
  void remove(Thread* thread);
  // Removes all threads of the group but `keep`.
  void keep_only(Thread* keep);

  // A thread that the layer above had a process for, and that is gone.
  struct Removed {
    uint64_t clone_ts;
    int64_t pid;
  };
  // Those gone so far; for the layer above to clear.
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
