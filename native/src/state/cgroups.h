// Finds the container of a thread from its cgroups (spec: scap-state, section 14).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit::state {

class ContainerTable;

// Digits of container ids: as runtimes show them, and as they are.
inline constexpr size_t kShortId = 12;
inline constexpr size_t kFullId = 64;
inline constexpr size_t kMesosId = 36;

// Whether all characters are hexadecimal digits.
bool is_hex(std::string_view text);

struct ContainerMatch {
  static constexpr int32_t kUnknownType = -1;

  std::string id;               // shortened as the runtime does; "" on the host
  int32_t type = kUnknownType;  // container type as captures number it; known only for some paths
};

// `cgroups`: NUL-terminated `subsystem=path` strings; the first path in a container counts. The
// outermost container in that path is the result: the host's runtime knows it, and it owns
// everything below its group. `known`: containers that the capture describes. They decide ambiguous
// paths.
ContainerMatch find_container(std::string_view cgroups, const ContainerTable& known);

// Finds the id of the container like libs 0.18.1. The result points into `cgroups`.
std::string_view container_id_compat(std::string_view cgroups);

}  // namespace sfkit::state
