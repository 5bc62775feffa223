// Names for files that a rotation starts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <utility>

namespace sfkit::output {

// Appends the second at which a file starts to `prefix`, and -1, -2 and so on if the name is taken
// or still unfinished.
class FileNames {
 public:
  explicit FileNames(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string next(int64_t second) {
    const std::string wanted = prefix_ + std::to_string(second);
    std::string name = wanted;
    for (uint64_t count = 1; is_taken(name); ++count) name = wanted + "-" + std::to_string(count);
    recent_.push_back(name);
    if (recent_.size() > kMaxRecent) recent_.pop_front();
    return name;
  }

 private:
  // The consumer may not have created the files of these names yet.
  static constexpr size_t kMaxRecent = 64;

  bool is_taken(const std::string& name) const {
    return std::find(recent_.begin(), recent_.end(), name) != recent_.end() || exists(name) ||
           exists(name + ".part");
  }
  // A dangling link counts as taken.
  static bool exists(const std::string& path) {
    std::error_code ignored;
    const auto type = std::filesystem::symlink_status(path, ignored).type();
    return type != std::filesystem::file_type::not_found &&
           type != std::filesystem::file_type::none;
  }

  std::string prefix_;
  std::deque<std::string> recent_;
};

}  // namespace sfkit::output
