// Writes a capture file beside the engine's work, on a thread of its own.
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
  // Creates the file, for its owner only, as it holds what programs were given; of what is there already only
  // a device or a pipe with a reader is taken.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, bool gzip);
  // Ends as finish() does.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // What the file begins with; until it is there nothing is written.
  void start(Chunk chunk);
  // Takes the next bytes of the file. Waits when the disk is far has_more.
  void add(Chunk chunk);
  // For any thread: the capture is to end. A pipe whose reader takes nothing for kReaderTimeout is not waited
  // for any more, which is a failure.
  void expect_end();
  // For any thread: add() does not wait any more, and drops what there is no room for.
  void drop_when_full();
  // Writes what is left.
  void finish();
  // What the system said when a write failed; nothing is written after that. Empty if all went well.
  std::string failure() const;

 private:
  static constexpr size_t kMaxQueued = 128;
  static constexpr size_t kMaxQueuedAtStart = 2048;  // before it is known what the file begins with
  static constexpr std::chrono::seconds kReaderTimeout{5};

  Recorder(FileDescriptor file, std::string path, bool gzip);
  void run();
  // `chunk`: null for nothing. `flush`: as zlib has it.
  bool write(const Chunk& chunk, int flush);
  bool write_all(const uint8_t* bytes, size_t size);
  bool fail(const std::string& why);

  class Deflater;

  FileDescriptor file_;
  std::string path_;
  std::unique_ptr<Deflater> deflater_;  // of gzip files
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
