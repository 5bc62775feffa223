#include "live/rings.h"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sfkit::live {
namespace {

constexpr uint32_t kBusy = uint32_t{1} << 31;
constexpr uint32_t kDiscarded = uint32_t{1} << 30;
constexpr uint64_t kRecordHeader = 8;

std::atomic_ref<uint64_t> counter_at(uint8_t* page) {
  return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(page));
}

}  // namespace

Result<Ring> Ring::map(const FileDescriptor& fd, uint32_t bytes) {
  const auto page = static_cast<uint32_t>(::sysconf(_SC_PAGESIZE));
  const auto failed = [] {
    return Status(ErrorCode::kNotSupported,
                  std::string("a buffer of the kernel cannot be mapped: ") + std::strerror(errno));
  };
  Ring ring;
  ring.bytes_ = bytes;
  ring.page_ = page;
  void* consumer = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (consumer == MAP_FAILED) return failed();
  ring.consumer_page_ = static_cast<uint8_t*>(consumer);
  void* producer = ::mmap(nullptr, page + size_t{2} * bytes, PROT_READ, MAP_SHARED, fd.get(), page);
  if (producer == MAP_FAILED) return failed();
  ring.producer_pages_ = static_cast<uint8_t*>(producer);
  ring.consumed_ = counter_at(ring.consumer_page_).load(std::memory_order_relaxed);
  return ring;
}

Ring::Ring(Ring&& other) noexcept
    : consumer_page_(std::exchange(other.consumer_page_, nullptr)),
      producer_pages_(std::exchange(other.producer_pages_, nullptr)),
      bytes_(other.bytes_),
      page_(other.page_),
      consumed_(other.consumed_),
      produced_(other.produced_) {}

Ring::~Ring() {
  if (consumer_page_ != nullptr) ::munmap(consumer_page_, page_);
  if (producer_pages_ != nullptr) ::munmap(producer_pages_, page_ + size_t{2} * bytes_);
}

void Ring::refresh() {
  produced_ = counter_at(producer_pages_).load(std::memory_order_acquire);
}

const uint8_t* Ring::peek() {
  blocked_ = false;
  while (consumed_ < produced_) {
    uint8_t* record = producer_pages_ + page_ + (consumed_ & (bytes_ - 1));
    const uint32_t length =
        std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(record)).load(std::memory_order_acquire);
    if ((length & kBusy) != 0) {
      blocked_ = true;
      return nullptr;
    }
    size_ = length & ~(kBusy | kDiscarded);
    step_ = (size_ + kRecordHeader + 7) & ~uint64_t{7};
    if ((length & kDiscarded) == 0) return record + kRecordHeader;
    consumed_ += step_;
  }
  return nullptr;
}

void Ring::release() {
  counter_at(consumer_page_).store(consumed_, std::memory_order_release);
}

Result<RingMerger> RingMerger::map(const std::vector<FileDescriptor>& rings, uint32_t ring_bytes) {
  RingMerger merger;
  for (const FileDescriptor& fd : rings) {
    auto ring = Ring::map(fd, ring_bytes);
    if (!ring.is_ok()) return ring.status();
    merger.rings_.push_back(std::move(ring.value()));
  }
  return merger;
}

bool RingMerger::is_empty() {
  for (Ring& ring : rings_) {
    ring.refresh();
    if (ring.waiting_bytes() > 0) return false;
  }
  return true;
}

uint64_t RingMerger::time_of(const uint8_t* event) {
  uint64_t time = 0;
  std::memcpy(&time, event, sizeof(time));
  return time;
}

size_t RingMerger::find_first(uint64_t limit) {
  size_t first = kNone;
  uint64_t earliest = limit;
  turn_ends_ = limit;
  for (size_t i = 0; i < rings_.size(); ++i) {
    const uint8_t* event = rings_[i].peek();
    if (event == nullptr) {
      // Nobody knows yet when that event was: all wait for it.
      if (rings_[i].is_blocked()) return kNone;
      continue;
    }
    const uint64_t time = time_of(event);
    if (time <= earliest && (first == kNone || time < earliest)) {
      if (first != kNone) turn_ends_ = earliest;
      first = i;
      earliest = time;
    } else {
      turn_ends_ = std::min(turn_ends_, time);
    }
  }
  return first;
}

}  // namespace sfkit::live
