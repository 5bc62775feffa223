// A file that is deleted with the test.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::testing {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<uint8_t>& bytes)
      : TemporaryFile(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())) {
  }
  explicit TemporaryFile(std::string_view bytes) {
    const std::string name =
        "sfkit-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count_);
    path_ = std::filesystem::temp_directory_path() / name;
    std::ofstream(path_, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

}  // namespace sfkit::testing
