// Where the relative paths of a process begin.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/shared_text.h"
#include "state/path_tree.h"

namespace sfkit::state {

// A counted reference: children share the directory of their parent until one of them goes elsewhere. It
// stays the same directory when that, or one above it, is renamed.
class WorkingDirectory {
 public:
  WorkingDirectory() = default;
  WorkingDirectory(const WorkingDirectory& other) : shared_(other.shared_) {
    if (shared_ != nullptr) ++shared_->references;
  }
  WorkingDirectory(WorkingDirectory&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  WorkingDirectory& operator=(WorkingDirectory other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~WorkingDirectory() { release(); }

  // The path, which ends with a slash; "" when it is unknown.
  const SharedText& text() const {
    if (shared_ == nullptr) return kUnknown;
    if (shared_->paths != nullptr && !shared_->paths->is_current(shared_->place)) update();
    return shared_->text;
  }

  // The same without that slash.
  std::string_view path() const {
    const std::string_view path = text();
    return path.size() > 1 ? path.substr(0, path.size() - 1) : path;
  }

  // Unknown from now on, though the process was known to go somewhere.
  void mark_lost();
  bool is_lost() const { return shared_ != nullptr && text().empty(); }
  // `path` ends with a slash. Compat, which follows no renames.
  void set(std::string_view path);
  // The same of a path that follows renames. `same`: the place of a descriptor for the directory, if any.
  void set(PathTree& paths, PathSpace space, std::string_view path, const PathLink* same);
  void clear() { *this = WorkingDirectory(); }

 private:
  struct Shared {
    size_t references = 1;
    SharedText text;
    PathTree* paths = nullptr;
    PathLink place;
  };

  void update() const;
  void release();

  static const SharedText kUnknown;
  Shared* shared_ = nullptr;
};

}  // namespace sfkit::state
