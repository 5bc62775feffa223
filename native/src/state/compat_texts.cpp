#include "state/compat_texts.h"

#include "base/ip_text.h"

namespace sfkit::state {
namespace {

std::string ip_text(const IpBytes& ip, bool ipv6) {
  std::string text;
  if (ipv6) {
    append_ipv6(text, ip.data());
  } else {
    append_ipv4(text, ip.data());
  }
  return text;
}

std::string endpoint_text(const IpBytes& ip, uint16_t port, bool ipv6) {
  std::string text;
  append_endpoint(text, {ip, port}, ipv6);
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) out += c;
  }
  return out;
}

std::string socket_text(const Descriptor& descriptor) {
  const bool ipv6 = descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server;
  if (descriptor.is_ip_server()) return endpoint_text(descriptor.sip, descriptor.sport, ipv6);
  switch (descriptor.l4) {
    case L4::kTcp:
    case L4::kUdp:
      return endpoint_text(descriptor.sip, descriptor.sport, ipv6) + "->" +
             endpoint_text(descriptor.dip, descriptor.dport, ipv6);
    case L4::kIcmp:
    case L4::kRaw: return ip_text(descriptor.sip, ipv6) + "->" + ip_text(descriptor.dip, ipv6);
    default: return "<unknown>";
  }
}

std::string tuple_text(const SocketTuple& tuple) {
  const bool ipv6 = tuple.family == Family::kInet6;
  return endpoint_text(tuple.source.ip, tuple.source.port, ipv6) + "->" +
         endpoint_text(tuple.destination.ip, tuple.destination.port, ipv6);
}

std::string address_text(const SocketAddress& address) {
  if (address.family == Family::kUnix) return printable(address.path);
  return endpoint_text(address.endpoint.ip, address.endpoint.port,
                       address.family == Family::kInet6);
}

}  // namespace sfkit::state
