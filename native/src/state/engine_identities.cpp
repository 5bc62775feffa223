// Calls that change a process's ids, name, capabilities, session, group and namespaces (spec:
// scap-state, section 8).

#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
namespace ev = scap::ev;

// Options of prctl.
constexpr uint32_t kSetKeepCapabilities = 8;
constexpr uint32_t kSetName = 15;
constexpr uint32_t kSetSecureBits = 28;
constexpr uint32_t kSetChildSubreaper = 36;

constexpr uint32_t kNoFixup = 1u << 2;     // SECBIT_NO_SETUID_FIXUP
constexpr uint64_t kMaySetUser = 1u << 7;  // CAP_SETUID

constexpr size_t kMaxComm = 15;  // the kernel truncates longer names

constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;  // up to CAP_CHECKPOINT_RESTORE

// The namespace type of a descriptor, as a clone flag; 0 if its name does not show one.
uint32_t namespace_kind(const FdSlot* slot) {
  if (slot == nullptr) return 0;
  const std::string_view name = slot->descriptor->name;
  // A path in /proc or, in process lists, the target of that link.
  if (name.ends_with("/ns/pid") || name.ends_with("/ns/pid_for_children") ||
      name.starts_with("pid:["))
    return kCloneNewPid;
  if (name.ends_with("/ns/user") || name.starts_with("user:[")) return kCloneNewUser;
  if (name.ends_with("/ns/mnt") || name.starts_with("mnt:[")) return kCloneNewNs;
  return 0;
}

}  // namespace

void Engine::changed(Thread& thread, bool identity) const {
  // The collector updates a process only after exec and set*uid.
  if (compat_) return;
  Thread& process = thread.process_thread();
  ++process.changes;
  if (identity) ++process.identity_changes;
}

void Engine::set_name(Thread& thread, Bytes name) const {
  if (!has_text(name)) return;
  if (const std::string_view text = to_text(name); text != kNotAvailable)
    thread.comm = text.substr(0, kMaxComm);
}

void Engine::set_id(Thread& thread, uint32_t id, bool user) const {
  uint32_t& own = user ? thread.uid : thread.gid;
  if (own == id) return;
  own = id;
  changed(thread, true);
}

// Capabilities follow user id 0. Giving up the effective id clears the effective set; giving up the
// last of the three ids also clears the permitted set. Taking the effective id restores the
// effective set from the permitted one.
void Engine::adjust_capabilities(Thread& thread, uint32_t uid, const scap::CallView& call) const {
  if (thread.in_user_namespace || (thread.secure_bits & kNoFixup) != 0) return;
  Capabilities& own = thread.capabilities;
  if (thread.uid != 0 && uid == 0) own.effective = own.permitted;
  if (thread.uid != 0 || uid == 0) return;
  const auto is_other = [&call](P name) {
    const auto id = static_cast<uint32_t>(to_uint(call.get(name), kNoId));
    return id != 0 && id != kNoId;
  };
  bool is_last = false;
  switch (call.exit().code) {
    case ev::SYSCALL_SETUID_X: is_last = (own.effective & kMaySetUser) != 0; break;
    case ev::SYSCALL_SETREUID_X: is_last = is_other(P::ruid); break;
    default: is_last = is_other(P::ruid) && is_other(P::suid); break;
  }
  own.effective = 0;
  if (is_last && (thread.secure_bits & kKeepCapabilities) == 0) own.permitted = 0;
}

void Engine::on_set_id(Context& context, P parameter, bool user) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0) return;
  const Bytes value = call.get(parameter);
  const auto id = static_cast<uint32_t>(to_uint(value, kNoId));
  // -1 leaves the id unchanged.
  if (value.empty() || id == kNoId) return;
  Thread& thread = *context.thread;
  if (user) adjust_capabilities(thread, id, call);
  // Ids in a user namespace are unknown: no event has its id map.
  set_id(thread, thread.in_user_namespace && !compat_ ? kNoId : id, user);
  find_names(thread, thread.container);
}

void Engine::on_setsid(Context& context) {
  const int64_t session = context.call->result();
  if (session < 0) return;
  Thread& process = context.thread->process_thread();
  process.sid = session;
  process.vpgid = session;
  process.pgid = process.pid;
  // A new session has no terminal.
  if (process.tty == 0 || compat_) return;
  process.tty = 0;
  changed(process, false);
}

void Engine::on_setpgid(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0) return;
  Thread& caller = context.thread->process_thread();
  const int64_t pid = to_int(call.get(P::pid), -1);
  const int64_t group = to_int(call.get(P::pgid), -1);
  // Both arguments are ids in the caller's pid namespace.
  const bool has_host_numbers = caller.vpid == caller.pid;
  Thread* target = nullptr;
  if (pid == 0 || pid == caller.vpid) {
    target = &caller;
  } else if (has_host_numbers) {
    target = find_process(pid);
  } else if (Thread* const child = threads_.find(caller.last_child);
             child != nullptr && child->vpid == pid) {
    target = child;
  }
  if (target == nullptr || group < 0) return;
  if (group == 0 || group == (has_host_numbers ? target->pid : target->vpid)) {
    target->vpgid = target->vpid;
    target->pgid = target->pid;
  } else if (group == caller.vpgid) {
    target->vpgid = caller.vpgid;
    target->pgid = caller.pgid;
  } else {
    target->vpgid = group;
    target->pgid = has_host_numbers ? group : -1;
  }
}

void Engine::on_capset(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0) return;
  Capabilities& own = context.thread->capabilities;
  own.inheritable = to_uint(call.get(P::cap_inheritable), own.inheritable);
  own.permitted = to_uint(call.get(P::cap_permitted), own.permitted);
  own.effective = to_uint(call.get(P::cap_effective), own.effective);
}

void Engine::enter_user_namespace(Thread& thread) {
  thread.capabilities = {
      .inheritable = 0, .permitted = kAllCapabilities, .effective = kAllCapabilities};
  thread.in_user_namespace = true;
  thread.secure_bits = 0;
}

void Engine::on_unshare(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0 || compat_) return;
  const uint64_t flags = to_uint(call.get(P::flags), 0);
  if ((flags & kCloneFiles) != 0) unshare_table(*context.thread);
  // A new mount or user namespace also unshares the working directory.
  if ((flags & (kCloneFs | kCloneNewNs | kCloneNewUser)) != 0) unshare_directory(*context.thread);
  if ((flags & kCloneNewUser) != 0) enter_user_namespace(*context.thread);
  if ((flags & kCloneNewPid) != 0) context.thread->child_pid_namespace = ChildPidNamespace::kNew;
}

void Engine::on_setns(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() != 0 || compat_) return;
  uint64_t kinds = to_uint(call.get(P::nstype), 0);
  if (kinds == 0) kinds = namespace_kind(context.slot);
  if ((kinds & kCloneNewUser) != 0) enter_user_namespace(*context.thread);
  if ((kinds & kCloneNewPid) != 0) context.thread->child_pid_namespace = ChildPidNamespace::kOther;
  if ((kinds & kCloneNewNs) != 0) {
    // setns moves the thread to the root of the mount namespace.
    unshare_directory(*context.thread);
    scratch_ = "/";
    set_cwd(*context.thread, nullptr);
    context.thread->root.set("/");
  }
}

void Engine::on_prctl(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  Thread& thread = *context.thread;
  const auto number = static_cast<uint32_t>(to_int(call.from_exit(P::arg2_int), 0));
  switch (to_uint(call.from_exit(P::option), 0)) {
    case kSetKeepCapabilities:
      thread.secure_bits &= ~kKeepCapabilities;
      if (number != 0) thread.secure_bits |= kKeepCapabilities;
      return;
    case kSetSecureBits: thread.secure_bits = number; return;
    case kSetName: return set_name(thread, call.from_exit(P::arg2_str));
    case kSetChildSubreaper:
      if (thread.group != nullptr) thread.group->reaper = number != 0;
      return;
    default: return;
  }
}

}  // namespace sfkit::state
