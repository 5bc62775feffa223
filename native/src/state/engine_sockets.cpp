// Calls on sockets (spec: scap-state, section 11).

#include <algorithm>
#include <utility>

#include "state/compat_texts.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;
using scap::to_int;
using scap::to_uint;

constexpr uint32_t kSocketCloexec = 0x80000;
// accept4: older writers record the flag of the call, newer ones an open flag.
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

FdType ip_type(Family family) {
  return family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
}

bool is_ip(Family family) {
  return family == Family::kInet || family == Family::kInet6;
}

// ---- connect

constexpr int64_t kAlreadyConnecting = -114;

// Whether the connect continues in the background.
bool stays_pending(int64_t result, const Descriptor& descriptor) {
  constexpr int64_t kInterrupted = -4;
  constexpr int64_t kRestart = -512;  // -ERESTARTSYS: the program sees -EINTR or a restarted call
  if (descriptor.type == FdType::kUnix || descriptor.l4 == L4::kUdp) return false;
  return result == kInProgress || result == kInterrupted || result == kRestart;
}

// Whether the error of a call shows that a pending connect failed.
bool is_connect_failure(int64_t result) {
  constexpr int64_t kErrors[] = {
      -32 /* EPIPE */,         -100 /* ENETDOWN */,   -101 /* ENETUNREACH */,
      -103 /* ECONNABORTED */, -104 /* ECONNRESET */, -110 /* ETIMEDOUT */,
      -111 /* ECONNREFUSED */, -112 /* EHOSTDOWN */,  -113 /* EHOSTUNREACH */};
  return std::find(std::begin(kErrors), std::end(kErrors), result) != std::end(kErrors);
}

// Removes the peer. A bound socket stays bound.
void remove_peer(Descriptor& descriptor) {
  descriptor.connection = Connection::kNone;
  if (descriptor.type == FdType::kUnix) {
    descriptor.unix_destination = 0;
    descriptor.set_name({});
  }
  if (!descriptor.is_ip()) return;
  descriptor.role = Role::kNone;
  set_endpoints(descriptor, {}, {});
  if (descriptor.bound_type == FdType::kUnknown) return;
  descriptor.type = descriptor.bound_type;
  descriptor.role = Role::kServer;
  set_endpoints(descriptor, {descriptor.bound_ip, descriptor.bound_port}, {});
}

// A failed connect leaves the socket as it was.
void undo_failed_connect(Descriptor& descriptor) {
  if (descriptor.connection == Connection::kAttempted) remove_peer(descriptor);
}

// Whether an unconnected socket shows the endpoints of its last message.
bool has_exchanged_messages(const Descriptor& descriptor) {
  return descriptor.connection == Connection::kNone && descriptor.is_ip_socket() &&
         descriptor.has_address();
}

// Copies missing endpoints from `other`.
void fill_missing(SocketTuple& tuple, const SocketTuple& other) {
  if (tuple.family == Family::kNone) tuple = other;
  if (!is_ip(tuple.family) || tuple.family != other.family) return;
  const auto fill = [](Endpoint& endpoint, const Endpoint& known) {
    if (is_zero(endpoint.ip)) endpoint.ip = known.ip;
    if (endpoint.port == 0) endpoint.port = known.port;
  };
  fill(tuple.source, other.source);
  fill(tuple.destination, other.destination);
}

// The peer that a connect asks for, and the local endpoint, as far as its events show them.
struct ConnectRequest : SocketTuple {
  bool has_tuple = false;
  bool has_address = false;
  bool has_address_parameter =
      false;  // the events have an address parameter, which is empty for AF_UNSPEC
};

ConnectRequest parse_connect_request(const scap::CallView& call) {
  constexpr uint32_t kPlaceInEnter = 1;
  constexpr uint32_t kPlaceInExit = 3;
  ConnectRequest request{parse_tuple(call.from_exit(P::tuple))};
  const SocketAddress exit_address = parse_address(call.from_exit(P::addr));
  const SocketAddress enter_address = parse_address(call.from_enter(P::addr));
  const SocketAddress& address =
      enter_address.family != Family::kNone ? enter_address : exit_address;
  request.has_tuple = request.family != Family::kNone;
  request.has_address = address.family != Family::kNone;
  request.has_address_parameter =
      call.exit().size() > kPlaceInExit || (call.paired() && call.enter().size() > kPlaceInEnter);
  if (!request.has_address) return request;
  if (!request.has_tuple) {
    request.family = address.family;
    request.destination = address.endpoint;
    request.path = address.path;
    return request;
  }
  if (!is_ip(request.family) || !is_ip(address.family)) return request;
  // The program may have changed the address during the call: the kernel used the one in the enter
  // event.
  const bool is_from_exit_address = enter_address.family != Family::kNone &&
                                    exit_address.family == request.family &&
                                    exit_address.endpoint == request.destination;
  if (is_from_exit_address || is_zero(request.destination.ip)) {
    if (address.family != request.family) request.source.ip = {};
    request.family = address.family;
    request.destination.ip = address.endpoint.ip;
  }
  if (is_from_exit_address || request.destination.port == 0)
    request.destination.port = address.endpoint.port;
  return request;
}

}  // namespace

Descriptor& Engine::socket_of(Context& context, FdType type) {
  const FdType known = context.slot->descriptor->type;
  const bool fits = known == type || known == FdType::kUnknown || known == FdType::kUnsupported ||
                    (context.slot->descriptor->is_ip() && type != FdType::kUnix);
  if (!compat_ && !fits) add_fd(context, context.fd, type);
  return writable(context);
}

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
  const auto kind = static_cast<uint32_t>(to_uint(call.get(P::type), 0));
  const Bytes flags = call.from_exit(P::flags);
  const bool closes_on_exec =
      flags.empty() ? (kind & kSocketCloexec) != 0 : (to_uint(flags, 0) & kOpenCloexec) != 0;
  Descriptor* descriptor = add_fd(context, call.result(), type, closes_on_exec);
  if (descriptor == nullptr || !descriptor->is_ip_socket()) return;
  descriptor->l4 = protocol_of(kind, static_cast<uint32_t>(to_uint(call.get(P::proto), 0)));
}

void Engine::on_socketpair(Context& context) {
  const scap::CallView& call = *context.call;
  if (call.result() < 0) return;
  const int64_t fd1 = to_int(call.from_exit(P::fd1), -1);
  const int64_t fd2 = to_int(call.from_exit(P::fd2), -1);
  if (fd1 == fd2) return;
  const uint64_t source = to_uint(call.from_exit(P::source), 0);
  const uint64_t peer = to_uint(call.from_exit(P::peer), 0);
  const bool closes_on_exec = (to_uint(call.get(P::type), 0) & kSocketCloexec) != 0;
  for (const int64_t fd : {fd1, fd2}) {
    Descriptor* descriptor = add_fd(context, fd, FdType::kUnix, closes_on_exec);
    if (descriptor == nullptr) continue;
    descriptor->unix_source = source;
    descriptor->unix_destination = peer;
    descriptor->is_socketpair = true;
    descriptor->connection = Connection::kConnected;
  }
  context.slot = nullptr;
}

void Engine::on_bind(Context& context) {
  const scap::CallView& call = *context.call;
  if (context.slot == nullptr || call.result() < 0) return;
  const SocketAddress address = parse_address(call.get(P::addr));
  if (compat_ && address.family != Family::kNone) rendered_ = address_text(address);
  if (address.family == Family::kNone) return;
  const bool is_unix = address.family == Family::kUnix;
  Descriptor& descriptor = socket_of(context, is_unix ? FdType::kUnix : ip_type(address.family));
  if (!compat_) undo_failed_connect(descriptor);
  descriptor.named_by_event = call.exit().number;
  if (is_unix) {
    descriptor.bound_type = FdType::kUnix;
    return descriptor.set_name(address.path);
  }
  if (address.endpoint.port == 0) {
    // The kernel chooses a port that the capture does not show.
    scratch_.clear();
    append_endpoint(scratch_, address.endpoint, address.family == Family::kInet6);
    descriptor.set_name(scratch_);
    return;
  }
  descriptor.type = address.family == Family::kInet ? FdType::kIpv4Server : FdType::kIpv6Server;
  descriptor.role = Role::kServer;
  set_endpoints(descriptor, address.endpoint, {});
  save_bound_address(descriptor);
}

// Shows the requested peer of a connect that failed or has not returned, unless the socket has
// endpoints.
void Engine::set_attempted_peer(Descriptor& descriptor, const SocketTuple& request) {
  if (descriptor.has_peer() || has_exchanged_messages(descriptor)) return;
  if (request.family == Family::kUnix && descriptor.type == FdType::kUnix) {
    // A bound socket keeps its name. The enter event may have set the path already.
    if (descriptor.bound_type == FdType::kUnix || descriptor.name == request.path) return;
    descriptor.set_name(request.path);
  } else if (is_ip(request.family) && (descriptor.is_ip() || descriptor.type == FdType::kUnknown)) {
    const bool is_known = request.source != Endpoint();
    set_endpoints(descriptor, is_known ? request.source : source_of(descriptor),
                  request.destination);
    descriptor.type = ip_type(request.family);
  } else {
    return;
  }
  descriptor.connection = Connection::kAttempted;
}

// Handles the requested address of a connect.
void Engine::begin_connect(DescriptorTable& table, int64_t fd, Bytes value) {
  const SocketAddress address = parse_address(value);
  if (address.family == Family::kNone) return;
  if (!compat_) {
    Descriptor& descriptor = *table.find(fd)->descriptor.get();
    SocketTuple request;
    request.family = address.family;
    request.destination = address.endpoint;
    request.path = address.path;
    set_attempted_peer(descriptor, request);
    // A unix socket has its new name from the enter event on.
    if (address.family == Family::kUnix && descriptor.connection == Connection::kAttempted)
      descriptor.connection = Connection::kNone;
  } else if (address.family == Family::kUnix) {
    rendered_ = printable(address.path);
    table.own(fd)->set_name(rendered_);
  } else {
    Descriptor& descriptor = *table.own(fd);
    if (!descriptor.has_address()) descriptor.connection = Connection::kAttempted;
    const bool is_ipv4 = address.family == Family::kInet || is_zero(address.endpoint.ip);
    const FdType type = is_ipv4 ? FdType::kIpv4 : FdType::kIpv6;
    change_family_compat(descriptor, type);
    descriptor.type = type;
    descriptor.dip = address.endpoint.ip;
    descriptor.dport = address.endpoint.port;
  }
}

void Engine::on_connect(Context& context) {
  if (context.slot == nullptr) return;
  if (compat_) return on_connect_compat(context);
  const scap::CallView& call = *context.call;
  const int64_t result = call.result();
  Descriptor& known = *context.slot->descriptor.get();
  const bool is_pending = stays_pending(result, known);
  if (result < 0 && !is_pending) {
    // A failed connect keeps the peer, unless it shows that a pending connect failed.
    if (known.connection == Connection::kPending) return resolve_pending_connect(known, result);
    if (result == kIsConnected || result == kAlreadyConnecting) return undo_failed_connect(known);
    return set_attempted_peer(known, parse_connect_request(call));
  }
  ConnectRequest request = parse_connect_request(call);
  if (request.family == Family::kUnix) return connect_unix(context, request, request.has_tuple);
  const Endpoint none;
  const bool has_port =
      request.destination.port != 0 || (known.l4 != L4::kTcp && known.l4 != L4::kUdp);
  const bool has_destination =
      request.has_address || (is_ip(request.family) && request.destination != none &&
                              (has_port || !request.has_address_parameter));
  // AF_UNSPEC removes the peer. Without an address parameter, empty endpoints show it.
  if (!has_destination && !is_pending && (request.has_address_parameter || request.has_tuple)) {
    if (known.has_peer() || has_exchanged_messages(known))
      known.named_by_event = call.exit().number;
    return remove_peer(known);
  }
  if (known.connection == Connection::kPending) {
    // The kernel ignores the new address and continues the first connect. The tuple shows its peer.
    static_cast<SocketTuple&>(request) = parse_tuple(call.from_exit(P::tuple));
    if (!is_ip(request.family) || is_zero(request.destination.ip))
      return resolve_pending_connect(known, result);
  } else if (!has_destination) {
    return;
  }
  const bool had_endpoints = known.has_peer() || has_exchanged_messages(known);
  const Endpoint source = source_of(known);
  const Endpoint destination = destination_of(known);
  Descriptor& descriptor = socket_of(context, ip_type(request.family));
  // A bound datagram socket is the server. A stream socket that connects is the client, bound or
  // not.
  const bool serves = descriptor.role == Role::kServer && descriptor.l4 == L4::kUdp;
  const bool is_reversed = serves && descriptor.is_ip_socket();
  const Endpoint local = is_reversed ? destination_of(descriptor) : source_of(descriptor);
  descriptor.type = ip_type(request.family);
  set_endpoints(descriptor, request.source != none ? request.source : local, request.destination);
  if (serves) swap_endpoints(descriptor);
  if (!serves) descriptor.role = Role::kClient;
  descriptor.connection = is_pending ? Connection::kPending : Connection::kConnected;
  const bool same =
      had_endpoints && source == source_of(descriptor) && destination == destination_of(descriptor);
  if (!same) descriptor.named_by_event = call.exit().number;
}

void Engine::connect_unix(Context& context, const SocketTuple& request, bool has_tuple) {
  Descriptor& descriptor = socket_of(context, FdType::kUnix);
  descriptor.type = FdType::kUnix;
  descriptor.named_by_event = context.call->exit().number;
  descriptor.connection = Connection::kConnected;
  if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
  if (!has_tuple) return descriptor.set_name(request.path);
  descriptor.unix_source = request.unix_source;
  descriptor.unix_destination = request.unix_destination;
  unix_name(request.unix_source, request.unix_destination, request.path, scratch_);
  descriptor.set_name(scratch_);
}

void Engine::resolve_pending_connect(Descriptor& descriptor, int64_t result) {
  if (result >= 0 || result == kIsConnected) {
    descriptor.connection = Connection::kConnected;
  } else if (is_connect_failure(result)) {
    descriptor.connection = Connection::kAttempted;
  }
}

// SO_ERROR shows whether a pending connect succeeded.
void Engine::on_getsockopt(Context& context) {
  constexpr uint64_t kSolSocket = 1;
  constexpr uint64_t kSoError = 4;
  constexpr uint8_t kIsErrno = 1;
  const scap::CallView& call = *context.call;
  if (compat_ || context.slot == nullptr || call.result() < 0) return;
  Descriptor& descriptor = *context.slot->descriptor.get();
  if (descriptor.connection != Connection::kPending ||
      to_uint(call.get(P::level), 0) != kSolSocket ||
      to_uint(call.get(P::optname), 0) != kSoError) {
    return;
  }
  Cursor value(call.get(P::val));
  if (value.read<uint8_t>() != kIsErrno) return;
  const auto error = value.read<int64_t>();
  if (value.failed()) return;
  descriptor.connection = error == 0 ? Connection::kConnected : Connection::kAttempted;
}

void Engine::on_accept(Context& context) {
  const scap::CallView& call = *context.call;
  context.slot = nullptr;
  const int64_t fd = call.result();
  if (fd < 0) return;
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
  if (tuple.family == Family::kNone) return forget_fd(context, fd);
  const FdType type = tuple.family == Family::kUnix ? FdType::kUnix : ip_type(tuple.family);
  const bool closes_on_exec = (to_uint(call.get(P::flags), 0) & kAcceptCloexec) != 0;
  Descriptor* descriptor = add_fd(context, fd, type, closes_on_exec);
  if (descriptor == nullptr) return;
  descriptor->role = Role::kServer;
  descriptor->connection = Connection::kConnected;
  if (type == FdType::kUnix) {
    descriptor->unix_source = tuple.unix_source;
    descriptor->unix_destination = tuple.unix_destination;
    unix_name(tuple.unix_source, tuple.unix_destination,
              compat_ ? printable(tuple.path) : tuple.path, scratch_);
    if (compat_) rendered_ = scratch_;
    descriptor->set_name(scratch_);
    return;
  }
  descriptor->l4 = L4::kTcp;
  set_endpoints(*descriptor, tuple.source, tuple.destination);
  if (compat_) rendered_ = tuple_text(tuple);
}

void Engine::fill_missing_addresses(Endpoint& source, Endpoint& destination, bool ipv6) const {
  const auto fill = [this, ipv6](Endpoint& missing, const Endpoint& other) {
    if (!is_zero(missing.ip) || is_zero(other.ip)) return;
    const IpBytes guess = interfaces_.guess(other.ip, ipv6);
    if (guess != other.ip || missing.port != other.port) missing.ip = guess;
  };
  fill(source, destination);
  fill(destination, source);
}

// Derives the role of a socket from its first message.
Role Engine::role_from_first_message(const Descriptor& descriptor, const SocketTuple& tuple,
                                     bool receive) {
  const uint16_t own = receive ? tuple.destination.port : tuple.source.port;
  const uint16_t other = receive ? tuple.source.port : tuple.destination.port;
  // Port 0 is never a server port, and ICMP sockets receive only replies to their requests.
  if (own == 0 || descriptor.l4 == L4::kIcmp) return Role::kClient;
  // Lists also show unconnected clients as servers, with the port that the kernel chose.
  const bool may_serve = descriptor.sport == own && destination_of(descriptor) == Endpoint();
  if (receive) return may_serve || !descriptor.has_address() ? Role::kServer : Role::kClient;
  return may_serve && own <= other ? Role::kServer : Role::kClient;
}

void Engine::apply_tuple(Descriptor& descriptor, SocketTuple tuple, bool receive) {
  // A bound socket, or one that receives first, is the server; one that sends first is the client.
  // Other sockets of the process do not matter.
  if (descriptor.role == Role::kNone)
    descriptor.role = role_from_first_message(descriptor, tuple, receive);
  if (descriptor.is_ip_server()) {
    descriptor.sip = {};
    descriptor.sport = 0;
  }
  descriptor.type = ip_type(tuple.family);
  if (descriptor.l4 == L4::kUnknown) descriptor.l4 = L4::kUdp;
  fill_missing_addresses(tuple.source, tuple.destination, tuple.family == Family::kInet6);
  const Endpoint source = source_of(descriptor);
  const Endpoint destination = destination_of(descriptor);
  if (source == tuple.source && destination == tuple.destination) return;
  if (source == tuple.destination && destination == tuple.source) return;
  // Messages go from sender to receiver; flows go from client to server.
  const bool is_reverse = (descriptor.role == Role::kClient) == receive;
  if (is_reverse) {
    set_endpoints(descriptor, tuple.destination, tuple.source);
  } else {
    set_endpoints(descriptor, tuple.source, tuple.destination);
  }
}

// SCM_RIGHTS, SCM_PIDFD: the capture shows which descriptors were received, but not what they refer
// to.
void Engine::receive_descriptors(Context& context) {
  constexpr size_t kHeader = 16;
  constexpr size_t kAlignment = 8;
  constexpr uint32_t kSolSocket = 1;
  constexpr uint32_t kScmRights = 1;
  constexpr uint32_t kScmPidfd = 4;
  const Bytes control = context.call->from_exit(P::msgcontrol);
  if (control.empty()) return;
  Cursor in(control);
  while (in.remaining() >= kHeader) {
    auto length = in.read<uint64_t>();
    auto level = in.read<uint32_t>();
    auto type = in.read<uint32_t>();
    // Control messages use the byte order of the captured machine.
    const bool is_swapped = level == swap_bytes(kSolSocket);
    if (is_swapped) length = swap_bytes(length), level = swap_bytes(level), type = swap_bytes(type);
    if (length < kHeader) break;
    // Captures may truncate the data.
    const auto size = static_cast<size_t>(std::min<uint64_t>(length - kHeader, in.remaining()));
    Cursor data(in.take(size));
    in.skip(std::min(in.remaining(), (kAlignment - size % kAlignment) % kAlignment));
    if (level != kSolSocket || (type != kScmRights && type != kScmPidfd)) continue;
    while (data.remaining() >= sizeof(int32_t)) {
      const auto fd = data.read<uint32_t>();
      forget_fd(context, static_cast<int32_t>(is_swapped ? swap_bytes(fd) : fd));
    }
  }
  const DescriptorTable* const table = context.thread->table();
  context.slot = table == nullptr ? nullptr : table->find(context.fd);
}

// Whether the endpoints are known, so that messages do not change them. Listening sockets and
// failed connects cannot exchange messages: if one does, its state here is wrong.
bool Engine::is_connection(const Descriptor& descriptor) const {
  if (!descriptor.is_ip() || descriptor.l4 != L4::kTcp || !descriptor.has_address()) return false;
  if (compat_) return true;
  return descriptor.is_ip_socket() && descriptor.connection != Connection::kAttempted &&
         (!descriptor.is_listed || descriptor.connection == Connection::kConnected);
}

void Engine::on_send_receive(Context& context, bool receive) {
  const scap::CallView& call = *context.call;
  if (context.thread == nullptr) return;
  resolve_pending_connect(context);
  if (call.result() < 0) return;
  if (receive && !compat_) receive_descriptors(context);
  if (context.slot != nullptr && is_connection(*context.slot->descriptor)) return;
  SocketTuple tuple = parse_tuple(call.get(P::tuple));
  if (!compat_ && call.paired()) fill_missing(tuple, parse_tuple(call.from_enter(P::tuple)));
  if (context.slot == nullptr) {
    if (receive || context.fd < 0) return;
    // libs 0.18.1 adds sockets for sendto only.
    if (compat_ && call.exit().code != scap::ev::SOCKET_SENDTO_X) return;
    if (!is_ip(tuple.family)) return;
    Descriptor* made = add_fd(context, context.fd, ip_type(tuple.family));
    if (made == nullptr) return;
    made->l4 = L4::kUdp;
  }
  const Descriptor& current = *context.slot->descriptor;
  if (tuple.family == Family::kNone) return;
  if (tuple.family == Family::kUnix) {
    // libs 0.18.1 renames the socket with each message.
    if (current.type != FdType::kUnix || (!current.name.empty() && !compat_)) return;
    Descriptor& descriptor = writable(context);
    if (!descriptor.is_socketpair) {
      descriptor.unix_source = tuple.unix_source;
      descriptor.unix_destination = tuple.unix_destination;
    }
    unix_name(tuple.unix_source, tuple.unix_destination,
              compat_ ? printable(tuple.path) : tuple.path, scratch_);
    descriptor.set_name(scratch_);
    if (compat_ && receive) rendered_ = scratch_;
    return;
  }
  if (compat_) {
    if (current.is_ip()) apply_tuple_compat(writable(context), tuple, receive);
    return;
  }
  Descriptor& descriptor = socket_of(context, ip_type(tuple.family));
  undo_failed_connect(descriptor);
  if (descriptor.l4 == L4::kTcp) {
    // Some lists show UDP sockets as TCP. Otherwise the capture lacks the connect.
    if (descriptor.is_listed) {
      descriptor.l4 = L4::kUdp;
    } else {
      descriptor.role = Role::kClient;
    }
  }
  const Endpoint source = source_of(descriptor);
  const Endpoint destination = destination_of(descriptor);
  apply_tuple(descriptor, tuple, receive);
  if (descriptor.l4 == L4::kTcp) descriptor.connection = Connection::kConnected;
  const bool same = source == source_of(descriptor) && destination == destination_of(descriptor);
  if (!same) descriptor.named_by_event = call.exit().number;
}

}  // namespace sfkit::state
