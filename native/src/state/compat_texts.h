// Texts as libs 0.18.1 writes them, for the compat mode only: some end up as names of sockets.
#pragma once

#include <string>
#include <string_view>

#include "state/addresses.h"

namespace sfkit::state {

// What it keeps of a captured text: printable ASCII.
std::string printable(std::string_view text);
// `source->destination` of a socket, without ports unless TCP or UDP; `address:port` of a server.
std::string socket_text(const Descriptor& descriptor);
// Both ends of a tuple of addresses.
std::string tuple_text(const SocketTuple& tuple);
std::string address_text(const SocketAddress& address);

}  // namespace sfkit::state
