// Asks docker and podman about containers.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "runtimes/connection.h"
#include "runtimes/description.h"

namespace sfkit::runtimes {

// Nullopt if the runtime does not know the container.
using Answer = Result<std::optional<Description>>;

Answer ask_docker(const std::string& socket, const std::string& id, const Patience& patience);
Answer ask_podman(const std::string& socket, const std::string& id, const Patience& patience);

}  // namespace sfkit::runtimes
