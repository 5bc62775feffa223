#include "state/paths.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sfkit::state {
namespace {

constexpr size_t kMaxCompatPath = 1023;
constexpr std::string_view kTooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG";
constexpr std::string_view kDeleted = " (deleted)";

// Calls `visit(component)` for each component of `path` other than "." until it returns false.
template <typename Visit>
void each_component(std::string_view path, Visit visit) {
  size_t at = 0;
  while (at < path.size()) {
    size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    const std::string_view component = path.substr(at, end - at);
    at = end + 1;
    if (component.empty() || component == ".") continue;
    if (!visit(component)) return;
  }
}

// Compat mode: appends the components of `path` to `out`. ".." does not shorten `out` below `root`
// bytes.
void append_components(std::string_view path, size_t root, std::string& out) {
  each_component(path, [&](std::string_view component) {
    if (component == "..") {
      const size_t slash = out.rfind('/');
      if (out.size() > root && slash != std::string::npos) {
        out.resize(slash > root ? slash : root);
        return true;
      }
      if (root > 0) return true;  // above "/" there is only "/"
    }
    if (!out.empty() && out.back() != '/') out += '/';
    out += component;
    return true;
  });
}

// Sets 0x80 in each byte of the result whose byte in `word` equals `c`.
uint64_t equal_bytes(uint64_t word, char c) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kLow = 0x7f * kOnes;
  const uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(c));
  return ~(((difference & kLow) + kLow) | difference | kLow);
}

// Whether no component of the absolute `path` is empty or starts with a dot: then it needs no
// folding. Nearly all paths are like that, so this checks eight bytes at a time.
bool is_plain(std::string_view path) {
  const auto follows = [](char before, char c) { return before == '/' && (c == '/' || c == '.'); };
  size_t at = 0;
  for (; at + sizeof(uint64_t) < path.size(); at += sizeof(uint64_t)) {
    uint64_t word;
    uint64_t next;
    std::memcpy(&word, path.data() + at, sizeof(word));
    std::memcpy(&next, path.data() + at + 1, sizeof(next));
    if ((equal_bytes(word, '/') & (equal_bytes(next, '/') | equal_bytes(next, '.'))) != 0)
      return false;
  }
  for (; at + 1 < path.size(); ++at) {
    if (follows(path[at], path[at + 1])) return false;
  }
  return path.back() != '/';
}

// Appends the components of `path` to `out`, whose first `root` bytes stay. `keep`: keep a ".."
// that would go above them, since its target is unknown.
void fold(std::string_view path, size_t root, bool keep, std::string& out) {
  each_component(path, [&](std::string_view component) {
    if (component == "..") {
      const bool at_root = out.size() == root;
      const size_t slash = at_root ? 0 : std::max(root, out.rfind('/') + 1);
      if (!at_root && std::string_view(out).substr(slash) != "..") {
        out.resize(slash == root ? root : slash - 1);
        return true;
      }
      if (!keep) return true;
    }
    if (out.size() > root) out += '/';
    out += component;
    return true;
  });
}

std::string_view unknown_prefix(std::string_view path) {
  return path.substr(0, path.starts_with(kUnknownDirectory) ? kUnknownDirectory.size() : 0);
}

}  // namespace

bool is_at_or_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return is_absolute(path);
  if (path.size() < directory.size()) return false;
  if (path.size() > directory.size() && path[directory.size()] != '/') return false;
  return path.starts_with(directory);
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view directory_of_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return unknown_prefix(path);
  return path.substr(0, slash == 0 ? 1 : slash);
}

void resolve_path(std::string_view base, std::string_view path, std::string& out, Confine confine,
                  size_t max) {
  if (path.size() > kMaxPath) {
    out = kUnknownDirectory;
    return;
  }
  if (is_absolute(path) && confine == Confine::kNo && is_plain(path)) {
    out = path;
    return;
  }
  out.clear();
  size_t root = is_absolute(base) ? 1 : unknown_prefix(base).size();
  if (confine == Confine::kInRoot) {
    out = base;
    if (out.size() > root && out.back() != '/') out += '/';
    root = out.size();
  } else if (is_absolute(path)) {
    out = '/';
    root = 1;
  } else {
    out = base;
    if (out.size() > root && out.back() == '/') out.pop_back();
  }
  fold(path, root, !is_absolute(out) && confine == Confine::kNo, out);
  if (out.size() > 1 && out.size() == root && out.back() == '/') out.pop_back();
  if (out.size() > max) {
    out = kUnknownDirectory;
    fold(path, out.size(), true, out);
  }
}

void fold_path(std::string_view path, std::string& out) {
  out = '/';
  fold(path, 1, false, out);
  if (out.size() > kMaxDirectory) out = kUnknownDirectory;
}

bool leaves_directory(std::string_view path) {
  if (is_absolute(path)) return true;
  size_t depth = 0;
  bool leaves = false;
  each_component(path, [&](std::string_view component) {
    leaves = component == ".." && depth == 0;
    depth = component == ".." ? depth - 1 : depth + 1;
    return !leaves;
  });
  return leaves;
}

void join_path(std::string_view base, std::string_view path, std::string& out) {
  out.clear();
  const bool absolute = !path.empty() && path.front() == '/';
  if (!absolute && base.size() + path.size() > kMaxCompatPath) {
    out = kTooLong;
    return;
  }
  if (absolute && path.size() > kMaxCompatPath) {
    out = kTooLong;
    return;
  }
  const bool rooted = absolute || (!base.empty() && base.front() == '/');
  if (rooted) out = "/";
  const size_t root = out.size();
  if (!absolute) append_components(base, root, out);
  append_components(path, root, out);
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
