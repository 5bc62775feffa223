#include "addon/parquet_object.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace sfkit::addon {
namespace {

using output::ColumnType;
using Kind = output::ParquetColumn::Kind;

std::string text(const Napi::Object& object, const char* name) {
  return object.Get(name).ToString().Utf8Value();
}

uint32_t number(const Napi::Object& object, const char* name) {
  return object.Get(name).ToNumber().Uint32Value();
}

Kind kind_of(const std::string& name) {
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"i32", Kind::kNumber32}, {"i64", Kind::kNumber64},   {"bool", Kind::kBool},
      {"str", Kind::kText},     {"ns", Kind::kNanoseconds}, {"us", Kind::kMicroseconds}};
  const auto* const found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                         [&](const auto& known) { return known.first == name; });
  return found == std::end(kKinds) ? Kind::kNames : found->second;
}

output::ParquetColumn to_column(const Napi::Object& object) {
  output::ParquetColumn column;
  column.name = text(object, "name");
  column.kind = kind_of(text(object, "kind"));
  column.source = number(object, "source");
  const auto names = object.Get("names").As<Napi::Array>();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const auto name = names.Get(i).As<Napi::Object>();
    column.names.push_back({text(name, "name"), number(name, "mask"), number(name, "value")});
  }
  return column;
}

constexpr napi_typedarray_type array_type(ColumnType type) {
  switch (type) {
    case ColumnType::kI32: return napi_int32_array;
    case ColumnType::kI64: return napi_bigint64_array;
    case ColumnType::kStr: return napi_uint32_array;
    case ColumnType::kBool: return napi_uint8_array;
  }
  return napi_uint8_array;
}

// Memory of an array of this type; null unless it has at least `count` elements.
const uint8_t* data_of(const Napi::Value& value, napi_typedarray_type type, size_t count) {
  if (!value.IsTypedArray()) return nullptr;
  const auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != type || array.ElementLength() < count) return nullptr;
  static constexpr uint64_t kNothing = 0;
  if (array.ElementLength() == 0) return reinterpret_cast<const uint8_t*>(&kNothing);
  return static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
}

// The texts ascend within their bytes, and every row has one of them.
bool has_sound_texts(const output::ParquetRows& rows, size_t bytes) {
  if (rows.offsets[rows.texts] > bytes) return false;
  return std::is_sorted(rows.offsets, rows.offsets + rows.texts + 1);
}

// Rows without a text have the number 0.
bool has_sound_numbers(const output::ParquetRows& rows, const output::ParquetRows::Column& column) {
  const auto* const numbers = reinterpret_cast<const uint32_t*>(column.values);
  if (rows.texts != 0)
    return std::all_of(numbers, numbers + rows.rows,
                       [&rows](uint32_t number) { return number < rows.texts; });
  return rows.rows == 0 || (column.valid != nullptr &&
                            std::all_of(column.valid, column.valid + (size_t{rows.rows} + 7) / 8,
                                        [](uint8_t bits) { return bits == 0; }));
}

Napi::Value copy(Napi::Env env, Bytes bytes) {
  auto array = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty() && array.Data() != nullptr)
    std::memcpy(array.Data(), bytes.data(), bytes.size());
  return array;
}

Napi::Value refuse(Napi::Env env) {
  Napi::TypeError::New(env, "append: expected a batch of the table").ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace

Napi::Function ParquetObject::define(Napi::Env env) {
  return DefineClass(env, "ParquetFile",
                     {InstanceMethod<&ParquetObject::append>("append"),
                      InstanceMethod<&ParquetObject::finish>("finish")});
}

ParquetObject::ParquetObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ParquetObject>(info) {
  const auto config = info[0].As<Napi::Object>();
  output::ParquetSettings settings;
  const auto columns = config.Get("columns").As<Napi::Array>();
  for (uint32_t i = 0; i < columns.Length(); ++i) {
    settings.columns.push_back(to_column(columns.Get(i).As<Napi::Object>()));
    const output::ParquetColumn& column = settings.columns.back();
    if (sources_.size() <= column.source) sources_.resize(column.source + 1);
    sources_[column.source] = output::source_type(column.kind);
  }
  const auto metadata = config.Get("metadata").As<Napi::Array>();
  for (uint32_t i = 0; i < metadata.Length(); ++i) {
    const auto pair = metadata.Get(i).As<Napi::Array>();
    settings.metadata.emplace_back(pair.Get(0u).ToString().Utf8Value(),
                                   pair.Get(1u).ToString().Utf8Value());
  }
  settings.creator = "sfkit version " SFKIT_VERSION;
  settings.group_bytes = number(config, "groupBytes");
  file_ = std::make_unique<output::ParquetFile>(std::move(settings));
}

// append(batch)
Napi::Value ParquetObject::append(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return refuse(env);
  const auto batch = info[0].As<Napi::Object>();
  const Napi::Value texts_of = batch.Get("strings");
  const Napi::Value columns_of = batch.Get("columns");
  if (!texts_of.IsObject() || !columns_of.IsArray()) return refuse(env);
  output::ParquetRows rows;
  rows.rows = number(batch, "rows");
  const auto strings = texts_of.As<Napi::Object>();
  const Napi::Value offsets = strings.Get("offsets");
  const Napi::Value bytes = strings.Get("bytes");
  const uint8_t* const places = data_of(offsets, napi_uint32_array, 1);
  const uint8_t* const texts = data_of(bytes, napi_uint8_array, 0);
  if (places == nullptr || texts == nullptr) return refuse(env);
  rows.offsets = reinterpret_cast<const uint32_t*>(places);
  rows.texts = static_cast<uint32_t>(offsets.As<Napi::TypedArray>().ElementLength() - 1);
  rows.text_bytes = reinterpret_cast<const char*>(texts);
  if (!has_sound_texts(rows, bytes.As<Napi::TypedArray>().ElementLength())) return refuse(env);

  const auto columns = columns_of.As<Napi::Array>();
  for (uint32_t i = 0; i < sources_.size(); ++i) {
    const Napi::HandleScope scope(env);
    const Napi::Value item = columns.Get(i);
    if (!item.IsObject()) return refuse(env);
    const auto object = item.As<Napi::Object>();
    const Napi::Value valid = object.Get("valid");
    output::ParquetRows::Column column;
    column.values = data_of(object.Get("values"), array_type(sources_[i]), rows.rows);
    column.valid = data_of(valid, napi_uint8_array, (size_t{rows.rows} + 7) / 8);
    const bool is_sound = column.values != nullptr && (valid.IsNull() || column.valid != nullptr) &&
                          (sources_[i] != ColumnType::kStr || has_sound_numbers(rows, column));
    if (!is_sound) return refuse(env);
    rows.columns.push_back(column);
  }
  return copy(env, file_->append(rows));
}

// finish()
Napi::Value ParquetObject::finish(const Napi::CallbackInfo& info) {
  return copy(info.Env(), file_->finish());
}

}  // namespace sfkit::addon
