#include "scap/event.h"

namespace sfkit::scap {

int64_t to_int(Bytes value, int64_t missing) {
  switch (value.size()) {
    case 1: return value.load<int8_t>(0);
    case 2: return value.load<int16_t>(0);
    case 4: return value.load<int32_t>(0);
    case 8: return value.load<int64_t>(0);
    default: return missing;
  }
}

uint64_t to_uint(Bytes value, uint64_t missing) {
  switch (value.size()) {
    case 1: return value.load<uint8_t>(0);
    case 2: return value.load<uint16_t>(0);
    case 4: return value.load<uint32_t>(0);
    case 8: return value.load<uint64_t>(0);
    default: return missing;
  }
}

std::string_view to_text(Bytes value) {
  std::string_view text = value.text();
  text = text.substr(0, text.find('\0'));
  return text == "(NULL)" ? std::string_view() : text;
}

}  // namespace sfkit::scap
