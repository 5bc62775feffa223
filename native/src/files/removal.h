// Removal in directories where other users can plant and swap entries. No link is followed at any level:
// directories are opened, checked and emptied by descriptor. Elsewhere than on Linux and macOS nothing is
// removed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sfkit::files {

// A directory that this process made, whatever its name is later.
struct MadeDirectory {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t owner = 0;
};

// Whether this system has the calls that safe removal needs.
bool can_remove_safely();

// The directory at `path`, just made; nothing when it is a link, no directory, or not empty.
std::optional<MadeDirectory> identify_made_directory(const std::string& path);

// Removes the directory at `path` and what is in it if it still is the one that was made and nothing but
// files and directories of the same owner are in it, on the same file system. Says whether it is gone.
bool remove_made_directory(const std::string& path, const MadeDirectory& made);

// Removes the entries of `directory` whose names `is_leftover` takes, if they are files or directories of the
// effective user with nothing else in them. Nothing happens when `directory` is a link, or others can write
// in it (unless it is sticky and belongs to root or the effective user).
void remove_leftovers(const std::string& directory,
                      const std::function<bool(const std::string&)>& is_leftover);

}  // namespace sfkit::files
