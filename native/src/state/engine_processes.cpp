// Calls that create, change and end processes and threads (spec: scap-state, sections 5 to 9).

#include "state/cgroups.h"
#include "state/compat_texts.h"
#include "state/engine.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
namespace ev = scap::ev;

constexpr uint64_t kTwoSeconds = 2'000'000'000;
constexpr uint32_t kAtEmptyPath = 0x1000;
constexpr size_t kMaxRemovals = 65536;

// Events of different CPUs can be slightly out of order.
uint64_t time_between(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

// A text that counts in the engine's memory as long as it lives.
struct CountedText {
  explicit CountedText(std::string_view from) : text(from) { cost.set(kCost + text.size()); }
  static constexpr size_t kCost = 80;
  const std::string text;
  CountedBytes cost;
};

std::shared_ptr<const std::string> counted_text(std::string_view text) {
  const auto counted = std::make_shared<const CountedText>(text);
  return {counted, &counted->text};
}

}  // namespace

// Walks over all threads. The containers added since the last walk pay for it.
void Engine::limit_containers() {
  std::vector<bool> in_use(containers_.size());
  threads_.for_each([&](const Thread& thread) { in_use[thread.container] = true; });
  in_use[last_container_] = true;
  std::vector<bool> forgotten(containers_.size());
  for (const uint32_t index : containers_.forget(in_use)) forgotten[index] = true;
  const auto is_forgotten = [&forgotten](uint32_t index) { return forgotten[index]; };
  users_.forget(is_forgotten);
  groups_.forget(is_forgotten);
  accounts_.forget(is_forgotten);
}

uint32_t Engine::intern_container(std::string_view cgroups) {
  if (compat_) return containers_.intern(container_id_compat(cgroups));
  const ContainerMatch match = find_container(cgroups, containers_);
  if (match.type == ContainerMatch::kUnknownType) return containers_.intern(match.id);
  return containers_.intern(match.id, match.type);
}

void Engine::set_cgroups(Thread& thread, Bytes cgroups) {
  // Most processes have the same cgroups as the previous one.
  if (list_text(cgroups) != *last_cgroups_) {
    last_cgroups_ = counted_text(list_text(cgroups));
    last_container_ = intern_container(*last_cgroups_);
    if (last_container_ != 0) containers_.set_cgroups(last_container_, *last_cgroups_);
    if (containers_.is_crowded()) limit_containers();
  }
  thread.cgroups = last_cgroups_;
  thread.container = last_container_;
}

// Page faults belong to the thread, memory to the process.
void Engine::set_memory(Thread& thread, const scap::EventView& event) const {
  if (!follows_memory_) return;
  const auto take = [&event](P name, uint64_t& to, auto width) {
    if (const Bytes value = event.param(name); value.size() == sizeof(width))
      to = value.load<decltype(width)>(0);
  };
  MemoryUse& memory = thread.process_thread().memory;
  take(P::vm_swap, memory.swap_kb, uint32_t{});
  take(P::vm_size, memory.size_kb, uint32_t{});
  take(P::vm_rss, memory.resident_kb, uint32_t{});
  take(P::pgft_maj, thread.memory.major_faults, uint64_t{});
  take(P::pgft_min, thread.memory.minor_faults, uint64_t{});
}

// A CPU switches threads; the event describes the one that leaves.
void Engine::on_switch(const scap::EventView& event, Context& context) {
  context.thread = threads_.find(event.tid);
  if (context.thread != nullptr) set_memory(*context.thread, event);
}

void Engine::on_memory(Context& context) {
  // Exit events report the memory of the process, even after errors.
  set_memory(*context.thread, *context.event);
}

void Engine::on_rlimit(Context& context) {
  constexpr uint64_t kOpenFiles = 7;  // RLIMIT_NOFILE, as events number it
  const scap::CallView& call = *context.call;
  if (call.result() < 0 || to_uint(call.get(P::resource), UINT64_MAX) != kOpenFiles) return;
  Thread* owner = context.thread;
  if (context.event->code == ev::SYSCALL_PRLIMIT_X) {
    if (const int64_t pid = to_int(call.get(P::pid), 0); pid != 0) owner = threads_.find(pid);
  }
  Thread* leader = owner == nullptr ? nullptr : owner->leader();
  if (leader == nullptr) return;
  const bool is_prlimit = context.event->code == ev::SYSCALL_PRLIMIT_X;
  const int64_t limit = to_int(call.get(is_prlimit ? P::newcur : P::cur), -1);
  if (limit >= 0) leader->fdlimit = limit;
}

void Engine::find_names(Thread& thread, uint32_t container) {
  if (!compat_) return;
  if (const std::string* name = users_.find(container, thread.uid)) thread.user_name = *name;
  if (const std::string* name = groups_.find(container, thread.gid)) thread.group_name = *name;
}

// Fills in what both exit events of a clone say about the thread that reports them.
void Engine::fill_from_clone(Thread& thread, const scap::CallView& call) {
  thread.exe = to_text(call.from_exit(P::exe));
  thread.args = list_text(call.from_exit(P::args));
  const Bytes comm = call.from_exit(P::comm);
  thread.comm = comm.empty() ? thread.exe : to_text(comm);
  thread.count_texts();
  thread.fdlimit = to_int(call.from_exit(P::fdlimit), -1);
  thread.uid = static_cast<uint32_t>(to_uint(call.from_exit(P::uid), kNoId));
  thread.gid = static_cast<uint32_t>(to_uint(call.from_exit(P::gid), kNoId));
  find_names(thread, 0);  // the container is not known yet
  set_cgroups(thread, call.from_exit(P::cgroups));
  if (thread.container != 0) find_names(thread, thread.container);
}

void Engine::inherit(Thread& thread, Thread& from, bool new_process) {
  if (from.is_invalid()) return;
  const Thread& process = from.process_thread();
  thread.exepath = from.exepath;
  thread.root = from.root;
  thread.sid = process.sid;
  thread.vpgid = process.vpgid;
  thread.pgid = process.pgid;
  thread.tty = process.tty;
  thread.loginuid = from.loginuid;
  thread.executable = from.executable;
  thread.capabilities = from.capabilities;
  thread.in_user_namespace = from.in_user_namespace;
  thread.secure_bits = from.secure_bits;
  if ((thread.flags & kCloneNewUser) != 0) enter_user_namespace(thread);
  if (!new_process) thread.exec_ts = from.exec_ts;
  share(thread, from, thread.flags, new_process);
  if (!new_process) return;
  if (thread.container != from.container && (thread.flags & kCloneFs) == 0) rebind_cwd(thread);
  // libs 0.18.1 keeps the environment in the leader only.
  thread.env = compat_ ? from.env : process.env;
  from.process_thread().last_child = thread.tid;
}

void Engine::set_namespace_ids(Thread& thread, int64_t vtid, int64_t vpid) const {
  thread.vtid = vtid;
  if (thread.vpid == vpid) return;
  thread.vpid = vpid;
  Thread& process = thread.process_thread();
  if (&process != &thread) process.vtid = process.vpid = vpid;
  if (vpid == 1 && thread.group != nullptr) thread.group->reaper = true;
  changed(thread, false);
}

// Updates what may have changed since the thread's creation or last exec.
void Engine::update_from_clone(Thread& caller, const scap::CallView& call) {
  set_name(caller, call.from_exit(P::comm));
  const auto learn_id = [&](P name, bool user) {
    const auto id = static_cast<uint32_t>(to_uint(call.from_exit(name), kNoId));
    if (id != kNoId) set_id(caller, id, user);
  };
  learn_id(P::uid, true);
  learn_id(P::gid, false);
  const Bytes vtid = call.from_exit(P::vtid);
  const Bytes vpid = call.from_exit(P::vpid);
  if (!vtid.empty() && !vpid.empty()) set_namespace_ids(caller, to_int(vtid, -1), to_int(vpid, -1));
  set_memory(caller, call.exit());
}

// Adds what only the child's own event shows.
void Engine::update_from_child(Thread& child, const scap::CallView& call) {
  child.clone_events |= kChildEvent;
  update_from_clone(child, call);
  if (const Bytes cgroups = call.from_exit(P::cgroups); !cgroups.empty()) {
    const uint32_t container = child.container;
    set_cgroups(child, cgroups);
    if (child.container != container) changed(child, true);
  }
  child.flags |= static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0)) & kChildInPidns;
  if ((child.flags & kChildInPidns) == 0 && child.tid == child.vtid) return;
  child.pidns_start_ts = namespace_start(call);
}

// Start time of the first process in the thread's pid namespace. The event counts from boot.
uint64_t Engine::namespace_start(const scap::CallView& call) const {
  const uint64_t since_boot = to_uint(call.from_exit(P::pidns_init_start_ts), 0);
  return since_boot == 0 && !compat_ ? 0 : boot_time_ + since_boot;
}

// Fills in a placeholder leader from one of its threads.
void Engine::fill_leader(Thread& leader, const Thread& member) {
  leader.pid = member.pid;
  leader.ptid = member.ptid;
  leader.vpid = member.vpid;
  leader.exe = member.exe;
  leader.comm = member.comm;
  leader.args = member.args;
  leader.count_texts();
  if (!compat_) {
    leader.vtid = member.vpid;
    leader.uid = member.uid;
    leader.gid = member.gid;
    leader.cgroups = member.cgroups;
    leader.container = member.container;
    changed(leader, true);
  }
  threads_.relink(&leader);
}

// Shares or copies the descriptor table and the working directory according to the clone flags.
// (libs 0.18.1 always copies them for a new process.)
void Engine::share(Thread& thread, Thread& from, uint32_t flags, bool new_process) {
  if (compat_ && !new_process) return;
  if (!compat_ && (!new_process || (flags & kCloneFiles) != 0)) {
    thread.share_table(from);
  } else if (const DescriptorTable* const table = from.table()) {
    thread.descriptors->copy_from(*table);
  }
  if (!compat_ && (!new_process || (flags & kCloneFs) != 0)) {
    thread.share_directory(from);
  } else {
    const WorkingDirectory* const directory = from.directory();
    if (directory != nullptr) {
      *thread.cwd = *directory;
    } else if (compat_) {
      thread.cwd->set(cwd_of(from));
    }
  }
}

void Engine::on_clone(Context& context) {
  const int64_t result = context.call->result();
  Thread* const thread = context.thread;
  if (result != 0 && thread != nullptr && !thread->is_invalid() && !compat_)
    update_from_clone(*thread, *context.call);
  if (result > 0) on_clone_caller(context, result);
  if (result == 0) on_clone_child(context);
}

// Fills in a caller that is unknown or a placeholder.
Thread& Engine::introduce_caller(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t tid = context.event->tid;
  Thread* caller = context.thread;
  const bool is_new = caller == nullptr;
  if (is_new) caller = context.thread = threads_.create(tid);
  if (is_new || !compat_) fill_from_clone(*caller, call);
  caller->pid = to_int(call.from_exit(P::pid), -1);
  caller->ptid = to_int(call.from_exit(P::ptid), -1);
  caller->vtid = to_int(call.from_exit(P::vtid), tid);
  caller->vpid = to_int(call.from_exit(P::vpid), compat_ ? -1 : caller->pid);
  threads_.relink(caller);
  set_memory(*caller, call.exit());
  if (!compat_) introduce_leader(*caller);
  return *caller;
}

// Attaches a thread to its leader's descriptors. Those that the thread opened before the leader was
// known become the process's.
void Engine::introduce_leader(Thread& member) {
  if (member.pid < 0 || member.is_leader()) return;
  Thread* leader = threads_.find(member.pid);
  if (leader == nullptr) leader = threads_.create(member.pid);
  if (leader->is_invalid()) fill_leader(*leader, member);
  const bool is_only = leader->descriptors != nullptr && leader->descriptors->count() == 0;
  if (is_only && member.descriptors != nullptr) leader->descriptors = member.descriptors;
  share_with_leader(member);
  changed(member, true);
}

void Engine::on_clone_caller(Context& context, int64_t child_tid) {
  const scap::CallView& call = *context.call;
  const scap::EventView& event = *context.event;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const int64_t vtid = to_int(call.from_exit(P::vtid), event.tid);
  const bool is_known = context.thread != nullptr && !context.thread->is_invalid();
  Thread* const caller = is_known ? context.thread : &introduce_caller(context);
  const bool is_thread = (flags & kCloneThread) != 0;
  const ChildPidNamespace child_namespace = caller->child_pid_namespace;
  if (child_namespace == ChildPidNamespace::kNew && !is_thread)
    caller->child_pid_namespace = ChildPidNamespace::kOther;
  // In a pid namespace, the result is not a host pid.
  if ((flags & kChildInPidns) != 0 || vtid != caller->tid) return;
  if (!compat_ && has_reported_itself(child_tid, *caller, event.ts)) {
    Thread& child = *threads_.find(child_tid);
    child.clone_events |= kCallerEvent;
    // The child's own event may lack the flags of the call.
    if ((flags & kCloneNewUser) != 0 && child.exec_ts == 0) enter_user_namespace(child);
    const bool shares = (flags & kCloneFs) != 0 && child.cwd != nullptr;
    if (shares && child.cwd->text() == cwd_of(*caller)) child.share_directory(*caller);
    return;
  }
  if ((flags & (kCloneNewPid | kCloneParent)) != 0) return;
  if (!compat_ && has_ended(child_tid, *caller, event)) return;
  if (Thread* old = threads_.find(child_tid)) {
    if (compat_ && (old->flags & kCloneInverted) != 0) return;
    threads_.remove(old);
  }
  Thread& child = *threads_.create(child_tid);
  child.flags = flags;
  child.clone_events = kCallerEvent;
  child.pid = is_thread ? caller->pid : child_tid;
  child.ptid = is_thread ? caller->parent_tid() : caller->tid;
  if (is_thread) share_with_leader(child);
  child.vtid = child.tid;
  child.vpid = child.pid;
  child.pidns_start_ts = boot_time_;
  if (is_thread) {
    child.vpid = caller->vpid;
  } else if (child_namespace == ChildPidNamespace::kNew) {
    child.vtid = child.vpid = 1;
    child.pidns_start_ts = event.ts;
  } else if (child_namespace == ChildPidNamespace::kOther) {
    child.vtid = child.vpid = -1;
    child.pidns_start_ts = 0;
  }
  fill_from_clone(child, call);
  child.clone_ts = event.ts;
  inherit(child, *caller, !is_thread);
  threads_.link(&child);
  set_memory(child, event);
  // The child's page faults start at zero.
  child.memory.major_faults = child.memory.minor_faults = 0;
}

// Whether the child of the clone that `caller` reports is already known from the child's own event.
bool Engine::has_reported_itself(int64_t tid, const Thread& caller, uint64_t ts) {
  const Thread* const child = threads_.find(tid);
  if (child == nullptr || child->clone_events != kChildEvent) return false;
  return child->parent_tid() == caller.tid || time_between(ts, child->clone_ts) < kTwoSeconds;
}

// Whether the child of the clone that `caller` reports has already run, and perhaps ended. (libs
// 0.18.1 creates it again.)
bool Engine::has_ended(int64_t tid, const Thread& caller, const scap::EventView& event) {
  // vfork returns after the child has called exec or ended.
  const uint16_t code = event.code;
  if (code == ev::SYSCALL_VFORK_X || code == ev::SYSCALL_VFORK_17_X ||
      code == ev::SYSCALL_VFORK_20_X || (to_uint(event.param(P::flags), 0) & kCloneVfork) != 0) {
    return true;
  }
  const Removal* const removal = recent_removals_.find(tid);
  if (removal == nullptr || removal->ptid != caller.tid ||
      time_between(event.ts, removal->ts) >= kTwoSeconds)
    return false;
  // The next thread with this tid is a different one.
  recent_removals_.erase(tid);
  return true;
}

void Engine::on_clone_child(Context& context) {
  const scap::CallView& call = *context.call;
  const scap::EventView& event = *context.event;
  if (event.tid < 0) return;
  const int64_t ptid = to_int(call.from_exit(P::ptid), -1);
  if (Thread* existing = context.thread) {
    const bool is_recent =
        existing->clone_ts != 0 && time_between(event.ts, existing->clone_ts) < kTwoSeconds;
    if (compat_ && is_recent) return;
    // The caller's event created this thread. If its own event had come before, this is a new
    // thread that reuses the tid.
    if (!compat_ && existing->clone_events == kCallerEvent && !existing->dead &&
        (is_recent || existing->parent_tid() == ptid)) {
      return update_from_child(*existing, call);
    }
  }
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const bool is_thread = (flags & kCloneThread) != 0;
  Thread& child = *threads_.create(event.tid);
  context.thread = &child;
  context.slot = nullptr;
  child.flags = flags | kCloneInverted;
  child.clone_events = kChildEvent;
  if (is_thread) share_with_leader(child);
  child.pid = to_int(call.from_exit(P::pid), -1);
  child.ptid = ptid;
  child.vtid = to_int(call.from_exit(P::vtid), event.tid);
  child.vpid = to_int(call.from_exit(P::vpid), -1);
  fill_from_clone(child, call);
  child.clone_ts = event.ts;
  child.pidns_start_ts = boot_time_;
  if ((flags & (kChildInPidns | kCloneNewPid)) != 0 || child.tid != child.vtid) {
    child.pidns_start_ts = namespace_start(call);
  }
  Thread* from = threads_.find(is_thread ? child.pid : child.ptid);
  if (from == nullptr && is_thread && child.pid >= 0) from = threads_.create(child.pid);
  if (from != nullptr && from != &child) {
    if (is_thread && from->is_invalid()) fill_leader(*from, child);
    inherit(child, *from, !is_thread);
  }
  threads_.link(&child);
  set_memory(child, event);
}

// Finds the path of an executed program if the exit event lacks it. If nothing shows it, the path
// is unknown (argv[0] stands in), not that of the old program.
void Engine::resolve_executed(Thread& thread, const scap::CallView& call) {
  thread.exepath.clear();
  const bool is_at_call = call.paired() && call.enter().code == ev::SYSCALL_EXECVEAT_E;
  const Bytes path = path_argument(call, is_at_call ? P::pathname : P::filename);
  const int64_t dirfd = is_at_call ? to_int(call.from_enter(P::dirfd), kAtFdcwd) : kAtFdcwd;
  if (to_text(path).empty()) {
    // With AT_EMPTY_PATH, the kernel executes the descriptor itself.
    if (!is_at_call || (to_uint(call.from_enter(P::flags), 0) & kAtEmptyPath) == 0) return;
    const DescriptorTable* table = thread.table();
    const FdSlot* slot = table == nullptr ? nullptr : table->find(dirfd);
    if (slot == nullptr) return;
    const Descriptor& descriptor = *slot->descriptor;
    const bool is_memfd = descriptor.type == FdType::kMemfd && !is_absolute(descriptor.name);
    scratch_.assign(is_memfd ? "/memfd:" : "").append(descriptor.name);
  } else {
    resolve(thread, dirfd, path, scratch_);
  }
  if (is_absolute(scratch_)) thread.exepath.set(executable_path(scratch_));
}

void Engine::on_exec(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.thread == nullptr || call.result() < 0) return;
  Thread& thread = *context.thread;
  threads_.revive(&thread);
  fill_program(thread, call);
  fill_process(thread, call);
  fill_ids(thread, call);
  set_executed_path(thread, call);
  thread.exec_ts = context.event->ts;
  set_memory(thread, call.exit());
  fill_executable(thread, call);
  thread.secure_bits &= ~kKeepCapabilities;
  thread.flags &= kPipeSource | kPipeDestination | kIsMainThread | kCloneInverted;
  threads_.keep_only(&thread);
  changed(thread, true);
  if (!compat_) close_on_exec(thread);
}

// Updates name and arguments.
void Engine::fill_program(Thread& thread, const scap::CallView& call) {
  if (const Bytes exe = call.from_exit(P::exe); !exe.empty()) {
    thread.exe = to_text(exe);
    thread.args = list_text(call.from_exit(P::args));
    thread.comm = thread.exe;
    thread.count_texts();
  }
  if (const Bytes comm = call.from_exit(P::comm); !comm.empty()) thread.comm = to_text(comm);
}

// Updates the pid. Also fills in a thread that the capture never introduced.
void Engine::fill_process(Thread& thread, const scap::CallView& call) {
  const int64_t pid = to_int(call.from_exit(P::pid), thread.pid);
  if (thread.is_invalid()) {
    thread.pid = pid;
    thread.ptid = to_int(call.from_exit(P::ptid), -1);
    thread.vtid = thread.tid;
    thread.vpid = thread.pid;
    // Different process group ids show a pid namespace, in which the other ids are unknown.
    const Bytes inner_group = call.from_exit(P::vpgid);
    const Bytes outer_group = call.from_exit(P::pgid);
    if (!inner_group.empty() && !outer_group.empty() &&
        to_int(inner_group, -1) != to_int(outer_group, -1))
      thread.vtid = thread.vpid = -1;
    threads_.relink(&thread);
  } else if (pid != thread.pid) {
    thread.pid = pid;
    threads_.relink(&thread);
  }
}

// Updates ids, limits and environment. Older events have fewer of them.
void Engine::fill_ids(Thread& thread, const scap::CallView& call) {
  thread.fdlimit = to_int(call.from_exit(P::fdlimit), thread.fdlimit);
  if (const Bytes env = call.from_exit(P::env); !env.empty()) thread.env.set(list_text(env));
  const uint32_t container = thread.container;
  if (const Bytes cgroups = call.from_exit(P::cgroups); !cgroups.empty())
    set_cgroups(thread, cgroups);
  const auto replace = [&call](uint32_t& value, P name, uint32_t otherwise) {
    if (const Bytes given = call.from_exit(name); !given.empty())
      value = static_cast<uint32_t>(to_uint(given, otherwise));
  };
  replace(thread.tty, P::tty, 0);
  thread.vpgid = to_int(call.from_exit(P::vpgid), thread.vpgid);
  thread.pgid = to_int(call.from_exit(P::pgid), thread.pgid);
  replace(thread.loginuid, P::loginuid, kNoId);
  replace(thread.uid, P::uid, kNoId);
  // libs 0.18.1 does not know this parameter.
  if (!compat_) replace(thread.gid, P::gid, kNoId);
  if (thread.container != container) {
    find_names(thread, thread.container);
    rebind_cwd(thread);
  }
}

void Engine::set_executed_path(Thread& thread, const scap::CallView& call) {
  const Bytes trusted = call.from_exit(P::trusted_exepath);
  if (compat_ ? has_text(trusted) : has_path(trusted)) {
    thread.exepath.set(executable_path(to_text(trusted)));
  } else if (!compat_) {
    resolve_executed(thread, call);
  } else {
    resolve_executed_compat(thread, call);
  }
}

void Engine::resolve_executed_compat(Thread& thread, const scap::CallView& call) {
  if (call.paired() && call.enter().code == ev::SYSCALL_EXECVEAT_E) {
    const std::string_view path = to_text(call.from_enter(P::pathname));
    const int64_t dirfd = to_int(call.from_enter(P::dirfd), kAtFdcwd);
    const auto base = directory_of(thread, dirfd);
    const bool of_descriptor =
        path.empty() && (to_uint(call.from_enter(P::flags), 0) & kAtEmptyPath) != 0;
    if (path.starts_with('/')) {
      join_path("", path, scratch_);
    } else if (!base) {
      scratch_ = kNotAvailable;
    } else {
      join_path(*base, of_descriptor ? std::string_view() : path, scratch_);
    }
    thread.exepath.set(executable_path(scratch_));
  } else if (const Bytes filename = call.get(P::filename); has_text(filename)) {
    join_path(cwd_of(thread), to_text(filename), scratch_);
    thread.exepath.set(executable_path(scratch_));
  }
}

// Updates capabilities and the executable. Facts about the old executable are dropped even if the
// event lacks new ones.
void Engine::fill_executable(Thread& thread, const scap::CallView& call) {
  const auto replace = [&call](uint64_t& value, P name) {
    value = to_uint(call.from_exit(name), value);
  };
  replace(thread.capabilities.inheritable, P::cap_inheritable);
  replace(thread.capabilities.permitted, P::cap_permitted);
  replace(thread.capabilities.effective, P::cap_effective);
  thread.executable = {};
  replace(thread.executable.inode, P::exe_ino);
  replace(thread.executable.ctime, P::exe_ino_ctime);
  replace(thread.executable.mtime, P::exe_ino_mtime);
  thread.executable.flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
}

// An exec also unshares the table.
void Engine::close_on_exec(Thread& thread) {
  unshare_table(thread);
  DescriptorTable* const table = thread.table();
  if (table == nullptr) return;
  table->close_on_exec();
  note_closed({table, 0, INT64_MAX, Closing::kExec});
}

// A thread uses its leader's table and working directory until it unshares them.
void Engine::share_with_leader(Thread& thread) {
  thread.flags |= kCloneFiles;
  thread.descriptors.reset();
  thread.cwd.reset();
}

void Engine::unshare_table(Thread& thread) {
  const DescriptorTable* const table = thread.table();
  // (libs 0.18.1 ignores unshare.)
  if (compat_ || table == nullptr || thread.descriptors.use_count() == 1) return;
  const uint64_t id = table->id();
  thread.descriptors = threads_.copy_of(*table);
  note_closed({thread.descriptors.get(), 0, INT64_MAX, Closing::kMove, nullptr, id});
}

void Engine::unshare_directory(Thread& thread) const {
  const WorkingDirectory* const directory = thread.directory();
  if (compat_ || directory == nullptr || thread.cwd.use_count() == 1) return;
  thread.cwd = std::make_shared<WorkingDirectory>(*directory);
}

void Engine::on_proc_exit(const scap::EventView& event, Context& context) {
  Thread* thread = threads_.find(event.tid);
  context.thread = thread;
  if (thread == nullptr) return;
  threads_.end(thread);
  if (const Bytes reaper = event.param(P::reaper_tid); !reaper.empty()) {
    thread->reaper_tid = to_int(reaper, -1);
    thread->has_reaper_tid = true;
  }
  // The caller's event of the clone can come after the child's end, but only once.
  if (!compat_ && (thread->clone_events == kChildEvent || thread->is_invalid())) {
    if (recent_removals_.size() >= kMaxRemovals) recent_removals_.clear();
    recent_removals_.put(thread->tid, {thread->parent_tid(), event.ts});
  }
  ended_thread_ = thread;
  has_pending_ = true;
}

void Engine::on_chdir(Context& context) {
  const scap::CallView& call = *context.call;
  Thread* const leader = context.thread->leader();
  if (call.result() < 0 || leader == nullptr) return;
  const uint16_t code = context.event->code;
  if (compat_) {
    WorkingDirectory* const directory = leader->directory();
    if (directory == nullptr) return;
    if (code == ev::SYSCALL_FCHDIR_X) {
      if (context.slot == nullptr || context.slot->descriptor->name.empty()) return;
      join_directory("", context.slot->descriptor->name, scratch_);
    } else {
      const std::string_view path = to_text(call.get(P::path));
      if (path.empty()) return;
      join_directory(directory->text(), path, scratch_);
    }
    directory->set(scratch_);
    return;
  }
  // If the capture does not show the new directory, it is unknown, not the old one.
  const PathLink* place = nullptr;
  scratch_ = kUnknownDirectory;
  if (code == ev::SYSCALL_FCHDIR_X) {
    if (context.slot != nullptr) {
      Descriptor& descriptor = *context.slot->descriptor.get();
      descriptor.use_as_directory();
      if (descriptor.is_directory()) scratch_ = descriptor.name;
      place = &descriptor.place;
    }
  } else {
    const Bytes path = path_argument(call, P::path);
    const WorkingDirectory* const directory = context.thread->directory();
    if (code == ev::SYSCALL_GETCWD_X) {
      // getcwd returns no absolute path for a directory outside the process's root.
      if (!is_absolute(to_text(path))) return;
      fold_path(to_text(path), scratch_);
      if (directory != nullptr && directory->path() == scratch_) return;
    } else if (directory != nullptr && has_path(path)) {
      resolve_path(directory->path(), to_text(path), scratch_, Confine::kNo, kMaxDirectory);
    }
  }
  set_cwd(*context.thread, place);
}

// Changes the working directory to the path in scratch_.
void Engine::set_cwd(Thread& thread, const PathLink* place) {
  WorkingDirectory* const directory = thread.directory();
  if (directory == nullptr) return;
  second_path_.assign(directory->text().view());
  if (is_absolute(scratch_)) {
    if (scratch_.size() > 1) scratch_ += '/';
    directory->set(pool_.paths(), space_of(thread), scratch_, place);
  } else {
    directory->mark_lost();
  }
  if (directory->text().view() == second_path_) return;
  changed(thread, false);
  const auto& shared = thread.cwd != nullptr ? thread.cwd : thread.process_thread().cwd;
  if (shared.use_count() > 1) ++shared_cwd_changes_;
}

// The thread moved to another container: register its working directory there, so that it follows
// renames there.
void Engine::rebind_cwd(Thread& thread) {
  const WorkingDirectory* const directory = thread.directory();
  if (compat_ || directory == nullptr || directory->text().empty()) return;
  scratch_ = directory->path();
  set_cwd(thread, nullptr);
}

void Engine::on_chroot(Context& context) {
  if (context.call->result() < 0) return;
  const Bytes path = path_argument(*context.call, P::path);
  if (compat_) rendered_ = printable(to_text(path));
  resolve(*context.thread, kAtFdcwd, path, scratch_);
  context.thread->root.set(scratch_);
}

}  // namespace sfkit::state
