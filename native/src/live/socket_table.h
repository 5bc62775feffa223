// Sockets listed in /proc/PID/net, by inode.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "scap/metadata.h"

namespace sfkit::live {

class SocketTable {
 public:
  // Reads the tables of a process's network namespace, once for each namespace.
  void add_namespace_of(const std::string& proc_pid);
  // Fills in the socket with this inode; false if unknown.
  bool find(uint64_t inode, scap::FdEntry& entry) const;

 private:
  struct Socket {
    scap::FdEntry entry;
    std::string name;
  };

  void add(uint64_t inode, Socket socket);
  void add_inet(std::string_view text, bool ipv6, scap::L4 l4);
  void add_unix(std::string_view text);
  void add_netlink(std::string_view text);

  std::unordered_set<std::string, TextHash> read_namespaces_;
  std::unordered_map<uint64_t, Socket, NumberHash> sockets_;
};

}  // namespace sfkit::live
