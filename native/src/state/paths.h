// Paths as the kernel would resolve their text; nothing is looked up on the machine that reads the capture.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sfkit::state {

// In front of a path whose directory is unknown; alone, a path of which nothing is known.
inline constexpr std::string_view kUnknownDirectory = "<UNKNOWN>";

// Bytes of the longest path that the kernel takes or gives (PATH_MAX less a NUL).
inline constexpr size_t kMaxPath = 4095;
// The same of a working directory: a few chdir lead deeper than one path can.
inline constexpr size_t kMaxDirectory = 8191;

// Whether all of a path is known: it begins at the root.
inline bool is_absolute(std::string_view path) {
  return path.starts_with('/');
}
// Whether `path` is `directory` or lies below it; both are folded.
bool is_at_or_below(std::string_view path, std::string_view directory);
// The part after the last slash.
std::string_view last_element(std::string_view path);
// The directory of a folded path: "/" for "/a", "" for "a".
std::string_view directory_of_path(std::string_view path);

// What an absolute path and `..` do at the directory that a path is resolved from.
enum class Confine : uint8_t {
  kNo,      // lead where they say
  kInRoot,  // RESOLVE_IN_ROOT: stay, as if the directory were the root
};

// Writes to `out`, if it takes no more than `max` bytes, where `path` leads from `base`, a folded path: one
// that is_absolute() or begins with kUnknownDirectory, or a relative one, or "". A slash at its end makes no
// difference. `//`, `.` and `..` are folded before anything is measured. What is too long becomes unknown.
// `out` may not alias the arguments.
void resolve_path(std::string_view base, std::string_view path, std::string& out,
                  Confine confine = Confine::kNo, size_t max = kMaxPath);
// The same of the absolute path of a directory that no call gave.
void fold_path(std::string_view path, std::string& out);
// Whether `path` leaves the directory that it is resolved from, be it only on its way (RESOLVE_BENEATH).
bool leaves_directory(std::string_view path);

// Compat: `path` seen from directory `base` as libs 0.18.1 has it: what would exceed 1023 bytes before
// folding becomes a fixed text (spec: scap-state, section 9). `out` may not alias the arguments.
void join_path(std::string_view base, std::string_view path, std::string& out);

// The same with a trailing slash, as working directories are kept.
void join_directory(std::string_view base, std::string_view path, std::string& out);

// Drops the mark the kernel puts behind the path of a removed executable.
std::string_view strip_deleted(std::string_view path);

}  // namespace sfkit::state
