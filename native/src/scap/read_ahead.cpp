#include "scap/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace sfkit::scap {

ReadAhead::ReadAhead(ByteSource source) : reader_(std::move(source)), thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  stop();
  thread_.join();
}

void ReadAhead::stop() {
  reader_.stop();
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_all();
  ready_.notify_all();
}

std::vector<uint8_t> ReadAhead::take_buffer() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) return {};
  std::vector<uint8_t> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

bool ReadAhead::push(Piece piece) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return stopped_ || pieces_.size() < kDepth; });
  if (stopped_) return false;
  pieces_.push_back(std::move(piece));
  lock.unlock();
  ready_.notify_one();
  return true;
}

void ReadAhead::run() {
  // std::bad_alloc is the only possible exception; it must not leave the thread.
  try {
    for (;;) {
      Piece piece;
      piece.bytes = take_buffer();
      piece.bytes.resize(kPieceSize);
      size_t filled = 0;
      while (filled < kPieceSize) {
        const size_t got = reader_.read(piece.bytes.data() + filled, kPieceSize - filled);
        if (got == 0) break;
        filled += got;
      }
      const bool full = filled == kPieceSize;
      piece.bytes.resize(filled);
      if (!full) {
        piece.failure = reader_.failure();
        piece.last = piece.failure.empty() || !reader_.salvage();
      }
      const bool last = piece.last;
      if (!push(std::move(piece)) || last) return;
    }
  } catch (const std::exception& error) {
    Piece piece;
    piece.failure = std::string("decompression failed: ") + error.what();
    piece.last = true;
    push(std::move(piece));
  }
}

size_t ReadAhead::read(uint8_t* target, size_t room) {
  while (used_ == current_.bytes.size()) {
    if (!failure_.empty()) return 0;
    if (!current_.failure.empty()) {
      failure_ = current_.failure;
      return 0;
    }
    if (current_.last) return 0;
    std::unique_lock lock(mutex_);
    if (current_.bytes.capacity() > 0) spare_.push_back(std::move(current_.bytes));
    ready_.wait(lock, [this] { return stopped_ || !pieces_.empty(); });
    if (pieces_.empty()) {
      current_ = Piece();
      current_.last = true;
      used_ = 0;
      return 0;
    }
    current_ = std::move(pieces_.front());
    pieces_.pop_front();
    used_ = 0;
    lock.unlock();
    room_.notify_one();
  }
  const size_t count = std::min(room, current_.bytes.size() - used_);
  std::memcpy(target, current_.bytes.data() + used_, count);
  used_ += count;
  return count;
}

bool ReadAhead::resume() {
  if (failure_.empty() || current_.last) return false;
  failure_.clear();
  current_.failure.clear();
  return true;
}

}  // namespace sfkit::scap
