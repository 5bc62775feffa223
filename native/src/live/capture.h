// A capture of the running kernel as a byte stream in the format of a capture file. The stream
// describes the machine, its users, processes and descriptors first; events follow. It can be
// recorded to a file at the same time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/status.h"
#include "live/options.h"
#include "live/path_check.h"
#include "live/probe.h"
#include "live/recorder.h"
#include "live/rings.h"

namespace sfkit::live {

// Call start(), then read() on one thread until it returns 0. Other functions are thread-safe.
class LiveCapture {
 public:
  // Loads and attaches the probe. Recording starts here.
  static Result<std::unique_ptr<LiveCapture>> start(const LiveOptions& options);
  ~LiveCapture();
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // Copies up to `room` bytes and returns their number. Blocks until there are some; 0 at the end.
  size_t read(uint8_t* target, size_t room);
  // Ends the capture. read() still returns all earlier events.
  void stop();
  // Ends the capture immediately: read() returns 0.
  void cancel();
  // Adds an event that describes a container (JSON as in captures).
  void describe_container(std::string_view json);
  LiveCounts counts() const;
  // Why the capture ended early; empty if it did not.
  std::string failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }
  // Same as LiveSource::privileges_failure().
  std::string privileges_failure() const {
    const std::lock_guard lock(mutex_);
    return privileges_failure_;
  }
  // Same as LiveSource::recording_failure().
  std::string recording_failure() const { return recorder_ ? recorder_->failure() : std::string(); }

 private:
  static constexpr size_t kChunkBytes = size_t{256} << 10;
  // Limits of the queue, in chunks. At the start the queue is larger: describing a machine with
  // many processes takes seconds.
  static constexpr size_t kMaxQueued = 256;
  static constexpr size_t kMaxQueuedAtStart = 2048;

  explicit LiveCapture(const LiveOptions& options)
      : options_(options), path_check_(options.host_root) {}
  void start_reading();
  void run();
  void gather();
  bool add_event(const uint8_t* event, uint32_t size, uint16_t cpu);
  void add_pending_containers();
  void add_heartbeat(uint64_t now);
  void push();
  bool is_limit_reached() const;
  bool has_recording_failed() const { return recorder_ && !recorder_->failure().empty(); }

  LiveOptions options_;
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<RingMerger> rings_;
  std::unique_ptr<Recorder> recorder_;
  EventClock clock_;
  uint64_t start_time_ = 0;

  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> events_{0};
  uint64_t last_time_ = 0;
  uint64_t slept_ns_ = 0;       // suspend time since the start
  std::vector<uint8_t> chunk_;  // filled by the capture thread
  PathCheck path_check_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> queue_;
  size_t max_queued_ = kMaxQueuedAtStart;
  std::vector<std::string> pending_containers_;
  bool described_ = false;
  bool ended_ = false;
  std::atomic<bool> cancelled_{false};
  uint64_t unfinished_ = 0;  // final count of RingMerger
  uint64_t unreadable_ = 0;
  uint64_t doubtful_ = 0;  // final count of PathCheck
  std::string failure_;
  std::string privileges_failure_;

  // Used by the reading thread only.
  bool started_reading_ = false;
  Chunk current_;
  size_t current_used_ = 0;
};

}  // namespace sfkit::live
