#include "sysflow_file/file_window.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sfkit::sysflow_file {

namespace {

constexpr size_t kStep = 256 * 1024;

}  // namespace

Result<FileWindow> FileWindow::open(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Status(ErrorCode::kNotFound, path + ": no such file");
  }
  if (status.type() == std::filesystem::file_type::directory) {
    return Status(ErrorCode::kNotAFile, path + ": is a directory, expected a file");
  }
  Handle file(std::fopen(path.c_str(), "rb"));
  if (!file)
    return Status(ErrorCode::kUnreadable, path + ": cannot be opened: " + std::strerror(errno));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  return FileWindow(std::move(file));
}

bool FileWindow::fill(size_t count) {
  while (end_ - begin_ < count && !ended_) {
    // Only after half of the buffer is consumed: moving must not cost more than reading.
    if (begin_ > buffer_.size() / 2) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() - end_ < kStep) buffer_.resize(std::max(buffer_.size() * 2, end_ + kStep));
    const size_t got = std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
    end_ += got;
    if (got == 0) {
      ended_ = true;
      failed_ = std::ferror(file_.get()) != 0;
    }
  }
  return end_ - begin_ >= count;
}

void FileWindow::consume(size_t count) {
  count = std::min(count, end_ - begin_);
  begin_ += count;
  offset_ += count;
}

}  // namespace sfkit::sysflow_file
