// Addresses as people write them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sfkit {

// Appends 1.2.3.4; `bytes` are four in network order.
void append_ipv4(std::string& out, const uint8_t* bytes);
// Appends the text of RFC 5952; `bytes` are sixteen in network order.
void append_ipv6(std::string& out, const uint8_t* bytes);

struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 the first four
  bool ipv6 = false;
};
// The address that `text` is in these forms; nothing when it is none.
std::optional<IpAddress> parse_ip(std::string_view text);

}  // namespace sfkit
