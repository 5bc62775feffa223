// Container detection as in libs 0.18.1: the last id of the path counts, and processes in child
// cgroups of a container count as host processes.

#include <algorithm>
#include <array>
#include <cctype>

#include "state/cgroups.h"

namespace sfkit::state {
namespace {

// Prefix and suffix around a 64-digit id. Patterns are tried in order.
struct Pattern {
  std::string_view prefix;
  std::string_view suffix;
};

constexpr std::array kPatterns = {
    Pattern{"/libpod-", ".scope"},
    Pattern{"/libpod-", ".scope/container"},
    Pattern{"/libpod-", ""},
    Pattern{"/libpod-payload-", ""},
    Pattern{"/", ""},
    Pattern{"/docker-", ".scope"},
    Pattern{"/crio-", ""},
    Pattern{"/cri-containerd-", ".scope"},
    Pattern{"/crio-", ".scope"},
    Pattern{":cri-containerd:", ""},
    Pattern{"/nerdctl-", ".scope"},
};

// The 64 hexadecimal digits between the last prefix and the last suffix.
std::string_view match_digits(std::string_view path, const Pattern& pattern) {
  const size_t start = path.rfind(pattern.prefix);
  if (start == std::string_view::npos) return {};
  size_t end = path.size();
  if (!pattern.suffix.empty()) {
    end = path.rfind(pattern.suffix);
    if (end == std::string_view::npos) return {};
  }
  const size_t first = start + pattern.prefix.size();
  if (end < first || end - first != kFullId) return {};
  const std::string_view id = path.substr(first, kFullId);
  return is_hex(id) ? id.substr(0, kShortId) : std::string_view();
}

// containerd users choose the names below /default/.
std::string_view match_containerd_default(std::string_view path) {
  constexpr std::string_view kPrefix = "/default/";
  if (!path.starts_with(kPrefix)) return {};
  for (const std::string_view unit : {".service", ".slice", ".scope"}) {
    if (path.ends_with(unit)) return {};
  }
  const std::string_view id = path.substr(path.rfind('/') + 1);
  return id.size() > kFullId ? std::string_view() : id.substr(0, kShortId);
}

std::string_view match_lxc(std::string_view path) {
  for (const std::string_view prefix : {"/lxc/", "/lxc.payload/", "/lxc.payload."}) {
    const size_t start = path.find(prefix);
    if (start == std::string_view::npos) continue;
    const std::string_view rest = path.substr(start + prefix.size());
    return rest.substr(0, rest.find('/'));
  }
  return {};
}

std::string_view match_libvirt(std::string_view path) {
  constexpr std::string_view kSuffix = ".libvirt-lxc";
  if (path.ends_with(kSuffix)) {
    path.remove_suffix(kSuffix.size());
    return path.substr(path.rfind('/') + 1);
  }
  constexpr std::string_view kScopePrefix = "-lxc\\x2";
  if (const size_t start = path.find(kScopePrefix); start != std::string_view::npos) {
    std::string_view rest = path.substr(std::min(path.size(), start + kScopePrefix.size() + 1));
    for (const std::string_view end : {".scope/libvirt", ".scope"}) {
      if (rest.ends_with(end)) return rest.substr(0, rest.size() - end.size());
    }
  }
  constexpr std::string_view kPath = "/libvirt/lxc/";
  if (const size_t start = path.find(kPath); start != std::string_view::npos) {
    const std::string_view rest = path.substr(start + kPath.size());
    return rest.substr(0, rest.find('/'));
  }
  return {};
}

std::string_view match_mesos(std::string_view path) {
  constexpr std::string_view kPrefix = "/mesos/";
  const size_t start = path.find(kPrefix);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = path.substr(start + kPrefix.size());
  return rest.size() < kMesosId ? std::string_view() : rest.substr(0, kMesosId);
}

std::string_view match_path(std::string_view path) {
  for (const Pattern& pattern : kPatterns) {
    if (const std::string_view id = match_digits(path, pattern); !id.empty()) return id;
  }
  for (const auto match : {match_containerd_default, match_lxc, match_libvirt, match_mesos}) {
    if (const std::string_view id = match(path); !id.empty()) return id;
  }
  return {};
}

}  // namespace

std::string_view container_id_compat(std::string_view cgroups) {
  while (!cgroups.empty()) {
    const size_t end = std::min(cgroups.find('\0'), cgroups.size());
    const std::string_view entry = cgroups.substr(0, end);
    cgroups.remove_prefix(std::min(end + 1, cgroups.size()));
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    if (const std::string_view id = match_path(entry.substr(equals + 1)); !id.empty()) return id;
  }
  return {};
}

}  // namespace sfkit::state
