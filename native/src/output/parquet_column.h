// One column of a Parquet file that is being written: its pages in the current row group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "columns.gen.h"
#include "output/parquet_dictionary.h"
#include "output/parquet_encoding.h"

namespace sfkit::output {

// What a column holds, and how it is made from a column of a batch.
struct ParquetColumn {
  enum class Kind : uint8_t {
    kNumber32,
    kNumber64,
    kBool,
    kText,
    kNanoseconds,   // of a kI64 column; times that formats cannot hold become null
    kMicroseconds,  // the same, marked as UTC
    kNames,         // of a kI32 column of bits: a list of names
  };
  // A name that is listed if (bits & mask) == value.
  struct Name {
    std::string text;
    uint32_t mask = 0;
    uint32_t value = 0;
  };

  std::string name;
  Kind kind = Kind::kNumber32;
  size_t source = 0;        // index of the batch's column
  std::vector<Name> names;  // of kNames
};

// Type of the batch's column.
constexpr ColumnType source_type(ParquetColumn::Kind kind) {
  using Kind = ParquetColumn::Kind;
  switch (kind) {
    case Kind::kNumber32:
    case Kind::kNames: return ColumnType::kI32;
    case Kind::kBool: return ColumnType::kBool;
    case Kind::kText: return ColumnType::kStr;
    default: return ColumnType::kI64;
  }
}

// Rows of a batch. The memory belongs to somebody else.
struct ParquetRows {
  struct Column {
    const uint8_t* values = nullptr;  // at least `rows`, of the column's type
    const uint8_t* valid = nullptr;   // bitmap as in ColumnValues; null if all rows have a value
  };

  uint32_t rows = 0;
  // Text i is text_bytes[offsets[i]..offsets[i + 1]].
  uint32_t texts = 0;
  const uint32_t* offsets = nullptr;
  const char* text_bytes = nullptr;
  std::vector<Column> columns;

  std::string_view text(uint32_t number) const {
    return {text_bytes + offsets[number], offsets[number + 1] - offsets[number]};
  }
};

// Results about the texts of a batch, shared by its columns.
class TextNumbers {
 public:
  void begin_batch(uint32_t texts);
  void begin_column() { ++column_; }
  // The index that `find` returned for a text in this column; calls find(hash) the first time.
  template <typename Find>
  uint32_t index_of(const ParquetRows& rows, uint32_t number, Find&& find) {
    Entry& entry = entries_[number];
    if (entry.column == column_) return entry.index;
    entry.column = column_;
    entry.index = find(hash_of(rows, number));
    return entry.index;
  }

 private:
  struct Entry {
    uint64_t column = 0;
    uint64_t hash = 0;
    uint32_t index = 0;
    bool has_hash = false;
  };
  uint64_t hash_of(const ParquetRows& rows, uint32_t number);

  std::vector<Entry> entries_;
  uint64_t column_ = 0;  // counts over all batches
};

// Numbers of the format.
enum class ParquetEncoding : uint8_t { kPlain = 0, kRuns = 3, kDeltas = 5, kDictionary = 8 };

// What the metadata of a file says of a column in a row group.
struct ParquetChunk {
  // Encodings of its data pages.
  bool has_plain = false;
  bool has_deltas = false;
  bool has_dictionary = false;
  int64_t values = 0;           // including missing ones
  int64_t nulls = 0;            // 0 for a list
  int64_t dictionary_size = 0;  // bytes of its page, which comes first
  int64_t compressed = 0;       // bytes of all pages, with their headers
  int64_t uncompressed = 0;
  std::optional<std::string> least, greatest;  // as Parquet stores them
};

class ParquetColumnWriter {
 public:
  explicit ParquetColumnWriter(ParquetColumn column) : column_(std::move(column)) {}

  const ParquetColumn& column() const { return column_; }
  void add(const ParquetRows& rows, TextNumbers& numbers);
  // Writes what was added since the last page as a page.
  void end_page();
  // Appends all pages to `out`, and starts a new row group. Call end_page() before.
  ParquetChunk take(ByteBuffer& out);
  // Bytes that the pages and dictionaries take.
  size_t memory() const;

 private:
  using Kind = ParquetColumn::Kind;

  void add_texts(const ParquetRows& rows, const ParquetRows::Column& from, TextNumbers& numbers);
  void add_names(const ParquetRows& rows, const ParquetRows::Column& from);
  template <typename Number>
  void add_numbers(const ParquetRows& rows, const ParquetRows::Column& from);
  void add_times(const ParquetRows& rows, const ParquetRows::Column& from);
  void add_number(int64_t number);
  void add_bools(const ParquetRows& rows, const ParquetRows::Column& from);
  void begin_deltas();
  void choose_encoding();
  // What the values of a page are written as, and how many there are.
  struct Values {
    ParquetEncoding encoding;
    size_t present;
  };
  Values put_values(ByteBuffer& page);
  void count_value(int64_t value);
  void put_dictionary(ByteBuffer& out);
  void put_statistics();
  bool is_number() const { return column_.kind != Kind::kText && column_.kind != Kind::kNames; }
  unsigned number_bits() const { return source_type(column_.kind) == ColumnType::kI32 ? 32 : 64; }

  ParquetColumn column_;
  // The page under construction: which rows have a value, and the values of those that have.
  BitList valid_;
  BitList bools_;
  std::vector<uint32_t> indexes_;
  std::vector<int64_t> numbers_;
  // Of lists: levels of definition and repetition.
  std::vector<uint32_t> defined_, repeated_;
  // Of the row group.
  TextDictionary texts_;
  NumberDictionary known_;
  bool has_deltas_ = false;      // numbers go to numbers_, not through the dictionary
  bool prefers_deltas_ = false;  // also in later row groups
  uint32_t last_index_ = 0;      // of the last number in the dictionary
  uint32_t used_ = 0;            // numbers of the dictionary that pages refer to
  int64_t least_ = INT64_MAX, greatest_ = INT64_MIN;  // of values outside the dictionary
  ParquetChunk chunk_;
  ByteBuffer pages_;
  // Names of the last list, as indexes.
  std::optional<uint32_t> last_bits_;
  std::vector<uint32_t> last_names_;
};

}  // namespace sfkit::output
