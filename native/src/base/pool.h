// Reusable objects with stable addresses. They keep their buffers, so a long capture allocates
// nothing in the steady state.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace sfkit {

template <typename T>
class Pool {
 public:
  // A new object, or a used one in whatever state it was given back.
  T* take() {
    if (free_.empty()) return make();
    T* const object = free_.back();
    free_.pop_back();
    return object;
  }
  void give_back(T* object) { free_.push_back(object); }

  // Frees the objects that were given back. No pointer to them may be left.
  void trim() {
    for (T* const unused : free_) {
      const size_t place = static_cast<Object*>(unused)->place;
      objects_[place].swap(objects_.back());
      objects_[place]->place = place;
      objects_.pop_back();
    }
    std::vector<T*>().swap(free_);
  }

  void clear() {
    free_.clear();
    objects_.clear();
  }

 private:
  struct Object : T {
    size_t place = 0;  // in objects_
  };

  // Not inline: seldom needed.
  [[gnu::noinline]] T* make() {
    objects_.push_back(std::make_unique<Object>());
    objects_.back()->place = objects_.size() - 1;
    return objects_.back().get();
  }

  std::vector<std::unique_ptr<Object>> objects_;
  std::vector<T*> free_;
};

}  // namespace sfkit
