// A forward-moving window on a file of any size, or a pipe.
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
  // Fails with kNotFound, kNotAFile or kUnreadable; the message has the path.
  static Result<FileWindow> open(const std::string& path);

  // Extends the view to `count` bytes; false if the file ends before. Memory grows with the file's
  // content, not with `count`.
  bool fill(size_t count);
  // The bytes read from offset() on. Valid until the next fill().
  Bytes view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  // Advances, at most by the size of the view.
  void consume(size_t count);
  // Position of the view in the file.
  uint64_t offset() const { return offset_; }
  // Whether an I/O error ended the file for fill().
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
