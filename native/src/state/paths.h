// Path resolution on text alone, as the kernel does it. Nothing is looked up on the machine that
// reads the capture.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sfkit::state {

// Prefix of a path whose directory is unknown; alone, an unknown path.
inline constexpr std::string_view kUnknownDirectory = "<UNKNOWN>";

// Maximum bytes of a path in the kernel (PATH_MAX without the NUL).
inline constexpr size_t kMaxPath = 4095;
// Maximum bytes of a working directory: several chdir calls lead deeper than one path can.
inline constexpr size_t kMaxDirectory = 8191;

// Whether the path starts at the root, so that all of it is known.
inline bool is_absolute(std::string_view path) {
  return path.starts_with('/');
}
// Whether `path` is `directory` or below it. Both must be folded.
bool is_at_or_below(std::string_view path, std::string_view directory);
// The text after the last slash.
std::string_view last_component(std::string_view path);
// The directory part of a folded path: "/" for "/a", "" for "a".
std::string_view directory_of_path(std::string_view path);

// Whether absolute paths and `..` may leave the directory that a path is resolved from.
enum class Confine : uint8_t {
  kNo,      // they may
  kInRoot,  // RESOLVE_IN_ROOT: that directory acts as the root
};

// Writes to `out` where `path` leads from `base`, without a trailing slash. `base` is folded:
// absolute, relative, "", or starting with kUnknownDirectory. A result longer than `max` bytes,
// measured after folding
// `//`, `.` and `..`, becomes unknown. `out` must not alias the arguments.
void resolve_path(std::string_view base, std::string_view path, std::string& out,
                  Confine confine = Confine::kNo, size_t max = kMaxPath);
// Folds the absolute path of a directory that comes from a list or from getcwd.
void fold_path(std::string_view path, std::string& out);
// Whether any step of `path` leaves the directory that it is resolved from (RESOLVE_BENEATH).
bool leaves_directory(std::string_view path);

// Compat mode: `path` relative to `base` as libs 0.18.1 resolves it. More than 1023 bytes before
// folding become a fixed text (spec: scap-state, section 9). `out` must not alias the arguments.
void join_path(std::string_view base, std::string_view path, std::string& out);

// The same with a trailing slash, for working directories.
void join_directory(std::string_view base, std::string_view path, std::string& out);

// Removes " (deleted)", which the kernel appends to the path of a removed executable.
std::string_view strip_deleted(std::string_view path);

}  // namespace sfkit::state
