// A bounds-checked, read-only view of bytes, and a cursor that reads it field by field.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace sfkit {

// Does not own the memory, which must outlive the view.
class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  explicit Bytes(std::string_view text)
      : data_(reinterpret_cast<const uint8_t*>(text.data())), size_(text.size()) {}

  constexpr const uint8_t* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  // The byte at `offset`; 0 past the end.
  constexpr uint8_t operator[](size_t offset) const { return offset < size_ ? data_[offset] : 0; }

  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // At most `count` bytes from `offset`; empty if `offset` is past the end.
  constexpr Bytes slice(size_t offset, size_t count = SIZE_MAX) const {
    if (offset >= size_) return {};
    const size_t rest = size_ - offset;
    return {data_ + offset, count < rest ? count : rest};
  }

  // A number in the machine's byte order; 0 if it does not fit completely.
  template <typename T>
  T load(size_t offset) const {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (offset <= size_ && size_ - offset >= sizeof(T))
      std::memcpy(&value, data_ + offset, sizeof(T));
    return value;
  }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// A number in the machine's byte order. The caller has checked that its bytes are there.
template <typename T>
T load_at(const uint8_t* at) {
  static_assert(std::is_arithmetic_v<T>);
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Byte order of a number, relative to the reading machine.
enum class ByteOrder : uint8_t { kNative, kSwapped };

template <typename T>
T swap_bytes(T value) {
  static_assert(std::is_integral_v<T>);
  std::array<uint8_t, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  std::reverse(bytes.begin(), bytes.end());
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// Bytes::load of a number in either byte order.
template <typename T>
T load(Bytes bytes, size_t offset, ByteOrder order) {
  const T value = bytes.load<T>(offset);
  return order == ByteOrder::kNative ? value : swap_bytes(value);
}

// Reads forward. The first read that does not fit sets failed(), and all later reads yield zero. So
// callers read a whole record and check once.
class Cursor {
 public:
  explicit Cursor(Bytes bytes, ByteOrder order = ByteOrder::kNative)
      : bytes_(bytes), order_(order) {}

  ByteOrder order() const { return order_; }

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool failed() const { return failed_; }

  template <typename T>
  T read() {
    if (!fits(sizeof(T))) return T{};
    const T value = load<T>(bytes_, position_, order_);
    position_ += sizeof(T);
    return value;
  }

  Bytes take(size_t count) {
    if (!fits(count)) return {};
    const Bytes part = bytes_.slice(position_, count);
    position_ += count;
    return part;
  }

  void skip(size_t count) {
    if (fits(count)) position_ += count;
  }

 private:
  bool fits(size_t count) {
    if (failed_ || count > remaining()) {
      failed_ = true;
      return false;
    }
    return true;
  }

  Bytes bytes_;
  ByteOrder order_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace sfkit
