// Treats the bytes as a capture.
#include "fuzz/whole_way.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size != 0) sfkit::fuzz::run_all_conversions(sfkit::Bytes(data, size));
  return 0;
}
