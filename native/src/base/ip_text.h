// IP addresses as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sfkit {

// Appends dotted-decimal text of four bytes in network order.
void append_ipv4(std::string& out, const uint8_t* bytes);
// Appends RFC 5952 text of sixteen bytes in network order.
void append_ipv6(std::string& out, const uint8_t* bytes);

struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  bool ipv6 = false;
  bool operator==(const IpAddress&) const = default;
};
// Parses an IPv4 or IPv6 address; nullopt if `text` is neither.
std::optional<IpAddress> parse_ip(std::string_view text);

}  // namespace sfkit
