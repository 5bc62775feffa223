// A byte buffer that grows and can be reused; it never shrinks.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace sfkit {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Valid until the next change.
  Bytes bytes() const { return {data_.get(), size_}; }
  void clear() { size_ = 0; }

  // Makes room for `count` bytes at the end. Write them there, then call advance().
  uint8_t* reserve(size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return data_.get() + size_;
  }
  void advance(size_t count) { size_ += count; }

  void append(const void* data, size_t count) {
    if (count == 0) return;
    std::memcpy(reserve(count), data, count);
    size_ += count;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }

 private:
  void grow(size_t count) {
    size_t capacity = capacity_ == 0 ? 4096 : capacity_ * 2;
    while (capacity - size_ < count) capacity *= 2;
    auto data = std::make_unique_for_overwrite<uint8_t[]>(capacity);
    if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<uint8_t[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sfkit
