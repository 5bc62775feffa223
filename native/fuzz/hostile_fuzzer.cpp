// Sound captures with hostile content: the bytes choose what happens in them.
#include "fuzz/whole_way.h"
#include "testing/hostile_story.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> capture = sfkit::testing::hostile_story(sfkit::Bytes(data, size));
  sfkit::fuzz::go_the_whole_way(sfkit::Bytes(capture.data(), capture.size()));
  return 0;
}
