#include "live/capture.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include "events.gen.h"
#include "live/machine.h"
#include "live/privileges.h"
#include "live/proc_files.h"
#include "scap/blocks.h"
#include "scap/writer.h"

namespace sfkit::live {
namespace {

using std::chrono::milliseconds;

constexpr int kLargeBuffer = 128 << 10;
// Pause between two reads of the rings.
constexpr milliseconds kPollInterval{5};
constexpr int kNice = -10;
constexpr double kBusyFill =
    0.125;  // share of a ring; above it, the next read follows without a pause
constexpr uint64_t kPushIntervalNs = 100'000'000;
// Two CPUs may store independent events out of order. Events newer than this wait for the next
// round.
constexpr uint64_t kReorderNs = 1'000'000;
// Without events, heartbeats keep the capture's clock moving for its reader.
constexpr uint64_t kHeartbeatNs = 1'000'000'000;
// An event that the kernel never finishes must not delay the end of a capture.
constexpr uint64_t kMaxDrainNs = 3'000'000'000;

void append(std::vector<uint8_t>& bytes, const void* data, size_t size) {
  const auto* from = static_cast<const uint8_t*>(data);
  bytes.insert(bytes.end(), from, from + size);
}

}  // namespace

Result<std::unique_ptr<LiveCapture>> LiveCapture::start(const LiveOptions& options) {
  // Buffers that move between threads fragment malloc's heaps. With this threshold, large ones go
  // back to the system. Only for a process of our own, because the setting is global.
#ifdef M_MMAP_THRESHOLD
  if (options.drops_privileges) ::mallopt(M_MMAP_THRESHOLD, kLargeBuffer);
#endif
  std::unique_ptr<LiveCapture> capture(new LiveCapture(options));
  auto probe = Probe::load(options.probe);
  if (!probe.is_ok()) return probe.status();
  if (const std::string proc = options.host_root + "/proc";
      read_small_file(proc + "/self/stat").empty()) {
    return Status(ErrorCode::kUnreadable, proc + " is not mounted; mount it: live capture reads " +
                                              "the running processes there");
  }
  capture->probe_ = std::make_unique<Probe>(std::move(probe.value()));
  auto rings = RingMerger::map(capture->probe_->rings());
  if (!rings.is_ok()) return rings.status();
  capture->rings_ = std::make_unique<RingMerger>(std::move(rings.value()));
  capture->clock_ = capture->probe_->clock();
  capture->start_time_ = capture->last_time_ = capture->clock_.stamp(ClockReading::take());
  if (Status status = capture->probe_->attach(); !status.is_ok()) return status;
  // Last, so that a capture that fails to start leaves no file.
  if (!options.record_path.empty()) {
    auto recorder = Recorder::open(options.record_path, options.record_gzip);
    if (!recorder.is_ok()) return recorder.status();
    capture->recorder_ = std::move(recorder.value());
  }
  capture->thread_ = std::thread([self = capture.get()] { self->run(); });
  return capture;
}

LiveCapture::~LiveCapture() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

void LiveCapture::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (recorder_) recorder_->expect_end();
}

void LiveCapture::cancel() {
  stop();
  {
    const std::lock_guard lock(mutex_);
    cancelled_.store(true);
  }
  changed_.notify_all();
  if (recorder_) recorder_->drop_when_full();
}

// The rings collect events while describe_machine() runs, so nothing is missed in between. A fact
// that is in both does no harm.
void LiveCapture::start_reading() {
  started_reading_ = true;
  current_ = std::make_shared<const std::vector<uint8_t>>(
      describe_machine(clock_.boot_time(), start_time_, cancelled_, options_.host_root));
  if (recorder_) recorder_->start(current_);
  {
    const std::lock_guard lock(mutex_);
    described_ = true;
  }
  changed_.notify_all();
  if (options_.drops_privileges) {
    // Not fatal: the capture works with the privileges it has.
    const Status status = drop_privileges();
    const std::lock_guard lock(mutex_);
    privileges_failure_ = status.message();
  }
}

size_t LiveCapture::read(uint8_t* target, size_t room) {
  if (!started_reading_) start_reading();
  while (current_used_ == current_->size()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !queue_.empty() || ended_ || cancelled_; });
    if (cancelled_ || queue_.empty()) return 0;
    current_ = std::move(queue_.front());
    queue_.pop_front();
    current_used_ = 0;
    // Shrink step by step, so that the rings are drained all the time.
    if (max_queued_ > kMaxQueued) --max_queued_;
    changed_.notify_all();
  }
  const size_t size = std::min(room, current_->size() - current_used_);
  std::memcpy(target, current_->data() + current_used_, size);
  current_used_ += size;
  return size;
}

void LiveCapture::run() {
  // Busy programs must not delay draining the rings. Without permission, the capture runs at normal
  // priority.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  try {
    gather();
  } catch (const std::exception& error) {
    // Out of memory. The chunks in the queue stay.
    const std::lock_guard lock(mutex_);
    failure_ = std::string("the capture ended early: ") + error.what();
  }
  probe_->detach();
  if (recorder_) {
    // The file starts with the description of the machine, so wait for it.
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return described_ || cancelled_; });
    }
    recorder_->finish();
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void LiveCapture::gather() {
  uint64_t pushed_at = 0;
  uint64_t stopped_at = 0;
  for (bool last = false; !last;) {
    const bool stopping = stopping_.load(std::memory_order_relaxed) || has_recording_failed();
    if (stopping) probe_->detach();
    const ClockReading clocks = ClockReading::take();
    const uint64_t now = clock_.stamp(clocks);
    // Ignore jitter: the clocks are not read at the same moment.
    if (const uint64_t sleep_ns = clock_.sleep_ns(clocks);
        sleep_ns > slept_ns_ + EventClock::kMinSleepNs) {
      slept_ns_ = sleep_ns;
    }
    if (stopping && stopped_at == 0) stopped_at = now;
    add_pending_containers();
    const double fill = rings_->drain(stopping ? now : now - kReorderNs,
                                      [this](const uint8_t* event, uint32_t size, uint16_t ring) {
                                        return add_event(event, size, ring);
                                      });
    last =
        is_limit_reached() || (stopping && (rings_->is_empty() || now - stopped_at > kMaxDrainNs));
    const uint64_t complete_until = now - kReorderNs + slept_ns_;
    if (!last && !rings_->is_blocked() && complete_until > last_time_ + kHeartbeatNs)
      add_heartbeat(complete_until);
    if (!chunk_.empty() && (last || now - pushed_at >= kPushIntervalNs)) {
      push();
      pushed_at = now;
    }
    if (!last && fill < kBusyFill) std::this_thread::sleep_for(kPollInterval);
  }
  if (!is_limit_reached()) {
    // The rest: events newer than `now` and those blocked by an event that was never finished.
    rings_->drain(RingMerger::kNoLimit, [this](const uint8_t* event, uint32_t size, uint16_t ring) {
      return add_event(event, size, ring);
    });
    if (!chunk_.empty()) push();
  }
  const std::lock_guard lock(mutex_);
  if (!is_limit_reached()) unfinished_ = rings_->unfinished();
  unreadable_ = rings_->unreadable();
  doubtful_ = path_check_.doubtful();
}

bool LiveCapture::is_limit_reached() const {
  return options_.max_events != 0 && events_.load(std::memory_order_relaxed) >= options_.max_events;
}

bool LiveCapture::add_event(const uint8_t* event, uint32_t size, uint16_t cpu) {
  constexpr uint32_t kAround = 4 + 4 + 2 + 4;
  const uint32_t padding = (4 - (size + 2) % 4) % 4;
  const uint32_t length = kAround + size + padding;
  const size_t at = chunk_.size();
  if (chunk_.capacity() < at + length) chunk_.reserve(kChunkBytes + size_t{64} * 1024);
  chunk_.resize(at + length);
  uint8_t* to = chunk_.data() + at;
  const uint32_t type = scap::block::kEvent2;
  std::memcpy(to, &type, 4);
  std::memcpy(to + 4, &length, 4);
  std::memcpy(to + 8, &cpu, 2);
  std::memcpy(&last_time_, event, 8);
  last_time_ += slept_ns_;
  std::memcpy(to + 10, &last_time_, 8);
  std::memcpy(to + 18, event + 8, size - 8);
  path_check_.check(to + 10, size, last_time_);
  std::memset(to + 10 + size, 0, padding);
  std::memcpy(to + length - 4, &length, 4);
  const uint64_t events = events_.load(std::memory_order_relaxed) + 1;
  events_.store(events, std::memory_order_relaxed);
  if (chunk_.size() >= kChunkBytes) push();
  return !is_limit_reached();
}

// Hands over the current chunk. Blocks while the queue is full; the kernel's buffers then fill.
void LiveCapture::push() {
  auto chunk = std::make_shared<const std::vector<uint8_t>>(std::exchange(chunk_, {}));
  if (recorder_) recorder_->add(chunk);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return queue_.size() < (described_ ? kMaxQueued : kMaxQueuedAtStart) || cancelled_;
  });
  if (!cancelled_) queue_.push_back(std::move(chunk));
  changed_.notify_all();
}

void LiveCapture::describe_container(std::string_view json) {
  const std::lock_guard lock(mutex_);
  pending_containers_.emplace_back(json);
}

void LiveCapture::add_pending_containers() {
  std::vector<std::string> pending;
  {
    const std::lock_guard lock(mutex_);
    pending.swap(pending_containers_);
  }
  for (const std::string& json : pending) {
    scap::CaptureWriter writer;
    writer.event(last_time_, -1, 0, scap::ev::CONTAINER_JSON_2_E, {scap::value::text(json)});
    append(chunk_, writer.bytes().data(), writer.bytes().size());
  }
}

void LiveCapture::add_heartbeat(uint64_t now) {
  scap::CaptureWriter writer;
  writer.event(now, -1, 0, scap::ev::SCAPEVENT_E, {scap::value::u32(0), scap::value::u64(0)});
  append(chunk_, writer.bytes().data(), writer.bytes().size());
  last_time_ = now;
}

LiveCounts LiveCapture::counts() const {
  LiveCounts counts;
  counts.events = events_.load(std::memory_order_relaxed);
  const Counters kernel = probe_->counters();
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (kernel[i] != 0) counts.gaps.push_back({kCounterReasons[i], kernel[i]});
  }
  const std::lock_guard lock(mutex_);
  if (unfinished_ != 0) {
    counts.gaps.push_back({Reason::kUnfinishedEvents, unfinished_});
  }
  if (unreadable_ != 0) counts.gaps.push_back({Reason::kUnreadableBuffers, unreadable_});
  if (doubtful_ != 0) {
    counts.gaps.push_back({Reason::kDoubtfulPaths, doubtful_});
  }
  return counts;
}

}  // namespace sfkit::live
