#include "base/ip_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "base/numbers.h"

namespace sfkit {

namespace {

struct Run {
  size_t begin = 0;
  size_t size = 0;
};

// The first longest run of zero groups. A single group is not shortened (RFC 5952, section 4.2).
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
  for (size_t i = 0; i < groups.size(); ++i)
    groups[i] = unsigned{bytes[2 * i]} << 8 | bytes[2 * i + 1];
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

namespace {

bool parse_ipv4(std::string_view text, uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    const size_t size = i < 3 ? text.find('.') : text.size();
    if (size == std::string_view::npos || size == 0 || size > 3) return false;
    unsigned value = 0;
    const auto result = std::from_chars(text.data(), text.data() + size, value);
    if (result.ec != std::errc() || result.ptr != text.data() + size || value > 255) return false;
    bytes[i] = static_cast<uint8_t>(value);
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return true;
}

bool parse_ipv6(std::string_view text, std::array<uint8_t, 16>& bytes) {
  size_t filled = 0;
  size_t gap = SIZE_MAX;  // position of ::
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const size_t size = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, size);
    if (size == text.size() && group.find('.') != std::string_view::npos) {
      if (filled > 12 || !parse_ipv4(group, bytes.data() + filled)) return false;
      filled += 4;
      break;
    }
    unsigned value = 0;
    const auto result = std::from_chars(group.data(), group.data() + size, value, 16);
    if (size == 0 || size > 4 || filled > 14 || result.ec != std::errc() ||
        result.ptr != group.data() + size) {
      return false;
    }
    bytes[filled++] = static_cast<uint8_t>(value >> 8);
    bytes[filled++] = static_cast<uint8_t>(value);
    text.remove_prefix(size);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap != SIZE_MAX) return false;
      gap = filled;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  if (gap == SIZE_MAX) return filled == bytes.size();
  if (filled == bytes.size()) return false;
  std::move_backward(bytes.begin() + static_cast<std::ptrdiff_t>(gap),
                     bytes.begin() + static_cast<std::ptrdiff_t>(filled), bytes.end());
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(gap), bytes.size() - filled, uint8_t{0});
  return true;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress address;
  address.ipv6 = text.find(':') != std::string_view::npos;
  const bool fits =
      address.ipv6 ? parse_ipv6(text, address.bytes) : parse_ipv4(text, address.bytes.data());
  if (!fits) return std::nullopt;
  return address;
}

}  // namespace sfkit
