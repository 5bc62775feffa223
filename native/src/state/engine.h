// Follows a capture: which processes run, which descriptors they have open, and for what (spec:
// scap-state).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "event_roles.gen.h"
#include "scap/blocks.h"
#include "state/addresses.h"
#include "state/containers.h"
#include "state/descriptor.h"
#include "state/paths.h"
#include "state/pods.h"
#include "state/thread.h"
#include "state/users.h"

namespace sfkit::state {

enum class Closing : uint8_t {
  kCall,    // the event closed the descriptors
  kUnseen,  // the descriptor must have been closed before: its close is not in the capture
  kExec,    // an exec closed the descriptors that have the close-on-exec flag
  kMark,    // not closed: the descriptors got the close-on-exec flag
  kMove,    // not closed: the thread now uses a copy of its table
};

// Descriptors that an event other than close closed. The SysFlow layer may have flows on them.
struct Closed {
  DescriptorTable* table;
  int64_t first;
  int64_t last;
  Closing closing;
  void* flow = nullptr;     // a single descriptor: the flow of its slot
  uint64_t from_table = 0;  // kMove: id of the old table
};

// An event with the call, thread and descriptor that it refers to. Valid until the next event is
// applied.
struct Context {
  const scap::EventView* event = nullptr;
  const scap::CallView* call = nullptr;  // exit events of system calls, with both events' arguments
  Thread* thread = nullptr;
  const FdSlot* slot = nullptr;  // the descriptor that the call used or made, if known
  int64_t fd = -1;
  uint32_t container = 0;                        // events that describe a container: its index
  const KubernetesChange* kubernetes = nullptr;  // events of the Kubernetes API
  // apply_all(): the descriptor that calls of this kind use or make, known or not.
  bool has_shown_fd = false;
  int64_t shown_fd = -1;
  const FdSlot* shown_slot = nullptr;
  bool renamed_directory = false;  // the event renamed a known directory
};

struct Forgotten;
class MemoryBudget;

class Engine {
 public:
  // `compat`: reproduce known bugs of libs 0.18.1 that show in SysFlow output (spec:
  // sysflow-semantics, section 12).
  explicit Engine(bool compat) : compat_(compat) {}
  bool compat() const { return compat_; }
  // Stops following memory and page faults, for consumers that never read them.
  void ignore_memory() { follows_memory_ = false; }

  // Drops all state, for the start of a section.
  void reset();
  void add_thread(const scap::ThreadEntry& entry);
  void add_descriptor(int64_t tid, const scap::FdEntry& entry);
  void add_machine(const scap::MachineInfo& machine);
  void add_user(const scap::UserEntry& entry);
  void add_group(uint32_t gid, std::string_view name) { add_group(0, gid, name); }
  void add_interface(const scap::InterfaceEntry& entry) { interfaces_.add(entry); }
  void clear_names() {
    users_.clear();
    accounts_.clear();
    groups_.clear();
  }
  void clear_interfaces() { interfaces_.clear(); }
  // Links the threads listed since the last call and completes their descriptors.
  void lists_complete();

  // Between these two calls, the bytes of applied events stay valid, so that enter events need no
  // copy. end_run() copies those that still wait for their exit event.
  void begin_run() { keeps_bytes_ = true; }
  void end_run();

  // Applies one event and calls `visit(const Context&)`. Threads and descriptors that the event
  // ends stay until the next event.
  template <typename Visit>
  void apply(const scap::EventView& event, Visit visit) {
    apply_events<false>(event, visit);
  }
  // apply() for consumers that list events: calls `visit` for every event and fills in the shown
  // descriptor.
  template <typename Visit>
  void apply_all(const scap::EventView& event, Visit visit) {
    apply_events<true>(event, visit);
  }
  // apply() for consumers that only count events: follows which threads and containers there are,
  // and which calls are open, but not what processes do.
  void apply_threads(const scap::EventView& event) {
    const uint8_t route = route_of(event.code);
    const Handler handler = kHandlers[event.code | 1];
    if (route == kRouteNone) return;
    if (route == kRouteOther || handler == Handler::kClone || handler == Handler::kExec)
      return apply_events<false>(event, [](const Context&) {});
    Thread* const thread = take_thread(event);
    if (thread == nullptr) return;
    if (route == kRouteEnter) {
      note_enter(event, *thread);
    } else {
      leave(event, *thread);
    }
  }

  // What the events of a code do. Where consumers do not see an event, the functions below do what
  // apply() would.
  enum class Effect : uint8_t {
    kNone,        // nothing: pass()
    kBeginsCall,  // an enter event that only waits for its exit event: begin_call()
    kEndsCall,    // an exit event that only ends its call: end_call()
    kOther,       // apply()
  };
  Effect effect_of(uint16_t code) const;
  void pass() {
    if (has_pending_) [[unlikely]]
      finish_last_event();
  }
  [[gnu::always_inline]] void begin_call(const scap::EventView& event) {
    if (Thread* const thread = take_thread(event); thread != nullptr) enter(event, *thread);
  }
  [[gnu::always_inline]] void end_call(const scap::EventView& event) {
    if (Thread* const thread = take_thread(event); thread != nullptr) leave(event, *thread);
  }
  // Limits what objects of the Kubernetes API may take, in bytes.
  void limit_pods(uint64_t bytes) { pods_.limit(bytes); }
  // Completes the last event between two events of a run, so that memory can be released.
  void finish_event();
  // Forgets descriptors, then threads, until the budget wants no less. Call finish_event() first.
  // Adds to `forgotten`.
  void release_memory(const MemoryBudget& budget, Forgotten& forgotten);
  // Calls `visit` for each slot of the descriptor tables, once for all tables that share it.
  void visit_slots_once(void (*visit)(const FdSlot& slot));
  // Calls `visit(Thread&)` for every thread, in no particular order.
  template <typename Visit>
  void for_each_thread(Visit visit) {
    threads_.for_each_thread(visit);
  }

  const ThreadTable& threads() const { return threads_; }
  // Removed threads for which the SysFlow layer had a process. That layer clears the list.
  std::vector<ThreadTable::Removed>& removed_threads() { return threads_.removed(); }
  // What the last event closed, other than by close.
  const std::vector<Closed>& closed() const { return closed_; }
  // Whether the last event ended something, or filled closed() or new_directories().
  bool has_effects() const { return has_pending_; }
  // Files that the last event showed to be directories.
  const std::vector<const Descriptor*>& new_directories() const { return new_directories_; }
  // Counts changes of working directories without a call of the process itself: renames, and
  // processes that share the working directory.
  uint32_t cwd_changes() const {
    return static_cast<uint32_t>(pool_.paths().generation()) + shared_cwd_changes_;
  }
  Thread* find_thread(int64_t tid) { return threads_.find(tid); }
  const ContainerTable& containers() const { return containers_; }
  PodTable& pods() { return pods_; }
  // The uid of the container's pod, "" if it is in none.
  std::string_view pod_of(const ContainerInfo& container) const {
    return pods_.pod_of(container, containers_);
  }
  const NameTable& users() const { return users_; }
  const NameTable& groups() const { return groups_; }
  const InterfaceList& interfaces() const { return interfaces_; }
  const AccountTable& accounts() const { return accounts_; }
  const std::string& host_name() const { return host_name_; }
  // The leader of a process; nullptr if unknown.
  Thread* find_process(int64_t pid) {
    Thread* thread = threads_.find(pid);
    return thread == nullptr ? nullptr : thread->leader();
  }
  // The leader of the parent process; nullptr if unknown.
  Thread* parent_of(Thread& thread);
  // The directory of an *at call: the path of descriptor `dirfd`, or the working directory for
  // AT_FDCWD. Nothing if unknown. Valid until the next call.
  std::optional<std::string_view> directory_of(Thread& thread, int64_t dirfd);
  // A path argument; empty if the capture lacks it. The enter event takes precedence: the program
  // can change its memory during the call.
  Bytes path_argument(const scap::CallView& call, scap::P name) const;
  // Writes to `out` where such a path leads: absolute and folded, or after kUnknownDirectory if its
  // directory is unknown. An empty path means the directory itself. Relative paths of processes
  // that the capture never introduced stay relative.
  void resolve(Thread& thread, int64_t dirfd, Bytes path, std::string& out,
               Confine confine = Confine::kNo);
  // resolve() for the path that a call opens or tries to open. Returns the path as given.
  struct OpenedPath {
    std::string_view text;
    bool from_enter;  // taken from the enter event
  };
  OpenedPath resolve_opened(Thread& thread, const scap::CallView& call, std::string& out);
  // resolve() for the target of a symbolic link, relative to the directory of the link.
  void resolve_link_target(Thread& thread, int64_t dirfd, Bytes link, Bytes target,
                           std::string& out);
  // The working directory with a trailing slash, "" when unknown.
  const SharedText& cwd_of(Thread& thread);

  // How apply() handles the events of a code.
  enum Route : uint8_t {
    kRouteNone,
    kRouteOther,
    kRouteEnter,
    kRouteExit,
    kRouteSeenExit,  // changes no state, but consumers see it with its descriptor
    kRouteIgnoredExit,
  };
  static uint8_t route_of(uint16_t code) { return kRoutes[code]; }
  // Whether apply() calls `visit` for the events of a code.
  static bool is_visited(uint16_t code) {
    const uint8_t route = route_of(code);
    return route != kRouteNone && route != kRouteIgnoredExit;
  }

 private:
  template <bool kAll, typename Visit>
  void apply_events(const scap::EventView& event, Visit visit) {
    pass();
    Context context;
    context.event = &event;
    const uint8_t route = route_of(event.code);
    if (route == kRouteNone) {
      if (!kAll) return;
      context.thread = threads_.find(event.tid);
      visit(context);
      return;
    }
    if (route == kRouteOther) {
      other(event, context);
      visit(context);
      return;
    }
    Thread* thread = find_or_create_thread(event);
    context.thread = thread;
    if (route == kRouteEnter) {
      if (thread != nullptr) {
        enter(event, *thread);
        if ((kEnterTraits[event.code] & kEnterActs) != 0) act_on_enter(event, context);
      }
      if (kAll) {
        find_shown_fd(context);
        // Fields can also ask for the arguments of calls that change no state.
        if (thread != nullptr && !thread->enter.valid) store_enter(*thread, event);
      }
      visit(context);
      return;
    }
    const scap::StoredEnter* stored =
        thread == nullptr ? nullptr : paired_enter(*thread, event.code);
    const scap::CallView call(event, stored);
    context.call = &call;
    if (route != kRouteIgnoredExit) find_fd(context);
    if (route == kRouteExit) exit(context);
    if (kAll) find_shown_fd(context);
    if (kAll || route != kRouteIgnoredExit) visit(context);
    if (context.thread != nullptr) leave(event, *context.thread);
  }

  static const std::array<uint8_t, scap::kEventCount> kRoutes;

  // Completes the last event, then finds the thread of this one.
  [[gnu::always_inline]] Thread* take_thread(const scap::EventView& event) {
    pass();
    return find_or_create_thread(event);
  }

  // Finds the thread of a system call. Creates a placeholder for an unknown one, unless the call
  // itself creates the thread.
  [[gnu::always_inline]] Thread* find_or_create_thread(const scap::EventView& event) {
    Thread* const thread = threads_.find(event.tid);
    return thread != nullptr || event.tid < 0 ? thread : create_thread(event);
  }
  Thread* create_thread(const scap::EventView& event);
  [[gnu::always_inline]] void store_enter(Thread& thread, const scap::EventView& event) {
    if (!keeps_bytes_) return thread.enter.store(event);
    if (!thread.enter.is_borrowed()) borrowers_.push_back(&thread);
    thread.enter.borrow(event);
  }
  static const scap::StoredEnter* paired_enter(const Thread& thread, uint16_t exit_code) {
    if (!thread.has_last_enter || !thread.enter.valid) return nullptr;
    // An execveat that succeeds ends as an execve.
    const bool pairs =
        thread.last_enter + 1 == exit_code || (exit_code == scap::ev::SYSCALL_EXECVE_19_X &&
                                               thread.last_enter == scap::ev::SYSCALL_EXECVEAT_E);
    return pairs ? &thread.enter : nullptr;
  }
  // Finds the descriptor that a call used.
  [[gnu::always_inline]] void find_fd(Context& context) const {
    const scap::CallView& call = *context.call;
    Bytes fd = call.from_enter(scap::P::fd);
    // If enter events have arguments, libs 0.18.1 takes descriptors from them only, except for
    // connect.
    const bool exit_fd_counts = !compat_ || !saw_old_enters_ || call.paired() ||
                                call.exit().code == scap::ev::SOCKET_CONNECT_X;
    if (fd.empty() && exit_fd_counts) fd = call.from_exit(scap::P::fd);
    if (fd.empty() || context.thread == nullptr) return;
    context.fd = scap::to_int(fd, -1);
    const DescriptorTable* const table = context.thread->table();
    context.slot = table == nullptr ? nullptr : table->find(context.fd);
  }
  void find_shown_fd(Context& context);
  void finish_last_event();
  void trim();
  void forget_descriptors(const MemoryBudget& budget, Forgotten& forgotten);
  void forget_threads(const MemoryBudget& budget, Forgotten& forgotten);

  // What enter() does for events of a code.
  enum EnterTrait : uint8_t {
    kEnterIsKept = 1,  // for the handler of the exit event
    kEnterIsOld = 2,   // of a writer that records arguments in enter events
    kEnterActs = 4,    // act_on_enter()
  };
  static const std::array<uint8_t, scap::kEventCount> kEnterTraits;
  [[gnu::always_inline]] void enter(const scap::EventView& event, Thread& thread) {
    if ((note_enter(event, thread) & kEnterIsKept) != 0) store_enter(thread, event);
  }
  // enter() without keeping the event. Returns its traits.
  [[gnu::always_inline]] uint8_t note_enter(const scap::EventView& event, Thread& thread) {
    const uint8_t traits = kEnterTraits[event.code];
    if ((traits & kEnterIsOld) != 0) saw_old_enters_ = true;
    thread.last_enter = event.code;
    thread.has_last_enter = true;
    thread.enter.valid = false;
    return traits;
  }
  static void leave(const scap::EventView& event, Thread& thread) {
    thread.last_exit = event.ts;
    thread.has_last_enter = false;
    thread.enter.valid = false;
  }
  void act_on_enter(const scap::EventView& event, Context& context);
  void exit(Context& context);
  void other(const scap::EventView& event, Context& context);

  // Handlers of exit events, each for a group of calls.
  void on_open(Context& context);
  void on_creat(Context& context);
  void on_open_by_handle(Context& context);
  void on_getdents(Context& context);
  void on_at_call(const Context& context);
  void on_rename(Context& context);
  void on_remove_directory(Context& context);
  void on_close(Context& context);
  void on_close_range(Context& context);
  void on_dup(Context& context);
  void on_fcntl(Context& context);
  void on_pipe(Context& context);
  void on_new_fd(Context& context, uint32_t marks);
  void on_marked_fd(Context& context);
  void on_bpf(Context& context);
  void on_old_bpf(Context& context);
  void on_memfd(Context& context);
  void on_pidfd_open(Context& context);
  void on_pidfd_getfd(Context& context);
  void on_socket(Context& context);
  void on_socketpair(Context& context);
  void on_bind(Context& context);
  void on_connect(Context& context);
  void on_getsockopt(Context& context);
  // Uses the result of a call to find out whether a pending connect succeeded.
  static void resolve_pending_connect(const Context& context) {
    if (context.slot != nullptr && context.slot->descriptor->connection == Connection::kPending)
      resolve_pending_connect(*context.slot->descriptor.get(), context.call->result());
  }
  static void resolve_pending_connect(Descriptor& descriptor, int64_t result);
  static void set_attempted_peer(Descriptor& descriptor, const SocketTuple& request);
  // The socket of the context's slot, to change. Creates a new one if the slot cannot be a socket
  // of `type`.
  Descriptor& socket_of(Context& context, FdType type);
  void begin_connect(DescriptorTable& table, int64_t fd, Bytes address);
  void begin_connect_compat(Descriptor& descriptor);
  static void change_family_compat(Descriptor& descriptor, FdType type);
  void on_connect_compat(Context& context);
  void on_accept(Context& context);
  void on_send_receive(Context& context, bool receive);
  void on_clone(Context& context);
  void on_clone_caller(Context& context, int64_t child_tid);
  void on_clone_child(Context& context);
  void on_exec(Context& context);
  void on_proc_exit(const scap::EventView& event, Context& context);
  void on_chdir(Context& context);
  void on_chroot(Context& context);
  // The parts of on_exec().
  void fill_program(Thread& thread, const scap::CallView& call);
  void fill_process(Thread& thread, const scap::CallView& call);
  void fill_ids(Thread& thread, const scap::CallView& call);
  void fill_executable(Thread& thread, const scap::CallView& call);
  void set_executed_path(Thread& thread, const scap::CallView& call);
  void resolve_executed(Thread& thread, const scap::CallView& call);
  void resolve_executed_compat(Thread& thread, const scap::CallView& call);
  void set_cwd(Thread& thread, const PathLink* place);
  void rebind_cwd(Thread& thread);
  void on_set_id(Context& context, scap::P parameter, bool user);
  void on_setsid(Context& context);
  void on_setpgid(Context& context);
  void on_capset(Context& context);
  void on_unshare(Context& context);
  void on_setns(Context& context);
  void on_prctl(Context& context);
  void on_switch(const scap::EventView& event, Context& context);

  Descriptor* add_fd(Context& context, int64_t fd, FdType type, bool closes_on_exec = false);
  // Puts a descriptor into a table, replacing a stale one whose close the capture lacks.
  void put_fd(DescriptorTable& table, int64_t fd, DescriptorRef&& descriptor, bool closes_on_exec) {
    if (table.find(fd) != nullptr) note_closed(table, fd, Closing::kUnseen);
    table.put(fd, std::move(descriptor), closes_on_exec);
  }
  // Removes a descriptor whose new meaning the capture does not show.
  void forget_fd(Context& context, int64_t fd);
  void note_closed(DescriptorTable& table, int64_t fd, Closing closing);
  void note_closed(const Closed& closed) {
    closed_.push_back(closed);
    has_pending_ = true;
  }
  void close_on_exec(Thread& thread);
  void share(Thread& thread, Thread& from, uint32_t flags, bool new_process);
  static void share_with_leader(Thread& thread);
  void unshare_table(Thread& thread);
  void unshare_directory(Thread& thread) const;
  // The descriptor of the context's slot, to change.
  Descriptor& writable(Context& context);
  // Adds a file or directory with the path in scratch_ and the facts of the exit event.
  void add_file(Context& context, int64_t fd, uint32_t flags);
  OpenedPath resolve_opened_compat(Thread& thread, const scap::CallView& call);
  void use_directory(Thread& thread, int64_t dirfd);
  // Sets the raw name of the descriptor that was just opened as `path`.
  void raw_name(const Context& context, std::string_view path);
  void resolve_text(Thread& thread, int64_t dirfd, std::string_view path, std::string& out,
                    Confine confine);
  static bool has_lost_cwd(Thread& thread);
  // The path space of a thread: its container and its root.
  static PathSpace space_of(const Thread& thread) {
    return thread.root.size() <= 1 ? thread.container : space_below(thread);
  }
  static PathSpace space_below(const Thread& thread);
  void connect_unix(Context& context, const SocketTuple& request, bool has_tuple);
  void receive_descriptors(Context& context);
  bool is_connection(const Descriptor& descriptor) const;
  static Role role_from_first_message(const Descriptor& descriptor, const SocketTuple& tuple,
                                      bool receive);
  void apply_tuple(Descriptor& descriptor, SocketTuple tuple, bool receive);
  void apply_tuple_compat(Descriptor& descriptor, const SocketTuple& tuple, bool receive);
  void orient_listed_socket(DescriptorTable& table, int64_t fd);
  // Replaces a missing local address with the most likely one.
  void fill_missing_addresses(Endpoint& source, Endpoint& destination, bool ipv6) const;
  // The path without " (deleted)", which libs 0.18.1 keeps; "" if it is longer than kernels write.
  std::string_view executable_path(std::string_view path) const;
  void limit_containers();
  void describe_container(Context& context, std::string_view json);
  uint32_t intern_container(std::string_view cgroups);
  void set_cgroups(Thread& thread, Bytes cgroups);
  void set_memory(Thread& thread, const scap::EventView& event) const;
  void set_name(Thread& thread, Bytes name) const;
  // Call this when something that records show of the thread's process changed. `identity`: its
  // program, user, group or container.
  void changed(Thread& thread, bool identity) const;
  void set_id(Thread& thread, uint32_t id, bool user) const;
  void adjust_capabilities(Thread& thread, uint32_t uid, const scap::CallView& call) const;
  static void enter_user_namespace(Thread& thread);
  // Both exit events of a clone describe the thread that reports them.
  void update_from_clone(Thread& caller, const scap::CallView& call);
  void update_from_child(Thread& child, const scap::CallView& call);
  uint64_t namespace_start(const scap::CallView& call) const;
  void set_namespace_ids(Thread& thread, int64_t vtid, int64_t vpid) const;
  void fill_leader(Thread& leader, const Thread& member);
  Thread& introduce_caller(Context& context);
  void introduce_leader(Thread& member);
  bool has_reported_itself(int64_t tid, const Thread& caller, uint64_t ts);
  bool has_ended(int64_t tid, const Thread& caller, const scap::EventView& event);
  void on_memory(Context& context);
  void on_rlimit(Context& context);
  // Compat mode: libs 0.18.1 looks up names at a clone, at set*id and when an exec changes the
  // container, not for listed processes. Without a new name the old one stays.
  void find_names(Thread& thread, uint32_t container);
  void add_user(uint32_t container, uint32_t uid, std::string_view name, std::string_view home,
                std::string_view shell);
  void add_group(uint32_t container, uint32_t gid, std::string_view name);
  void fill_from_clone(Thread& thread, const scap::CallView& call);
  void inherit(Thread& thread, Thread& from, bool new_process);

  const bool compat_;
  bool follows_memory_ = true;
  bool saw_old_enters_ = false;  // the writer records arguments in enter events
  DescriptorPool pool_;
  ThreadTable threads_;
  ContainerTable containers_;
  PodTable pods_;
  std::shared_ptr<const std::string> last_cgroups_ = std::make_shared<const std::string>();
  uint32_t last_container_ = 0;
  NameTable users_;
  NameTable groups_;
  AccountTable accounts_;
  std::string host_name_;
  uint64_t boot_time_ = 0;
  InterfaceList interfaces_;
  FlatMap<int64_t, uint8_t> server_ports_;
  // Threads and descriptors listed since the last lists_complete(); kNoFd for the thread itself.
  std::vector<std::pair<int64_t, int64_t>> listed_;

  bool keeps_bytes_ = false;
  std::vector<Thread*> borrowers_;  // their enter event may lie in the bytes of this run

  // Valid until the next event.
  bool has_pending_ = false;
  Thread* ended_thread_ = nullptr;
  DescriptorTable* closed_table_ = nullptr;
  int64_t closed_fd_ = -1;
  std::vector<Closed> closed_;
  std::vector<const Descriptor*> new_directories_;

  uint32_t shared_cwd_changes_ = 0;
  uint64_t visits_ = 0;  // calls of visit_slots_once()

  struct Removal {
    int64_t ptid;
    uint64_t ts;
  };
  FlatMap<int64_t, Removal> recent_removals_;

  std::string scratch_;      // paths under construction
  std::string second_path_;  // a second path
  std::string directory_;
  std::string rendered_;  // compat mode: what libs 0.18.1 last rendered as text
  const SharedText no_text_;
  const SharedText unknown_leader_cwd_ = "./";
};

}  // namespace sfkit::state
