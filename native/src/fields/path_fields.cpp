// Fields of paths in the parameters of calls.

#include "event_roles.gen.h"
#include "fields/fields.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
namespace ev = scap::ev;

using state::Handler;
using state::kNoParameter;
using state::PathParameters;
using state::paths_of;

}  // namespace

bool opens_path(uint16_t code) {
  switch (state::kHandlers[code]) {
    case Handler::kOpen:
    case Handler::kCreat:
    case Handler::kOpenByHandle: return true;
    default: return false;
  }
}

// The resolved path of an open, whether it succeeded or failed.
const std::string* FieldReader::opened_path() {
  if (!opens_path(context_->event->code) || context_->thread == nullptr) return nullptr;
  if (!engine_.compat()) {
    if (opened_raw_path().empty()) return nullptr;
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
  const auto base =
      engine_.directory_of(*context_->thread, to_int(parameter(P::dirfd), state::kAtFdcwd));
  state::join_path(base.value_or(std::string_view()), path, path_);
  return &path_;
}

// The path of an open as the call gave it.
std::string_view FieldReader::opened_raw_path() const {
  if (engine_.compat() || context_->call == nullptr) return to_text(parameter(P::name));
  const bool by_handle = context_->event->code == ev::SYSCALL_OPEN_BY_HANDLE_AT_X;
  return to_text(engine_.path_argument(*context_->call, by_handle ? P::path : P::name));
}

FieldValue FieldReader::path_field(Field field) {
  if (context_->call == nullptr || context_->thread == nullptr) return {};
  const uint16_t code = context_->event->code;
  const bool wants_target = field == Field::kFsPathTarget || field == Field::kFsPathTargetraw;
  const bool wants_source = field == Field::kFsPathSource || field == Field::kFsPathSourceraw;
  const bool raw = field == Field::kFsPathNameraw || field == Field::kFsPathSourceraw ||
                   field == Field::kFsPathTargetraw;
  const bool by_descriptor = code == ev::SYSCALL_FCHMOD_X || code == ev::SYSCALL_FCHOWN_X;
  const PathParameters* paths = paths_of(code);
  if (paths == nullptr && !by_descriptor) return {};
  // Failed calls have no path fields, except opens.
  const bool opens = paths != nullptr && opened_path() != nullptr;
  if (!opens && context_->call->result() < 0) return {};
  if (by_descriptor) {
    if (wants_source || wants_target || context_->shown_slot == nullptr) return {};
    return FieldValue::of_text(context_->shown_slot->descriptor->name);
  }
  const bool two = paths->second != kNoParameter;
  if ((wants_target || wants_source) != two) return {};
  if (opens && !engine_.compat()) return FieldValue::of(raw ? opened_raw_path() : path_);
  if (wants_target && !raw && paths->path == P::linkpath && !engine_.compat()) return link_target();
  return path_of(wants_target ? paths->second : paths->path,
                 wants_target ? paths->second_directory : paths->directory, raw);
}

// The resolved target of a symbolic link.
FieldValue FieldReader::link_target() {
  const scap::CallView& call = *context_->call;
  const Bytes target = engine_.path_argument(call, P::target);
  if (!state::has_text(target)) return {};
  const Bytes link = engine_.path_argument(call, P::linkpath);
  engine_.resolve_link_target(*context_->thread, directory_argument(P::linkdirfd), link, target,
                              path_);
  return FieldValue::of(path_);
}

int64_t FieldReader::directory_argument(P name) const {
  return name == kNoParameter ? state::kAtFdcwd : to_int(parameter(name), state::kAtFdcwd);
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
      return end ? path_of(P::newpath, P::newdirfd, false)
                 : path_of(P::oldpath, P::olddirfd, false);
    case ev::SYSCALL_LINKAT_X:
    case ev::SYSCALL_LINKAT_2_X:
      return end ? path_of(P::newpath, P::newdir, false) : path_of(P::oldpath, P::olddir, false);
    case ev::SYSCALL_OPEN_BY_HANDLE_AT_X:
      if (engine_.compat()) return path_of(P::path, kNoParameter, false);
      return opened_path() == nullptr ? FieldValue() : FieldValue::of(path_);
    default: {
      const PathParameters* paths = paths_of(code);
      if (paths == nullptr || paths->directory == kNoParameter) return {};
      if (opens_path(code) && !engine_.compat())
        return opened_path() == nullptr ? FieldValue() : FieldValue::of(path_);
      return path_of(paths->path, paths->directory, false);
    }
  }
}

}  // namespace sfkit::fields
