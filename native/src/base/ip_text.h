// Addresses as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace sfkit {

// Appends 1.2.3.4; `bytes` are four in network order.
void append_ipv4(std::string& out, const uint8_t* bytes);
// Appends the text of RFC 5952; `bytes` are sixteen in network order.
void append_ipv6(std::string& out, const uint8_t* bytes);

}  // namespace sfkit
