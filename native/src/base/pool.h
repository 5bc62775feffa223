// Reusable objects with stable addresses. They keep their buffers, so a long capture allocates
// nothing in the steady state.
#pragma once

#include <deque>
#include <vector>

namespace sfkit {

template <typename T>
class Pool {
 public:
  // A new object, or a used one in whatever state it was given back.
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
