#include "state/working_directory.h"

#include "state/paths.h"

namespace sfkit::state {

const SharedText WorkingDirectory::kUnknown;

void WorkingDirectory::set(std::string_view path) {
  if (text() == path) return;
  clear();
  if (path.empty()) return;
  shared_ = new Shared;
  shared_->text.set(path);
}

void WorkingDirectory::mark_lost() {
  clear();
  shared_ = new Shared;
}

void WorkingDirectory::set(PathTree& paths, PathSpace space, std::string_view path,
                           const PathLink* same) {
  clear();
  set(path);
  shared_->paths = &paths;
  if (same != nullptr && PathTree::is_in_use(*same)) {
    paths.add_copy(shared_->place, *same, this->path());
    paths.mark_directory(shared_->place);
  } else {
    paths.add(shared_->place, space, this->path(), true);
  }
}

void WorkingDirectory::update() const {
  const std::string* now = shared_->paths->update(shared_->place, kMaxDirectory);
  if (now == nullptr) return;
  if (!is_absolute(*now)) {
    shared_->text.clear();
    return;
  }
  if (path() != *now) shared_->text = SharedText(*now + '/');
}

void WorkingDirectory::release() {
  if (shared_ == nullptr || --shared_->references > 0) return;
  if (shared_->paths != nullptr) shared_->paths->remove(shared_->place);
  delete shared_;
}

}  // namespace sfkit::state
