// Paths that calls take as parameters.

#include "fields/fields.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
namespace ev = scap::ev;

// Which parameters of a call's return name what it is about. `second` is the target of calls with two paths.
struct PathParameters {
  uint16_t code;
  P path;
  P directory;  // P::res where the path is relative to the working directory
  P second;     // P::res for calls with one path
  P second_directory;
};

constexpr P kNone = P::res;

constexpr PathParameters kPaths[] = {
    {ev::SYSCALL_OPEN_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_CREAT_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_OPENAT_X, P::name, P::dirfd, kNone, kNone},
    {ev::SYSCALL_OPENAT_2_X, P::name, P::dirfd, kNone, kNone},
    {ev::SYSCALL_OPENAT2_X, P::name, P::dirfd, kNone, kNone},
    {ev::SYSCALL_OPEN_BY_HANDLE_AT_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_MKDIR_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_MKDIR_2_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_MKDIRAT_X, P::path, P::dirfd, kNone, kNone},
    {ev::SYSCALL_RMDIR_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_RMDIR_2_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_UNLINK_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_UNLINK_2_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_UNLINKAT_X, P::name, P::dirfd, kNone, kNone},
    {ev::SYSCALL_UNLINKAT_2_X, P::name, P::dirfd, kNone, kNone},
    {ev::SYSCALL_CHMOD_X, P::filename, kNone, kNone, kNone},
    {ev::SYSCALL_FCHMODAT_X, P::filename, P::dirfd, kNone, kNone},
    {ev::SYSCALL_CHOWN_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_LCHOWN_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_FCHOWNAT_X, P::pathname, P::dirfd, kNone, kNone},
    {ev::SYSCALL_CHROOT_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_STAT_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_LSTAT_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_STAT64_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_LSTAT64_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_NEWFSTATAT_X, P::path, P::dirfd, kNone, kNone},
    {ev::SYSCALL_ACCESS_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_MKNOD_X, P::path, kNone, kNone, kNone},
    {ev::SYSCALL_MKNODAT_X, P::path, P::dirfd, kNone, kNone},
    {ev::SYSCALL_QUOTACTL_X, P::special, kNone, kNone, kNone},
    {ev::SYSCALL_UMOUNT_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_UMOUNT_1_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_UMOUNT2_X, P::name, kNone, kNone, kNone},
    {ev::SYSCALL_RENAME_X, P::oldpath, kNone, P::newpath, kNone},
    {ev::SYSCALL_RENAMEAT_X, P::oldpath, P::olddirfd, P::newpath, P::newdirfd},
    {ev::SYSCALL_RENAMEAT2_X, P::oldpath, P::olddirfd, P::newpath, P::newdirfd},
    // A link's source is where it stands, its target what it leads to.
    {ev::SYSCALL_LINK_X, P::newpath, kNone, P::oldpath, kNone},
    {ev::SYSCALL_LINK_2_X, P::newpath, kNone, P::oldpath, kNone},
    {ev::SYSCALL_LINKAT_X, P::newpath, P::newdir, P::oldpath, P::olddir},
    {ev::SYSCALL_LINKAT_2_X, P::newpath, P::newdir, P::oldpath, P::olddir},
    {ev::SYSCALL_SYMLINK_X, P::linkpath, kNone, P::target, kNone},
    {ev::SYSCALL_SYMLINKAT_X, P::linkpath, P::linkdirfd, P::target, kNone},
    {ev::SYSCALL_MOUNT_X, P::dev, kNone, P::dir, kNone},
};

const PathParameters* paths_of(uint16_t code) {
  for (const PathParameters& entry : kPaths) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace

bool opens_path(uint16_t code) {
  switch (code) {
    case ev::SYSCALL_OPEN_X:
    case ev::SYSCALL_CREAT_X:
    case ev::SYSCALL_OPENAT_X:
    case ev::SYSCALL_OPENAT_2_X:
    case ev::SYSCALL_OPENAT2_X:
    case ev::SYSCALL_OPEN_BY_HANDLE_AT_X: return true;
    default: return false;
  }
}

// The path that a call tried to open.
const std::string* FieldReader::opened_path() {
  if (!opens_path(context_->event->code) || context_->thread == nullptr) return nullptr;
  if (!engine_.compat()) {
    if (opened_as_given().empty()) return nullptr;
    engine_.resolve_opened(*context_->thread, *context_->call, path_);
    return &path_;
  }
  Bytes name = parameter(P::name);
  if (name.empty()) name = parameter(P::path);
  if (!state::has_text(name)) return nullptr;
  const std::string_view path = to_text(name);
  if (path.starts_with('/')) {
    path_ = path;
    return &path_;
  }
  const auto base = engine_.directory_of(*context_->thread, to_int(parameter(P::dirfd), state::kAtFdcwd));
  state::join_path(base.value_or(std::string_view()), path, path_);
  return &path_;
}

// The same as the call gave it.
std::string_view FieldReader::opened_as_given() const {
  if (engine_.compat() || context_->call == nullptr) return to_text(parameter(P::name));
  const bool by_handle = context_->event->code == ev::SYSCALL_OPEN_BY_HANDLE_AT_X;
  return to_text(engine_.path_argument(*context_->call, by_handle ? P::path : P::name));
}

FieldValue FieldReader::path_field(Field field) {
  if (context_->call == nullptr || context_->thread == nullptr) return {};
  const uint16_t code = context_->event->code;
  const bool wants_target = field == Field::kFsPathTarget || field == Field::kFsPathTargetraw;
  const bool wants_source = field == Field::kFsPathSource || field == Field::kFsPathSourceraw;
  const bool raw =
      field == Field::kFsPathNameraw || field == Field::kFsPathSourceraw || field == Field::kFsPathTargetraw;
  const bool by_descriptor = code == ev::SYSCALL_FCHMOD_X || code == ev::SYSCALL_FCHOWN_X;
  const PathParameters* paths = paths_of(code);
  if (paths == nullptr && !by_descriptor) return {};
  // Calls that fail changed nothing; an open tells what was wanted even so.
  const bool opens = paths != nullptr && opened_path() != nullptr;
  if (!opens && context_->call->result() < 0) return {};
  if (by_descriptor) {
    if (wants_source || wants_target || context_->shown_slot == nullptr) return {};
    return FieldValue::of_text(context_->shown_slot->descriptor->name);
  }
  const bool two = paths->second != kNone;
  if ((wants_target || wants_source) != two) return {};
  if (opens && !engine_.compat()) return FieldValue::of(raw ? opened_as_given() : path_);
  if (wants_target && !raw && paths->path == P::linkpath && !engine_.compat()) return link_target();
  return path_of(wants_target ? paths->second : paths->path,
                 wants_target ? paths->second_directory : paths->directory, raw);
}

// What a symbolic link leads to.
FieldValue FieldReader::link_target() {
  const scap::CallView& call = *context_->call;
  const Bytes target = engine_.path_argument(call, P::target);
  if (!state::has_text(target)) return {};
  const Bytes link = engine_.path_argument(call, P::linkpath);
  engine_.resolve_link_target(*context_->thread, directory_argument(P::linkdirfd), link, target, path_);
  return FieldValue::of(path_);
}

int64_t FieldReader::directory_argument(P name) const {
  return name == kNone ? state::kAtFdcwd : to_int(parameter(name), state::kAtFdcwd);
}

FieldValue FieldReader::path_of(P name, P directory, bool raw) {
  const Bytes value = engine_.path_argument(*context_->call, name);
  if (!state::has_text(value)) return {};
  if (raw) return FieldValue::of(to_text(value));
  engine_.resolve(*context_->thread, directory_argument(directory), value, path_);
  return FieldValue::of(path_);
}

FieldValue FieldReader::absolute_path(const FieldRef& field) {
  if (context_->call == nullptr || context_->thread == nullptr) return {};
  const bool end = field.argument == "dst";
  switch (const uint16_t code = context_->event->code) {
    case ev::SYSCALL_RENAMEAT_X:
    case ev::SYSCALL_RENAMEAT2_X:
      return end ? path_of(P::newpath, P::newdirfd, false) : path_of(P::oldpath, P::olddirfd, false);
    case ev::SYSCALL_LINKAT_X:
    case ev::SYSCALL_LINKAT_2_X:
      return end ? path_of(P::newpath, P::newdir, false) : path_of(P::oldpath, P::olddir, false);
    case ev::SYSCALL_OPEN_BY_HANDLE_AT_X:
      if (engine_.compat()) return path_of(P::path, kNone, false);
      return opened_path() == nullptr ? FieldValue() : FieldValue::of(path_);
    default: {
      const PathParameters* paths = paths_of(code);
      if (paths == nullptr || paths->directory == kNone) return {};
      if (opens_path(code) && !engine_.compat())
        return opened_path() == nullptr ? FieldValue() : FieldValue::of(path_);
      return path_of(paths->path, paths->directory, false);
    }
  }
}

}  // namespace sfkit::fields
