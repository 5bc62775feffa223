#include "scap/byte_order.h"

#include <algorithm>

#include "event_names.gen.h"
#include "scap/event.h"

namespace sfkit::scap {
namespace {

constexpr uint8_t kUnixFamily = 1;
constexpr uint8_t kInetFamily = 2;
constexpr uint8_t kInet6Family = 10;
constexpr size_t kInetSize = 4;
constexpr size_t kInet6Size = 16;

// A part of the scratch copy, changed in place. Numbers that do not fit are skipped.
class Value {
 public:
  Value(uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t size() const { return size_; }
  uint8_t at(size_t offset) const { return offset < size_ ? data_[offset] : 0; }
  void swap(size_t offset, size_t width) {
    if (offset <= size_ && size_ - offset >= width)
      std::reverse(data_ + offset, data_ + offset + width);
  }
  Value from(size_t offset) const {
    const size_t start = std::min(offset, size_);
    return {data_ + start, size_ - start};
  }

 private:
  uint8_t* data_;
  size_t size_;
};

void swap_address(Value value) {
  if (value.at(0) == kInetFamily) value.swap(1 + kInetSize, sizeof(uint16_t));
  if (value.at(0) == kInet6Family) value.swap(1 + kInet6Size, sizeof(uint16_t));
}

void swap_tuple(Value value) {
  const auto turn_ends = [&value](size_t ip) {
    value.swap(1 + ip, sizeof(uint16_t));
    value.swap(1 + ip + sizeof(uint16_t) + ip, sizeof(uint16_t));
  };
  switch (value.at(0)) {
    case kInetFamily: return turn_ends(kInetSize);
    case kInet6Family: return turn_ends(kInet6Size);
    case kUnixFamily:
      value.swap(1, sizeof(uint64_t));
      value.swap(1 + sizeof(uint64_t), sizeof(uint64_t));
      return;
    default: return;
  }
}

void swap_fd_list(Value value) {
  value.swap(0, sizeof(uint16_t));
  constexpr size_t kEntry = sizeof(int64_t) + sizeof(int16_t);
  for (size_t at = sizeof(uint16_t); at + kEntry <= value.size(); at += kEntry) {
    value.swap(at, sizeof(int64_t));
    value.swap(at + sizeof(int64_t), sizeof(int16_t));
  }
}

void swap_value(ParamType type, uint8_t table, Value value) {
  switch (type) {
    case ParamType::kSockaddr: return swap_address(value);
    case ParamType::kSocktuple: return swap_tuple(value);
    case ParamType::kFdlist: return swap_fd_list(value);
    case ParamType::kDyn: {
      if (table == 0) return;
      const DynamicTable& types = kDynamicTables[table - 1];
      if (const uint8_t selector = value.at(0); selector < types.count) {
        swap_value(types.types[selector].type, 0, value.from(1));
      }
      return;
    }
    case ParamType::kIpv4addr:
    case ParamType::kIpv6addr:
    case ParamType::kIpaddr:
    case ParamType::kCharbuf:
    case ParamType::kBytebuf:
    case ParamType::kFspath:
    case ParamType::kFsrelpath: return;
    default: break;
  }
  // All other types are numbers of the value's size.
  switch (value.size()) {
    case sizeof(uint16_t):
    case sizeof(uint32_t):
    case sizeof(uint64_t): return value.swap(0, value.size());
    default: return;
  }
}

}  // namespace

void swap_parameter(uint16_t code, uint32_t index, uint8_t* value, size_t size) {
  const EventInfo& info = kEvents[code];
  if (index >= info.nparams) return;
  const ParamInfo& param = kParams[info.first_param + index];
  swap_value(param.type, param.table, Value(value, size));
}

Bytes swap_payload(uint16_t code, uint32_t count, Bytes payload, std::vector<uint8_t>& scratch) {
  scratch.assign(payload.data(), payload.data() + payload.size());
  const size_t width = has_wide_lengths(code) ? sizeof(uint32_t) : sizeof(uint16_t);
  uint8_t* value = scratch.data() + count * width;
  for (uint32_t i = 0; i < count; ++i) {
    Value(scratch.data(), scratch.size()).swap(i * width, width);
    const Bytes lengths(scratch.data(), count * width);
    const size_t size = width == sizeof(uint32_t) ? lengths.load<uint32_t>(i * width)
                                                  : lengths.load<uint16_t>(i * width);
    swap_parameter(code, i, value, size);
    value += size;
  }
  return {scratch.data(), scratch.size()};
}

}  // namespace sfkit::scap
