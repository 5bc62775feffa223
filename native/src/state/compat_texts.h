// Compat mode: texts as libs 0.18.1 formats them. Some become socket names.
#pragma once

#include <string>
#include <string_view>

#include "state/addresses.h"

namespace sfkit::state {

// `text` without everything that is not printable ASCII.
std::string printable(std::string_view text);
// `source->destination` of a socket, with ports only for TCP and UDP; `address:port` of a server.
std::string socket_text(const Descriptor& descriptor);
// `source->destination` of a tuple, with ports.
std::string tuple_text(const SocketTuple& tuple);
std::string address_text(const SocketAddress& address);

}  // namespace sfkit::state
