#include "events/tables.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "scap/writer.h"

namespace sfkit::events {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;
using output::Column;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;

class Capture {
 public:
  Capture() {
    out_.begin();
    scap::ThreadEntry shell;
    shell.tid = shell.pid = shell.vtid = shell.vpid = 10;
    shell.ptid = 1;
    shell.comm = "sh";
    shell.exe = "-sh";
    out_.processes({shell});
  }
  Capture& event(uint16_t code, const std::vector<std::string>& params, int64_t tid = 10) {
    out_.event(kStart + count_++, tid, 1, code, params);
    return *this;
  }
  Status tabulate(const TableOptions& options, std::vector<output::ColumnBatch>& batches) const {
    const std::atomic<bool> cancel{false};
    InputSummary summary;
    uint64_t rows = 0;
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    return sfkit::events::tabulate(
        *input.value(), "test", options,
        [&batches](output::ColumnBatch batch) {
          batches.push_back(std::move(batch));
          return true;
        },
        cancel, summary, rows);
  }

 private:
  scap::CaptureWriter out_;
  uint64_t count_ = 0;
};

size_t place_of(Column column) {
  const auto columns = output::kTables[static_cast<size_t>(output::Table::kEvents)].columns;
  size_t place = 0;
  while (columns[place].column != column) ++place;
  return place;
}

bool has_value(const output::ColumnBatch& batch, Column column, uint32_t row) {
  const HeapBlock& valid = batch.columns[place_of(column)].valid;
  return !valid || (valid.data()[row / 8] >> (row % 8) & 1) != 0;
}

template <typename T>
T number(const output::ColumnBatch& batch, Column column, uint32_t row) {
  return batch.columns[place_of(column)].values.as<T>()[row];
}

std::string_view text(const output::ColumnBatch& batch, Column column, uint32_t row) {
  const auto index = number<uint32_t>(batch, column, row);
  const auto* const offsets = batch.string_offsets.as<uint32_t>();
  return {reinterpret_cast<const char*>(batch.string_bytes.data()) + offsets[index],
          offsets[index + 1] - offsets[index]};
}

Capture two_opens() {
  Capture capture;
  const auto open = [](int64_t result, std::string_view path) {
    return std::vector<std::string>{value::i64(result), value::i64(-100), value::text(path), value::u32(1),
                                    value::u32(0),      value::u32(0),    value::u64(0)};
  };
  capture.event(ev::SYSCALL_OPENAT_2_X, open(3, "/etc/motd"));
  capture.event(ev::SYSCALL_OPENAT_2_X, open(-2, "/no"));
  return capture;
}

TEST(CaptureTables, AFailedCallHasAnErrorAndAGoodOneHasNone) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(two_opens().tabulate({output::Table::kEvents, "", {}, 100}, batches).is_ok());
  ASSERT_EQ(batches.size(), 1u);
  const output::ColumnBatch& batch = batches[0];
  ASSERT_EQ(batch.rows, 2u);
  EXPECT_EQ(text(batch, Column::kEventsType, 0), "openat");
  EXPECT_EQ(text(batch, Column::kEventsDirection, 0), "exit");
  EXPECT_EQ(number<int64_t>(batch, Column::kEventsResult, 0), 3);
  EXPECT_FALSE(has_value(batch, Column::kEventsError, 0));
  EXPECT_EQ(number<uint8_t>(batch, Column::kEventsFailed, 0), 0);
  EXPECT_EQ(text(batch, Column::kEventsFdName, 0), "/etc/motd");
  EXPECT_EQ(number<int64_t>(batch, Column::kEventsResult, 1), -2);
  EXPECT_EQ(text(batch, Column::kEventsError, 1), "ENOENT");
  EXPECT_EQ(number<uint8_t>(batch, Column::kEventsFailed, 1), 1);
  EXPECT_FALSE(has_value(batch, Column::kEventsLatency, 1));
  EXPECT_FALSE(has_value(batch, Column::kEventsContainerId, 1));
}

TEST(CaptureTables, ArgumentsAreAnObjectOfTexts) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(two_opens()
                  .tabulate({output::Table::kEvents, "", {Column::kEventsArgumentsJson}, 100}, batches)
                  .is_ok());
  constexpr std::string_view kExpected =
      "{\"fd\":\"-2(ENOENT)\",\"dirfd\":\"-100(AT_FDCWD)\",\"name\":\"/no\",\"flags\":\"1(O_RDONLY)\","
      "\"mode\":\"0\",\"dev\":\"0\",\"ino\":\"0\"}";
  EXPECT_EQ(text(batches[0], Column::kEventsArgumentsJson, 1), kExpected);
}

TEST(CaptureTables, GivesFullBatchesAndWhatPasses) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(two_opens().tabulate({output::Table::kEvents, "", {}, 1}, batches).is_ok());
  EXPECT_EQ(batches.size(), 2u);
  batches.clear();
  ASSERT_TRUE(two_opens().tabulate({output::Table::kEvents, "evt.failed = true", {}, 1}, batches).is_ok());
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kEventsNumber, 0), 2);
  EXPECT_FALSE(two_opens().tabulate({output::Table::kEvents, "evt.type =", {}, 1}, batches).is_ok());
}

}  // namespace
}  // namespace sfkit::events
