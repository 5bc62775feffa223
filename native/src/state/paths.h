// Paths as the kernel would resolve their text; nothing is looked up on the machine that reads the capture.
#pragma once

#include <string>
#include <string_view>

namespace sfkit::state {

// `path` seen from directory `base`: an absolute path stands for itself; `//`, `.` and `..` are folded, a
// trailing slash is dropped. What would exceed 1023 bytes becomes a fixed text (spec: scap-state, section 9).
// The result is written to `out`, which may not alias the arguments.
void join_path(std::string_view base, std::string_view path, std::string& out);

// The same with a trailing slash, as working directories are kept.
void join_directory(std::string_view base, std::string_view path, std::string& out);

// Drops the mark the kernel puts behind the path of a removed executable.
std::string_view strip_deleted(std::string_view path);

}  // namespace sfkit::state
