// Valid captures with hostile content; the bytes select the content.
#include "fuzz/whole_way.h"
#include "testing/hostile_story.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> capture = sfkit::testing::hostile_story(sfkit::Bytes(data, size));
  sfkit::fuzz::run_all_conversions(sfkit::Bytes(capture.data(), capture.size()));
  return 0;
}
