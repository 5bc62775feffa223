// Calls that open, copy and close files and other descriptors (spec: scap-state, sections 10 and 12).

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

constexpr uint32_t kCloseRangeCloexec = 4;
constexpr uint32_t kFcntlSetfd = 3;

// Another number for what `source` stands for, with a close-on-exec mark of its own.
void put_copy(DescriptorTable& table, int64_t fd, DescriptorRef source, bool cloexec) {
  if (((source->open_flags & kOpenCloexec) != 0) != cloexec) source.writable().open_flags ^= kOpenCloexec;
  table.put(fd, std::move(source));
}

}  // namespace

void Engine::add_file(Context& context, int64_t fd, uint32_t flags) {
  const scap::CallView& call = *context.call;
  // An unnamed file is asked for in a directory. Older recordings have the flag of it with every directory,
  // but no directory is opened for writing.
  const bool is_unnamed = !compat_ && (flags & kOpenTmpfile) != 0 && (flags & kOpenWronly) != 0;
  const bool is_directory = (flags & kOpenDirectory) != 0 && !is_unnamed;
  Descriptor* descriptor = add_fd(context, fd, is_directory ? FdType::kDirectory : FdType::kFileV2);
  if (descriptor == nullptr) return;
  descriptor->open_flags = flags;
  descriptor->device = static_cast<uint32_t>(to_uint(call.from_exit(P::dev), 0));
  descriptor->inode = to_uint(call.from_exit(P::ino), 0);
  descriptor->set_name(scratch_);
  if (!compat_) descriptor->follow_renames(space_of(*context.thread));
}

void Engine::on_open(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const bool entered = compat_ ? has_text(call.from_enter(P::name)) : has_path(call.from_enter(P::name));
  if (entered) {
    const auto entered_flags = static_cast<uint32_t>(to_uint(call.from_enter(P::flags), 0));
    flags = (entered_flags & (kOpenFCreated - 1)) | (flags & ~(kOpenFCreated - 1));
  }
  std::string_view path;
  if (compat_) {
    path = resolve_opened_compat(*context.thread, call, entered);
  } else {
    path = resolve_opened(*context.thread, call, scratch_);
    use_directory(context, path);
  }
  add_file(context, fd, flags);
  name_as_given(context, path);
}

// libs 0.18.1 folds nothing below a directory that it does not know.
std::string_view Engine::resolve_opened_compat(Thread& thread, const scap::CallView& call, bool entered) {
  // The kernel may have read other text than the exit event shows: what was there at enter counts.
  const std::string_view path = to_text(entered ? call.from_enter(P::name) : call.from_exit(P::name));
  const Bytes dirfd = entered ? call.from_enter(P::dirfd) : call.from_exit(P::dirfd);
  const bool is_at_call = !path.starts_with('/') && call.exit().code != ev::SYSCALL_OPEN_X;
  const int64_t directory = is_at_call ? to_int(dirfd, kAtFdcwd) : kAtFdcwd;
  if (directory == kAtFdcwd) {
    join_path(cwd_of(thread), path, scratch_);
  } else if (const auto base = directory_of(thread, directory)) {
    join_path(*base, path, scratch_);
  } else {
    scratch_.assign(kUnknownDirectory).append(path);
  }
  return path;
}

// Below which a file was opened: only directories have files below them.
void Engine::use_directory(Context& context, std::string_view path) {
  if (path.empty() || is_whole(path)) return;
  const Bytes dirfd = context.call->get(P::dirfd);
  if (dirfd.empty()) return;
  DescriptorTable* table = context.thread->table();
  const FdSlot* slot = table == nullptr ? nullptr : table->find(to_int(dirfd, kAtFdcwd));
  if (slot != nullptr) slot->descriptor.get()->use_as_directory();
}

void Engine::name_as_given(const Context& context, std::string_view path) {
  if (context.slot == nullptr) return;
  Descriptor& descriptor = *context.slot->descriptor.get();
  const bool is_repeated = compat_ ? is_whole(path) : path == descriptor.name;
  if (!is_repeated) descriptor.name_as_given = path;
}

void Engine::on_creat(Context& context) {
  constexpr uint32_t kCreatFlags = 2 | kOpenCreate | 256;  // write-only, create, truncate
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  std::string_view path;
  if (compat_) {
    const Bytes entered = call.from_enter(P::name);
    path = to_text(has_text(entered) ? entered : call.from_exit(P::name));
    join_path(cwd_of(*context.thread), path, scratch_);
  } else {
    path = resolve_opened(*context.thread, call, scratch_);
  }
  const bool is_doubtful = (to_uint(call.from_exit(P::creat_flags), 0) & kCreatDoubtful) != 0;
  add_file(context, fd, kCreatFlags | (is_doubtful ? kOpenDoubtful : 0));
  if (!compat_) name_as_given(context, path);
}

void Engine::on_open_by_handle(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  if (compat_) {
    join_path("", to_text(call.from_exit(P::path)), scratch_);
  } else {
    resolve_opened(*context.thread, call, scratch_);
  }
  add_file(context, fd, flags);
}

void Engine::on_getdents(Context& context) {
  if (compat_ || context.slot == nullptr || context.call->result() < 0) return;
  context.slot->descriptor.get()->use_as_directory();
}

void Engine::on_close(Context& context) {
  if (context.slot == nullptr || context.call->result() < 0) return;
  has_pending_ = true;
  closed_table_ = context.thread->table();
  closed_fd_ = context.fd;
}

void Engine::on_close_range(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto first = static_cast<int64_t>(to_uint(call.get(P::first), 0));
  const auto last = static_cast<int64_t>(to_uint(call.get(P::last), 0));
  const bool mark = (to_uint(call.get(P::flags), 0) & kCloseRangeCloexec) != 0;
  DescriptorTable* table = context.thread->table();
  if (table == nullptr) return;
  if (!mark) return table->erase_range(first, last);
  std::vector<int64_t> marked;
  table->for_each([&](int64_t fd, const Descriptor& descriptor) {
    if (fd >= first && fd <= last && (descriptor.open_flags & kOpenCloexec) == 0) marked.push_back(fd);
  });
  for (const int64_t fd : marked) table->writable(fd)->open_flags |= kOpenCloexec;
}

void Engine::on_dup(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t fd = call.result();
  if (fd < 0) return;
  Bytes old = call.from_exit(P::oldfd);
  if (old.empty()) old = call.from_enter(P::fd);
  DescriptorTable* table = context.thread->table();
  const FdSlot* source = table == nullptr ? nullptr : table->find(to_int(old, -1));
  if (source == nullptr || to_int(old, -1) == fd) return;
  put_copy(*table, fd, source->descriptor, (to_uint(call.from_exit(P::flags), 0) & kOpenCloexec) != 0);
  constexpr int64_t kStdin = 0;
  constexpr int64_t kStdout = 1;
  if (fd == kStdin) context.thread->flags |= kPipeDestination;
  if (fd == kStdout) context.thread->flags |= kPipeSource;
}

void Engine::on_fcntl(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t result = call.result();
  if (result < 0 || context.slot == nullptr) return;
  const auto command = to_uint(call.get(P::cmd), 0);
  if (command == kFcntlDupfd || command == kFcntlDupfdCloexec) {
    put_copy(*context.thread->table(), result, context.slot->descriptor, command == kFcntlDupfdCloexec);
    context.slot = context.thread->table()->find(context.fd);
  } else if (command == kFcntlSetfd) {
    // Recorded since 2026 only; nothing is known of the flag before.
    const Bytes argument = call.from_exit(P::arg);
    if (argument.empty()) return;
    Descriptor& descriptor = writable(context);
    descriptor.open_flags &= ~kOpenCloexec;
    if ((to_uint(argument, 0) & 1) != 0) descriptor.open_flags |= kOpenCloexec;
  }
}

void Engine::on_pipe(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const uint64_t inode = to_uint(call.from_exit(P::ino), 0);
  for (const P end : {P::fd1, P::fd2}) {
    Descriptor* descriptor = add_fd(context, to_int(call.from_exit(end), -1), FdType::kFifo);
    if (descriptor == nullptr) continue;
    descriptor->inode = inode;
    descriptor->open_flags = flags & kOpenCloexec;
  }
  context.slot = nullptr;
}

void Engine::on_new_fd(Context& context, FdType type) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  Descriptor* descriptor = add_fd(context, call.result(), type);
  if (descriptor != nullptr)
    descriptor->open_flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
}

void Engine::on_memfd(Context& context) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor = add_fd(context, call.result(), FdType::kMemfd);
  if (descriptor == nullptr) return;
  descriptor->open_flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  descriptor->set_name(to_text(call.from_exit(P::name)));
}

void Engine::on_pidfd_open(Context& context) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor = add_fd(context, call.result(), FdType::kPidfd);
  if (descriptor == nullptr) return;
  descriptor->pid = to_int(call.from_exit(P::pid), -1);
  descriptor->set_name("/proc/" + std::to_string(descriptor->pid));
}

void Engine::on_pidfd_getfd(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t fd = call.result();
  DescriptorTable* table = context.thread->table();
  if (fd < 0 || table == nullptr) return;
  const FdSlot* process = table->find(to_int(call.from_exit(P::pid_fd), -1));
  if (process == nullptr || process->descriptor->type != FdType::kPidfd) return;
  Thread* target = threads_.find(process->descriptor->pid);
  DescriptorTable* from = target == nullptr ? nullptr : target->table();
  const FdSlot* source = from == nullptr ? nullptr : from->find(to_int(call.from_exit(P::target_fd), -1));
  if (source == nullptr) return;
  put_copy(*table, fd, source->descriptor, true);
}

}  // namespace sfkit::state
