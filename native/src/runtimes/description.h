// What runtimes know about a container, as in captures (CONTAINER_JSON events).
// src/live/runtimes/description.ts is the same for Node.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record_kinds.gen.h"

namespace sfkit::runtimes {

inline constexpr int kDocker = kDockerContainer;
inline constexpr int kCri = kCriContainer;
inline constexpr int kContainerd = kContainerdContainer;
inline constexpr int kCrio = kCriOContainer;
inline constexpr int kPodman = kPodmanContainer;

using Labels = std::map<std::string, std::string>;

struct Mount {
  std::string source, destination, mode, propagation;
  bool writable = false;
};

// What cgroups have without a limit.
inline constexpr int64_t kUsualShares = 1024;
inline constexpr int64_t kUsualPeriod = 100'000;  // microseconds

// Namespaces and limits of a container; a pod's sandbox from CRI has no limits.
struct Limits {
  int64_t memory = 0;
  std::optional<int64_t> swap;
  int64_t cpu_shares = 0, cpu_quota = 0, cpu_period = 0;
};

struct Description {
  std::string id;  // the first 12 digits
  std::string full_id;
  int type = kDocker;
  std::string name, image, imageid, imagerepo, imagetag, imagedigest;
  bool privileged = false;
  bool is_pod_sandbox = false;
  Labels labels;
  int64_t created_time = 0;  // seconds since 1970
  bool host_pid = false, host_network = false, host_ipc = false;
  std::string ip;
  std::optional<std::string> user;
  std::optional<std::vector<Mount>> mounts;
  std::optional<std::string> pod_sandbox_id;
  std::optional<Labels> pod_sandbox_labels;
  std::optional<Limits> limits;
};

// The payload of the event.
std::string container_event(const Description& description);

// Repository, tag and digest of names such as host:5000/name:tag@sha256:1234.
struct ImageName {
  std::string repo, tag, digest;
};
ImageName split_image(std::string_view name);
std::string_view without_algorithm(std::string_view id);

// Whether a label's value is short enough; longer ones are left out, as in other collectors.
bool is_label(std::string_view value);

// Seconds since 1970 of a time such as 2026-01-02T03:04:05.678+01:00; 0 for other texts.
int64_t seconds_of(std::string_view time);

}  // namespace sfkit::runtimes
