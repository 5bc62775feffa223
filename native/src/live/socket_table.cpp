#include "live/socket_table.h"

#include <algorithm>
#include <cstring>

#include "live/proc_files.h"

namespace sfkit::live {
namespace {

constexpr size_t kMaxTableBytes = size_t{256} << 20;

template <typename Visit>
void each_row(std::string_view text, Visit visit) {
  bool is_first = true;
  each_line(text, [&](std::string_view line) {
    if (!is_first && !line.empty()) visit(line);
    is_first = false;
  });
}

// Parses groups of eight hexadecimal digits, each a number in host byte order.
std::array<uint8_t, 16> address_from(std::string_view text) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < 4 && (i + 1) * 8 <= text.size(); ++i) {
    const auto word = static_cast<uint32_t>(to_hex(text.substr(i * 8, 8)));
    std::memcpy(bytes.data() + i * 4, &word, 4);
  }
  return bytes;
}

bool is_ipv4_mapped(const std::array<uint8_t, 16>& address) {
  constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

}  // namespace

void SocketTable::add_namespace_of(const std::string& proc_pid) {
  const std::string network_namespace = read_link(proc_pid + "/ns/net");
  if (network_namespace.empty() || read_namespaces_.count(network_namespace) != 0) return;
  const std::string net = proc_pid + "/net/";
  const auto read = [&net](const char* name) {
    return read_small_file(net + name, kMaxTableBytes);
  };
  const std::string tcp = read("tcp");
  // Empty only if the process has ended; another process may show the namespace.
  if (tcp.empty()) return;
  read_namespaces_.insert(network_namespace);
  add_inet(tcp, false, scap::L4::kTcp);
  add_inet(read("tcp6"), true, scap::L4::kTcp);
  add_inet(read("udp"), false, scap::L4::kUdp);
  add_inet(read("udp6"), true, scap::L4::kUdp);
  add_inet(read("raw"), false, scap::L4::kRaw);
  add_inet(read("raw6"), true, scap::L4::kRaw);
  add_netlink(read("netlink"));
  add_unix(read("unix"));
}

void SocketTable::add_inet(std::string_view text, bool ipv6, scap::L4 l4) {
  // sl local:port remote:port state queues timer retransmits uid timeout inode
  each_row(text, [&](std::string_view line) {
    const std::string_view local = word_at(line, 1);
    const std::string_view remote = word_at(line, 2);
    const auto inode = static_cast<uint64_t>(to_number(word_at(line, 9)));
    const size_t digits = ipv6 ? 32 : 8;
    if (inode == 0 || local.size() < digits + 2 || remote.size() < digits + 2) return;
    Socket socket;
    scap::FdEntry& entry = socket.entry;
    entry.source = address_from(local.substr(0, digits));
    entry.destination = address_from(remote.substr(0, digits));
    entry.source_port = static_cast<uint16_t>(to_hex(local.substr(digits + 1)));
    entry.destination_port = static_cast<uint16_t>(to_hex(remote.substr(digits + 1)));
    entry.l4 = l4;
    // A socket without a peer is a server.
    const bool is_server = entry.destination_port == 0;
    bool is_ipv6 = ipv6;
    if (ipv6 && !is_server && is_ipv4_mapped(entry.source) && is_ipv4_mapped(entry.destination)) {
      is_ipv6 = false;
      std::copy_n(entry.source.begin() + 12, 4, entry.source.begin());
      std::copy_n(entry.destination.begin() + 12, 4, entry.destination.begin());
    }
    if (is_server) {
      entry.type = is_ipv6 ? scap::FdType::kIpv6Server : scap::FdType::kIpv4Server;
    } else {
      entry.type = is_ipv6 ? scap::FdType::kIpv6 : scap::FdType::kIpv4;
    }
    add(inode, std::move(socket));
  });
}

// Other tables replace entries of unix sockets: those have names, which can forge rows.
void SocketTable::add(uint64_t inode, Socket socket) {
  const auto [existing, is_new] = sockets_.try_emplace(inode, socket);
  if (!is_new && existing->second.entry.type == scap::FdType::kUnix)
    existing->second = std::move(socket);
}

void SocketTable::add_unix(std::string_view text) {
  // Num RefCount Protocol Flags Type St Inode Path
  each_row(text, [&](std::string_view line) {
    const auto inode = static_cast<uint64_t>(to_number(word_at(line, 6)));
    if (inode == 0) return;
    Socket socket;
    socket.entry.type = scap::FdType::kUnix;
    // The kernel hides the socket's address; the inode identifies it too.
    socket.entry.unix_source = inode;
    const std::string_view number = word_at(line, 6);
    const size_t name_at = static_cast<size_t>(number.data() - line.data()) + number.size();
    if (name_at + 1 < line.size()) socket.name = line.substr(name_at + 1);
    if (!socket.name.empty() && socket.name[0] == '@') socket.name.erase(0, 1);
    // A name may contain line feeds and so forge rows of other sockets. Ignore names of duplicate
    // inodes.
    const auto [existing, is_new] = sockets_.emplace(inode, std::move(socket));
    if (!is_new && existing->second.entry.type == scap::FdType::kUnix)
      existing->second.name.clear();
  });
}

void SocketTable::add_netlink(std::string_view text) {
  // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
  each_row(text, [&](std::string_view line) {
    const auto inode = static_cast<uint64_t>(to_number(word_at(line, 9)));
    if (inode == 0) return;
    Socket socket;
    socket.entry.type = scap::FdType::kNetlink;
    add(inode, std::move(socket));
  });
}

bool SocketTable::find(uint64_t inode, scap::FdEntry& entry) const {
  const auto found = sockets_.find(inode);
  if (found == sockets_.end()) return false;
  const int64_t fd = entry.fd;
  entry = found->second.entry;
  entry.fd = fd;
  entry.inode = inode;
  entry.name = found->second.name;
  return true;
}

}  // namespace sfkit::live
