#include "live/recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sfkit::live {

// Uses the fastest level to keep up. Regular flushes keep the file readable if the process is
// killed.
class Recorder::Deflater {
 public:
  Deflater() {
    constexpr int kGzip = 15 + 16;
    ok_ = deflateInit2(&stream_, 1, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Passes compressed bytes to `write`; false if that fails or memory is short.
  template <typename Write>
  bool add(const uint8_t* bytes, size_t size, int flush, Write write) {
    if (!ok_) return false;
    stream_.next_in = const_cast<uint8_t*>(bytes);
    stream_.avail_in = static_cast<uInt>(size);
    do {
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<uInt>(out_.size());
      if (deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
      if (!write(out_.data(), out_.size() - stream_.avail_out)) return false;
    } while (stream_.avail_out == 0);
    return true;
  }

 private:
  z_stream stream_{};
  bool ok_ = false;
  std::array<uint8_t, 65536> out_;
};

Result<std::unique_ptr<Recorder>> Recorder::open(const std::string& path, bool gzip) {
  struct stat target {};
  const bool is_stream = ::stat(path.c_str(), &target) == 0 && !S_ISREG(target.st_mode);
  FileDescriptor file(
      is_stream ? ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const auto open_error = [&path](const char* why) {
    return Status(ErrorCode::kUnreadable, path + ": cannot be written: " + why);
  };
  if (!file.is_open()) return open_error(std::strerror(errno));
  // Another user may have replaced the file meanwhile.
  if (is_stream &&
      (::fstat(file.get(), &target) != 0 || S_ISREG(target.st_mode) || S_ISBLK(target.st_mode))) {
    return open_error("expected a new file, a pipe or a character device");
  }
  return std::unique_ptr<Recorder>(new Recorder(std::move(file), path, gzip));
}

Recorder::Recorder(FileDescriptor file, std::string path, bool gzip)
    : file_(std::move(file)), path_(std::move(path)) {
  if (gzip) deflater_ = std::make_unique<Deflater>();
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() {
  finish();
}

void Recorder::start(Chunk chunk) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_front(std::move(chunk));
    started_ = true;
  }
  changed_.notify_all();
}

void Recorder::add(Chunk chunk) {
  std::unique_lock lock(mutex_);
  const auto has_room = [this] { return queue_.size() < max_queued_; };
  changed_.wait(lock, [&] { return has_room() || drop_when_full_ || !failure_.empty(); });
  if (!failure_.empty() || !has_room()) return;
  queue_.push_back(std::move(chunk));
  changed_.notify_all();
}

void Recorder::expect_end() {
  closing_.store(true);
}

void Recorder::drop_when_full() {
  expect_end();
  const std::lock_guard lock(mutex_);
  drop_when_full_ = true;
  changed_.notify_all();
}

void Recorder::finish() {
  expect_end();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string Recorder::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Recorder::fail(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = path_ + ": cannot be " + why;
  changed_.notify_all();
  return false;
}

bool Recorder::write_all(const uint8_t* bytes, size_t size) {
  constexpr int kPollMs = 100;
  std::chrono::milliseconds waited{0};
  for (size_t done = 0; done < size;) {
    const ssize_t got = ::write(file_.get(), bytes + done, size - done);
    if (got >= 0) {
      done += static_cast<size_t>(got);
      waited = {};
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(std::string("written: ") + std::strerror(errno));
    if (waited >= kReaderTimeout) return fail("written: nobody reads it");
    pollfd room{file_.get(), POLLOUT, 0};
    const bool ends = closing_.load();
    if (::poll(&room, 1, kPollMs) == 0 && ends) waited += std::chrono::milliseconds(kPollMs);
  }
  return true;
}

bool Recorder::write(const Chunk& chunk, int flush) {
  const uint8_t* const bytes = chunk ? chunk->data() : nullptr;
  const size_t size = chunk ? chunk->size() : 0;
  if (!deflater_) return write_all(bytes, size);
  const auto give = [this](const uint8_t* out, size_t count) { return write_all(out, count); };
  if (deflater_->add(bytes, size, flush, give)) return true;
  return fail("compressed: out of memory");
}

void Recorder::run() {
  bool ok = true;
  for (;;) {
    Chunk chunk;
    bool has_more = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return (started_ && !queue_.empty()) || ended_; });
      if (queue_.empty() || !started_) break;
      chunk = std::move(queue_.front());
      queue_.pop_front();
      if (max_queued_ > kMaxQueued) --max_queued_;
      has_more = !queue_.empty();
      changed_.notify_all();
    }
    ok = ok && write(chunk, has_more ? Z_NO_FLUSH : Z_SYNC_FLUSH);
  }
  ok = ok && write(nullptr, Z_FINISH);
  // Some file systems report a full disk only on close.
  if (file_.close() != 0 && ok) fail(std::string("written: ") + std::strerror(errno));
  changed_.notify_all();
}

}  // namespace sfkit::live
