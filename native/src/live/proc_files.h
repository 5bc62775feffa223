// Small files of /proc and what stands in them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::live {

// Up to `max_bytes` bytes of a file; empty if it cannot be read.
std::string read_small_file(const std::string& path, size_t max_bytes = size_t{1} << 20);
// Where a link leads; empty if it cannot be read.
std::string read_link(const std::string& path);
// Names in a directory that are numbers, in order.
std::vector<int64_t> numbered_entries(const std::string& path);

template <typename Visit>
void each_line(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    visit(text.substr(at, end - at));
    at = end + 1;
  }
}

// The rest of the line that begins with `key`, without blanks around it; empty without such a line.
std::string_view line_value(std::string_view text, std::string_view key);
// Field `index` of those that blanks separate; empty without it.
std::string_view word_at(std::string_view text, size_t index);
std::string_view last_word(std::string_view text);
int64_t to_number(std::string_view text, int64_t fallback = 0);
uint64_t to_hex(std::string_view text);

}  // namespace sfkit::live
