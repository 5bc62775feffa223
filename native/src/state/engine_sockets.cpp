// Calls on sockets (spec: scap-state, section 11).

#include "state/compat_texts.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_uint;

constexpr uint32_t kSocketCloexec = 0x80000;
// Of accept4 older writers keep the flag of the call, newer ones that of open files.
constexpr uint32_t kAcceptCloexec = kSocketCloexec | kOpenCloexec;

L4 protocol_of(uint32_t type, uint32_t protocol) {
  constexpr uint32_t kStream = 1;
  constexpr uint32_t kDatagram = 2;
  constexpr uint32_t kRawSocket = 3;
  const uint32_t kind = type & 0xff;
  switch (protocol) {
    case 0: return kind == kStream ? L4::kTcp : kind == kDatagram ? L4::kUdp : L4::kUnknown;
    case 1: return kind == kRawSocket ? L4::kRaw : L4::kIcmp;
    case 6: return L4::kTcp;
    case 17: return L4::kUdp;
    case 255: return L4::kRaw;
    default: return L4::kUnknown;
  }
}

}  // namespace

void Engine::on_socket(Context& context) {
  const scap::CallView& call = *context.call;
  const auto domain = to_uint(call.get(P::domain), 0);
  constexpr uint64_t kUnixDomain = 1;
  constexpr uint64_t kInetDomain = 2;
  constexpr uint64_t kInet6Domain = 10;
  constexpr uint64_t kNetlinkDomain = 16;
  FdType type = FdType::kUnknown;
  if (domain == kUnixDomain) type = FdType::kUnix;
  if (domain == kInetDomain) type = FdType::kIpv4;
  if (domain == kInet6Domain) type = FdType::kIpv6;
  if (domain == kNetlinkDomain) type = FdType::kNetlink;
  Descriptor* descriptor = add_fd(context, call.result(), type);
  if (descriptor == nullptr) return;
  const auto kind = static_cast<uint32_t>(to_uint(call.get(P::type), 0));
  if (descriptor->is_ip_socket()) {
    descriptor->l4 = protocol_of(kind, static_cast<uint32_t>(to_uint(call.get(P::proto), 0)));
  }
  const Bytes flags = call.from_exit(P::flags);
  if (!flags.empty()) {
    descriptor->open_flags = static_cast<uint32_t>(to_uint(flags, 0));
  } else if ((kind & kSocketCloexec) != 0) {
    descriptor->open_flags = kOpenCloexec;
  }
}

void Engine::on_socketpair(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const int64_t fd1 = to_int(call.from_exit(P::fd1), -1);
  const int64_t fd2 = to_int(call.from_exit(P::fd2), -1);
  if (fd1 == fd2) return;
  const uint64_t source = to_uint(call.from_exit(P::source), 0);
  const uint64_t peer = to_uint(call.from_exit(P::peer), 0);
  for (const int64_t fd : {fd1, fd2}) {
    Descriptor* descriptor = add_fd(context, fd, FdType::kUnix);
    if (descriptor == nullptr) continue;
    descriptor->unix_source = source;
    descriptor->unix_destination = peer;
    descriptor->of_socketpair = descriptor->connected = true;
  }
  context.slot = nullptr;
}

void Engine::on_bind(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.slot == nullptr || call.result() < 0) return;
  const SocketAddress address = parse_address(call.get(P::addr));
  if (compat_ && address.family != Family::kNone) rendered_ = address_text(address);
  if (address.family == Family::kUnix) {
    writable(context).set_name(address.path);
    return;
  }
  if (address.family != Family::kInet && address.family != Family::kInet6) return;
  Descriptor& descriptor = writable(context);
  if (address.endpoint.port == 0) {
    // The kernel chooses a port, and the capture does not say which.
    scratch_.clear();
    append_endpoint(scratch_, address.endpoint, address.family == Family::kInet6);
    descriptor.set_name(scratch_);
    return;
  }
  descriptor.type = address.family == Family::kInet ? FdType::kIpv4Server : FdType::kIpv6Server;
  descriptor.sip = address.endpoint.ip;
  descriptor.sport = address.endpoint.port;
  descriptor.dip = {};
  descriptor.dport = 0;
  descriptor.role = Role::kServer;
}

// Of the address that a connect asks for.
void Engine::begin_connect(DescriptorTable& table, int64_t fd, Bytes value) {
  const SocketAddress address = parse_address(value);
  if (address.family == Family::kInet || address.family == Family::kInet6) {
    Descriptor& descriptor = *table.writable(fd);
    if (!descriptor.has_address()) descriptor.attempted = true;
    const bool is_ipv4 = address.family == Family::kInet || (compat_ && is_zero(address.endpoint.ip));
    const FdType type = is_ipv4 ? FdType::kIpv4 : FdType::kIpv6;
    if (compat_) change_family_compat(descriptor, type);
    descriptor.type = type;
    descriptor.dip = address.endpoint.ip;
    descriptor.dport = address.endpoint.port;
  } else if (address.family == Family::kUnix) {
    if (compat_) rendered_ = printable(address.path);
    table.writable(fd)->set_name(compat_ ? rendered_ : address.path);
  }
}

void Engine::on_connect(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.slot == nullptr) return;
  if (compat_) return on_connect_compat(context);
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
  const SocketAddress entered = parse_address(call.from_enter(P::addr));
  const int64_t result = call.result();
  const bool failed = result < 0 && result != kInProgress;
  if (tuple.family == Family::kUnix) {
    Descriptor& descriptor = writable(context);
    descriptor.attempted = failed;
    descriptor.connected = !failed;
    descriptor.type = FdType::kUnix;
    descriptor.unix_source = tuple.unix_source;
    descriptor.unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, tuple.path, scratch_);
    descriptor.set_name(scratch_);
    if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
    return;
  }
  const SocketAddress address = parse_address(call.from_exit(P::addr));
  if (tuple.family == Family::kNone && address.family == Family::kUnix) {
    // One that failed tells in the exit event alone where to.
    begin_connect(*context.thread->table(), context.fd, call.from_exit(P::addr));
    writable(context).attempted = failed;
    return;
  }
  const bool has_tuple = tuple.family != Family::kNone;
  Family family = tuple.family;
  Endpoint destination = tuple.destination;
  if (entered.family != Family::kNone &&
      (!has_tuple || (address.family == tuple.family && address.endpoint == tuple.destination))) {
    destination = entered.endpoint;
    family = entered.family;
  } else if (!has_tuple && address.family != Family::kNone) {
    destination = address.endpoint;
    family = address.family;
  }
  if (family != Family::kInet && family != Family::kInet6) return;
  Descriptor& descriptor = writable(context);
  descriptor.attempted = failed;
  descriptor.connected = !failed;
  const bool was_server = descriptor.role == Role::kServer && descriptor.l4 == L4::kUdp;
  descriptor.type = family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (has_tuple) {
    set_ends(descriptor, tuple.source, destination);
  } else {
    descriptor.dip = destination.ip;
    descriptor.dport = destination.port;
  }
  if (was_server) swap_ends(descriptor);
  if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
}

void Engine::on_accept(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
  if (tuple.family == Family::kNone) return;
  const FdType type = tuple.family == Family::kUnix   ? FdType::kUnix
                      : tuple.family == Family::kInet ? FdType::kIpv4
                                                      : FdType::kIpv6;
  Descriptor* descriptor = add_fd(context, fd, type);
  if (descriptor == nullptr) return;
  descriptor->role = Role::kServer;
  descriptor->connected = true;
  if ((to_uint(call.get(P::flags), 0) & kAcceptCloexec) != 0) descriptor->open_flags = kOpenCloexec;
  if (type == FdType::kUnix) {
    descriptor->unix_source = tuple.unix_source;
    descriptor->unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination, compat_ ? printable(tuple.path) : tuple.path,
              scratch_);
    if (compat_) rendered_ = scratch_;
    descriptor->set_name(scratch_);
    return;
  }
  descriptor->l4 = L4::kTcp;
  set_ends(*descriptor, tuple.source, tuple.destination);
  if (compat_) rendered_ = tuple_text(tuple);
}

void Engine::complete_ends(Endpoint& source, Endpoint& destination, bool ipv6) const {
  const auto complete = [this, ipv6](Endpoint& open, const Endpoint& other) {
    if (!is_zero(open.ip) || is_zero(other.ip)) return;
    const IpBytes guess = interfaces_.guess(other.ip, ipv6);
    if (guess != other.ip || open.port != other.port) open.ip = guess;
  };
  complete(source, destination);
  complete(destination, source);
}

void Engine::apply_tuple(Descriptor& descriptor, SocketTuple tuple, bool receive) {
  Role role = descriptor.role;
  if (role == Role::kNone) {
    // A socket that receives before anything else is known of it was called, as is one on the port it serves;
    // one that sends first is the client. Other sockets of the process say nothing about this one.
    const bool was_called = receive && !descriptor.has_address();
    const bool serves = descriptor.is_ip_server() && descriptor.sport == tuple.destination.port;
    role = was_called || serves ? Role::kServer : Role::kClient;
  }
  descriptor.role = role;
  if (descriptor.is_ip_server()) {
    descriptor.sip = {};
    descriptor.sport = 0;
  }
  descriptor.type = tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (descriptor.l4 == L4::kUnknown) descriptor.l4 = L4::kUdp;
  complete_ends(tuple.source, tuple.destination, tuple.family == Family::kInet6);
  const Endpoint source{descriptor.sip, descriptor.sport};
  const Endpoint destination{descriptor.dip, descriptor.dport};
  if (source == tuple.source && destination == tuple.destination) return;
  if (source == tuple.destination && destination == tuple.source) return;
  // A message goes from source to destination; the flow goes from client to server.
  const bool against_the_flow = (role == Role::kClient) == receive;
  if (against_the_flow) {
    set_ends(descriptor, tuple.destination, tuple.source);
  } else {
    set_ends(descriptor, tuple.source, tuple.destination);
  }
}

void Engine::on_send_receive(Context& context, bool receive) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0 || context.thread == nullptr) return;
  const Bytes value = call.get(P::tuple);
  if (context.slot == nullptr) {
    if (receive || context.fd < 0) return;
    // libs 0.18.1 takes it from sendto alone.
    if (compat_ && call.exit().code != scap::ev::SOCKET_SENDTO_X) return;
    const SocketTuple tuple = parse_tuple(value);
    if (tuple.family != Family::kInet && tuple.family != Family::kInet6) return;
    Descriptor* made =
        add_fd(context, context.fd, tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6);
    if (made == nullptr) return;
    made->l4 = L4::kUdp;
  }
  const Descriptor& current = *context.slot->descriptor;
  if ((current.is_ip_socket() || current.is_ip_server()) && current.l4 == L4::kTcp && current.has_address())
    return;
  const SocketTuple tuple = parse_tuple(value);
  if (tuple.family == Family::kNone) return;
  if (tuple.family == Family::kUnix) {
    // libs 0.18.1 renames the socket with each message.
    if (current.type != FdType::kUnix || (!current.name.empty() && !compat_)) return;
    Descriptor& descriptor = writable(context);
    if (!descriptor.of_socketpair) {
      descriptor.unix_source = tuple.unix_source;
      descriptor.unix_destination = tuple.unix_destination;
    }
    unix_name(tuple.unix_source, tuple.unix_destination, compat_ ? printable(tuple.path) : tuple.path,
              scratch_);
    descriptor.set_name(scratch_);
    if (compat_ && receive) rendered_ = scratch_;
    return;
  }
  if (!current.is_ip_socket() && !current.is_ip_server()) return;
  if (compat_) return apply_tuple_compat(writable(context), tuple, receive);
  Descriptor& descriptor = writable(context);
  const Endpoint source{descriptor.sip, descriptor.sport};
  const Endpoint destination{descriptor.dip, descriptor.dport};
  apply_tuple(descriptor, tuple, receive);
  const bool same = source == Endpoint{descriptor.sip, descriptor.sport} &&
                    destination == Endpoint{descriptor.dip, descriptor.dport};
  if (!same) descriptor.renamed_by = call.exit().number;
}

}  // namespace sfkit::state
