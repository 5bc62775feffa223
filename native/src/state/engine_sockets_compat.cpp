// Socket calls as libs 0.18.1 handles them, where this shows in SysFlow records. `rendered_` is its
// text buffer: it is filled in many places and once read without having been filled for the current
// event.

#include <cstring>

#include "state/compat_texts.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;

// Updates the endpoints as libs 0.18.1 does. Returns false without a change, and for a tuple that
// equals the socket's or mirrors it.
bool update_endpoints(Descriptor& descriptor, const SocketTuple& tuple,
                      bool overwrite_destination) {
  const Endpoint source{descriptor.sip, descriptor.sport};
  const Endpoint destination{descriptor.dip, descriptor.dport};
  if (source == tuple.source && destination == tuple.destination) return false;
  if (source == tuple.destination && destination == tuple.source) return false;
  descriptor.sip = tuple.source.ip;
  descriptor.sport = tuple.source.port;
  if (overwrite_destination || is_zero(descriptor.dip)) descriptor.dip = tuple.destination.ip;
  if (overwrite_destination || descriptor.dport == 0) descriptor.dport = tuple.destination.port;
  return source != Endpoint{descriptor.sip, descriptor.sport} ||
         destination != Endpoint{descriptor.dip, descriptor.dport};
}

// libs 0.18.1 treats IPv6 addresses of zeros as IPv4, so a connect with AF_UNSPEC turns any socket
// into IPv4.
SocketTuple parse_tuple_compat(Bytes value) {
  SocketTuple tuple = parse_tuple(value);
  if (tuple.family == Family::kInet6 && is_zero(tuple.source.ip) && is_zero(tuple.destination.ip))
    tuple.family = Family::kInet;
  return tuple;
}

}  // namespace

// libs 0.18.1 keeps the endpoints of both families in one union. When the family changes, it
// reinterprets the old bytes: the IPv4 endpoints and the protocol after them overlap the IPv6
// source address.
void Engine::change_family_compat(Descriptor& descriptor, FdType type) {
  const FdType before = std::exchange(descriptor.type, type);
  const IpBytes bytes = descriptor.sip;
  constexpr size_t kDestination = 4, kSourcePort = 8, kDestinationPort = 10, kProtocol = 12;
  if (before == FdType::kIpv6 && type == FdType::kIpv4) {
    descriptor.sip = descriptor.dip = {};
    std::memcpy(descriptor.sip.data(), bytes.data(), kDestination);
    std::memcpy(descriptor.dip.data(), bytes.data() + kDestination, kDestination);
    std::memcpy(&descriptor.sport, bytes.data() + kSourcePort, sizeof(descriptor.sport));
    std::memcpy(&descriptor.dport, bytes.data() + kDestinationPort, sizeof(descriptor.dport));
    descriptor.l4 =
        bytes[kProtocol] <= static_cast<uint8_t>(L4::kRaw) ? L4{bytes[kProtocol]} : L4::kUnknown;
  } else if (before == FdType::kIpv4 && type == FdType::kIpv6) {
    std::memcpy(descriptor.sip.data() + kDestination, descriptor.dip.data(), kDestination);
    std::memcpy(descriptor.sip.data() + kSourcePort, &descriptor.sport, sizeof(descriptor.sport));
    std::memcpy(descriptor.sip.data() + kDestinationPort, &descriptor.dport,
                sizeof(descriptor.dport));
    descriptor.sip[kProtocol] = static_cast<uint8_t>(descriptor.l4);
    descriptor.dip = {};
    descriptor.sport = descriptor.dport = 0;
  }
}

// For a connect enter event without an address, libs 0.18.1 clears the destination and renders the
// endpoints as text. For a unix socket it renders nothing, so the last rendered text becomes the
// name.
void Engine::begin_connect_compat(Descriptor& descriptor) {
  if (descriptor.is_ip_socket()) {
    descriptor.dip = {};
    descriptor.dport = 0;
  }
  if (descriptor.is_ip_socket() || descriptor.is_ip_server()) rendered_ = socket_text(descriptor);
  if (descriptor.type == FdType::kUnix) descriptor.set_name(rendered_);
}

// The destination comes from the enter event, the source from a successful exit.
void Engine::on_connect_compat(Context& context) {
  const scap::CallView& call = *context.call;
  const bool exit_only = !call.paired() && !saw_old_enters_;
  if (exit_only) begin_connect(*context.thread->table(), context.fd, call.from_exit(P::addr));
  const int64_t result = call.result();
  if (result < 0 && result != kInProgress) return;
  const SocketTuple tuple = parse_tuple_compat(call.from_exit(P::tuple));
  if (tuple.family == Family::kNone) return;
  Descriptor& descriptor = writable(context);
  if (tuple.family == Family::kUnix) {
    descriptor.type = FdType::kUnix;
    descriptor.unix_source = tuple.unix_source;
    descriptor.unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, printable(tuple.path), rendered_);
    descriptor.set_name(rendered_);
  } else {
    const bool was_server = descriptor.role == Role::kServer && descriptor.l4 == L4::kUdp;
    change_family_compat(descriptor, tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6);
    const bool changed = update_endpoints(descriptor, tuple, !call.paired() && !exit_only);
    if (changed && was_server) swap_endpoints(descriptor);
    rendered_ = socket_text(descriptor);
  }
  if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
}

void Engine::apply_tuple_compat(Descriptor& descriptor, const SocketTuple& tuple, bool receive) {
  if (descriptor.is_ip_server()) set_endpoints(descriptor, {}, {});
  descriptor.type = tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (!update_endpoints(descriptor, tuple, true)) return;
  if (descriptor.l4 == L4::kUnknown) descriptor.l4 = L4::kUdp;
  Endpoint source{descriptor.sip, descriptor.sport};
  Endpoint destination{descriptor.dip, descriptor.dport};
  fill_missing_addresses(source, destination, tuple.family == Family::kInet6);
  set_endpoints(descriptor, source, destination);
  // libs 0.18.1 searches the process's table for the ports and finds this same socket: in effect, a
  // socket that receives first is the server.
  if (descriptor.role == Role::kNone) descriptor.role = receive ? Role::kServer : Role::kClient;
  if ((descriptor.role == Role::kClient) == receive) swap_endpoints(descriptor);
  rendered_ = socket_text(descriptor);
}

}  // namespace sfkit::state
