// Socket addresses and address pairs in events (spec: scap-format, section 10), and the interface
// list that completes missing local addresses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "scap/metadata.h"
#include "state/descriptor.h"

namespace sfkit::state {

enum class Family : uint8_t { kNone = 0, kUnix = 1, kInet = 2, kInet6 = 10 };

struct Endpoint {
  IpBytes ip{};
  uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct SocketTuple {
  Family family = Family::kNone;  // IPv4-mapped IPv6 becomes kInet
  Endpoint source;
  Endpoint destination;
  uint64_t unix_source = 0;
  uint64_t unix_destination = 0;
  std::string_view path;
};

struct SocketAddress {
  Family family = Family::kNone;
  Endpoint endpoint;
  std::string_view path;
};

// Return Family::kNone for malformed or empty input.
SocketTuple parse_tuple(Bytes value);
SocketAddress parse_address(Bytes value);

inline void set_endpoints(Descriptor& descriptor, const Endpoint& source,
                          const Endpoint& destination) {
  descriptor.sip = source.ip;
  descriptor.sport = source.port;
  descriptor.dip = destination.ip;
  descriptor.dport = destination.port;
}

inline Endpoint source_of(const Descriptor& descriptor) {
  return {descriptor.sip, descriptor.sport};
}
inline Endpoint destination_of(const Descriptor& descriptor) {
  return {descriptor.dip, descriptor.dport};
}

// Saves the current source as the bound address.
inline void save_bound_address(Descriptor& descriptor) {
  descriptor.bound_type = descriptor.type;
  descriptor.bound_ip = descriptor.sip;
  descriptor.bound_port = descriptor.sport;
}

inline void swap_endpoints(Descriptor& descriptor) {
  std::swap(descriptor.sip, descriptor.dip);
  std::swap(descriptor.sport, descriptor.dport);
}

bool is_zero(const IpBytes& ip);
// Converts ::ffff:a.b.c.d to a.b.c.d in place. Returns false for any other address.
bool unmap_ipv4(IpBytes& ip);

// Writes `hexsource->hexdestination path`, the name of a connected unix socket, to `out`.
void unix_name(uint64_t source, uint64_t destination, std::string_view path, std::string& out);

// Appends `address:port`, the name of a bound socket.
void append_endpoint(std::string& out, const Endpoint& endpoint, bool ipv6);

// A text that identifies a descriptor among those of its type: its name, or the kernel's numbers
// for pipes and socket pairs, which have no name. The result may point into `scratch`.
std::string_view identity_of(const Descriptor& descriptor, std::string& scratch);

class InterfaceList {
 public:
  void add(const scap::InterfaceEntry& entry);
  void clear() { entries_.clear(); }
  // Whether the address belongs to the captured machine. Loopback addresses do.
  bool has(const IpBytes& ip, bool ipv6) const;

  // The most likely local address of a connection to `remote`: an interface with exactly that
  // address, one in the same subnet, else the first non-loopback one. Zero when none fits.
  IpBytes guess(const IpBytes& remote, bool ipv6) const;

 private:
  struct Entry {
    bool ipv6;
    IpBytes address;
    IpBytes netmask;
  };
  std::vector<Entry> entries_;
};

}  // namespace sfkit::state
