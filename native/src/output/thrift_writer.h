// Writes structures in Thrift's compact protocol, as in the metadata of Parquet.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "output/varint.h"

namespace sfkit::output {

// Fields of a structure are written in ascending order of their ids.
class ThriftWriter {
 public:
  enum class Type : uint8_t { kI32 = 5, kBinary = 8, kStruct = 12 };

  explicit ThriftWriter(ByteBuffer& out) : out_(out) {}

  // A structure that is no field: the outermost one, or an element of a list.
  void begin() { ids_.push_back(0); }
  void end() {
    byte(0);
    ids_.pop_back();
  }

  void i32(int16_t id, int32_t value) { field(id, 5), put_varint(out_, zigzag(value)); }
  void i64(int16_t id, int64_t value) { field(id, 6), put_varint(out_, zigzag(value)); }
  void boolean(int16_t id, bool value) { field(id, value ? 1 : 2); }
  void text(int16_t id, std::string_view value) { field(id, 8), text_element(value); }
  void begin_struct(int16_t id) { field(id, 12), begin(); }
  // A structure without fields.
  void empty(int16_t id) { begin_struct(id), end(); }

  // The elements follow, with begin() and end() or one of the functions below.
  void list(int16_t id, Type type, size_t count) {
    constexpr size_t kShort = 15;
    field(id, 9);
    const auto kind = static_cast<uint8_t>(type);
    byte(static_cast<uint8_t>((count < kShort ? count : kShort) << 4 | kind));
    if (count >= kShort) put_varint(out_, count);
  }
  void i32_element(int32_t value) { put_varint(out_, zigzag(value)); }
  void text_element(std::string_view value) {
    put_varint(out_, value.size());
    out_.append(value);
  }

 private:
  void byte(uint8_t value) { out_.append(&value, 1); }
  void field(int16_t id, uint8_t type) {
    // Ids grow by at most 15.
    byte(static_cast<uint8_t>((id - ids_.back()) << 4 | type));
    ids_.back() = id;
  }

  ByteBuffer& out_;
  std::vector<int16_t> ids_;  // the last id of each open structure
};

}  // namespace sfkit::output
