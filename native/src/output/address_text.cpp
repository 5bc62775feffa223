#include "output/address_text.h"

#include "base/ip_text.h"
#include "base/numbers.h"

namespace sfkit::output {

namespace {

void append_endpoint(std::string& out, const sysflow::Address& address, uint16_t port, bool ipv6) {
  if (ipv6) out += '[';
  append_address(out, address, ipv6);
  if (ipv6) out += ']';
  out += ':';
  append_number(out, port);
}

}  // namespace

void append_address(std::string& out, const sysflow::Address& address, bool ipv6) {
  if (ipv6) {
    append_ipv6(out, address.bytes.data());
  } else {
    append_ipv4(out, address.bytes.data());
  }
}

void append_connection(std::string& out, const sysflow::NetworkFlow& flow) {
  append_endpoint(out, flow.sip, flow.sport, flow.ipv6);
  out += '-';
  append_endpoint(out, flow.dip, flow.dport, flow.ipv6);
}

void append_connection(std::string& out, const sysflow::NetworkEvent& event) {
  append_endpoint(out, event.sip, event.sport, false);
  out += '-';
  append_endpoint(out, event.dip, event.dport, false);
}

}  // namespace sfkit::output
