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
  return path_of(wants_target ? paths->second : paths->path,
                 wants_target ? paths->second_directory : paths->directory, raw);
}

FieldValue FieldReader::path_of(P name, P directory, bool raw) {
  const Bytes value = parameter(name);
  if (!state::has_text(value)) return {};
  const std::string_view path = to_text(value);
  if (raw) return FieldValue::of(path);
  const int64_t dirfd = directory == kNone ? state::kAtFdcwd : to_int(parameter(directory), state::kAtFdcwd);
  const auto base = engine_.directory_of(*context_->thread, dirfd);
  state::join_path(base.value_or(std::string_view()), path, path_);
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
    case ev::SYSCALL_OPEN_BY_HANDLE_AT_X: return path_of(P::path, kNone, false);
    default: {
      const PathParameters* paths = paths_of(code);
      if (paths == nullptr || paths->directory == kNone) return {};
      return path_of(paths->path, paths->directory, false);
    }
  }
}

}  // namespace sfkit::fields
