#include "live/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/file_descriptor.h"

namespace sfkit::live {
namespace {

bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\n';
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string read_small_file(const std::string& path, size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file.is_open()) return text;
  std::array<char, 8192> part;
  while (text.size() < max_bytes) {
    const ssize_t got =
        ::read(file.get(), part.data(), std::min(part.size(), max_bytes - text.size()));
    if (got <= 0) break;
    text.append(part.data(), static_cast<size_t>(got));
  }
  return text;
}

std::string read_link(const std::string& path) {
  std::array<char, 4096> target;
  const ssize_t got = ::readlink(path.c_str(), target.data(), target.size());
  return got < 0 ? std::string() : std::string(target.data(), static_cast<size_t>(got));
}

std::vector<int64_t> numbered_entries(const std::string& path) {
  std::vector<int64_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const int64_t number = to_number(entry->d_name, -1); number >= 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string_view line_value(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.substr(0, key.size()) == key) return without_blanks(line.substr(key.size()));
    at = end + 1;
  }
  return {};
}

std::string_view word_at(std::string_view text, size_t index) {
  size_t at = 0;
  for (;; --index) {
    while (at < text.size() && is_blank(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    if (index == 0 || begin == at) return text.substr(begin, at - begin);
  }
}

std::string_view last_word(std::string_view text) {
  text = without_blanks(text);
  const size_t blank = text.find_last_of(" \t\n");
  return blank == std::string_view::npos ? text : text.substr(blank + 1);
}

int64_t to_number(std::string_view text, int64_t fallback) {
  int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() ? number : fallback;
}

uint64_t to_hex(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

}  // namespace sfkit::live
