#include "sysflow/ops.h"

#include <gtest/gtest.h>

#include "events.gen.h"
#include "state/engine.h"

namespace sfkit::sysflow {
namespace {

// The state engine passes on only events that it routes, so an operation of another event would be
// lost.
TEST(OpOf, EveryEventWithAnOperationIsRouted) {
  using state::Engine;
  int operations = 0;
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    for (const bool compat : {false, true}) {
      if (op_of(code, compat) == 0) continue;
      ++operations;
      const uint8_t route = Engine::route_of(code);
      EXPECT_TRUE(route == Engine::kRouteOther || route == Engine::kRouteEnter ||
                  route == Engine::kRouteExit || route == Engine::kRouteSeenExit)
          << scap::kEvents[code].code_name;
    }
  }
  EXPECT_GT(operations, 100);
}

TEST(OpOf, HasMoreOperationsThanTheCollector) {
  EXPECT_EQ(op_of(scap::ev::SYSCALL_OPENAT2_X, false), kOpOpen);
  EXPECT_EQ(op_of(scap::ev::SYSCALL_OPENAT2_X, true), 0u);
  EXPECT_EQ(op_of(scap::ev::SYSCALL_MMAP_E, false), 0u);
  EXPECT_EQ(op_of(scap::ev::SYSCALL_MMAP_E, true), kOpMmap);
}

}  // namespace
}  // namespace sfkit::sysflow
