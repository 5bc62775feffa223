#include "addon/values.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace sfkit::addon {

namespace {

// Text as JavaScript has it: messages may hold a path of any bytes.
Napi::String text(Napi::Env env, const std::string& value) {
  std::string scratch;
  const std::string_view valid = valid_utf8(value, scratch);
  return Napi::String::New(env, valid.data(), valid.size());
}

// An ArrayBuffer over memory that `owner` keeps, or over a copy where the platform wants that.
// `release` is called with `owner` when nobody reads the memory any more.
Napi::Value external_buffer(Napi::Env env, uint8_t* data, size_t size, void* owner, void (*release)(void*)) {
  struct Hint {
    void* owner;
    void (*release)(void*);
  };
  auto hint = std::make_unique<Hint>(Hint{owner, release});
  const auto finalize = [](napi_env, void*, void* argument) {
    const std::unique_ptr<Hint> kept(static_cast<Hint*>(argument));
    kept->release(kept->owner);
  };
  napi_value result = nullptr;
  if (size != 0 &&
      napi_create_external_arraybuffer(env, data, size, finalize, hint.get(), &result) == napi_ok) {
    (void)hint.release();
    return {env, result};
  }
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, size);
  if (size != 0 && copy.Data() != nullptr) std::memcpy(copy.Data(), data, size);
  release(owner);
  return copy;
}

Napi::ArrayBuffer buffer_of(Napi::Env env, HeapBlock block) {
  const size_t size = block.size();
  HeapBlock::Owner owner = block.release();
  uint8_t* const data = owner.release();
  return external_buffer(env, data, size, data,
                         [](void* memory) { const HeapBlock::Owner freed(static_cast<uint8_t*>(memory)); })
      .As<Napi::ArrayBuffer>();
}

Napi::Value bytes_of(Napi::Env env, HeapBlock block, size_t count) {
  return Napi::Uint8Array::New(env, count, buffer_of(env, std::move(block)), 0);
}

Napi::Value avro_batch(Napi::Env env, std::vector<uint8_t> bytes) {
  auto kept = std::make_unique<std::vector<uint8_t>>(std::move(bytes));
  const size_t size = kept->size();
  uint8_t* const data = kept->data();
  const Napi::Value buffer = external_buffer(env, data, size, kept.release(), [](void* owner) {
    const std::unique_ptr<std::vector<uint8_t>> freed(static_cast<std::vector<uint8_t>*>(owner));
  });
  Napi::Object batch = Napi::Object::New(env);
  batch.Set("kind", "avro");
  batch.Set("bytes", Napi::Uint8Array::New(env, size, buffer.As<Napi::ArrayBuffer>(), 0));
  return batch;
}

Napi::Value column_values(Napi::Env env, output::ColumnValues& column, size_t rows) {
  const Napi::ArrayBuffer buffer = buffer_of(env, std::move(column.values));
  switch (column.type) {
    case output::ColumnType::kI32:
      return Napi::Int32Array::New(env, rows, buffer, 0);
    case output::ColumnType::kI64:
      return Napi::BigInt64Array::New(env, rows, buffer, 0);
    case output::ColumnType::kStr:
      return Napi::Uint32Array::New(env, rows, buffer, 0);
    case output::ColumnType::kBool:
      return Napi::Uint8Array::New(env, rows, buffer, 0);
  }
  return env.Undefined();
}

Napi::Value column_batch(Napi::Env env, output::ColumnBatch batch) {
  Napi::Object strings = Napi::Object::New(env);
  strings.Set("offsets", Napi::Uint32Array::New(env, size_t{batch.string_count} + 1,
                                                buffer_of(env, std::move(batch.string_offsets)), 0));
  strings.Set("bytes", bytes_of(env, std::move(batch.string_bytes), batch.string_size));

  Napi::Array columns = Napi::Array::New(env, batch.columns.size());
  for (uint32_t i = 0; i < batch.columns.size(); ++i) {
    const Napi::HandleScope scope(env);
    output::ColumnValues& column = batch.columns[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("values", column_values(env, column, batch.rows));
    const size_t valid = column.valid.size();
    object.Set("valid", column.valid ? bytes_of(env, std::move(column.valid), valid) : env.Null());
    columns.Set(i, object);
  }

  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", "columns");
  object.Set("table", std::string(output::kTables[static_cast<size_t>(batch.table)].name));
  object.Set("rows", batch.rows);
  object.Set("strings", strings);
  object.Set("columns", columns);
  return object;
}

// Reads members of a configuration object; the first that is of the wrong type is remembered.
class ConfigReader {
 public:
  ConfigReader(Napi::Env env, Napi::Object object) : env_(env), object_(object) {}

  std::string text(const char* name) {
    const Napi::Value value = object_.Get(name);
    if (value.IsString()) return value.As<Napi::String>().Utf8Value();
    return wrong(name, "a string"), std::string();
  }
  bool boolean(const char* name) {
    const Napi::Value value = object_.Get(name);
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
    return wrong(name, "a boolean"), false;
  }
  int64_t integer(const char* name, int64_t least, int64_t most) {
    const Napi::Value value = object_.Get(name);
    const int64_t number = value.IsNumber() ? value.As<Napi::Number>().Int64Value() : least - 1;
    if (number >= least && number <= most) return number;
    wrong(name, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    return least;
  }
  std::vector<output::Table> tables(const char* name) {
    std::vector<output::Table> tables;
    const Napi::Value value = object_.Get(name);
    if (!value.IsArray()) return wrong(name, "an array"), tables;
    const auto names = value.As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const Napi::Value item = names.Get(i);
      const std::string wanted = item.IsString() ? item.As<Napi::String>().Utf8Value() : std::string();
      size_t place = 0;
      while (place < output::kTableCount && output::kTables[place].name != wanted) ++place;
      if (place == output::kTableCount) return wrong(name, "names of tables"), tables;
      const auto table = static_cast<output::Table>(place);
      if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
    }
    return tables;
  }
  void wrong(const char* name, const std::string& expected) {
    if (fine_)
      Napi::TypeError::New(env_, std::string("config.") + name + ": expected " + expected)
          .ThrowAsJavaScriptException();
    fine_ = false;
  }
  bool fine() const { return fine_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
  bool fine_ = true;
};

}  // namespace

std::optional<SessionConfig> to_config(Napi::Env env, const Napi::Value& value) {
  if (!value.IsObject()) {
    Napi::TypeError::New(env, "config: expected an object").ThrowAsJavaScriptException();
    return std::nullopt;
  }
  ConfigReader reader(env, value.As<Napi::Object>());
  SessionConfig config;
  config.input = reader.text("input");

  const std::string kind = reader.text("kind");
  if (kind == "capture") {
    config.kind = InputKind::kCapture;
  } else if (kind == "sysflow") {
    config.kind = InputKind::kSysflow;
  } else if (kind != "auto") {
    reader.wrong("kind", "auto, capture or sysflow");
  }

  const std::string output = reader.text("output");
  if (output == "avro") {
    config.output = OutputKind::kAvro;
  } else if (output == "none") {
    config.output = OutputKind::kNone;
  } else if (output != "columns") {
    reader.wrong("output", "avro, columns or none");
  }

  config.tables = reader.tables("tables");
  constexpr int64_t kMaxBatchRows = 122880;
  config.batch_rows = static_cast<uint32_t>(reader.integer("batchRows", 1, kMaxBatchRows));
  config.options.exporter = reader.text("exporter");
  config.options.node_ip = reader.text("nodeIp");
  config.options.filename = reader.text("filename");
  config.options.file_read_mode = static_cast<int>(reader.integer("fileReadMode", 0, 2));
  config.options.file_only = reader.boolean("fileOnly");
  config.options.process_flow = reader.boolean("processFlow");
  config.options.containers_only = reader.boolean("containersOnly");
  const std::string compat = reader.text("compat");
  config.options.compat = compat == "sysflow-0.7";
  if (!compat.empty() && !config.options.compat) reader.wrong("compat", "an empty string or sysflow-0.7");
  if (!reader.fine()) return std::nullopt;
  return config;
}

Napi::Value from_batch(Napi::Env env, Batch batch) {
  if (auto* bytes = std::get_if<std::vector<uint8_t>>(&batch)) return avro_batch(env, std::move(*bytes));
  return column_batch(env, std::move(std::get<output::ColumnBatch>(batch)));
}

Napi::Value from_summary(Napi::Env env, const SessionSummary& summary) {
  const sysflow::ConvertSummary& input = summary.input;
  Napi::Object records = Napi::Object::New(env);
  for (const auto& [type, count] : summary.records) records.Set(type, Napi::BigInt::New(env, count));

  Napi::Array skipped = Napi::Array::New(env, input.skipped.size());
  for (uint32_t i = 0; i < input.skipped.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("reason", text(env, input.skipped[i].reason));
    item.Set("count", Napi::BigInt::New(env, input.skipped[i].count));
    skipped.Set(i, item);
  }

  Napi::Array damage = Napi::Array::New(env, input.damage.size());
  for (uint32_t i = 0; i < input.damage.size(); ++i) {
    const sysflow::Damage& what = input.damage[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("kind", text(env, what.kind));
    item.Set("offset", Napi::BigInt::New(env, what.offset));
    item.Set("skippedBytes", Napi::BigInt::New(env, what.skipped_bytes));
    item.Set("message", text(env, what.message));
    damage.Set(i, item);
  }

  Napi::Object object = Napi::Object::New(env);
  object.Set("format", text(env, input.format));
  object.Set("compression", text(env, input.compression));
  object.Set("events", Napi::BigInt::New(env, input.events));
  object.Set("bytes", Napi::BigInt::New(env, input.bytes));
  object.Set("records", records);
  object.Set("skipped", skipped);
  object.Set("damage", damage);
  object.Set("firstTime", Napi::BigInt::New(env, input.first_time));
  object.Set("lastTime", Napi::BigInt::New(env, input.last_time));
  return object;
}

Napi::Value from_status(Napi::Env env, const Status& status) {
  const Napi::Value error = Napi::Error::New(env, text(env, status.message()).Utf8Value()).Value();
  error.As<Napi::Object>().Set("code", error_code_name(status.code()));
  return error;
}

}  // namespace sfkit::addon
