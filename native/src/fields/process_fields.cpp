// Fields of the thread, its process, its ancestors and its user.

#include <algorithm>

#include "base/numbers.h"
#include "event_names.gen.h"
#include "fields/fields.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using state::Thread;

FieldValue id(int64_t value) {
  return value < 0 ? FieldValue() : FieldValue::of(value);
}

// A thread unknown to the capture counts as its own process, as in records.
FieldValue pid_of(const Thread& thread) {
  return FieldValue::of(thread.pid < 0 ? thread.tid : thread.pid);
}

FieldValue is_same(int64_t a, int64_t b) {
  return a < 0 || b < 0 ? FieldValue() : FieldValue::of(a == b);
}

FieldValue nonzero(uint64_t value) {
  return value == 0 ? FieldValue() : FieldValue::of(value);
}

// Calls visit(text) for each NUL-terminated string of a list, until it returns false.
template <typename Visit>
void each_part(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t end = std::min(list.find('\0'), list.size());
    if (!visit(list.substr(0, end))) return;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool in_pid_namespace(const Thread& thread) {
  return (thread.flags & state::kChildInPidns) != 0 || thread.tid != thread.vtid;
}

}  // namespace

FieldValue FieldReader::joined(std::string_view first, std::string_view list) {
  text_ = first;
  if (list.ends_with('\0')) list.remove_suffix(1);
  if (!list.empty() && !text_.empty()) text_ += ' ';
  const auto begin = static_cast<std::ptrdiff_t>(text_.size());
  text_ += list;
  std::replace(text_.begin() + begin, text_.end(), '\0', ' ');
  return FieldValue::of(text_);
}

FieldValue FieldReader::process_field(const FieldRef& field) {
  if (field.field == Field::kThreadTid) return FieldValue::of(context_->event->tid);
  Thread* const thread = context_->thread;
  if (thread == nullptr) return {};
  switch (field.field) {
    case Field::kProcApid:
    case Field::kProcAname:
    case Field::kProcAexe:
    case Field::kProcAexepath:
    case Field::kProcAargs:
    case Field::kProcAcmdline:
    case Field::kProcAenv: return ancestor(field);
    case Field::kProcEnv:
      if (!field.argument.empty() && field.index_argument < 0)
        return environment_variable(*thread, field.argument);
      break;
    case Field::kThreadCgroup: return cgroup(field, *thread);
    default: break;
  }
  return process_value(field.field, *thread);
}

FieldValue FieldReader::ancestor(const FieldRef& field) {
  Thread* process = &context_->thread->process_thread();
  const int steps = std::max(0, field.index_argument);
  for (int i = 0; i < steps && process != nullptr; ++i) process = engine_.parent_of(*process);
  return process == nullptr ? FieldValue() : process_value(field.field, *process);
}

// Answers a field for `thread`: the event's thread, or an ancestor's.
FieldValue FieldReader::process_value(Field field, Thread& thread) {
  const Thread& process = thread.process_thread();
  switch (field) {
    case Field::kThreadVtid: return id(thread.vtid);
    case Field::kThreadIsmain: return FieldValue::of(thread.is_leader());
    case Field::kThreadNametid:
      text_ = thread.comm;
      append_number(text_, thread.tid);
      return FieldValue::of(text_);
    case Field::kThreadCgroups:
      if (thread.cgroups == nullptr || thread.cgroups->empty()) return {};
      return joined({}, *thread.cgroups);
    case Field::kThreadCapPermitted: return capabilities(thread.capabilities.permitted);
    case Field::kThreadCapInheritable: return capabilities(thread.capabilities.inheritable);
    case Field::kThreadCapEffective: return capabilities(thread.capabilities.effective);
    case Field::kThreadPfmajor: return FieldValue::of(thread.memory.major_faults);
    case Field::kThreadPfminor: return FieldValue::of(thread.memory.minor_faults);
    case Field::kThreadVmsize:
      return FieldValue::of(thread.is_leader() ? process.memory.size_kb : 0);
    case Field::kThreadVmrss:
      return FieldValue::of(thread.is_leader() ? process.memory.resident_kb : 0);
    case Field::kThreadVmsizeB:
      return FieldValue::of(thread.is_leader() ? process.memory.size_kb * 1024 : 0);
    case Field::kThreadVmrssB:
      return FieldValue::of(thread.is_leader() ? process.memory.resident_kb * 1024 : 0);
    case Field::kProcVmsize: return FieldValue::of(process.memory.size_kb);
    case Field::kProcVmrss: return FieldValue::of(process.memory.resident_kb);
    case Field::kProcVmswap: return FieldValue::of(process.memory.swap_kb);

    case Field::kProcPid:
    case Field::kProcApid: return pid_of(thread);
    case Field::kProcVpid: return id(thread.vpid);
    case Field::kProcPpid:
    case Field::kProcPvpid: {
      const Thread* parent = engine_.parent_of(thread);
      if (parent == nullptr) return {};
      return field == Field::kProcPpid ? pid_of(*parent) : id(parent->vpid);
    }
    case Field::kProcPname: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcName, *parent);
    }
    case Field::kProcPexe: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcExe, *parent);
    }
    case Field::kProcPexepath: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcExepath, *parent);
    }
    case Field::kProcPcmdline: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcCmdline, *parent);
    }
    case Field::kProcName:
    case Field::kProcAname: return FieldValue::of(thread.comm);
    case Field::kProcExe:
    case Field::kProcAexe: return FieldValue::of(thread.exe);
    case Field::kProcExepath:
    case Field::kProcAexepath: return FieldValue::of(thread.exepath);
    case Field::kProcArgs:
    case Field::kProcAargs: return joined({}, thread.args);
    case Field::kProcCmdline:
    case Field::kProcAcmdline: return joined(thread.comm, thread.args);
    case Field::kProcExeline: return joined(thread.exe, thread.args);
    case Field::kProcCmdnargs:
    case Field::kProcCmdlenargs: {
      uint64_t count = 0;
      uint64_t length = 0;
      each_part(thread.args, [&](std::string_view part) {
        ++count;
        length += part.size();
        return true;
      });
      return FieldValue::of(field == Field::kProcCmdnargs ? count : length);
    }
    case Field::kProcCwd: {
      const Thread* leader = thread.leader();
      if (leader == nullptr) return FieldValue::of(std::string_view("./"));
      const SharedText& cwd = engine_.cwd_of(thread);
      return engine_.compat() ? FieldValue::of(cwd) : FieldValue::of_text(cwd);
    }
    case Field::kProcEnv:
    case Field::kProcAenv: {
      const Thread* leader = thread.leader();
      return leader == nullptr ? FieldValue() : joined({}, leader->env);
    }
    case Field::kProcTty: return FieldValue::of(uint64_t{process.tty});
    case Field::kProcLoginshellid: {
      const Thread* shell = nullptr;
      Thread* process = thread.leader();
      for (size_t i = 0; process != nullptr && i < kMaxAncestors;
           ++i, process = engine_.parent_of(*process)) {
        if (std::string_view(process->comm).ends_with("sh")) shell = process;
      }
      return shell == nullptr ? FieldValue() : pid_of(*shell);
    }

    case Field::kProcSid: return id(process.sid);
    case Field::kProcVpgid: return id(process.vpgid);
    case Field::kProcPgid: return id(process.pgid);
    case Field::kProcSname:
    case Field::kProcSidExe:
    case Field::kProcSidExepath:
    case Field::kProcVpgidName:
    case Field::kProcVpgidExe:
    case Field::kProcVpgidExepath:
    case Field::kProcPgidName:
    case Field::kProcPgidExe:
    case Field::kProcPgidExepath: return group_leader_field(field, process);
    case Field::kProcIsSidLeader: return is_same(process.sid, process.vpid);
    case Field::kProcIsVpgidLeader: return is_same(process.vpgid, process.vpid);
    case Field::kProcIsPgidLeader: return is_same(process.pgid, process.pid);

    case Field::kProcPidTs: return nonzero(thread.clone_ts);
    case Field::kProcDuration: {
      const uint64_t now = context_->event->ts;
      if (thread.clone_ts == 0) return {};
      return FieldValue::of(now > thread.clone_ts ? now - thread.clone_ts : 0);
    }
    case Field::kProcPpidTs: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcPidTs, *parent);
    }
    case Field::kProcPpidDuration: {
      Thread* parent = engine_.parent_of(thread);
      return parent == nullptr ? FieldValue() : process_value(Field::kProcDuration, *parent);
    }
    case Field::kProcPidnsInitStartTs: return nonzero(thread.pidns_start_ts);
    case Field::kProcIsExeWritable:
    case Field::kProcIsExeUpperLayer:
    case Field::kProcIsExeLowerLayer:
    case Field::kProcIsExeFromMemfd:
    case Field::kProcExeIno:
    case Field::kProcExeInoCtime:
    case Field::kProcExeInoMtime:
    case Field::kProcExeInoCtimeDurationProcStart:
    case Field::kProcExeInoCtimeDurationPidnsStart: return executable(field, thread);

    case Field::kProcNthreads:
    case Field::kProcNchilds: {
      if (thread.group == nullptr) return FieldValue::of(uint64_t{0});
      const Thread* const leader = thread.group->leader;
      const bool leads = leader != nullptr && !leader->dead;
      return FieldValue::of(
          uint64_t{thread.group->alive} -
          (field == Field::kProcNchilds && leads && thread.group->alive > 0 ? 1 : 0));
    }
    case Field::kProcFdopencount:
    case Field::kProcFdusage: {
      const Thread* leader = thread.leader();
      state::DescriptorTable* const table = thread.table();
      const uint64_t count = table == nullptr ? 0 : table->count();
      if (field == Field::kProcFdopencount) return FieldValue::of(count);
      const int64_t limit = leader == nullptr ? -1 : leader->fdlimit;
      return FieldValue::of(
          limit <= 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(limit));
    }
    case Field::kProcFdlimit: {
      const Thread* leader = thread.leader();
      return FieldValue::of(leader == nullptr ? int64_t{-1} : leader->fdlimit);
    }
    case Field::kProcStdinType:
    case Field::kProcStdoutType:
    case Field::kProcStderrType:
    case Field::kProcStdinName:
    case Field::kProcStdoutName:
    case Field::kProcStderrName: return standard_descriptor(field, thread);
    default: return account(field, thread);
  }
}

// The leader's id is the number of the session or group. Inside pid namespaces, numbers are those
// of the namespace, so use the oldest ancestor with the same number.
FieldValue FieldReader::group_leader_field(Field field, const Thread& thread) {
  const bool session =
      field == Field::kProcSname || field == Field::kProcSidExe || field == Field::kProcSidExepath;
  const bool host_group = field == Field::kProcPgidName || field == Field::kProcPgidExe ||
                          field == Field::kProcPgidExepath;
  const int64_t Thread::*number = session      ? &Thread::sid
                                  : host_group ? &Thread::pgid
                                               : &Thread::vpgid;
  const int64_t wanted = thread.*number;
  Thread* leader = host_group || !in_pid_namespace(thread) ? engine_.find_thread(wanted) : nullptr;
  if (leader == nullptr) {
    leader = engine_.find_thread(thread.tid);
    for (size_t i = 0; leader != nullptr && i < kMaxAncestors; ++i) {
      Thread* parent = engine_.parent_of(*leader);
      if (parent == nullptr || parent->*number != wanted) break;
      leader = parent;
    }
  }
  if (leader == nullptr) return {};
  switch (field) {
    case Field::kProcSname:
    case Field::kProcVpgidName:
    case Field::kProcPgidName: return FieldValue::of(leader->comm);
    case Field::kProcSidExe:
    case Field::kProcVpgidExe:
    case Field::kProcPgidExe: return FieldValue::of(leader->exe);
    default: return FieldValue::of(leader->exepath);
  }
}

FieldValue FieldReader::environment_variable(const Thread& thread, std::string_view name) {
  Thread* found = engine_.find_thread(thread.tid);
  const Thread* leader = found == nullptr ? nullptr : found->leader();
  if (leader == nullptr) return {};
  std::string_view value;
  each_part(leader->env, [&](std::string_view part) {
    if (!part.starts_with(name) || part.size() <= name.size() || part[name.size()] != '=')
      return true;
    value = part.substr(name.size() + 1);
    return false;
  });
  return FieldValue::of(value);
}

FieldValue FieldReader::cgroup(const FieldRef& field, const Thread& thread) {
  if (thread.cgroups == nullptr) return {};
  FieldValue value;
  each_part(*thread.cgroups, [&](std::string_view part) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || part.substr(0, equals) != field.argument) return true;
    value = FieldValue::of(part.substr(equals + 1));
    return false;
  });
  return value;
}

FieldValue FieldReader::standard_descriptor(Field field, Thread& thread) {
  int64_t fd = 2;
  if (field == Field::kProcStdinType || field == Field::kProcStdinName) fd = 0;
  if (field == Field::kProcStdoutType || field == Field::kProcStdoutName) fd = 1;
  state::DescriptorTable* table = thread.table();
  const state::FdSlot* slot = table == nullptr ? nullptr : table->find(fd);
  if (slot == nullptr) return {};
  if (field == Field::kProcStdinType || field == Field::kProcStdoutType ||
      field == Field::kProcStderrType) {
    return FieldValue::of_text(type_name(slot->descriptor->type));
  }
  text_.clear();
  append_descriptor_name(text_, *slot->descriptor);
  return FieldValue::of(text_);
}

FieldValue FieldReader::executable(Field field, const Thread& thread) {
  const state::Executable& exe = thread.executable;
  switch (field) {
    case Field::kProcIsExeWritable: return FieldValue::of((exe.flags & state::kExeWritable) != 0);
    case Field::kProcIsExeUpperLayer:
      return FieldValue::of((exe.flags & state::kExeUpperLayer) != 0);
    case Field::kProcIsExeLowerLayer:
      return FieldValue::of((exe.flags & state::kExeLowerLayer) != 0);
    case Field::kProcIsExeFromMemfd: return FieldValue::of((exe.flags & state::kExeFromMemfd) != 0);
    case Field::kProcExeIno:
      return exe.inode == 0 ? FieldValue() : FieldValue::of(static_cast<int64_t>(exe.inode));
    case Field::kProcExeInoCtime: return nonzero(exe.ctime);
    case Field::kProcExeInoMtime: return nonzero(exe.mtime);
    case Field::kProcExeInoCtimeDurationProcStart:
      return exe.ctime == 0 || thread.clone_ts <= exe.ctime
                 ? FieldValue()
                 : FieldValue::of(thread.clone_ts - exe.ctime);
    default:
      return thread.pidns_start_ts == 0 || exe.ctime <= thread.pidns_start_ts
                 ? FieldValue()
                 : FieldValue::of(exe.ctime - thread.pidns_start_ts);
  }
}

FieldValue FieldReader::account(Field field, const Thread& thread) {
  const auto name_of = [&thread](const state::NameTable& names, uint32_t id) {
    if (const std::string* name = names.find(thread.container, id)) return FieldValue::of(*name);
    return FieldValue::of(id == 0 ? std::string_view("root") : state::kNotAvailable);
  };
  switch (field) {
    case Field::kUserUid: return FieldValue::of(uint64_t{thread.uid});
    case Field::kGroupGid: return FieldValue::of(uint64_t{thread.gid});
    case Field::kUserName: return name_of(engine_.users(), thread.uid);
    case Field::kGroupName: return name_of(engine_.groups(), thread.gid);
    case Field::kUserLoginname: return name_of(engine_.users(), thread.loginuid);
    case Field::kUserLoginuid:
      return FieldValue::of(thread.loginuid == state::kNoId ? int64_t{-1}
                                                            : int64_t{thread.loginuid});
    case Field::kUserHomedir:
    case Field::kUserShell: {
      const state::Account* account = engine_.accounts().find(thread.container, thread.uid);
      if (account == nullptr) return FieldValue::of(state::kNotAvailable);
      return FieldValue::of(field == Field::kUserHomedir ? account->home : account->shell);
    }
    default: return {};
  }
}

FieldValue FieldReader::capabilities(uint64_t bits) {
  text_.clear();
  for (size_t bit = 0; bit < std::size(scap::kCapabilityNames); ++bit) {
    if (((bits >> bit) & 1) == 0) continue;
    if (!text_.empty()) text_ += ' ';
    text_ += "CAP_";
    text_ += scap::kCapabilityNames[bit];
  }
  return FieldValue::of(text_);
}

}  // namespace sfkit::fields
