// Objects with stable addresses that are used again after they were given back, buffers and all, so that
// the steady state of a long capture allocates nothing.
#pragma once

#include <deque>
#include <vector>

namespace sfkit {

template <typename T>
class Pool {
 public:
  // An object to set up: new, or one given back in whatever state it was left.
  T* take() {
    if (free_.empty()) return &objects_.emplace_back();
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void give_back(T* object) { free_.push_back(object); }

  void clear() {
    free_.clear();
    objects_.clear();
  }

 private:
  std::deque<T> objects_;
  std::vector<T*> free_;
};

}  // namespace sfkit
