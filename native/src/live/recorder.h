// Writes a capture file on its own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "base/status.h"

namespace sfkit::live {

using Chunk = std::shared_ptr<const std::vector<uint8_t>>;

class Recorder {
 public:
  // Creates the file with mode 0600, because it contains arguments and data of programs. An
  // existing path must be a device or a pipe with a reader.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, bool gzip);
  // Calls finish().
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Sets the first chunk of the file. Nothing is written before.
  void start(Chunk chunk);
  // Queues a chunk. Blocks while the queue is full.
  void add(Chunk chunk);
  // Thread-safe. Announces the end: from now on, a pipe whose reader takes nothing for
  // kReaderTimeout is a failure.
  void expect_end();
  // Thread-safe. From now on add() drops chunks if the queue is full, instead of blocking.
  void drop_when_full();
  // Writes the rest of the queue and closes the file.
  void finish();
  // The error of the first failed write; nothing is written after it. Empty if there was none.
  std::string failure() const;

 private:
  static constexpr size_t kMaxQueued = 128;
  static constexpr size_t kMaxQueuedAtStart = 2048;  // while start() has not been called
  static constexpr std::chrono::seconds kReaderTimeout{5};

  Recorder(FileDescriptor file, std::string path, bool gzip);
  void run();
  // `chunk`: may be null. `flush`: zlib's flush mode.
  bool write(const Chunk& chunk, int flush);
  bool write_all(const uint8_t* bytes, size_t size);
  bool fail(const std::string& why);

  class Deflater;

  FileDescriptor file_;
  std::string path_;
  std::unique_ptr<Deflater> deflater_;  // null for uncompressed files
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> queue_;
  size_t max_queued_ = kMaxQueuedAtStart;
  bool started_ = false;
  std::atomic<bool> closing_{false};
  bool drop_when_full_ = false;
  bool ended_ = false;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sfkit::live
