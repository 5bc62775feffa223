#include "files/removal.h"

#if defined(__linux__) || defined(__APPLE__)

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"

namespace sfkit::files {
namespace {

// sfkit creates two levels and far fewer files. Larger trees were planted and stay.
constexpr int kMaxDepth = 16;
constexpr size_t kMaxEntries = 100'000;

struct Entry {
  FileDescriptor descriptor;
  struct stat info = {};
};

// Opens an entry to inspect it, without effects on devices and pipes. On failure, errno has the
// reason.
Entry open_entry(int directory, const char* name) {
#if defined(O_PATH)
  Entry entry{FileDescriptor(::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC))};
#else
  struct stat seen = {};
  if (::fstatat(directory, name, &seen, AT_SYMLINK_NOFOLLOW) != 0) return {};
  errno = EINVAL;
  if (!S_ISREG(seen.st_mode) && !S_ISDIR(seen.st_mode)) return {};
  Entry entry{
      FileDescriptor(::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))};
#endif
  if (entry.descriptor.is_open() && ::fstat(entry.descriptor.get(), &entry.info) != 0) return {};
  return entry;
}

// The names in an open directory except . and ..; nullopt if there are more than `limit`.
std::optional<std::vector<std::string>> names_in(int directory, size_t limit) {
  FileDescriptor again(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again.is_open()) return std::nullopt;
  DIR* const stream = ::fdopendir(again.get());
  if (stream == nullptr) return std::nullopt;
  again.release();  // closedir() closes it
  std::optional<std::vector<std::string>> names(std::in_place);
  while (names) {
    const dirent* const entry = ::readdir(stream);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names->size() == limit) {
      names.reset();
    } else {
      names->push_back(std::move(name));
    }
  }
  ::closedir(stream);
  return names;
}

bool others_can_write(const struct stat& info) {
  return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

bool is_same(const struct stat& info, const MadeDirectory& made) {
  return S_ISDIR(info.st_mode) && static_cast<uint64_t>(info.st_dev) == made.device &&
         static_cast<uint64_t>(info.st_ino) == made.inode;
}

// Removes an entry with its content, or nothing: it checks everything before it removes anything.
class Removal {
 public:
  Removal(uint64_t owner, uint64_t device, bool is_private)
      : owner_(owner), device_(device), is_private_(is_private) {}

  bool remove(int parent, const std::string& name) {
    return walk(Step::kCheck, parent, name, 0) && walk(Step::kRemove, parent, name, 0);
  }

 private:
  enum class Step { kCheck, kRemove };

  // Each entry is checked again before removal, since it may have been replaced.
  bool walk(Step step, int parent, const std::string& name, int depth) {
    const Entry entry = open_entry(parent, name.c_str());
    if (!entry.descriptor.is_open()) return errno == ENOENT;
    if (static_cast<uint64_t>(entry.info.st_uid) != owner_) return false;
    if (step == Step::kCheck && left_-- == 0) return false;
    if (S_ISREG(entry.info.st_mode))
      return step == Step::kCheck || ::unlinkat(parent, name.c_str(), 0) == 0;
    if (!S_ISDIR(entry.info.st_mode) || depth == kMaxDepth) return false;
    // Only directories: overlayfs reports the device of a layer for files.
    if (static_cast<uint64_t>(entry.info.st_dev) != device_) return false;
    if (is_private_ && others_can_write(entry.info)) return false;
    const auto names = names_in(entry.descriptor.get(), kMaxEntries);
    if (!names) return false;
    for (const std::string& below : *names) {
      if (!walk(step, entry.descriptor.get(), below, depth + 1)) return false;
    }
    // A directory that replaced the checked one is removed only if it is empty.
    return step == Step::kCheck || ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
  }

  uint64_t owner_;
  uint64_t device_;
  bool is_private_;
  size_t left_ = kMaxEntries;
};

}  // namespace

bool can_remove_safely() {
  return true;
}

std::optional<MadeDirectory> identify_made_directory(const std::string& path) {
  const FileDescriptor directory(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!directory.is_open() || ::fstat(directory.get(), &info) != 0) return std::nullopt;
  const auto names = names_in(directory.get(), 0);
  if (!names) return std::nullopt;
  return MadeDirectory{static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino),
                       static_cast<uint64_t>(info.st_uid)};
}

bool remove_made_directory(const std::string& path, const MadeDirectory& made) {
  const size_t slash = path.rfind('/');
  const std::string parent_path = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return false;
  const FileDescriptor parent(::open(parent_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.is_open()) return false;
  const Entry entry = open_entry(parent.get(), name.c_str());
  if (!entry.descriptor.is_open() || !is_same(entry.info, made)) return false;
  // Emptied by its own descriptor, wherever it is moved.
  Removal removal(made.owner, made.device, false);
  const auto names = names_in(entry.descriptor.get(), kMaxEntries);
  if (!names) return false;
  for (const std::string& below : *names) {
    if (!removal.remove(entry.descriptor.get(), below)) return false;
  }
  return ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0;
}

void remove_leftovers(const std::string& directory,
                      const std::function<bool(const std::string&)>& is_leftover) {
  // With a trailing slash, open() would follow a link.
  const size_t end = directory.find_last_not_of('/');
  const std::string path = end == std::string::npos ? directory : directory.substr(0, end + 1);
  const FileDescriptor opened(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!opened.is_open() || ::fstat(opened.get(), &info) != 0) return;
  const uid_t user = ::geteuid();
  if (info.st_uid != 0 && info.st_uid != user) return;
  if (others_can_write(info) && (info.st_mode & S_ISVTX) == 0) return;
  const auto names = names_in(opened.get(), kMaxEntries);
  if (!names) return;
  Removal removal(user, static_cast<uint64_t>(info.st_dev), true);
  for (const std::string& name : *names) {
    if (is_leftover(name)) removal.remove(opened.get(), name);
  }
}

}  // namespace sfkit::files

#else

namespace sfkit::files {

bool can_remove_safely() {
  return false;
}

std::optional<MadeDirectory> identify_made_directory(const std::string&) {
  return std::nullopt;
}

bool remove_made_directory(const std::string&, const MadeDirectory&) {
  return false;
}

void remove_leftovers(const std::string&, const std::function<bool(const std::string&)>&) {}

}  // namespace sfkit::files

#endif
