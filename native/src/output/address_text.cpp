#include "output/address_text.h"

#include <algorithm>
#include <charconv>

namespace sfkit::output {

namespace {

void append_number(std::string& out, unsigned value, int base) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, base).ptr;
  out.append(digits, end);
}

void append_ipv4(std::string& out, const uint8_t* bytes) {
  for (size_t i = 0; i < 4; ++i) {
    if (i != 0) out += '.';
    append_number(out, bytes[i], 10);
  }
}

struct Run {
  size_t begin = 0;
  size_t size = 0;
};

// The first of the longest runs of zero groups; a single group is not shortened (RFC 5952, section 4.2).
Run longest_zero_run(const std::array<unsigned, 8>& groups) {
  Run best;
  for (size_t i = 0; i < groups.size(); ++i) {
    size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > best.size) best = {i, end - i};
    i = std::max(i, end);
  }
  return best.size > 1 ? best : Run{groups.size(), 0};
}

void append_ipv6(std::string& out, const std::array<uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups;
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = unsigned{bytes[2 * i]} << 8 | bytes[2 * i + 1];
  const bool mapped =
      std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
      groups[5] == 0xFFFF;
  if (mapped) {
    out += "::ffff:";
    append_ipv4(out, bytes.data() + 12);
    return;
  }
  const Run run = longest_zero_run(groups);
  for (size_t i = 0; i < groups.size();) {
    if (i == run.begin) {
      out += "::";
      i += run.size;
      continue;
    }
    if (i != 0 && i != run.begin + run.size) out += ':';
    append_number(out, groups[i], 16);
    ++i;
  }
}

void append_end(std::string& out, const sysflow::Address& address, uint16_t port, bool ipv6) {
  if (ipv6) out += '[';
  append_address(out, address, ipv6);
  if (ipv6) out += ']';
  out += ':';
  append_number(out, port, 10);
}

}  // namespace

void append_address(std::string& out, const sysflow::Address& address, bool ipv6) {
  if (ipv6) {
    append_ipv6(out, address.bytes);
  } else {
    append_ipv4(out, address.bytes.data());
  }
}

void append_connection(std::string& out, const sysflow::NetworkFlow& flow) {
  append_end(out, flow.sip, flow.sport, flow.ipv6);
  out += '-';
  append_end(out, flow.dip, flow.dport, flow.ipv6);
}

}  // namespace sfkit::output
