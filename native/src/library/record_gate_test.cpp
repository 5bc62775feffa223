#include "library/record_gate.h"

#include <gtest/gtest.h>

#include <vector>

#include "testing/record_log.h"

namespace sfkit::library {
namespace {

TEST(RecordGate, CountsHeadersToo) {
  RecordLog log;
  std::atomic<bool> stop{false};
  RecordGate gate(
      log, nullptr, 0, [](Statistics::Reason) {}, stop);
  gate.header({});
  gate.container({});
  EXPECT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[0].find("SFHeader"), 0u);
  // Two headers in a row are two files.
  gate.header({});
  gate.header({});
  gate.finish();
  EXPECT_EQ(log.counts["SFHeader"], 3u);
  EXPECT_EQ(gate.records(), 4u);
  EXPECT_TRUE(log.finished);
}

TEST(RecordGate, ReportsEachIntervalARotationAndTheEnd) {
  RecordLog log;
  std::atomic<bool> stop{false};
  std::vector<Statistics::Reason> reports;
  RecordGate gate(
      log, nullptr, 1, [&reports](Statistics::Reason reason) { reports.push_back(reason); }, stop);
  gate.header({});
  while (reports.empty()) gate.flush();
  // Also without a flush, as in a capture file.
  while (reports.size() < 2) gate.container({});
  gate.header({});
  gate.finish();
  using enum Statistics::Reason;
  EXPECT_EQ(reports, (std::vector{kInterval, kInterval, kRotation, kEnd}));
}

TEST(RecordGate, ReportsNothingUnlessAsked) {
  RecordLog log;
  std::atomic<bool> stop{false};
  uint64_t reports = 0;
  RecordGate gate(
      log, nullptr, 0, [&reports](Statistics::Reason) { ++reports; }, stop);
  gate.header({});
  gate.header({});
  gate.finish();
  EXPECT_EQ(reports, 0u);
}

}  // namespace
}  // namespace sfkit::library
