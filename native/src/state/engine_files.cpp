// Calls that open, duplicate and close descriptors (spec: scap-state, sections 10 and 12).

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

constexpr uint32_t kCloseRangeUnshare = 2;
constexpr uint32_t kCloseRangeCloexec = 4;
constexpr uint32_t kFcntlSetfd = 3;

// Whether the bpf command returns a descriptor.
bool makes_bpf_descriptor(uint64_t command) {
  constexpr uint64_t kCommands =
      1ull << 0 /* MAP_CREATE */ | 1ull << 5 /* PROG_LOAD */ | 1ull << 7 /* OBJ_GET */ |
      1ull << 13 /* PROG_GET_FD_BY_ID */ | 1ull << 14 /* MAP_GET_FD_BY_ID */ |
      1ull << 17 /* RAW_TRACEPOINT_OPEN */ | 1ull << 18 /* BTF_LOAD */ |
      1ull << 19 /* BTF_GET_FD_BY_ID */ | 1ull << 28 /* LINK_CREATE */ |
      1ull << 30 /* LINK_GET_FD_BY_ID */ | 1ull << 32 /* ENABLE_STATS */ |
      1ull << 33 /* ITER_CREATE */ | 1ull << 36 /* TOKEN_CREATE */;
  return command < 64 && (kCommands >> command & 1) != 0;
}

}  // namespace

void Engine::add_file(Context& context, int64_t fd, uint32_t flags) {
  const scap::CallView& call = *context.call;
  // O_TMPFILE creates an unnamed file in a directory. Older drivers set the flag for every
  // directory, but no directory is opened for writing.
  const bool is_unnamed = !compat_ && (flags & kOpenTmpfile) != 0 && (flags & kOpenWronly) != 0;
  const bool is_directory = (flags & kOpenDirectory) != 0 && !is_unnamed;
  Descriptor* descriptor = add_fd(context, fd, is_directory ? FdType::kDirectory : FdType::kFileV2,
                                  (flags & kOpenCloexec) != 0);
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
  const auto [path, is_from_enter] = compat_ ? resolve_opened_compat(*context.thread, call)
                                             : resolve_opened(*context.thread, call, scratch_);
  auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  if (is_from_enter) {
    const auto enter_flags = static_cast<uint32_t>(to_uint(call.from_enter(P::flags), 0));
    flags = (enter_flags & (kOpenFCreated - 1)) | (flags & ~(kOpenFCreated - 1));
  }
  if (!compat_ && !is_absolute(path)) {
    if (const Bytes dirfd = call.get(P::dirfd); !dirfd.empty())
      use_directory(*context.thread, to_int(dirfd, kAtFdcwd));
  }
  add_file(context, fd, flags);
  raw_name(context, path);
}

// libs 0.18.1 folds nothing below an unknown directory.
Engine::OpenedPath Engine::resolve_opened_compat(Thread& thread, const scap::CallView& call) {
  const bool is_from_enter = has_text(call.from_enter(P::name));
  // The exit event may show text that the program wrote later: the enter event counts.
  const std::string_view path =
      to_text(is_from_enter ? call.from_enter(P::name) : call.from_exit(P::name));
  const Bytes dirfd = is_from_enter ? call.from_enter(P::dirfd) : call.from_exit(P::dirfd);
  const bool is_at_call = !path.starts_with('/') && call.exit().code != ev::SYSCALL_OPEN_X;
  const int64_t directory = is_at_call ? to_int(dirfd, kAtFdcwd) : kAtFdcwd;
  if (directory == kAtFdcwd) {
    join_path(cwd_of(thread), path, scratch_);
  } else if (const auto base = directory_of(thread, directory)) {
    join_path(*base, path, scratch_);
  } else {
    scratch_.assign(kUnknownDirectory).append(path);
  }
  return {path, is_from_enter};
}

// The base of a relative path must be a directory.
void Engine::use_directory(Thread& thread, int64_t dirfd) {
  const DescriptorTable* const table = thread.table();
  const FdSlot* const slot = table == nullptr ? nullptr : table->find(dirfd);
  if (slot == nullptr || !slot->descriptor.get()->use_as_directory()) return;
  new_directories_.push_back(slot->descriptor.get());
  has_pending_ = true;
}

void Engine::raw_name(const Context& context, std::string_view path) {
  if (context.slot == nullptr) return;
  Descriptor& descriptor = *context.slot->descriptor.get();
  const bool is_repeated = compat_ ? is_absolute(path) : path == descriptor.name;
  if (is_repeated) return;
  descriptor.raw_name = path;
  descriptor.names.raise(descriptor.name.size() + path.size());
}

void Engine::on_creat(Context& context) {
  constexpr uint32_t kCreatFlags = 2 | kOpenCreate | 256;  // write-only, create, truncate
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  std::string_view path;
  if (compat_) {
    const Bytes enter_name = call.from_enter(P::name);
    path = to_text(has_text(enter_name) ? enter_name : call.from_exit(P::name));
    join_path(cwd_of(*context.thread), path, scratch_);
  } else {
    path = resolve_opened(*context.thread, call, scratch_).text;
  }
  const bool is_doubtful = (to_uint(call.from_exit(P::creat_flags), 0) & kCreatDoubtful) != 0;
  add_file(context, fd, kCreatFlags | (is_doubtful ? kOpenDoubtful : 0));
  if (!compat_) raw_name(context, path);
}

void Engine::on_open_by_handle(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  std::string_view path;
  if (compat_) {
    join_path("", to_text(call.from_exit(P::path)), scratch_);
  } else {
    path = resolve_opened(*context.thread, call, scratch_).text;
  }
  add_file(context, fd, flags);
  if (!compat_) raw_name(context, path);
}

void Engine::on_getdents(Context& context) {
  if (compat_ || context.slot == nullptr || context.call->result() < 0) return;
  use_directory(*context.thread, context.fd);
}

void Engine::on_close(Context& context) {
  if (context.slot == nullptr) return;
  if (const int64_t result = context.call->result(); result < 0) {
    if (compat_) return;
    // Linux closes the descriptor even if it reports an error other than EBADF.
    if (result == kBadDescriptor) {
      context.slot = nullptr;
      return;
    }
  }
  has_pending_ = true;
  closed_table_ = context.thread->table();
  closed_fd_ = context.fd;
}

void Engine::on_close_range(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto first = static_cast<int64_t>(to_uint(call.get(P::first), 0));
  const auto last = static_cast<int64_t>(to_uint(call.get(P::last), 0));
  const uint64_t flags = to_uint(call.get(P::flags), 0);
  if ((flags & kCloseRangeUnshare) != 0) unshare_table(*context.thread);
  DescriptorTable* table = context.thread->table();
  if (table == nullptr) return;
  const bool is_mark = (flags & kCloseRangeCloexec) != 0;
  if (!compat_) note_closed({table, first, last, is_mark ? Closing::kMark : Closing::kCall});
  if (is_mark) {
    table->mark_range(first, last);
  } else {
    table->erase_range(first, last);
  }
}

void Engine::on_dup(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t fd = call.result();
  if (fd < 0) return;
  Bytes old = call.from_exit(P::oldfd);
  if (old.empty()) old = call.from_enter(P::fd);
  DescriptorTable* table = context.thread->table();
  if (table == nullptr || to_int(old, -1) == fd) return;
  // dup2 and dup3 close the descriptor that they replace.
  if (context.event->code == ev::SYSCALL_DUP2_X || context.event->code == ev::SYSCALL_DUP3_X)
    note_closed(*table, fd, Closing::kCall);
  const FdSlot* source = table->find(to_int(old, -1));
  if (source == nullptr) return forget_fd(context, fd);
  put_fd(*table, fd, DescriptorRef(source->descriptor),
         (to_uint(call.from_exit(P::flags), 0) & kOpenCloexec) != 0);
  constexpr int64_t kStdin = 0;
  constexpr int64_t kStdout = 1;
  if (fd == kStdin) context.thread->flags |= kPipeDestination;
  if (fd == kStdout) context.thread->flags |= kPipeSource;
}

void Engine::on_fcntl(Context& context) {
  const scap::CallView& call = *context.call;
  const int64_t result = call.result();
  if (result < 0) return;
  const auto command = to_uint(call.get(P::cmd), 0);
  if (command != kFcntlDupfd && command != kFcntlDupfdCloexec && command != kFcntlSetfd) return;
  if (context.slot == nullptr) {
    if (command != kFcntlSetfd) forget_fd(context, result);
    return;
  }
  DescriptorTable& table = *context.thread->table();
  if (command == kFcntlSetfd) {
    // Drivers before 2026 do not record the argument.
    const Bytes argument = call.from_exit(P::arg);
    if (argument.empty()) return;
    const bool is_mark = (to_uint(argument, 0) & 1) != 0;
    table.mark(context.fd, is_mark);
    if (is_mark && !compat_) note_closed({&table, context.fd, context.fd, Closing::kMark});
  } else {
    put_fd(table, result, DescriptorRef(context.slot->descriptor), command == kFcntlDupfdCloexec);
  }
  context.slot = table.find(context.fd);
}

void Engine::on_pipe(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  const uint64_t inode = to_uint(call.from_exit(P::ino), 0);
  for (const P end : {P::fd1, P::fd2}) {
    Descriptor* descriptor = add_fd(context, to_int(call.from_exit(end), -1), FdType::kFifo,
                                    (flags & kOpenCloexec) != 0);
    if (descriptor != nullptr) descriptor->inode = inode;
  }
  context.slot = nullptr;
}

// `marks`: the flags that set close-on-exec.
void Engine::on_new_fd(Context& context, uint32_t marks) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  Descriptor* descriptor =
      add_fd(context, call.result(), kMadeTypes[context.event->code], (flags & marks) != 0);
  if (descriptor != nullptr) descriptor->open_flags = flags;
}

// io_uring_setup and bpf always set the close-on-exec flag.
void Engine::on_marked_fd(Context& context) {
  context.slot = nullptr;
  add_fd(context, context.call->result(), kMadeTypes[context.event->code], true);
}

void Engine::on_bpf(Context& context) {
  if (!compat_ && !makes_bpf_descriptor(to_uint(context.call->from_exit(P::cmd), 0))) return;
  on_marked_fd(context);
}

// The older event says whether its result is a descriptor. (libs 0.18.1 ignores it.)
void Engine::on_old_bpf(Context& context) {
  constexpr uint8_t kIsDescriptor = 0;
  Cursor result(context.event->param(0));
  const bool is_descriptor = result.read<uint8_t>() == kIsDescriptor;
  const auto fd = result.read<int64_t>();
  if (!compat_ && is_descriptor && !result.failed())
    add_fd(context, fd, kMadeTypes[context.event->code], true);
}

void Engine::on_memfd(Context& context) {
  constexpr uint32_t kMemfdCloexec = 1;
  const scap::CallView& call = *context.call;
  const auto flags = static_cast<uint32_t>(to_uint(call.from_exit(P::flags), 0));
  Descriptor* descriptor =
      add_fd(context, call.result(), kMadeTypes[context.event->code], (flags & kMemfdCloexec) != 0);
  if (descriptor == nullptr) return;
  descriptor->open_flags = flags;
  descriptor->set_name(to_text(call.from_exit(P::name)));
}

void Engine::on_pidfd_open(Context& context) {
  const scap::CallView& call = *context.call;
  Descriptor* descriptor = add_fd(context, call.result(), kMadeTypes[context.event->code], true);
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
  const bool is_known = process != nullptr && process->descriptor->type == FdType::kPidfd;
  Thread* target = is_known ? threads_.find(process->descriptor->pid) : nullptr;
  DescriptorTable* from = target == nullptr ? nullptr : target->table();
  const FdSlot* source =
      from == nullptr ? nullptr : from->find(to_int(call.from_exit(P::target_fd), -1));
  if (source == nullptr) return forget_fd(context, fd);
  put_fd(*table, fd, DescriptorRef(source->descriptor), true);
}

}  // namespace sfkit::state
