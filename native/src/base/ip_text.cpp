#include "base/ip_text.h"

#include <algorithm>
#include <array>

#include "base/numbers.h"

namespace sfkit {

namespace {

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

}  // namespace

void append_ipv4(std::string& out, const uint8_t* bytes) {
  for (size_t i = 0; i < 4; ++i) {
    if (i != 0) out += '.';
    append_number(out, bytes[i]);
  }
}

void append_ipv6(std::string& out, const uint8_t* bytes) {
  std::array<unsigned, 8> groups;
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = unsigned{bytes[2 * i]} << 8 | bytes[2 * i + 1];
  const bool mapped =
      std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
      groups[5] == 0xFFFF;
  if (mapped) {
    out += "::ffff:";
    append_ipv4(out, bytes + 12);
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

}  // namespace sfkit
