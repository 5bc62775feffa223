// Reads and writes messages of Protocol Buffers: as much as the container runtime interface needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sfkit::runtimes {

// One field of a message: a number, or bytes.
struct ProtoField {
  uint32_t number = 0;
  bool is_bytes = false;
  uint64_t value = 0;
  std::string_view bytes;
};

// Reads a message field by field. Damage ends it early.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : rest_(message) {}

  bool next(ProtoField& field) {
    uint64_t tag = 0;
    if (rest_.empty() || !read_varint(tag) || tag >> 32 != 0) return false;
    field = {static_cast<uint32_t>(tag >> 3), false, 0, {}};
    switch (tag & 7) {
      case kVarint: return read_varint(field.value);
      case kFixed64: return skip(8);
      case kFixed32: return skip(4);
      case kBytes: {
        uint64_t size = 0;
        if (!read_varint(size) || size > rest_.size()) return false;
        field.is_bytes = true;
        field.bytes = rest_.substr(0, size);
        return skip(size);
      }
      default: return false;
    }
  }

 private:
  enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  static constexpr int kMaxShift = 63;

  bool read_varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift <= kMaxShift && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }
  bool skip(size_t size) {
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

// Appends a field with a text of less than 128 bytes, as container ids are.
inline void append_proto_text(std::string& message, uint32_t number, std::string_view text) {
  message += static_cast<char>(number << 3 | 2);
  message += static_cast<char>(text.size());
  message += text;
}

inline void append_proto_flag(std::string& message, uint32_t number, bool value) {
  message += static_cast<char>(number << 3);
  message += static_cast<char>(value ? 1 : 0);
}

}  // namespace sfkit::runtimes
