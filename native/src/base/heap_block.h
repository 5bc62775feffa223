// A zeroed memory block from malloc; release() hands it to code that calls std::free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace sfkit {

class HeapBlock {
 public:
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };
  using Owner = std::unique_ptr<uint8_t, Free>;

  HeapBlock() = default;
  explicit HeapBlock(size_t size) { resize(size); }
  HeapBlock(HeapBlock&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  HeapBlock& operator=(HeapBlock&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }

  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_.get());
  }

  // Keeps the content; added bytes are zero.
  void resize(size_t size) {
    if (size == size_) return;
    if (!data_) {
      data_.reset(static_cast<uint8_t*>(std::calloc(size, 1)));
      if (!data_ && size != 0) throw std::bad_alloc();
    } else {
      auto* grown = static_cast<uint8_t*>(std::realloc(data_.get(), size));
      if (grown == nullptr && size != 0) throw std::bad_alloc();
      (void)data_.release();
      data_.reset(grown);
      if (size > size_) std::memset(grown + size_, 0, size - size_);
    }
    size_ = size;
  }

  // Gives the memory to the caller; the block becomes empty.
  Owner release() {
    size_ = 0;
    return std::move(data_);
  }

 private:
  Owner data_;
  size_t size_ = 0;
};

}  // namespace sfkit
