#include "output/parquet_column.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/times.h"
#include "output/snappy_encoder.h"
#include "output/thrift_writer.h"

namespace sfkit::output {

namespace {

using Kind = ParquetColumn::Kind;
using Encoding = ParquetEncoding;

enum class PageType : uint8_t { kData = 0, kDictionary = 2 };

// Levels of definition of a list.
constexpr uint32_t kNoList = 0;
constexpr uint32_t kEmptyList = 1;
constexpr uint32_t kInList = 3;

// A column of numbers with more distinct ones in a row group stores differences from then on.
constexpr uint32_t kMaxKnown = 1 << 16;
// Longer texts are not worth their place in statistics.
constexpr size_t kMaxStatistic = 256;

uint64_t valid_word(const uint8_t* valid, size_t row, size_t count) {
  if (valid == nullptr) return ~uint64_t{0};
  uint64_t word = 0;
  std::memcpy(&word, valid + row / 8, (count + 7) / 8);
  return word;
}

// Calls visit(row) for each row with a value; visits rows in order.
template <typename Visit>
void each_valid(const uint8_t* valid, size_t rows, Visit&& visit) {
  for (size_t row = 0; row < rows; row += 64) {
    const size_t count = std::min<size_t>(64, rows - row);
    uint64_t word = valid_word(valid, row, count);
    if (word == ~uint64_t{0}) {
      for (size_t i = row; i < row + count; ++i) visit(i);
      continue;
    }
    if (count < 64) word &= (uint64_t{1} << count) - 1;
    for (; word != 0; word &= word - 1) visit(row + static_cast<size_t>(std::countr_zero(word)));
  }
}

void add_validity(BitList& bits, const uint8_t* valid, size_t rows) {
  if (valid == nullptr) return bits.add(true, rows);
  for (size_t row = 0; row < rows; row += 64) {
    const size_t count = std::min<size_t>(64, rows - row);
    bits.add_word(valid_word(valid, row, count), count);
  }
}

unsigned width_of(size_t count) {
  // Not all readers accept a width of 0.
  return std::max(1u, static_cast<unsigned>(std::bit_width(count - 1)));
}

// Reused by all columns of a thread, as each needs them only while it ends a page.
struct Scratch {
  ByteBuffer page;
  ByteBuffer compressed;
};
Scratch& scratch() {
  thread_local Scratch scratch;
  return scratch;
}

void append_levels(ByteBuffer& page, auto&& put) {
  const size_t start = page.size();
  const uint32_t none = 0;
  page.append(&none, sizeof(none));
  put();
  const auto size = static_cast<uint32_t>(page.size() - start - sizeof(none));
  uint8_t* const end = page.reserve(0);
  std::memcpy(end - size - sizeof(none), &size, sizeof(size));
}

// Compresses a page, and appends it after its header.
template <typename Header>
void append_page(Bytes page, PageType type, ParquetChunk& chunk, ByteBuffer& out, Header&& header) {
  ByteBuffer& compressed = scratch().compressed;
  compressed.clear();
  snappy_compress(page, compressed);
  const size_t start = out.size();
  ThriftWriter thrift(out);
  thrift.begin();
  thrift.i32(1, static_cast<int32_t>(type));
  thrift.i32(2, static_cast<int32_t>(page.size()));
  thrift.i32(3, static_cast<int32_t>(compressed.size()));
  header(thrift);
  thrift.end();
  chunk.uncompressed += static_cast<int64_t>(out.size() - start + page.size());
  out.append(compressed.bytes().data(), compressed.size());
  chunk.compressed += static_cast<int64_t>(out.size() - start);
}

// The lowest bytes come first.
std::string number_bytes(int64_t number, size_t size) {
  return {reinterpret_cast<const char*>(&number), size};
}

}  // namespace

void TextNumbers::begin_batch(uint32_t texts) {
  if (entries_.size() < texts) entries_.resize(texts);
  for (uint32_t i = 0; i < texts; ++i) entries_[i].has_hash = false;
}

uint64_t TextNumbers::hash_of(const ParquetRows& rows, uint32_t number) {
  Entry& entry = entries_[number];
  if (!entry.has_hash) {
    entry.hash = hash_text(rows.text(number));
    entry.has_hash = true;
  }
  return entry.hash;
}

void ParquetColumnWriter::add(const ParquetRows& rows, TextNumbers& numbers) {
  const ParquetRows::Column& from = rows.columns[column_.source];
  switch (column_.kind) {
    case Kind::kNames: return add_names(rows, from);
    case Kind::kText: add_texts(rows, from, numbers); break;
    case Kind::kBool: add_bools(rows, from); break;
    case Kind::kNumber32: add_numbers<int32_t>(rows, from); break;
    case Kind::kNumber64: add_numbers<int64_t>(rows, from); break;
    case Kind::kNanoseconds:
    case Kind::kMicroseconds: return add_times(rows, from);
  }
  add_validity(valid_, from.valid, rows.rows);
}

void ParquetColumnWriter::add_texts(const ParquetRows& rows, const ParquetRows::Column& from,
                                    TextNumbers& numbers) {
  const auto* const values = reinterpret_cast<const uint32_t*>(from.values);
  numbers.begin_column();
  const size_t before = indexes_.size();
  indexes_.resize(before + rows.rows);
  uint32_t* to = indexes_.data() + before;
  uint64_t last = UINT64_MAX;  // no number of a text
  uint32_t index = 0;
  each_valid(from.valid, rows.rows, [&](size_t row) {
    const uint32_t number = values[row];
    // Rows of one process follow each other.
    if (number != last) {
      last = number;
      index = numbers.index_of(
          rows, number, [&](uint64_t hash) { return texts_.index_of(rows.text(number), hash); });
    }
    *to++ = index;
  });
  indexes_.resize(static_cast<size_t>(to - indexes_.data()));
}

void ParquetColumnWriter::add_names(const ParquetRows& rows, const ParquetRows::Column& from) {
  const auto* const values = reinterpret_cast<const uint32_t*>(from.values);
  size_t next = 0;
  const auto add_missing = [&](size_t until) {
    defined_.insert(defined_.end(), until - next, kNoList);
    repeated_.insert(repeated_.end(), until - next, 0);
  };
  each_valid(from.valid, rows.rows, [&](size_t row) {
    add_missing(row);
    next = row + 1;
    const uint32_t bits = values[row];
    if (last_bits_ != bits) {
      last_names_.clear();
      for (const ParquetColumn::Name& name : column_.names) {
        if ((bits & name.mask) == name.value)
          last_names_.push_back(texts_.index_of(name.text, hash_text(name.text)));
      }
      last_bits_ = bits;
    }
    if (last_names_.empty()) {
      defined_.push_back(kEmptyList);
      repeated_.push_back(0);
      return;
    }
    for (size_t i = 0; i < last_names_.size(); ++i) {
      indexes_.push_back(last_names_[i]);
      defined_.push_back(kInList);
      repeated_.push_back(i == 0 ? 0 : 1);
    }
  });
  add_missing(rows.rows);
}

void ParquetColumnWriter::add_bools(const ParquetRows& rows, const ParquetRows::Column& from) {
  uint64_t word = 0;
  size_t used = 0;
  each_valid(from.valid, rows.rows, [&](size_t row) {
    word |= uint64_t{from.values[row] != 0} << used;
    if (++used < 64) return;
    bools_.add_word(std::exchange(word, 0), std::exchange(used, 0));
  });
  bools_.add_word(word, used);
}

template <typename Number>
void ParquetColumnWriter::add_numbers(const ParquetRows& rows, const ParquetRows::Column& from) {
  const auto* const values = reinterpret_cast<const Number*>(from.values);
  Number last = 0;
  bool has_last = false;  // and numbers go through the dictionary
  each_valid(from.valid, rows.rows, [&](size_t row) {
    const Number number = values[row];
    if (has_last && number == last) return indexes_.push_back(last_index_);
    add_number(number);
    last = number;
    has_last = !has_deltas_;
  });
}

void ParquetColumnWriter::add_times(const ParquetRows& rows, const ParquetRows::Column& from) {
  const auto* const values = reinterpret_cast<const int64_t*>(from.values);
  const bool is_nanoseconds = column_.kind == Kind::kNanoseconds;
  size_t next = 0;
  each_valid(from.valid, rows.rows, [&](size_t row) {
    if (!is_possible_time(values[row])) return;
    valid_.add(false, row - next);
    valid_.add(true, 1);
    next = row + 1;
    add_number(is_nanoseconds ? values[row] : values[row] / 1000);
  });
  valid_.add(false, rows.rows - next);
}

void ParquetColumnWriter::add_number(int64_t number) {
  if (has_deltas_) return numbers_.push_back(number);
  if (known_.size() == 0 || known_.numbers()[last_index_] != number) {
    last_index_ = known_.index_of(number);
    if (known_.size() > kMaxKnown) {
      begin_deltas();
      return numbers_.push_back(number);
    }
  }
  indexes_.push_back(last_index_);
}

// What the page has so far no longer goes through the dictionary.
void ParquetColumnWriter::begin_deltas() {
  has_deltas_ = true;
  for (const uint32_t index : indexes_) numbers_.push_back(known_.numbers()[index]);
  indexes_.clear();
  known_.shrink(used_);
}

// A dictionary of values that hardly repeat only takes room.
void ParquetColumnWriter::choose_encoding() {
  constexpr size_t kMinNumbers = 64;
  if (has_deltas_ || used_ != 0 || indexes_.size() < kMinNumbers) return;
  if (known_.size() * 2 <= indexes_.size()) return;
  prefers_deltas_ = true;
  begin_deltas();
}

void ParquetColumnWriter::end_page() {
  const bool is_list = column_.kind == Kind::kNames;
  const size_t entries = is_list ? defined_.size() : valid_.size();
  if (entries == 0) return;
  ByteBuffer& page = scratch().page;
  page.clear();
  if (is_list) {
    append_levels(page, [&] { put_runs(repeated_, 1, page); });
    append_levels(page, [&] { put_runs(defined_, 2, page); });
  } else {
    append_levels(page, [&] { put_runs(valid_, page); });
  }
  const auto [of_values, present] = put_values(page);
  append_page(page.bytes(), PageType::kData, chunk_, pages_, [&](ThriftWriter& thrift) {
    thrift.begin_struct(5);
    thrift.i32(1, static_cast<int32_t>(entries));
    thrift.i32(2, static_cast<int32_t>(of_values));
    thrift.i32(3, static_cast<int32_t>(Encoding::kRuns));
    thrift.i32(4, static_cast<int32_t>(Encoding::kRuns));
    thrift.end();
  });
  chunk_.values += static_cast<int64_t>(entries);
  if (!is_list) chunk_.nulls += static_cast<int64_t>(entries - present);
  valid_.clear();
  bools_.clear();
  indexes_.clear();
  numbers_.clear();
  defined_.clear();
  repeated_.clear();
}

ParquetColumnWriter::Values ParquetColumnWriter::put_values(ByteBuffer& page) {
  if (column_.kind == Kind::kBool) {
    const Bytes bits = bools_.bytes();
    page.append(bits.data(), bits.size());
    chunk_.has_plain = true;
    if (const size_t set = bools_.count(); bools_.size() != 0) {
      count_value(set == bools_.size() ? 1 : 0);
      count_value(set == 0 ? 0 : 1);
    }
    return {Encoding::kPlain, bools_.size()};
  }
  if (is_number()) choose_encoding();
  if (!numbers_.empty()) {
    put_deltas(numbers_, number_bits(), page);
    chunk_.has_deltas = true;
    const auto [least, greatest] = std::minmax_element(numbers_.begin(), numbers_.end());
    count_value(*least);
    count_value(*greatest);
    return {Encoding::kDeltas, numbers_.size()};
  }
  if (!indexes_.empty()) {
    used_ = is_number() ? known_.size() : texts_.size();
    const auto width = static_cast<uint8_t>(width_of(used_));
    page.append(&width, 1);
    put_runs(indexes_, width, page);
    chunk_.has_dictionary = true;
    return {Encoding::kDictionary, indexes_.size()};
  }
  // A page of missing values.
  chunk_.has_plain = true;
  return {Encoding::kPlain, 0};
}

void ParquetColumnWriter::count_value(int64_t value) {
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
}

ParquetChunk ParquetColumnWriter::take(ByteBuffer& out) {
  const size_t start = out.size();
  if (chunk_.has_dictionary) put_dictionary(out);
  chunk_.dictionary_size = static_cast<int64_t>(out.size() - start);
  out.append(pages_.bytes().data(), pages_.size());
  put_statistics();
  texts_.clear();
  known_.clear();
  pages_ = ByteBuffer();
  has_deltas_ = prefers_deltas_;
  used_ = 0;
  least_ = INT64_MAX;
  greatest_ = INT64_MIN;
  last_bits_.reset();
  return std::exchange(chunk_, ParquetChunk());
}

void ParquetColumnWriter::put_dictionary(ByteBuffer& out) {
  ByteBuffer& page = scratch().page;
  page.clear();
  Bytes bytes = texts_.bytes();
  if (is_number()) {
    for (const int64_t number : known_.numbers()) page.append(&number, number_bits() / 8);
    bytes = page.bytes();
  }
  append_page(bytes, PageType::kDictionary, chunk_, out, [&](ThriftWriter& thrift) {
    thrift.begin_struct(7);
    thrift.i32(1, static_cast<int32_t>(used_));
    thrift.i32(2, static_cast<int32_t>(Encoding::kPlain));
    thrift.end();
  });
}

void ParquetColumnWriter::put_statistics() {
  if (column_.kind == Kind::kNames) return;
  if (column_.kind == Kind::kText) {
    if (texts_.size() == 0) return;
    std::string_view least = texts_.text(0);
    std::string_view greatest = least;
    for (uint32_t i = 1; i < texts_.size(); ++i) {
      least = std::min(least, texts_.text(i));
      greatest = std::max(greatest, texts_.text(i));
    }
    if (least.size() > kMaxStatistic || greatest.size() > kMaxStatistic) return;
    chunk_.least = least;
    chunk_.greatest = greatest;
    return;
  }
  for (const int64_t number : known_.numbers()) count_value(number);
  if (least_ > greatest_) return;
  const size_t size = column_.kind == Kind::kBool ? 1 : number_bits() / 8;
  chunk_.least = number_bytes(least_, size);
  chunk_.greatest = number_bytes(greatest_, size);
}

size_t ParquetColumnWriter::memory() const {
  return pages_.size() + texts_.memory() + known_.memory();
}

}  // namespace sfkit::output
