// Asks runtimes that implement the container runtime interface (CRI), version 1.
#pragma once

#include <string>

#include "runtimes/connection.h"
#include "runtimes/docker.h"

namespace sfkit::runtimes {

Answer ask_cri(const std::string& socket, const std::string& id, const Patience& patience);

}  // namespace sfkit::runtimes
