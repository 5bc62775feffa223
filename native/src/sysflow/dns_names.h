// Which names the addresses of flows have, from DNS answers in the data of sockets.
#pragma once

#include <cstdint>

#include "base/dns.h"
#include "base/flat_map.h"
#include "base/hash.h"
#include "base/shared_text.h"
#include "state/engine.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

// The newest answers of all processes: containers share resolvers and their caches.
class DnsNames {
 public:
  // Whether a call on this socket may move DNS messages.
  static bool is_dns(const state::Descriptor& socket) {
    return dns::is_port(socket.dport) || dns::is_port(socket.sport);
  }
  // Remembers the answers in the data of a call on a DNS socket.
  void read(const state::Context& context);

  // The name that a program asked for to get this address; empty if none is known.
  SharedText find(const Address& address, bool ipv6);

 private:
  // Addresses in each half. When the newer half is full, the older one is forgotten.
  static constexpr size_t kHalf = 1u << 14;
  static constexpr size_t kMaxName = 255;

  struct Key {
    Address address;
    bool ipv6 = false;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    uint64_t operator()(const Key& key) const;
  };

  void read_message();

  dns::Message message_;
  FlatMap<Key, SharedText, KeyHash> newer_;
  FlatMap<Key, SharedText, KeyHash> older_;
};

}  // namespace sfkit::sysflow
