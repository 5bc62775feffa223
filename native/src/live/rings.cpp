#include "live/rings.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

namespace sfkit::live {
namespace {

constexpr uint32_t kBusy = uint32_t{1} << 31;
constexpr uint32_t kDiscarded = uint32_t{1} << 30;
constexpr uint64_t kRecordHeader = 8;
constexpr size_t kSizeAt = 16;  // offset in an event
constexpr uint32_t kMinEventBytes = 26;
// An event that stays unfinished for longer does not block other rings.
constexpr uint64_t kMaxWaitNs = 1'000'000'000;

uint64_t load(uint64_t& counter) {
  return std::atomic_ref<uint64_t>(counter).load(std::memory_order_acquire);
}

void store(uint64_t& counter, uint64_t value) {
  std::atomic_ref<uint64_t>(counter).store(value, std::memory_order_release);
}

uint64_t& counter_at(uint8_t* page) {
  return *reinterpret_cast<uint64_t*>(page);
}

}  // namespace

Result<SharedMemory> SharedMemory::map(const FileDescriptor& fd, size_t bytes, bool writable,
                                       size_t offset) {
  const int access = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const memory =
      ::mmap(nullptr, bytes, access, MAP_SHARED, fd.get(), static_cast<off_t>(offset));
  if (memory == MAP_FAILED) {
    return Status(ErrorCode::kNotSupported,
                  std::string("cannot map a kernel buffer: ") + std::strerror(errno));
  }
  SharedMemory shared;
  shared.start_ = static_cast<uint8_t*>(memory);
  shared.bytes_ = bytes;
  return shared;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), bytes_(other.bytes_) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (start_ != nullptr) ::munmap(start_, bytes_);
}

bool Ring::should_wait(uint64_t now) {
  if (unfinished_since_ == kAllFinished) return false;
  if (waiting_at_ != consumed_) {
    waiting_at_ = consumed_;
    waiting_since_ = now;
  }
  return now - waiting_since_ <= kMaxWaitNs;
}

ProbeRing::ProbeRing(probe_ring* state, const uint8_t* data, uint32_t bytes, uint16_t number)
    : Ring(bytes, number), state_(state), data_(data) {
  consumed_ = load(state->tail);
  produced_ = consumed_;
}

// Read `unwritten` first: an event missing from both is later than this.
void ProbeRing::refresh() {
  const bool is_writing = load(state_->unwritten) != 0;
  unfinished_since_ = is_writing ? load(state_->time) : kAllFinished;
  produced_ = load(state_->head);
}

const uint8_t* ProbeRing::peek() {
  if (consumed_ == produced_) return nullptr;
  const uint8_t* const event = data_ + (consumed_ & (bytes_ - 1));
  std::memcpy(&size_, event + kSizeAt, sizeof(size_));
  step_ = (size_ + uint64_t{7}) & ~uint64_t{7};
  if (size_ < kMinEventBytes || size_ > kMaxEventBytes || step_ > produced_ - consumed_) {
    // The probe never writes such a size. There is no way to find the next event.
    consumed_ = produced_;
    ++unreadable_;
    return nullptr;
  }
  return event;
}

void ProbeRing::release() {
  store(state_->tail, consumed_);
}

Result<std::unique_ptr<KernelRing>> KernelRing::map(const FileDescriptor& fd, uint32_t bytes,
                                                    uint16_t number) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::unique_ptr<KernelRing> ring(new KernelRing(bytes, number));
  ring->page_ = page;
  auto consumer = SharedMemory::map(fd, page, true);
  if (!consumer.is_ok()) return consumer.status();
  ring->consumer_ = std::move(consumer.value());
  auto producer = SharedMemory::map(fd, page + size_t{2} * bytes, false, page);
  if (!producer.is_ok()) return producer.status();
  ring->producer_ = std::move(producer.value());
  ring->consumed_ = load(counter_at(ring->consumer_.at(0)));
  ring->produced_ = ring->consumed_;
  return ring;
}

void KernelRing::refresh() {
  produced_ = load(counter_at(producer_.at(0)));
}

// An event in progress hides later ones, and its time is unknown.
const uint8_t* KernelRing::peek() {
  unfinished_since_ = kAllFinished;
  while (consumed_ < produced_) {
    uint8_t* const record = producer_.at(page_ + (consumed_ & (bytes_ - 1)));
    const uint32_t length = std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(record))
                                .load(std::memory_order_acquire);
    if ((length & kBusy) != 0) {
      unfinished_since_ = 0;
      return nullptr;
    }
    size_ = length & ~(kBusy | kDiscarded);
    step_ = (size_ + kRecordHeader + 7) & ~uint64_t{7};
    if ((length & kDiscarded) == 0 && size_ >= kMinEventBytes) return record + kRecordHeader;
    consumed_ += step_;
  }
  return nullptr;
}

void KernelRing::release() {
  store(counter_at(consumer_.at(0)), consumed_);
}

Result<RingMerger> RingMerger::map(const ProbeRings& rings) {
  RingMerger merger({});
  if (!rings.cpus.empty()) {
    const size_t stride = size_t{rings.bytes} + kRingSlack;
    auto states = SharedMemory::map(rings.states, rings.cpus.size() * sizeof(probe_ring), true);
    if (!states.is_ok()) return states.status();
    merger.states_ = std::move(states.value());
    auto data = SharedMemory::map(rings.data, rings.cpus.size() * stride, false);
    if (!data.is_ok()) return data.status();
    merger.data_ = std::move(data.value());
    auto* const state = reinterpret_cast<probe_ring*>(merger.states_.at(0));
    for (size_t i = 0; i < rings.cpus.size(); ++i) {
      merger.rings_.push_back(std::make_unique<ProbeRing>(state + i, merger.data_.at(i * stride),
                                                          rings.bytes,
                                                          static_cast<uint16_t>(rings.cpus[i])));
    }
  }
  for (size_t i = 0; i < rings.spills.size(); ++i) {
    auto ring = KernelRing::map(rings.spills[i], rings.spill_bytes, static_cast<uint16_t>(i));
    if (!ring.is_ok()) return ring.status();
    merger.rings_.push_back(std::move(ring.value()));
  }
  return merger;
}

bool RingMerger::is_empty() {
  return std::all_of(rings_.begin(), rings_.end(), [](const auto& ring) {
    ring->refresh();
    return ring->is_empty();
  });
}

uint64_t RingMerger::time_of(const uint8_t* event) {
  uint64_t time = 0;
  std::memcpy(&time, event, sizeof(time));
  return time;
}

double RingMerger::begin(uint64_t limit) {
  double fullest = 0;
  for (const auto& ring : rings_) {
    ring->refresh();
    fullest = std::max(fullest, ring->fill());
  }
  limit_ = limit;
  unfinished_ = Ring::kAllFinished;
  is_blocked_ = false;
  waits_for_unfinished_ = fullest <= kCrowdedFill && limit != kNoLimit;
  turns_.clear();
  for (const auto& ring : rings_) add(ring.get());
  return fullest;
}

void RingMerger::add(Ring* ring) {
  const uint8_t* const event = ring->peek();
  if (event == nullptr) {
    if (waits_for_unfinished_ && ring->should_wait(limit_)) {
      unfinished_ = std::min(unfinished_, ring->unfinished_since());
    }
    return;
  }
  if (time_of(event) > limit_) return;
  turns_.push_back({time_of(event), ring});
  std::push_heap(turns_.begin(), turns_.end(), std::greater<>());
}

Ring* RingMerger::take_earliest() {
  // An unfinished event may be earlier than the first finished one.
  is_blocked_ = unfinished_ < (turns_.empty() ? limit_ : turns_.front().time);
  if (turns_.empty() || is_blocked_) return nullptr;
  std::pop_heap(turns_.begin(), turns_.end(), std::greater<>());
  Ring* const first = turns_.back().ring;
  turns_.pop_back();
  turn_end_ = std::min(turns_.empty() ? limit_ : turns_.front().time, unfinished_);
  return first;
}

size_t RingMerger::unfinished() const {
  return static_cast<size_t>(std::count_if(rings_.begin(), rings_.end(), [](const auto& ring) {
    return ring->unfinished_since() != Ring::kAllFinished;
  }));
}

uint64_t RingMerger::unreadable() const {
  uint64_t sum = 0;
  for (const auto& ring : rings_) sum += ring->unreadable();
  return sum;
}

}  // namespace sfkit::live
