// A capture of the running kernel as the bytes of a capture file: first the machine, its users, processes and
// their descriptors, then events as they come. What reads captures reads it; it can be recorded meanwhile.
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

// start(), then read() on one thread until it gives 0. The rest is for any thread.
class LiveCapture {
 public:
  // Loads and attaches the probe: from here on events are kept.
  static Result<std::unique_ptr<LiveCapture>> start(const LiveOptions& options);
  ~LiveCapture();
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // The next bytes, up to `room`; waits for them. 0 at the end.
  size_t read(uint8_t* target, size_t room);
  // Ends the capture: what happened up to now is still given.
  void stop();
  // Ends it at once; read() gives 0.
  void cancel();
  // Puts an event into the stream that tells about a container (JSON as in captures).
  void describe_container(std::string_view json);
  LiveCounts counts() const;
  // Why it ended early; empty if it did not.
  std::string failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }
  // As LiveSource::privileges_failure().
  std::string privileges_failure() const {
    const std::lock_guard lock(mutex_);
    return privileges_failure_;
  }
  // As LiveSource::recording_failure().
  std::string recording_failure() const { return recorder_ ? recorder_->failure() : std::string(); }

 private:
  static constexpr size_t kChunkBytes = size_t{256} << 10;
  // Chunks: what a reader may be behind, beyond the kernel's buffers; and what may come before the machine is
  // described, which takes some seconds where there are many processes.
  static constexpr size_t kMaxQueued = 256;
  static constexpr size_t kMaxQueuedAtStart = 2048;

  explicit LiveCapture(const LiveOptions& options) : options_(options) {}
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
  uint64_t slept_ns_ = 0;  // ns that the machine has slept since the start, which monotonic know nothing of
  std::vector<uint8_t> chunk_;  // of the thread, while it grows
  PathCheck path_check_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> queue_;
  size_t max_queued_ = kMaxQueuedAtStart;
  std::vector<std::string> pending_containers_;  // to be told
  bool described_ = false;
  bool ended_ = false;
  std::atomic<bool> cancelled_{false};
  uint64_t unfinished_ = 0;  // as RingMerger counts them, at the end
  uint64_t unreadable_ = 0;
  uint64_t doubtful_ = 0;  // as PathCheck counts them, at the end
  std::string failure_;
  std::string privileges_failure_;

  // Of the reading thread.
  bool started_reading_ = false;
  Chunk current_;
  size_t current_used_ = 0;
};

}  // namespace sfkit::live
