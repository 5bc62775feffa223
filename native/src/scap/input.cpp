#include "scap/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace sfkit::scap {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Bytes that arrive piece by piece, kept in one buffer that grows only as far as data has come.
class BufferedInput : public Input {
 protected:
  // Appends up to `room` bytes at `target`; 0 at the end of the stream.
  virtual size_t produce(uint8_t* target, size_t room) = 0;

  void fill(size_t want) override {
    const size_t kept = window_.size();
    if (kept > 0 && window_.data() != buffer_.data()) std::memmove(buffer_.data(), window_.data(), kept);
    size_t filled = kept;
    while (filled < want && !ended_) {
      if (buffer_.size() - filled < kReadSize) buffer_.resize(std::max(buffer_.size() * 2, 4 * kReadSize));
      const size_t got = produce(buffer_.data() + filled, buffer_.size() - filled);
      if (got == 0) ended_ = true;
      filled += got;
    }
    window_ = Bytes(buffer_.data(), filled);
  }

 private:
  std::vector<uint8_t> buffer_;
  bool ended_ = false;
};

// What read() gives, after the bytes that were read to recognise the format.
class RawReader {
 public:
  RawReader(FileDescriptor fd, std::vector<uint8_t> head) : fd_(std::move(fd)), head_(std::move(head)) {}

  size_t read(uint8_t* target, size_t room, std::string& failure) {
    if (head_used_ < head_.size()) {
      const size_t count = std::min(room, head_.size() - head_used_);
      std::memcpy(target, head_.data() + head_used_, count);
      head_used_ += count;
      return count;
    }
    for (;;) {
      const ssize_t got = ::read(fd_.get(), target, room);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      failure = std::string("read failed: ") + std::strerror(errno);
      return 0;
    }
  }

 private:
  FileDescriptor fd_;
  std::vector<uint8_t> head_;
  size_t head_used_ = 0;
};

class PlainInput : public BufferedInput {
 public:
  explicit PlainInput(RawReader reader) : reader_(std::move(reader)) {}

 protected:
  size_t produce(uint8_t* target, size_t room) override { return reader_.read(target, room, failure_); }

 private:
  RawReader reader_;
};

// gzip members one after the other form one stream (spec: scap-format, section 1).
class GzipInput : public BufferedInput {
 public:
  explicit GzipInput(RawReader reader) : reader_(std::move(reader)), packed_(kReadSize) {
    // 16: expect the gzip wrapping, 15: the largest window.
    ready_ = inflateInit2(&stream_, 16 + 15) == Z_OK;
  }
  ~GzipInput() override {
    if (ready_) inflateEnd(&stream_);
  }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;

  bool is_gzip() const override { return true; }

 protected:
  size_t produce(uint8_t* target, size_t room) override {
    if (!ready_) return 0;
    stream_.next_out = target;
    stream_.avail_out = static_cast<uInt>(std::min(room, size_t{1} << 30));
    const uInt room_before = stream_.avail_out;
    while (stream_.avail_out == room_before) {
      if (stream_.avail_in == 0 && !refill()) {
        if (in_member_ && failure_.empty()) failure_ = "the gzip stream ends before its end record";
        return 0;
      }
      if (between_members_ && !begin_member()) return 0;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        in_member_ = false;
        between_members_ = true;
      } else if (result == Z_OK || result == Z_BUF_ERROR) {
        in_member_ = true;
      } else {
        failure_ =
            std::string("gzip data is damaged: ") + (stream_.msg != nullptr ? stream_.msg : "unknown error");
        ready_ = false;
        inflateEnd(&stream_);
        break;
      }
    }
    return room_before - stream_.avail_out;
  }

 private:
  bool refill() {
    const size_t got = reader_.read(packed_.data(), packed_.size(), failure_);
    stream_.next_in = packed_.data();
    stream_.avail_in = static_cast<uInt>(got);
    return got > 0;
  }

  // After a member: another one may follow; anything else (padding, garbage) ends the stream.
  bool begin_member() {
    if (stream_.next_in[0] != 0x1f) {
      ready_ = false;
      inflateEnd(&stream_);
      return false;
    }
    between_members_ = false;
    inflateReset(&stream_);
    return true;
  }

  RawReader reader_;
  std::vector<uint8_t> packed_;
  z_stream stream_{};
  bool ready_ = false;
  bool in_member_ = false;
  bool between_members_ = false;
};

Status system_error(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return {ErrorCode::kNotFound, path + ": no such file"};
    case EISDIR: return {ErrorCode::kNotAFile, path + ": is a directory, expected a capture file"};
    case EACCES:
    case EPERM: return {ErrorCode::kUnreadable, path + ": permission denied"};
    default: return {ErrorCode::kUnreadable, path + ": cannot be read: " + std::strerror(error)};
  }
}

}  // namespace

Result<std::unique_ptr<Input>> Input::open(const std::string& path) {
  const bool standard_input = path == "-";
  FileDescriptor fd(standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string name = standard_input ? "standard input" : path;
  if (fd.get() < 0) return system_error(name, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(name, errno);
  if (S_ISDIR(info.st_mode)) return system_error(name, EISDIR);

  std::vector<uint8_t> head(2);
  size_t have = 0;
  while (have < head.size()) {
    const ssize_t got = ::read(fd.get(), head.data() + have, head.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(name, errno);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  if (have == 0) return Status(ErrorCode::kEmpty, name + ": is empty, expected a capture file");
  head.resize(have);

  const bool gzip = have == 2 && head[0] == 0x1f && head[1] == 0x8b;
  RawReader reader(std::move(fd), std::move(head));
  if (gzip) return std::unique_ptr<Input>(std::make_unique<GzipInput>(std::move(reader)));
  return std::unique_ptr<Input>(std::make_unique<PlainInput>(std::move(reader)));
}

}  // namespace sfkit::scap
