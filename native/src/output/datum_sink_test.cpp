#include "output/datum_sink.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfkit::output {
namespace {

TEST(DatumSink, EmitsEntitiesThatEnded) {
  std::string bytes;
  std::vector<uint32_t> ends;
  DatumSink sink([&](DatumBatch batch) {
    bytes.append(batch.bytes.begin(), batch.bytes.end());
    ends.insert(ends.end(), batch.ends.begin(), batch.ends.end());
    return true;
  });
  sink.process_gone({1, -2});
  sink.files_forgotten();
  sink.container_gone("c1");
  sink.pod_gone("p");
  sink.finish();
  // The branch index, then its content, all zig-zag.
  EXPECT_EQ(bytes, std::string("\x1a\x02\x03\x1c\x1e\x04"
                               "c1\x20\x02p"));
  EXPECT_EQ(ends, (std::vector<uint32_t>{3, 4, 8, 11}));
}

}  // namespace
}  // namespace sfkit::output
