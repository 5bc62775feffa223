// Addresses of records as text.
#pragma once

#include <string>

#include "sysflow/records.h"

namespace sfkit::output {

// Appends dotted-decimal IPv4 or RFC 5952 IPv6 text.
void append_address(std::string& out, const sysflow::Address& address, bool ipv6);

// Appends sip:sport-dip:dport; IPv6 addresses are in brackets.
void append_connection(std::string& out, const sysflow::NetworkFlow& flow);
void append_connection(std::string& out, const sysflow::NetworkEvent& event);

}  // namespace sfkit::output
