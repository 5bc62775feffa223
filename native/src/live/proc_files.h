// Reads and parses small files of /proc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::live {

// Reads up to `max_bytes` of a file; empty if it cannot be read.
std::string read_small_file(const std::string& path, size_t max_bytes = size_t{1} << 20);
// Target of a symbolic link; empty if it cannot be read.
std::string read_link(const std::string& path);
// Numeric names in a directory, sorted.
std::vector<int64_t> numbered_entries(const std::string& path);

template <typename Visit>
void each_line(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    visit(text.substr(at, end - at));
    at = end + 1;
  }
}

// The rest of the first line that starts with `key`, trimmed; empty if there is none.
std::string_view line_value(std::string_view text, std::string_view key);
// Word `index` of a text separated by blanks; empty if there is none.
std::string_view word_at(std::string_view text, size_t index);
std::string_view last_word(std::string_view text);
int64_t to_number(std::string_view text, int64_t fallback = 0);
uint64_t to_hex(std::string_view text);

}  // namespace sfkit::live
