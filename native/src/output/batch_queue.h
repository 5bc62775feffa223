// Hands batches from the engine's thread to a consumer that must not wait for them.
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

// One producer at a time and one consumer, each on its own thread. The producer waits when kDepth items are
// not taken; the consumer never waits: it leaves a function that is called when there is something.
template <typename T>
class BatchQueue {
 public:
  static constexpr size_t kDepth = 4;

  // Called exactly once: with an item, with nothing at the end, or with what went wrong.
  using Taker = std::function<void(Result<std::optional<T>>)>;

  // Producer: waits for room. False after cancel(): the item is dropped and no further one is wanted.
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

  // Producer: there will be no further item. An error is given to one taker, behind the last item.
  void close(Status status) {
    std::unique_lock lock(mutex_);
    if (cancelled_) return;
    closed_ = true;
    status_ = std::move(status);
    std::deque<Taker> takers = std::move(takers_);
    takers_.clear();
    // With takers waiting there are no items left, so the first of them gets the error.
    Status first = takers.empty() ? Status() : std::exchange(status_, Status());
    lock.unlock();
    for (Taker& taker : takers) taker(end(std::exchange(first, Status())));
  }

  // Consumer: `taker` is called at once, or later on the producer's thread; in the order of the calls.
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

  // Consumer: nothing more is wanted. Items are dropped, takers get the end, the producer is woken.
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
  std::deque<Taker> takers_;  // waiting; only when there are no items
  Status status_;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace sfkit::output
