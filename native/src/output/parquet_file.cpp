#include "output/parquet_file.h"

#include <cstring>

#include "output/thrift_writer.h"

namespace sfkit::output {

namespace {

using Kind = ParquetColumn::Kind;

constexpr std::string_view kMagic = "PAR1";
constexpr int32_t kVersion = 1;
constexpr int32_t kSnappy = 1;

// More rows in a page mean fewer headers and runs; fewer take less memory.
constexpr uint64_t kPageRows = 16'384;
constexpr uint64_t kGroupRows = 122'880;

// Numbers of the format.
enum Physical : int32_t { kBoolean = 0, kInt32 = 1, kInt64 = 2, kByteArray = 6 };
enum Converted : int32_t { kUtf8 = 0, kList = 3, kTimestampMicros = 10, kSigned32 = 17, kSigned64 };
enum Repetition : int32_t { kOptional = 1, kRepeated = 2 };

Physical physical(Kind kind) {
  switch (kind) {
    case Kind::kNumber32: return kInt32;
    case Kind::kBool: return kBoolean;
    case Kind::kText:
    case Kind::kNames: return kByteArray;
    default: return kInt64;
  }
}

void put_texts(ThriftWriter& thrift, int16_t id, std::initializer_list<std::string_view> texts) {
  thrift.list(id, ThriftWriter::Type::kBinary, texts.size());
  for (const std::string_view text : texts) thrift.text_element(text);
}

void put_path(ThriftWriter& thrift, int16_t id, const ParquetColumn& column) {
  if (column.kind == Kind::kNames) {
    put_texts(thrift, id, {column.name, "list", "element"});
  } else {
    put_texts(thrift, id, {column.name});
  }
}

void put_group_node(ThriftWriter& thrift, Repetition repetition, std::string_view name,
                    bool is_list) {
  thrift.begin();
  thrift.i32(3, repetition);
  thrift.text(4, name);
  thrift.i32(5, 1);
  if (is_list) thrift.i32(6, kList);
  thrift.end();
}

void put_leaf(ThriftWriter& thrift, Kind kind, std::string_view name) {
  thrift.begin();
  thrift.i32(1, physical(kind));
  thrift.i32(3, kOptional);
  thrift.text(4, name);
  switch (kind) {
    case Kind::kNumber32: thrift.i32(6, kSigned32); break;
    case Kind::kNumber64: thrift.i32(6, kSigned64); break;
    case Kind::kText:
    case Kind::kNames: thrift.i32(6, kUtf8); break;
    case Kind::kMicroseconds: thrift.i32(6, kTimestampMicros); break;
    default: break;
  }
  if (kind == Kind::kNanoseconds || kind == Kind::kMicroseconds) {
    const bool is_utc = kind == Kind::kMicroseconds;
    thrift.begin_struct(10);
    thrift.begin_struct(8);
    thrift.boolean(1, is_utc);
    thrift.begin_struct(2);
    thrift.empty(is_utc ? 2 : 3);
    thrift.end();
    thrift.end();
    thrift.end();
  }
  thrift.end();
}

void put_statistics(ThriftWriter& thrift, int16_t id, const ParquetChunk& chunk) {
  thrift.begin_struct(id);
  thrift.i64(3, chunk.nulls);
  if (chunk.greatest) thrift.text(5, *chunk.greatest);
  if (chunk.least) thrift.text(6, *chunk.least);
  thrift.end();
}

void put_encodings(ThriftWriter& thrift, int16_t id, const ParquetChunk& chunk) {
  std::vector<ParquetEncoding> all = {ParquetEncoding::kRuns};
  if (chunk.has_plain || chunk.has_dictionary) all.push_back(ParquetEncoding::kPlain);
  if (chunk.has_dictionary) all.push_back(ParquetEncoding::kDictionary);
  if (chunk.has_deltas) all.push_back(ParquetEncoding::kDeltas);
  thrift.list(id, ThriftWriter::Type::kI32, all.size());
  for (const ParquetEncoding encoding : all) thrift.i32_element(static_cast<int32_t>(encoding));
}

}  // namespace

ParquetFile::ParquetFile(ParquetSettings settings) : settings_(std::move(settings)) {
  for (ParquetColumn& column : settings_.columns) columns_.emplace_back(std::move(column));
  out_.append(kMagic);
}

Bytes ParquetFile::append(const ParquetRows& rows) {
  if (std::exchange(given_, false)) out_.clear();
  texts_.begin_batch(rows.texts);
  for (ParquetColumnWriter& column : columns_) column.add(rows, texts_);
  page_rows_ += rows.rows;
  group_rows_ += rows.rows;
  rows_ += rows.rows;
  if (page_rows_ >= kPageRows) end_page();
  size_t memory = 0;
  for (const ParquetColumnWriter& column : columns_) memory += column.memory();
  if (group_rows_ >= kGroupRows || memory >= settings_.group_bytes) end_group();
  return take();
}

Bytes ParquetFile::finish() {
  if (std::exchange(given_, false)) out_.clear();
  end_group();
  const size_t start = out_.size();
  ThriftWriter thrift(out_);
  thrift.begin();
  thrift.i32(1, kVersion);
  put_schema(thrift);
  thrift.i64(3, static_cast<int64_t>(rows_));
  thrift.list(4, ThriftWriter::Type::kStruct, groups_);
  out_.append(group_metadata_.bytes().data(), group_metadata_.size());
  thrift.list(5, ThriftWriter::Type::kStruct, settings_.metadata.size());
  for (const auto& [key, value] : settings_.metadata) {
    thrift.begin();
    thrift.text(1, key);
    thrift.text(2, value);
    thrift.end();
  }
  thrift.text(6, settings_.creator);
  // How least and greatest values compare: as usual for the type.
  thrift.list(7, ThriftWriter::Type::kStruct, columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    thrift.begin();
    thrift.empty(1);
    thrift.end();
  }
  thrift.end();
  const auto size = static_cast<uint32_t>(out_.size() - start);
  out_.append(&size, sizeof(size));
  out_.append(kMagic);
  return take();
}

Bytes ParquetFile::take() {
  written_ += static_cast<int64_t>(out_.size());
  given_ = true;
  return out_.bytes();
}

void ParquetFile::end_page() {
  for (ParquetColumnWriter& column : columns_) column.end_page();
  page_rows_ = 0;
}

void ParquetFile::end_group() {
  if (group_rows_ == 0) return;
  end_page();
  const auto start = written_ + static_cast<int64_t>(out_.size());
  std::vector<ParquetChunk> chunks;
  for (ParquetColumnWriter& column : columns_) chunks.push_back(column.take(out_));
  put_group(chunks, start);
  group_rows_ = 0;
  ++groups_;
}

void ParquetFile::put_group(const std::vector<ParquetChunk>& chunks, int64_t start) {
  ThriftWriter thrift(group_metadata_);
  thrift.begin();
  thrift.list(1, ThriftWriter::Type::kStruct, chunks.size());
  int64_t at = start;
  int64_t uncompressed = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const ParquetColumn& column = columns_[i].column();
    const ParquetChunk& chunk = chunks[i];
    thrift.begin();
    thrift.i64(2, 0);
    thrift.begin_struct(3);
    thrift.i32(1, physical(column.kind));
    put_encodings(thrift, 2, chunk);
    put_path(thrift, 3, column);
    thrift.i32(4, kSnappy);
    thrift.i64(5, chunk.values);
    thrift.i64(6, chunk.uncompressed);
    thrift.i64(7, chunk.compressed);
    thrift.i64(9, at + chunk.dictionary_size);
    if (chunk.has_dictionary) thrift.i64(11, at);
    if (column.kind != Kind::kNames) put_statistics(thrift, 12, chunk);
    thrift.end();
    thrift.end();
    at += chunk.compressed;
    uncompressed += chunk.uncompressed;
  }
  thrift.i64(2, uncompressed);
  thrift.i64(3, static_cast<int64_t>(group_rows_));
  thrift.i64(5, start);
  thrift.i64(6, at - start);
  thrift.end();
}

void ParquetFile::put_schema(ThriftWriter& thrift) const {
  constexpr size_t kListNodes = 3;
  size_t nodes = 1;
  for (const ParquetColumnWriter& column : columns_)
    nodes += column.column().kind == Kind::kNames ? kListNodes : 1;
  thrift.list(2, ThriftWriter::Type::kStruct, nodes);
  thrift.begin();
  thrift.text(4, "schema");
  thrift.i32(5, static_cast<int32_t>(columns_.size()));
  thrift.end();
  for (const ParquetColumnWriter& writer : columns_) {
    const ParquetColumn& column = writer.column();
    const bool is_list = column.kind == Kind::kNames;
    if (is_list) {
      put_group_node(thrift, kOptional, column.name, true);
      put_group_node(thrift, kRepeated, "list", false);
    }
    put_leaf(thrift, column.kind, is_list ? "element" : std::string_view(column.name));
  }
}

}  // namespace sfkit::output
