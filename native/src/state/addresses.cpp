#include "state/addresses.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/ip_text.h"
#include "base/numbers.h"

namespace sfkit::state {
namespace {

constexpr size_t kInetTuple = 13;
constexpr size_t kInet6Tuple = 37;
constexpr size_t kUnixTuple = 17;
constexpr size_t kInetAddress = 7;
constexpr size_t kInet6Address = 19;
constexpr size_t kMappedPrefix = 12;

Endpoint read_endpoint(Cursor& in, size_t ip_size) {
  Endpoint endpoint;
  const Bytes ip = in.take(ip_size);
  if (!ip.empty()) std::memcpy(endpoint.ip.data(), ip.data(), ip.size());
  endpoint.port = in.read<uint16_t>();
  return endpoint;
}

bool is_mapped(const IpBytes& ip) {
  return std::all_of(ip.begin(), ip.begin() + 10, [](uint8_t byte) { return byte == 0; }) &&
         ip[10] == 0xff && ip[11] == 0xff;
}

std::string_view path_of(Bytes bytes) {
  const std::string_view text = bytes.text();
  return text.substr(0, text.find('\0'));
}

bool is_loopback(const IpBytes& ip, bool ipv6) {
  if (!ipv6) return ip[0] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](uint8_t byte) { return byte == 0; }) &&
         ip[15] == 1;
}

}  // namespace

bool is_zero(const IpBytes& ip) {
  return std::all_of(ip.begin(), ip.end(), [](uint8_t byte) { return byte == 0; });
}

bool unmap_ipv4(IpBytes& ip) {
  if (!is_mapped(ip)) return false;
  IpBytes plain{};
  std::copy_n(ip.begin() + kMappedPrefix, 4, plain.begin());
  ip = plain;
  return true;
}

SocketTuple parse_tuple(Bytes value) {
  SocketTuple tuple;
  Cursor in(value);
  const auto family = static_cast<Family>(in.read<uint8_t>());
  if (family == Family::kInet && value.size() >= kInetTuple) {
    tuple.family = family;
    tuple.source = read_endpoint(in, 4);
    tuple.destination = read_endpoint(in, 4);
  } else if (family == Family::kInet6 && value.size() >= kInet6Tuple) {
    tuple.family = family;
    tuple.source = read_endpoint(in, 16);
    tuple.destination = read_endpoint(in, 16);
    const auto plain = [](const IpBytes& ip) { return is_mapped(ip) || is_zero(ip); };
    if ((is_mapped(tuple.source.ip) || is_mapped(tuple.destination.ip)) && plain(tuple.source.ip) &&
        plain(tuple.destination.ip)) {
      tuple.family = Family::kInet;
      unmap_ipv4(tuple.source.ip);
      unmap_ipv4(tuple.destination.ip);
    }
  } else if (family == Family::kUnix && value.size() >= kUnixTuple) {
    tuple.family = family;
    tuple.unix_source = in.read<uint64_t>();
    tuple.unix_destination = in.read<uint64_t>();
    tuple.path = path_of(in.take(in.remaining()));
  }
  return tuple;
}

SocketAddress parse_address(Bytes value) {
  SocketAddress address;
  Cursor in(value);
  const auto family = static_cast<Family>(in.read<uint8_t>());
  if (family == Family::kInet && value.size() >= kInetAddress) {
    address.family = family;
    address.endpoint = read_endpoint(in, 4);
  } else if (family == Family::kInet6 && value.size() >= kInet6Address) {
    address.family = family;
    address.endpoint = read_endpoint(in, 16);
    if (unmap_ipv4(address.endpoint.ip)) address.family = Family::kInet;
  } else if (family == Family::kUnix && value.size() >= 2) {
    address.family = family;
    address.path = path_of(in.take(in.remaining()));
  }
  return address;
}

void unix_name(uint64_t source, uint64_t destination, std::string_view path, std::string& out) {
  char text[48];
  const int length =
      std::snprintf(text, sizeof(text), "%" PRIx64 "->%" PRIx64, source, destination);
  out.assign(text, static_cast<size_t>(length));
  out += ' ';
  out += path;
}

void append_endpoint(std::string& out, const Endpoint& endpoint, bool ipv6) {
  if (ipv6) {
    append_ipv6(out, endpoint.ip.data());
  } else {
    append_ipv4(out, endpoint.ip.data());
  }
  out += ':';
  append_number(out, endpoint.port);
}

std::string_view identity_of(const Descriptor& descriptor, std::string& scratch) {
  if (descriptor.is_socketpair) {
    unix_name(descriptor.unix_source, descriptor.unix_destination, "", scratch);
    return scratch;
  }
  if (descriptor.type == FdType::kFifo && descriptor.name.empty()) {
    scratch = "pipe:[";
    append_number(scratch, descriptor.inode);
    scratch += ']';
    return scratch;
  }
  return descriptor.name;
}

void InterfaceList::add(const scap::InterfaceEntry& entry) {
  entries_.push_back({entry.ipv6, entry.address, entry.netmask});
}

bool InterfaceList::has(const IpBytes& ip, bool ipv6) const {
  constexpr uint8_t kLoopbackNet = 127;
  if (!ipv6 && ip[0] == kLoopbackNet) return true;
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.ipv6 == ipv6 && entry.address == ip; });
}

IpBytes InterfaceList::guess(const IpBytes& remote, bool ipv6) const {
  const Entry* same_net = nullptr;
  const Entry* first = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.ipv6 != ipv6) continue;
    if (entry.address == remote) return entry.address;
    bool inside = true;
    for (size_t i = 0; i < remote.size(); ++i) {
      inside = inside && (entry.address[i] & entry.netmask[i]) == (remote[i] & entry.netmask[i]);
    }
    if (inside && same_net == nullptr) same_net = &entry;
    if (first == nullptr && !is_loopback(entry.address, ipv6)) first = &entry;
  }
  if (same_net != nullptr) return same_net->address;
  return first != nullptr ? first->address : IpBytes{};
}

}  // namespace sfkit::state
