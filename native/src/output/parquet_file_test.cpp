#include "output/parquet_file.h"

#include <gtest/gtest.h>

#include <string>

#include "base/sha1.h"

namespace sfkit::output {
namespace {

using Kind = ParquetColumn::Kind;

// A table with a column of each kind; test/export/parquet.test.ts reads such files.
ParquetSettings settings(size_t group_bytes = size_t{1} << 24) {
  ParquetSettings settings;
  settings.columns = {{"number", Kind::kNumber64, 0, {}},
                      {"time", Kind::kNanoseconds, 0, {}},
                      {"time_us", Kind::kMicroseconds, 0, {}},
                      {"small", Kind::kNumber32, 1, {}},
                      {"bits", Kind::kNames, 1, {{"one", 1, 1}, {"two", 2, 2}}},
                      {"yes", Kind::kBool, 2, {}},
                      {"text", Kind::kText, 3, {}}};
  settings.metadata = {{"key", "value"}};
  settings.creator = "test";
  settings.group_bytes = group_bytes;
  return settings;
}

struct Batch {
  std::vector<int64_t> numbers;
  std::vector<int32_t> small;
  std::vector<uint8_t> yes;
  std::vector<uint32_t> texts;
  std::vector<uint8_t> valid;
  std::string text_bytes;
  std::vector<uint32_t> offsets = {0};

  explicit Batch(uint32_t first, uint32_t rows, size_t text_size = 3) {
    for (uint32_t i = first; i < first + rows; ++i) {
      numbers.push_back(int64_t{i} * 1'000'003 - 5);
      small.push_back(static_cast<int32_t>(i % 4));
      yes.push_back(i % 3 == 0 ? 1 : 0);
      if (i % 8 == 0) valid.push_back(0xb7);
      texts.push_back(i % 10);
    }
    for (uint32_t i = 0; i < 10; ++i) {
      text_bytes += std::string(text_size, static_cast<char>('a' + i));
      offsets.push_back(static_cast<uint32_t>(text_bytes.size()));
    }
  }

  ParquetRows rows() const {
    ParquetRows rows;
    rows.rows = static_cast<uint32_t>(numbers.size());
    rows.texts = 10;
    rows.offsets = offsets.data();
    rows.text_bytes = text_bytes.data();
    const auto bytes = [](const auto& list) {
      return reinterpret_cast<const uint8_t*>(list.data());
    };
    rows.columns = {{bytes(numbers), nullptr},
                    {bytes(small), valid.data()},
                    {bytes(yes), valid.data()},
                    {bytes(texts), valid.data()}};
    return rows;
  }
};

std::string written(uint32_t rows, uint32_t batch_rows, ParquetSettings with = settings()) {
  ParquetFile file(std::move(with));
  std::string all;
  for (uint32_t row = 0; row < rows; row += batch_rows) {
    const Batch batch(row, std::min(batch_rows, rows - row));
    all += file.append(batch.rows()).text();
  }
  all += file.finish().text();
  return all;
}

TEST(ParquetFile, BeginsAndEndsAsReadersExpect) {
  for (const uint32_t rows : {0u, 1u, 100u}) {
    const std::string file = written(rows, 8);
    EXPECT_EQ(file.substr(0, 4), "PAR1");
    EXPECT_EQ(file.substr(file.size() - 4), "PAR1");
    const auto footer = Bytes(file).load<uint32_t>(file.size() - 8);
    EXPECT_LT(footer, file.size() - 8);
  }
}

// The hash seed differs from run to run.
TEST(ParquetFile, HasTheSameBytesOnEveryMachine) {
  const std::string file = written(200'000, 8192);
  std::string hex;
  for (const uint8_t byte : sha1(file)) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  EXPECT_EQ(hex, "329ce8b0a8db6ce8f4fb0c8ede3a1e90fa8001ce");
}

TEST(ParquetFile, GivesRowGroupsWhenTheyAreFull) {
  ParquetFile by_rows(settings());
  const Batch batch(0, 8192);
  EXPECT_EQ(by_rows.append(batch.rows()).text(), "PAR1");
  for (int i = 1; i < 14; ++i) EXPECT_EQ(by_rows.append(batch.rows()).size(), 0u);
  EXPECT_GT(by_rows.append(batch.rows()).size(), 10'000u);

  ParquetFile by_bytes(settings(100'000));
  const Batch large(0, 16, 20'000);
  EXPECT_GT(by_bytes.append(large.rows()).size(), 1'000u);
  EXPECT_GT(by_bytes.append(large.rows()).size(), 1'000u);
}

}  // namespace
}  // namespace sfkit::output
