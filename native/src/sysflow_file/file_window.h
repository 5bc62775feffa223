// A file read forwards through a window, so that its size does not matter; works on pipes as well.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::sysflow_file {

class FileWindow {
 public:
  // Fails with kNotFound, kNotAFile or kUnreadable and a message that names the path.
  static Result<FileWindow> open(const std::string& path);

  // Tries to have `count` bytes in view; false when the file ends before. Memory grows with what the file
  // holds, not with what was asked for.
  bool fill(size_t count);
  // The bytes from offset() on that were read. Valid until the next fill.
  Bytes view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  // Moves on; at most by what is in view.
  void consume(size_t count);
  // Place of the view in the file.
  uint64_t offset() const { return offset_; }
  // An I/O error, which looks like the end of the file to fill().
  bool failed() const { return failed_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Handle = std::unique_ptr<std::FILE, Closer>;

  explicit FileWindow(Handle file) : file_(std::move(file)) {}

  Handle file_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace sfkit::sysflow_file
