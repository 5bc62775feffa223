// Path arguments, and calls that rename files and remove directories.

#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
namespace ev = scap::ev;

constexpr int64_t kNoDirectory = -1;
constexpr uint32_t kRenameExchange = 2;
constexpr uint32_t kResolveBeneath = 1;
constexpr uint32_t kResolveInRoot = 2;

}  // namespace

std::optional<std::string_view> Engine::directory_of(Thread& thread, int64_t dirfd) {
  if (dirfd == kAtFdcwd) {
    const SharedText& cwd = cwd_of(thread);
    if (cwd.empty()) return {};
    return cwd.view();
  }
  const DescriptorTable* table = thread.table();
  const FdSlot* slot = table == nullptr ? nullptr : table->find(dirfd);
  if (slot == nullptr) return {};
  const Descriptor& descriptor = *slot->descriptor;
  if (compat_) return descriptor.name;
  if (!descriptor.is_file() && descriptor.type != FdType::kDirectory) return {};
  // A directory opened like a file keeps the name it was opened by, so ask for the current one.
  if (!descriptor.is_directory() && PathTree::was_renamed(descriptor.place)) {
    directory_ = *pool_.paths().update(slot->descriptor.get()->place, kMaxPath);
    return directory_;
  }
  if (!is_absolute(descriptor.name) && !descriptor.name.starts_with(kUnknownDirectory)) return {};
  return descriptor.name;
}

Bytes Engine::path_argument(const scap::CallView& call, P name) const {
  if (compat_) return call.get(name);
  if (call.paired()) {
    if (const Bytes value = call.enter().param(name); has_path(value)) return value;
  }
  const Bytes own = call.from_exit(name);
  return has_path(own) ? own : Bytes();
}

void Engine::resolve(Thread& thread, int64_t dirfd, Bytes value, std::string& out,
                     Confine confine) {
  if (compat_) {
    join_path(directory_of(thread, dirfd).value_or(std::string_view()), to_text(value), out);
  } else if (has_path(value)) {
    resolve_text(thread, dirfd, to_text(value), out, confine);
  } else {
    out = kUnknownDirectory;
  }
}

void Engine::resolve_text(Thread& thread, int64_t dirfd, std::string_view path, std::string& out,
                          Confine confine) {
  if (is_absolute(path) && confine == Confine::kNo) return resolve_path("/", path, out);
  if (const auto base = directory_of(thread, dirfd)) return resolve_path(*base, path, out, confine);
  const bool never_known = dirfd == kAtFdcwd && !has_lost_cwd(thread);
  resolve_path(never_known ? std::string_view() : kUnknownDirectory, path, out, confine);
}

// Whether the working directory is unknown because of an unknown change. Processes that the capture
// never introduced do not count: their paths stay as given.
bool Engine::has_lost_cwd(Thread& thread) {
  const WorkingDirectory* const directory = thread.directory();
  return directory != nullptr && directory->is_lost();
}

Engine::OpenedPath Engine::resolve_opened(Thread& thread, const scap::CallView& call,
                                          std::string& out) {
  const uint16_t code = call.exit().code;
  const bool by_handle = code == ev::SYSCALL_OPEN_BY_HANDLE_AT_X;
  const P parameter = by_handle ? P::path : P::name;
  Bytes name = call.from_enter(parameter);
  const bool is_from_enter = has_path(name);
  if (!is_from_enter) name = call.from_exit(parameter);
  if (!has_path(name)) {
    out = kUnknownDirectory;
    return {{}, false};
  }
  const std::string_view path = to_text(name);
  const auto argument = [&call, is_from_enter](P parameter_name) {
    const Bytes own =
        is_from_enter ? call.from_enter(parameter_name) : call.from_exit(parameter_name);
    return own.empty() ? call.get(parameter_name) : own;
  };
  const uint64_t how = code == ev::SYSCALL_OPENAT2_X ? to_uint(argument(P::resolve), 0) : 0;
  const Confine confine = (how & kResolveInRoot) != 0 ? Confine::kInRoot : Confine::kNo;
  if (path.empty()) {
    out.clear();  // an empty path opens nothing
  } else if ((how & kResolveBeneath) != 0 && call.result() >= 0 && leaves_directory(path)) {
    // The kernel refuses such paths, so it must have read another one.
    out = kUnknownDirectory;
  } else if (is_absolute(path) && confine == Confine::kNo) {
    resolve_path("/", path, out);
  } else {
    int64_t dirfd = kAtFdcwd;
    if (by_handle) {
      dirfd = kNoDirectory;
    } else if (code != ev::SYSCALL_OPEN_X && code != ev::SYSCALL_CREAT_X) {
      dirfd = to_int(argument(P::dirfd), kAtFdcwd);
    }
    resolve_text(thread, dirfd, path, out, confine);
  }
  return {path, is_from_enter};
}

void Engine::resolve_link_target(Thread& thread, int64_t dirfd, Bytes link, Bytes target,
                                 std::string& out) {
  resolve(thread, dirfd, link, second_path_);
  if (has_path(target)) {
    resolve_path(directory_of_path(second_path_), to_text(target), out);
  } else {
    out = kUnknownDirectory;
  }
}

// Calls with one or two paths relative to a descriptor.
void Engine::on_at_call(const Context& context) {
  struct Place {
    P directory;
    P path;
  };
  static constexpr Place kPlaces[] = {{P::dirfd, P::path},        {P::dirfd, P::name},
                                      {P::olddirfd, P::oldpath},  {P::newdirfd, P::newpath},
                                      {P::olddir, P::oldpath},    {P::newdir, P::newpath},
                                      {P::linkdirfd, P::linkpath}};
  const scap::CallView& call = *context.call;
  if (compat_ || call.result() < 0) return;
  for (const auto& [directory, name] : kPlaces) {
    const int64_t dirfd = to_int(call.get(directory), kAtFdcwd);
    if (dirfd == kAtFdcwd) continue;
    // An empty path means the descriptor itself.
    const std::string_view path = to_text(path_argument(call, name));
    if (!path.empty() && !is_absolute(path)) use_directory(*context.thread, dirfd);
  }
}

// The path space of a thread with its own root.
PathSpace Engine::space_below(const Thread& thread) {
  return mix_words(hash_text(thread.root), thread.container);
}

void Engine::on_rename(Context& context) {
  const scap::CallView& call = *context.call;
  if (compat_ || call.result() < 0) return;
  on_at_call(context);
  Thread& thread = *context.thread;
  const auto directory = [&call](P name) { return to_int(call.get(name), kAtFdcwd); };
  resolve(thread, directory(P::olddirfd), path_argument(call, P::oldpath), second_path_);
  resolve(thread, directory(P::newdirfd), path_argument(call, P::newpath), scratch_);
  const PathSpace space = space_of(thread);
  PathTree& paths = pool_.paths();
  const bool exchanges = (to_uint(call.get(P::flags), 0) & kRenameExchange) != 0;
  if (!exchanges) {
    context.renamed_directory = paths.rename(space, second_path_, scratch_);
  } else if (is_absolute(second_path_) && is_absolute(scratch_)) {
    paths.exchange(space, second_path_, scratch_);
  } else if (is_absolute(second_path_)) {
    paths.rename(space, second_path_, scratch_);
  } else {
    paths.rename(space, scratch_, second_path_);
  }
}

void Engine::on_remove_directory(Context& context) {
  const scap::CallView& call = *context.call;
  on_at_call(context);
  if (compat_ || call.result() < 0 || !removes_directory(call)) return;
  const bool by_name =
      call.exit().code == ev::SYSCALL_UNLINKAT_X || call.exit().code == ev::SYSCALL_UNLINKAT_2_X;
  resolve(*context.thread, to_int(call.get(P::dirfd), kAtFdcwd),
          path_argument(call, by_name ? P::name : P::path), scratch_);
  pool_.paths().forget(space_of(*context.thread), scratch_);
}

}  // namespace sfkit::state
