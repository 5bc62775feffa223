// The working directory of a process.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/memory_count.h"
#include "base/shared_text.h"
#include "state/path_tree.h"

namespace sfkit::state {

// A counted reference: children share their parent's directory until one of them changes it.
// Renames of the directory or its ancestors change the path, not the directory.
class WorkingDirectory {
 public:
  WorkingDirectory() = default;
  WorkingDirectory(const WorkingDirectory& other) : shared_(other.shared_) {
    if (shared_ != nullptr) ++shared_->references;
  }
  WorkingDirectory(WorkingDirectory&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)) {}
  WorkingDirectory& operator=(WorkingDirectory other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~WorkingDirectory() { release(); }

  // The path with a trailing slash, "" when unknown.
  const SharedText& text() const {
    if (shared_ == nullptr) return kUnknown;
    if (shared_->paths != nullptr && !shared_->paths->is_current(shared_->place)) update();
    return shared_->text;
  }

  // The path without the trailing slash.
  std::string_view path() const {
    const std::string_view path = text();
    return path.size() > 1 ? path.substr(0, path.size() - 1) : path;
  }

  // Marks the directory as unknown after a change to a place that the capture does not show.
  void mark_lost();
  bool is_lost() const { return shared_ != nullptr && text().empty(); }
  // Compat mode, without renames: sets a path that ends with a slash.
  void set(std::string_view path);
  // Sets a path that ends with a slash and follows renames. `same`: the link of a descriptor of
  // that directory, or null.
  void set(PathTree& paths, PathSpace space, std::string_view path, const PathLink* same);
  void clear() { *this = WorkingDirectory(); }

 private:
  struct Shared {
    size_t references = 1;
    SharedText text;
    PathTree* paths = nullptr;
    PathLink place;
    [[no_unique_address]] Counted<96> cost;
  };

  void update() const;
  void release();

  static const SharedText kUnknown;
  Shared* shared_ = nullptr;
};

}  // namespace sfkit::state
