// Passes batches from the engine's thread to a consumer that must not block.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/status.h"

namespace sfkit::output {

// One producer and one consumer, each on its own thread. The producer waits while kDepth items are
// queued. The consumer never waits: it passes a callback.
template <typename T>
class BatchQueue {
 public:
  static constexpr size_t kDepth = 4;

  // Called exactly once: with an item, with nullopt at the end, or with an error.
  using Taker = std::function<void(Result<std::optional<T>>)>;

  // Producer: waits for room. Returns false after cancel(): the item is dropped.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return cancelled_ || items_.size() < kDepth; });
    if (cancelled_) return false;
    if (takers_.empty()) {
      items_.push_back(std::move(item));
      return true;
    }
    Taker taker = std::move(takers_.front());
    takers_.pop_front();
    lock.unlock();
    taker(std::optional<T>(std::move(item)));
    return true;
  }

  // Producer: ends the queue. One taker gets the error, after the last item.
  void close(Status status) {
    std::unique_lock lock(mutex_);
    if (cancelled_) return;
    closed_ = true;
    status_ = std::move(status);
    std::deque<Taker> takers = std::move(takers_);
    takers_.clear();
    // Waiting takers mean that no items are left, so the first taker gets the error.
    Status first = takers.empty() ? Status() : std::exchange(status_, Status());
    lock.unlock();
    for (Taker& taker : takers) taker(end(std::exchange(first, Status())));
  }

  // Consumer: calls `taker` at once, or later on the producer's thread; in call order.
  void take(Taker taker) {
    std::unique_lock lock(mutex_);
    if (!items_.empty()) {
      std::optional<T> item(std::move(items_.front()));
      items_.pop_front();
      lock.unlock();
      room_.notify_one();
      taker(std::move(item));
    } else if (closed_ || cancelled_) {
      Status status = std::exchange(status_, Status());
      lock.unlock();
      taker(end(std::move(status)));
    } else {
      takers_.push_back(std::move(taker));
    }
  }

  // Consumer: drops all items, ends all takers and wakes the producer.
  void cancel() {
    std::unique_lock lock(mutex_);
    cancelled_ = true;
    status_ = Status();
    std::deque<T> items = std::move(items_);
    items_.clear();
    std::deque<Taker> takers = std::move(takers_);
    takers_.clear();
    lock.unlock();
    room_.notify_all();
    for (Taker& taker : takers) taker(end(Status()));
  }

 private:
  static Result<std::optional<T>> end(Status status) {
    if (!status.is_ok()) return status;
    return std::optional<T>();
  }

  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<T> items_;
  std::deque<Taker> takers_;  // waiting callbacks; only if there are no items
  Status status_;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace sfkit::output
