#include "scap/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sfkit::scap {
namespace {

constexpr int kPollMilliseconds = 50;

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

Result<ByteSource> ByteSource::open(const std::string& path) {
  const bool standard_input = path == "-";
  ByteSource source(standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string name = standard_input ? "standard input" : path;
  if (source.fd_ < 0) return system_error(name, errno);
  struct stat info {};
  if (::fstat(source.fd_, &info) != 0) return system_error(name, errno);
  if (S_ISDIR(info.st_mode)) return system_error(name, EISDIR);
  if (S_ISREG(info.st_mode)) source.start_ = ::lseek(source.fd_, 0, SEEK_CUR);
  source.progress_ = ProgressScope::current();
  if (source.progress_ != nullptr && source.start_ >= 0 && info.st_size > source.start_)
    Progress::set(source.progress_->size, static_cast<uint64_t>(info.st_size - source.start_));
  if (Status status = source.read_head(name); !status.is_ok()) return status;
  return source;
}

ByteSource ByteSource::over(Bytes bytes) {
  ByteSource source(-1);
  source.memory_ = bytes;
  source.head_size_ = source.read(source.head_.data(), kHead);
  return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      memory_(other.memory_),
      memory_used_(other.memory_used_),
      start_(other.start_),
      head_(other.head_),
      head_size_(other.head_size_),
      head_used_(other.head_used_),
      progress_(other.progress_),
      consumed_(other.consumed_),
      failure_(std::move(other.failure_)) {}

ByteSource::~ByteSource() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

Status ByteSource::read_head(const std::string& name) {
  while (head_size_ < kHead) {
    const ssize_t got = ::read(fd_, head_.data() + head_size_, kHead - head_size_);
    // The other end of the pipe may have made it non-blocking.
    if (got < 0 && errno == EAGAIN && wait_for_input()) continue;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(name, errno);
    if (got == 0) break;
    head_size_ += static_cast<size_t>(got);
  }
  if (head_size_ == 0) return {ErrorCode::kEmpty, name + ": is empty, expected a capture file"};
  return Status::ok();
}

bool ByteSource::looks_like_gzip() const {
  return head_size_ == kHead && head_[0] == 0x1f && head_[1] == 0x8b;
}

// Polls with a timeout, so that stop() ends the wait for a silent pipe.
bool ByteSource::wait_for_input() {
  while (!stopped_.load(std::memory_order_relaxed)) {
    pollfd wanted{fd_, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, kPollMilliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
  return false;
}

size_t ByteSource::count(size_t got) {
  consumed_ += got;
  if (progress_ != nullptr) Progress::set(progress_->consumed, consumed_);
  return got;
}

size_t ByteSource::read(uint8_t* target, size_t room) {
  if (head_used_ < head_size_) {
    const size_t got = std::min(room, head_size_ - head_used_);
    std::memcpy(target, head_.data() + head_used_, got);
    head_used_ += got;
    return count(got);
  }
  if (in_memory()) {
    const Bytes part = memory_.slice(memory_used_, room);
    std::copy_n(part.data(), part.size(), target);
    memory_used_ += part.size();
    return part.size();
  }
  for (;;) {
    if (!can_restart() && !wait_for_input()) return 0;
    if (stopped_.load(std::memory_order_relaxed)) return 0;
    const ssize_t got = ::read(fd_, target, room);
    if (got >= 0) return count(static_cast<size_t>(got));
    if (errno == EINTR || errno == EAGAIN) continue;
    failure_ = std::string("read failed: ") + std::strerror(errno);
    return 0;
  }
}

bool ByteSource::restart() {
  if (in_memory()) {
    memory_used_ = head_used_ = head_size_ = 0;
    return true;
  }
  if (!can_restart() || ::lseek(fd_, start_, SEEK_SET) < 0) return false;
  head_used_ = head_size_ = 0;
  consumed_ = 0;
  return true;
}

}  // namespace sfkit::scap
