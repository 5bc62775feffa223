// Calls over gRPC on a unix socket: one request, one answer, one after the other.
//
// An answer's message is in its DATA frames. Its headers only add why there is no message, which
// makes no difference here, so they are not decoded, and no HTTP/2 library is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "runtimes/connection.h"

namespace sfkit::runtimes {

// Longer answers are an error.
inline constexpr uint32_t kMaxGrpcMessage = 16u << 20;

class GrpcConnection {
 public:
  static Result<GrpcConnection> open(const std::string& socket, const Patience& patience);

  // Calls `method`, such as /package.Service/Method. Returns the answer's message; nullopt if the
  // server has none, as for an unknown container. Not usable after an error.
  Result<std::optional<std::string>> call(std::string_view method, std::string_view request,
                                          const Patience& patience);

 private:
  struct Frame {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream = 0;
    std::string_view payload;  // valid until the next receive_frame()
  };

  explicit GrpcConnection(Connection connection) : connection_(std::move(connection)) {}
  Status receive_frame(Frame& frame, const Patience& patience);
  // Frames that are about the connection.
  Status handle(const Frame& frame, const Patience& patience);

  Connection connection_;
  std::string buffer_;
  size_t used_ = 0;  // of the buffer, by the last frame
  uint32_t stream_ = 1;
};

}  // namespace sfkit::runtimes
