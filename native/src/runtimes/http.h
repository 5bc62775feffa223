// HTTP/1.1 requests over a unix socket: as much as docker and podman need.
#pragma once

#include <string>

#include "base/status.h"
#include "runtimes/connection.h"

namespace sfkit::runtimes {

// Longer answers are an error.
inline constexpr size_t kMaxHttpBody = size_t{4} << 20;

struct HttpAnswer {
  int status = 0;
  std::string body;
};

Result<HttpAnswer> http_get(const std::string& socket, const std::string& path,
                            const Patience& patience);

}  // namespace sfkit::runtimes
