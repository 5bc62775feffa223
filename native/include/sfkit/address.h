// IP addresses in records.
#pragma once

#include <array>
#include <cstdint>

namespace sfkit {

// Bytes in network order; IPv4 uses the first four.
using IpBytes = std::array<uint8_t, 16>;

struct IpAddress {
  IpBytes bytes{};
  bool ipv6 = false;
  bool operator==(const IpAddress&) const = default;
};

}  // namespace sfkit
