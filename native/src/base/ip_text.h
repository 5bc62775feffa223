// IP addresses as text and as numbers.
#pragma once

#include <sfkit/address.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sfkit {

// The number that SysFlow files have for an IPv4 address: its four bytes in network order, read as
// a little-endian number (sysflow-semantics, section 2).
constexpr int32_t ipv4_number(const uint8_t* bytes) {
  return static_cast<int32_t>(uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 |
                              uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24);
}

// Appends dotted-decimal text of four bytes in network order.
void append_ipv4(std::string& out, const uint8_t* bytes);
// Appends RFC 5952 text of sixteen bytes in network order.
void append_ipv6(std::string& out, const uint8_t* bytes);

// Parses an IPv4 or IPv6 address; nullopt if `text` is neither.
std::optional<IpAddress> parse_ip(std::string_view text);

}  // namespace sfkit
