#include "state/descriptor.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

// Descriptors past the end of the array are in the map.
TEST(DescriptorTable, FindsDescriptorsOnBothSidesOfTheArrayEnd) {
  DescriptorPool pool;
  DescriptorTable table;
  for (const int64_t fd : {1023, 1022, 1024, 1025, 1038, 1039, 1040}) {
    table.put(fd, pool.make(FdType::kFile));
    ASSERT_NE(table.find(fd), nullptr) << fd;
  }
  DescriptorTable copy;
  copy.copy_from(table);
  for (const int64_t fd : {1022, 1023, 1024, 1038, 1040}) EXPECT_NE(copy.find(fd), nullptr) << fd;
  table.erase(1024);
  EXPECT_EQ(table.find(1024), nullptr);
}

}  // namespace
}  // namespace sfkit::state
