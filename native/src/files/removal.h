// Removes directories where other users can create and swap entries. Never follows links:
// directories are opened, checked and emptied by descriptor. Removes nothing on systems other than
// Linux and macOS.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sfkit::files {

// Identifies a directory that this process created, even after a rename.
struct MadeDirectory {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t owner = 0;
};

// Whether the system has the calls for safe removal.
bool can_remove_safely();

// Identifies the newly created directory at `path`; nullopt if it is a link, not a directory, or
// not empty.
std::optional<MadeDirectory> identify_made_directory(const std::string& path);

// Removes the directory at `path` with its content. It must be the one that was created, and
// contain only files and directories of the same owner on the same file system. Returns whether it
// is gone.
bool remove_made_directory(const std::string& path, const MadeDirectory& made);

// Removes entries of `directory` whose names `is_leftover` accepts, if they are files or
// directories of the effective user and contain nothing else. Does nothing if `directory` is a
// link, or if others can write to it (unless it is sticky and belongs to root or the effective
// user).
void remove_leftovers(const std::string& directory,
                      const std::function<bool(const std::string&)>& is_leftover);

}  // namespace sfkit::files
