// Which container a thread is in, by its cgroups (spec: scap-state, section 14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit::state {

class ContainerTable;

struct ContainerMatch {
  static constexpr int32_t kUnknownType = -1;

  std::string id;               // as the runtime shortens it; "" on the host
  int32_t type = kUnknownType;  // kind of runtime as files number them, where the path shows it
};

// `cgroups`: `subsystem=path` strings, each ended by NUL; the first path in a container counts. A path names
// its containers from the outside in, and the outermost one is the answer: it is what the host's runtime
// knows, and what a container makes below its own group (an init.scope, containers of its own) is a part of
// it. `known`: descriptions that the capture has; they decide where a path alone does not.
ContainerMatch find_container(std::string_view cgroups, const ContainerTable& known);

// As libs 0.18.1 finds it. The view is into `cgroups`.
std::string_view container_id_compat(std::string_view cgroups);

}  // namespace sfkit::state
