// Decompresses ahead of the reader, on its own thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "scap/gzip.h"

namespace sfkit::scap {

// For one reading thread. Buffers kDepth pieces.
class ReadAhead {
 public:
  explicit ReadAhead(ByteSource source);
  // Ends the thread, even one that waits for a pipe.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // Callable from another thread: ends reading, even a read that waits.
  void stop();

  // See GzipReader::read.
  size_t read(uint8_t* target, size_t room);
  // See GzipReader::failure; covers the data read so far.
  const std::string& failure() const { return failure_; }
  // See GzipReader::salvage.
  bool resume();

 private:
  static constexpr size_t kDepth = 4;
  static constexpr size_t kPieceSize = size_t{256} << 10;

  struct Piece {
    std::vector<uint8_t> bytes;
    std::string failure;
    bool last = false;  // end of the stream
  };

  void run();
  bool push(Piece piece);
  std::vector<uint8_t> take_buffer();

  GzipReader reader_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable ready_;
  std::deque<Piece> pieces_;
  std::vector<std::vector<uint8_t>> spare_;  // reusable buffers
  bool stopped_ = false;

  // Used only by the reading thread:
  Piece current_;
  size_t used_ = 0;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sfkit::scap
