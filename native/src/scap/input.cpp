#include "scap/input.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "scap/byte_source.h"
#include "scap/gzip.h"
#include "scap/read_ahead.h"

namespace sfkit::scap {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;

// Incremental input in one buffer that grows only with the data that arrives.
class BufferedInput : public Input {
 protected:
  // Reads up to `room` bytes into `target`; 0 at the end of the stream.
  virtual size_t produce(uint8_t* target, size_t room) = 0;

  void fill(size_t want) override {
    if (ended_) return;
    const size_t kept = window_.size();
    size_t begin = kept == 0 ? 0 : static_cast<size_t>(window_.data() - buffer_.data());
    size_t end = begin + kept;
    while (end - begin < want && !ended_) {
      if (buffer_.size() - end < kReadSize) {
        // Unread bytes move to the front only if at least as much space is gained. So each byte
        // moves only a few times, whatever the caller asks for.
        if (begin > 0 && begin >= end - begin) {
          std::memmove(buffer_.data(), buffer_.data() + begin, end - begin);
          end -= begin;
          begin = 0;
        }
        if (buffer_.size() - end < kReadSize)
          buffer_.resize(std::max(buffer_.size() * 2, 4 * kReadSize));
      }
      const size_t got = produce(buffer_.data() + end, buffer_.size() - end);
      if (got == 0) ended_ = true;
      end += got;
    }
    window_ = Bytes(buffer_.data() + begin, end - begin);
  }

  bool ended_ = false;

 private:
  std::vector<uint8_t> buffer_;
};

class PlainInput : public BufferedInput {
 public:
  explicit PlainInput(ByteSource source) : source_(std::move(source)) {}

  void stop() override { source_.stop(); }

 protected:
  size_t produce(uint8_t* target, size_t room) override {
    const size_t got = source_.read(target, room);
    if (got == 0) failure_ = source_.failure();
    return got;
  }

 private:
  ByteSource source_;
};

class GzipInput : public BufferedInput {
 public:
  explicit GzipInput(ByteSource source) : reader_(std::move(source)) {}

  bool is_gzip() const override { return true; }

  void stop() override { reader_.stop(); }

  bool resume() override {
    if (failure_.empty() || !reader_.resume()) return false;
    failure_.clear();
    ended_ = false;
    return true;
  }

 protected:
  size_t produce(uint8_t* target, size_t room) override {
    const size_t got = reader_.read(target, room);
    if (got == 0) failure_ = reader_.failure();
    return got;
  }

 private:
  ReadAhead reader_;
};

std::unique_ptr<Input> input_from(ByteSource source) {
  if (source.looks_like_gzip()) return std::make_unique<GzipInput>(std::move(source));
  return std::make_unique<PlainInput>(std::move(source));
}

}  // namespace

Result<std::unique_ptr<Input>> Input::open(const std::string& path) {
  auto opened = ByteSource::open(path);
  if (!opened.is_ok()) return opened.status();
  return input_from(std::move(opened.value()));
}

Result<std::unique_ptr<Input>> Input::over(Bytes bytes) {
  if (bytes.empty()) return Status(ErrorCode::kEmpty, "empty input, expected a capture");
  return input_from(ByteSource::over(bytes));
}

}  // namespace sfkit::scap
