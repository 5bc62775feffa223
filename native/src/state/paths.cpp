#include "state/paths.h"

namespace sfkit::state {
namespace {

constexpr size_t kLongestPath = 1023;
constexpr std::string_view kTooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG";
constexpr std::string_view kDeleted = " (deleted)";

// Appends the elements of `path` to `out`, folding as it goes; `root` is the length ".." may not go below.
void append_elements(std::string_view path, size_t root, std::string& out) {
  size_t at = 0;
  while (at < path.size()) {
    size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    const std::string_view element = path.substr(at, end - at);
    at = end + 1;
    if (element.empty() || element == ".") continue;
    if (element == "..") {
      const size_t slash = out.rfind('/');
      if (out.size() > root && slash != std::string::npos) {
        out.resize(slash > root ? slash : root);
        continue;
      }
      if (root > 0) continue;  // above "/" there is only "/"
    }
    if (!out.empty() && out.back() != '/') out += '/';
    out += element;
  }
}

}  // namespace

void join_path(std::string_view base, std::string_view path, std::string& out) {
  out.clear();
  const bool absolute = !path.empty() && path.front() == '/';
  if (!absolute && base.size() + path.size() > kLongestPath) {
    out = kTooLong;
    return;
  }
  if (absolute && path.size() > kLongestPath) {
    out = kTooLong;
    return;
  }
  const bool rooted = absolute || (!base.empty() && base.front() == '/');
  if (rooted) out = "/";
  const size_t root = out.size();
  if (!absolute) append_elements(base, root, out);
  append_elements(path, root, out);
}

void join_directory(std::string_view base, std::string_view path, std::string& out) {
  join_path(base, path, out);
  if (out.empty() || out.back() != '/') out += '/';
}

std::string_view strip_deleted(std::string_view path) {
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return path;
}

}  // namespace sfkit::state
