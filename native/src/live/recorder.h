// Writes a capture file beside the engine's work, on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "live/file_descriptor.h"

namespace sfkit::live {

using Chunk = std::shared_ptr<const std::vector<uint8_t>>;

class Recorder {
 public:
  // Creates or replaces the file.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, bool gzip);
  // Ends as finish() does.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Takes the next bytes of the file. Waits when the disk is far behind.
  void add(Chunk chunk);
  // Writes what is left.
  void finish();
  // What the system said when a write failed; nothing is written after that. Empty if all went well.
  std::string failure() const;

 private:
  static constexpr size_t kMaxQueued = 128;

  Recorder(FileDescriptor file, std::string path, bool gzip);
  void run();
  bool write_all(const uint8_t* bytes, size_t size);

  class Deflater;

  FileDescriptor file_;
  std::string path_;
  std::unique_ptr<Deflater> deflater_;  // of gzip files
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> queue_;
  bool ended_ = false;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sfkit::live
