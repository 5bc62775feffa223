#include "state/cgroups.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "record_kinds.gen.h"
#include "state/containers.h"

namespace sfkit::state {
namespace {

constexpr std::string_view kScope = ".scope";

// Common containerd namespaces. Host cgroups hardly ever have these names.
constexpr std::string_view kContainerdNamespaces[] = {"default", "k8s.io", "moby", "buildkit"};

// libvirt drivers that run virtual machines: their processes are emulators on the host, not
// containers.
constexpr std::string_view kEmulators[] = {"qemu\\x2d", "ch\\x2d", "xen\\x2d", "vz\\x2d",
                                           "bhyve\\x2d"};

bool is_full_id(std::string_view text) {
  return text.size() == kFullId && is_hex(text);
}

// systemd units are never containerd containers.
bool is_systemd_unit(std::string_view name) {
  constexpr std::string_view kSuffixes[] = {".service", ".slice", kScope,
                                            ".socket",  ".mount", ".swap"};
  return std::any_of(std::begin(kSuffixes), std::end(kSuffixes),
                     [name](std::string_view suffix) { return name.ends_with(suffix); });
}

std::string_view strip_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

ContainerMatch short_id(std::string_view full) {
  return {std::string(full.substr(0, kShortId)), ContainerMatch::kUnknownType};
}

// Decodes systemd's escapes in a unit name: \x2d is a dash.
std::string unescape(std::string_view name) {
  const auto digit = [](char c) {
    return c <= '9' ? c - '0' : (std::tolower(static_cast<unsigned char>(c)) - 'a') + 10;
  };
  std::string text;
  while (!name.empty()) {
    const bool is_escape = name.size() >= 4 && name.starts_with("\\x") && is_hex(name.substr(2, 2));
    text += is_escape ? static_cast<char>(digit(name[2]) << 4 | digit(name[3])) : name[0];
    name.remove_prefix(is_escape ? 4 : 1);
  }
  return text;
}

// A cgroup and its neighbors in the path.
struct Group {
  std::string_view name;
  std::string_view parent;
  std::string_view grandparent;
  std::string_view child;
  int depth = 0;  // 1 for children of the root
};

// The result of one rule: a container, kHost for a host cgroup, or nothing if the rule does not
// apply.
using RuleResult = std::optional<ContainerMatch>;
const ContainerMatch kHost;

// A 64-digit id: alone, after the runtime's name (`docker-ID.scope`), or in the form that runtimes
// use for systemd paths without systemd (`system.slice:docker:ID`).
RuleResult match_full_id(const Group& group) {
  // podman without systemd: this is the pod's cgroup; its containers are below.
  if (is_full_id(group.name))
    return group.parent == "libpod_parent" ? RuleResult() : short_id(group.name);
  const std::string_view name = strip_suffix(group.name, kScope);
  if (name.size() <= kFullId + 1) return {};
  const std::string_view id = name.substr(name.size() - kFullId);
  const std::string_view runtime = name.substr(0, name.size() - kFullId - 1);
  const char mark = name[runtime.size()];
  if ((mark != '-' && mark != ':') || !is_hex(id)) return {};
  if (mark == ':') return runtime.find(':') == std::string_view::npos ? RuleResult() : short_id(id);
  // conmon, the monitor of podman and CRI-O, runs on the host.
  return runtime.ends_with("conmon") ? kHost : short_id(id);
}

// Cloud Foundry jobs: `bpm-JOB`, with a prefix when runc runs them.
RuleResult match_bpm(const Group& group) {
  const std::string_view name = strip_suffix(group.name, kScope);
  constexpr std::string_view kPrefix = "bpm-";
  constexpr std::string_view kAfterRuntime = "-bpm-";
  std::string_view job;
  if (name.starts_with(kPrefix) && !is_systemd_unit(name)) {
    job = name.substr(kPrefix.size());
  } else if (const size_t at = name.find(kAfterRuntime);
             at != std::string_view::npos && name != group.name) {
    job = name.substr(at + kAfterRuntime.size());
  }
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  };
  if (job.empty() || !std::all_of(job.begin(), job.end(), fits)) return {};
  return ContainerMatch{std::string(job), kBpmContainer};
}

// LXC, LXD and Incus use one cgroup for the container's payload and one for its monitor.
RuleResult match_lxc(const Group& group) {
  constexpr std::string_view kPayload = "lxc.payload";
  constexpr std::string_view kMonitor = "lxc.monitor";
  if (group.name == kMonitor || group.name.starts_with("lxc.monitor.")) return kHost;
  if (group.name.starts_with("lxc.payload.") && group.name.size() > kPayload.size() + 1)
    return ContainerMatch{std::string(group.name.substr(kPayload.size() + 1)), kLxcContainer};
  if (group.parent != "lxc" && group.parent != kPayload) return {};
  return ContainerMatch{std::string(group.name),
                        group.grandparent == "libvirt" ? kLibvirtLxcContainer : kLxcContainer};
}

RuleResult match_libvirt(const Group& group) {
  constexpr std::string_view kSuffix = ".libvirt-lxc";
  if (group.name.size() > kSuffix.size() && group.name.ends_with(kSuffix))
    return ContainerMatch{std::string(strip_suffix(group.name, kSuffix)), kLibvirtLxcContainer};
  constexpr std::string_view kMark = "-lxc\\x2";
  const size_t at = group.name.find(kMark);
  if (at == std::string_view::npos || !group.name.ends_with(kScope)) return {};
  const std::string_view rest =
      group.name.substr(std::min(group.name.size(), at + kMark.size() + 1));
  return ContainerMatch{std::string(strip_suffix(rest, kScope)), kLibvirtLxcContainer};
}

// systemd-nspawn containers, as a machine scope or a service. The supervisor runs on the host.
RuleResult match_nspawn(const Group& group) {
  constexpr std::string_view kMachine = "machine-";
  constexpr std::string_view kService = "systemd-nspawn@";
  std::string_view name;
  if (group.name.starts_with(kMachine) && group.name.ends_with(kScope)) {
    name = strip_suffix(group.name.substr(kMachine.size()), kScope);
    for (const std::string_view emulator : kEmulators) {
      if (name.starts_with(emulator)) return kHost;
    }
  } else if (group.name.starts_with(kService) && group.name.ends_with(".service")) {
    name = strip_suffix(group.name.substr(kService.size()), ".service");
  }
  if (name.empty()) return {};
  if (group.child == "supervisor") return kHost;
  return ContainerMatch{unescape(name), kCustomContainer};
}

RuleResult match_mesos(const Group& group) {
  if (group.parent != "mesos" || group.name.size() < kMesosId) return {};
  return ContainerMatch{std::string(group.name.substr(0, kMesosId)), kMesosContainer};
}

// containerd's /NAMESPACE/NAME. Host cgroups can look the same, so the namespace must be well known
// or the capture must describe the container.
RuleResult match_containerd(const Group& group, const ContainerTable& known) {
  if (group.depth != 2 || group.name.size() > kFullId || is_systemd_unit(group.name) ||
      is_systemd_unit(group.parent))
    return {};
  const std::string_view id = group.name.substr(0, kShortId);
  const bool is_namespace =
      std::find(std::begin(kContainerdNamespaces), std::end(kContainerdNamespaces), group.parent) !=
      std::end(kContainerdNamespaces);
  if (!is_namespace && !known.describes(id)) return {};
  return ContainerMatch{std::string(id), kContainerdContainer};
}

RuleResult match(const Group& group, const ContainerTable& known) {
  for (const auto rule :
       {match_full_id, match_bpm, match_libvirt, match_lxc, match_nspawn, match_mesos}) {
    if (RuleResult found = rule(group)) return found;
  }
  return match_containerd(group, known);
}

// Removes the first name, and the slash before it, from `path` and returns the name.
std::string_view next_name(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

ContainerMatch match_path(std::string_view path, const ContainerTable& known) {
  path = strip_suffix(path, " (deleted)");  // /proc adds this to removed cgroups
  Group group;
  group.child = next_name(path);
  while (!group.child.empty()) {
    group.grandparent = group.parent;
    group.parent = group.name;
    group.name = std::exchange(group.child, next_name(path));
    ++group.depth;
    if (RuleResult found = match(group, known)) return std::move(*found);
  }
  return {};
}

}  // namespace

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; });
}

ContainerMatch find_container(std::string_view cgroups, const ContainerTable& known) {
  while (!cgroups.empty()) {
    const size_t end = std::min(cgroups.find('\0'), cgroups.size());
    const std::string_view entry = cgroups.substr(0, end);
    cgroups.remove_prefix(std::min(end + 1, cgroups.size()));
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    if (ContainerMatch found = match_path(entry.substr(equals + 1), known); !found.id.empty())
      return found;
  }
  return {};
}

}  // namespace sfkit::state
