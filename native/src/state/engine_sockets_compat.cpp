// What libs 0.18.1 makes of calls on sockets, where it shows in SysFlow records. `rendered_` is the text
// buffer of its event: it is written in many places, and once read where nothing was written for the case at
// hand.

#include "state/compat_texts.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using scap::P;

// libs 0.18.1's: false, and nothing changes, for a tuple that is the socket's own or its mirror image.
bool update_ends(Descriptor& descriptor, const SocketTuple& tuple, bool overwrite_destination) {
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

}  // namespace

// An enter event of connect without an address makes it forget the destination and render the ends as text;
// of a unix socket, for which it renders nothing, what was rendered last becomes the name.
void Engine::begin_connect_compat(Descriptor& descriptor) {
  if (descriptor.is_ip_socket()) {
    descriptor.dip = {};
    descriptor.dport = 0;
  }
  if (descriptor.is_ip_socket() || descriptor.is_ip_server()) rendered_ = socket_text(descriptor);
  if (descriptor.type == FdType::kUnix) descriptor.set_name(rendered_);
}

// The destination is taken from the enter event, the source from a success.
void Engine::on_connect_compat(Context& context) {
  const scap::CallView& call = *context.call;
  const bool exit_only = !call.paired() && !saw_old_enters_;
  if (exit_only) begin_connect(*context.thread->table(), context.fd, call.from_exit(P::addr));
  const int64_t result = call.result();
  if (result < 0 && result != kInProgress) return;
  const SocketTuple tuple = parse_tuple(call.from_exit(P::tuple));
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
    descriptor.type = tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
    const bool changed = update_ends(descriptor, tuple, !call.paired() && !exit_only);
    if (changed && was_server) swap_ends(descriptor);
    rendered_ = socket_text(descriptor);
  }
  if (descriptor.role == Role::kNone) descriptor.role = Role::kClient;
}

void Engine::apply_tuple_compat(Descriptor& descriptor, const SocketTuple& tuple, bool receive) {
  if (descriptor.is_ip_server()) set_ends(descriptor, {}, {});
  descriptor.type = tuple.family == Family::kInet ? FdType::kIpv4 : FdType::kIpv6;
  if (!update_ends(descriptor, tuple, true)) return;
  if (descriptor.l4 == L4::kUnknown) descriptor.l4 = L4::kUdp;
  Endpoint source{descriptor.sip, descriptor.sport};
  Endpoint destination{descriptor.dip, descriptor.dport};
  complete_ends(source, destination, tuple.family == Family::kInet6);
  set_ends(descriptor, source, destination);
  // It looks for the ports in the process's table, where it finds this very socket: what remains is
  // that servers begin with a receive.
  if (descriptor.role == Role::kNone) descriptor.role = receive ? Role::kServer : Role::kClient;
  if ((descriptor.role == Role::kClient) == receive) swap_ends(descriptor);
  rendered_ = socket_text(descriptor);
}

}  // namespace sfkit::state
