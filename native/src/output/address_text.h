// Addresses as people write them.
#pragma once

#include <string>

#include "sysflow/records.h"

namespace sfkit::output {

// Appends 1.2.3.4, or for IPv6 the text of RFC 5952.
void append_address(std::string& out, const sysflow::Address& address, bool ipv6);

// Appends sip:sport-dip:dport, with IPv6 addresses in brackets.
void append_connection(std::string& out, const sysflow::NetworkFlow& flow);

}  // namespace sfkit::output
