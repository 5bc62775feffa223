#include "addon/values.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "probe/shared.h"

namespace sfkit::addon {

namespace {

// Converts text that may contain a path with any bytes.
Napi::String text(Napi::Env env, const std::string& value) {
  std::string scratch;
  const std::string_view valid = valid_utf8(value, scratch);
  return Napi::String::New(env, valid.data(), valid.size());
}

// Creates values with the C interface: in a terminating worker any call can fail, and the C++
// wrapper would then abort the process. After the first failure, all other calls do nothing.
class Maker {
 public:
  explicit Maker(napi_env env) : env_(env) {}

  bool fine() const { return fine_; }

  napi_value null() {
    return make([&](napi_value* out) { return napi_get_null(env_, out); });
  }
  napi_value number(uint32_t value) {
    return make([&](napi_value* out) { return napi_create_uint32(env_, value, out); });
  }
  napi_value text(std::string_view value) {
    return make([&](napi_value* out) {
      return napi_create_string_utf8(env_, value.data(), value.size(), out);
    });
  }
  napi_value object() {
    return make([&](napi_value* out) { return napi_create_object(env_, out); });
  }
  napi_value array(size_t size) {
    return make([&](napi_value* out) { return napi_create_array_with_length(env_, size, out); });
  }
  napi_value typed(napi_typedarray_type type, size_t count, napi_value buffer) {
    return make(
        [&](napi_value* out) { return napi_create_typedarray(env_, type, count, buffer, 0, out); });
  }
  void set(napi_value object, const char* name, napi_value value) {
    if (fine_) fine_ = napi_set_named_property(env_, object, name, value) == napi_ok;
  }
  void set(napi_value array, uint32_t place, napi_value value) {
    if (fine_) fine_ = napi_set_element(env_, array, place, value) == napi_ok;
  }

  // An ArrayBuffer over memory that `owner` keeps, or over a copy if the platform requires it.
  template <typename Owner>
  napi_value buffer(std::unique_ptr<Owner> owner, uint8_t* data, size_t size) {
    if (!fine_) return nullptr;
    const auto finalize = [](napi_env, void*, void* kept) {
      const std::unique_ptr<Owner> freed(static_cast<Owner*>(kept));
    };
    napi_value result = nullptr;
    if (size != 0) {
      const napi_status status =
          napi_create_external_arraybuffer(env_, data, size, finalize, owner.get(), &result);
      if (status == napi_ok) {
        (void)owner.release();
        return result;
      }
    }
    void* copy = nullptr;
    result = make([&](napi_value* out) { return napi_create_arraybuffer(env_, size, &copy, out); });
    if (fine_ && size != 0) std::memcpy(copy, data, size);
    return result;
  }
  napi_value buffer(HeapBlock block) {
    auto owner = std::make_unique<HeapBlock>(std::move(block));
    uint8_t* const data = owner->data();
    const size_t size = owner->size();
    return buffer(std::move(owner), data, size);
  }

 private:
  template <typename Call>
  napi_value make(Call&& call) {
    napi_value result = nullptr;
    if (fine_) fine_ = call(&result) == napi_ok;
    return result;
  }

  napi_env env_;
  bool fine_ = true;
};

napi_value datum_batch(Maker& maker, output::DatumBatch datums) {
  auto bytes = std::make_unique<std::vector<uint8_t>>(std::move(datums.bytes));
  auto ends = std::make_unique<std::vector<uint32_t>>(std::move(datums.ends));
  uint8_t* const data = bytes->data();
  const size_t size = bytes->size();
  auto* const end_data = reinterpret_cast<uint8_t*>(ends->data());
  const size_t count = ends->size();
  const napi_value batch = maker.object();
  maker.set(batch, "kind", maker.text("datums"));
  maker.set(batch, "bytes",
            maker.typed(napi_uint8_array, size, maker.buffer(std::move(bytes), data, size)));
  maker.set(batch, "ends",
            maker.typed(napi_uint32_array, count,
                        maker.buffer(std::move(ends), end_data, count * sizeof(uint32_t))));
  return batch;
}

napi_value bytes_batch(Maker& maker, std::vector<uint8_t> bytes) {
  auto owner = std::make_unique<std::vector<uint8_t>>(std::move(bytes));
  uint8_t* const data = owner->data();
  const size_t size = owner->size();
  const napi_value batch = maker.object();
  maker.set(batch, "kind", maker.text("bytes"));
  maker.set(batch, "bytes",
            maker.typed(napi_uint8_array, size, maker.buffer(std::move(owner), data, size)));
  return batch;
}

constexpr napi_typedarray_type array_type(output::ColumnType type) {
  switch (type) {
    case output::ColumnType::kI32: return napi_int32_array;
    case output::ColumnType::kI64: return napi_bigint64_array;
    case output::ColumnType::kStr: return napi_uint32_array;
    case output::ColumnType::kBool: return napi_uint8_array;
  }
  return napi_uint8_array;
}

napi_value column_batch(Maker& maker, output::ColumnBatch batch) {
  const napi_value strings = maker.object();
  maker.set(strings, "offsets",
            maker.typed(napi_uint32_array, size_t{batch.string_count} + 1,
                        maker.buffer(std::move(batch.string_offsets))));
  maker.set(strings, "bytes",
            maker.typed(napi_uint8_array, batch.string_size,
                        maker.buffer(std::move(batch.string_bytes))));

  const napi_value columns = maker.array(batch.columns.size());
  for (uint32_t i = 0; i < batch.columns.size(); ++i) {
    output::ColumnValues& column = batch.columns[i];
    const napi_value object = maker.object();
    maker.set(
        object, "values",
        maker.typed(array_type(column.type), batch.rows, maker.buffer(std::move(column.values))));
    const size_t valid = column.valid.size();
    maker.set(object, "valid",
              valid == 0
                  ? maker.null()
                  : maker.typed(napi_uint8_array, valid, maker.buffer(std::move(column.valid))));
    if (const size_t possible = column.possible.size(); possible != 0) {
      maker.set(object, "possible",
                maker.typed(napi_uint8_array, possible, maker.buffer(std::move(column.possible))));
    }
    maker.set(columns, i, object);
  }

  const napi_value object = maker.object();
  maker.set(object, "kind", maker.text("columns"));
  maker.set(object, "table", maker.text(output::kTables[static_cast<size_t>(batch.table)].name));
  maker.set(object, "rows", maker.number(batch.rows));
  maker.set(object, "file", maker.number(batch.file));
  maker.set(object, "startSeconds", maker.number(static_cast<uint32_t>(batch.start_seconds)));
  maker.set(object, "strings", strings);
  maker.set(object, "columns", columns);
  return object;
}

// Reads members of a configuration object; remembers the first one of a wrong type.
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
  int64_t integer(const char* name, int64_t minimum, int64_t maximum) {
    const Napi::Value value = object_.Get(name);
    const int64_t number = value.IsNumber() ? value.As<Napi::Number>().Int64Value() : minimum - 1;
    if (number >= minimum && number <= maximum) return number;
    wrong(name, "a number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
    return minimum;
  }
  std::vector<output::Table> tables(const char* name) {
    std::vector<output::Table> tables;
    const Napi::Value value = object_.Get(name);
    if (!value.IsArray()) return wrong(name, "an array"), tables;
    const auto names = value.As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const Napi::Value item = names.Get(i);
      const std::string wanted =
          item.IsString() ? item.As<Napi::String>().Utf8Value() : std::string();
      size_t place = 0;
      while (place < output::kTableCount && output::kTables[place].name != wanted) ++place;
      if (place == output::kTableCount) return wrong(name, "names of tables"), tables;
      const auto table = static_cast<output::Table>(place);
      if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
    }
    return tables;
  }
  // Of the tables that only captures have.
  std::vector<output::Column> capture_columns(const char* name,
                                              const std::vector<output::Table>& tables) {
    std::vector<output::Column> columns;
    const Napi::Value value = object_.Get(name);
    if (!value.IsArray()) return wrong(name, "an array"), columns;
    const auto names = value.As<Napi::Array>();
    if (names.Length() == 0) return columns;
    if (tables.size() != 1) return wrong(name, "empty where several tables are wanted"), columns;
    const auto known = output::kTables[static_cast<size_t>(tables[0])].columns;
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const Napi::Value item = names.Get(i);
      const std::string wanted =
          item.IsString() ? item.As<Napi::String>().Utf8Value() : std::string();
      const auto found = std::find_if(known.begin(), known.end(), [&wanted](const auto& column) {
        return output::kColumns[static_cast<size_t>(column.column)].name == wanted;
      });
      if (found == known.end()) return wrong(name, "names of columns of the table"), columns;
      if (std::find(columns.begin(), columns.end(), found->column) == columns.end())
        columns.push_back(found->column);
    }
    return columns;
  }
  // Objects with a kind and a value.
  std::vector<events::Moment> moments(const char* name) {
    using Kind = events::Moment::Kind;
    constexpr std::pair<std::string_view, Kind> kKinds[] = {{"start", Kind::kStart},
                                                            {"end", Kind::kEnd},
                                                            {"time", Kind::kTime},
                                                            {"relative", Kind::kRelative}};
    std::vector<events::Moment> moments;
    const Napi::Value value = object_.Get(name);
    if (!value.IsArray()) return wrong(name, "an array"), moments;
    const auto list = value.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      const Napi::Value item = list.Get(i);
      if (!item.IsObject()) return wrong(name, "objects"), moments;
      const Napi::Value kind = item.As<Napi::Object>().Get("kind");
      const Napi::Value number = item.As<Napi::Object>().Get("value");
      const std::string named =
          kind.IsString() ? kind.As<Napi::String>().Utf8Value() : std::string();
      const auto* const found =
          std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&named](const auto& known) { return known.first == named; });
      bool lossless = false;
      events::Moment moment;
      if (number.IsBigInt()) moment.value = number.As<Napi::BigInt>().Uint64Value(&lossless);
      if (found == std::end(kKinds) || !lossless)
        return wrong(name, "kinds and values of moments"), moments;
      moment.kind = found->second;
      moments.push_back(moment);
    }
    return moments;
  }
  // null, or an object with a kind and a value.
  events::Bound bound(const char* name) {
    const Napi::Value value = object_.Get(name);
    if (value.IsNull()) return {};
    events::Bound bound;
    if (!value.IsObject()) return wrong(name, "null or an object"), bound;
    const Napi::Value number = value.As<Napi::Object>().Get("value");
    const Napi::Value kind = value.As<Napi::Object>().Get("kind");
    const std::string named = kind.IsString() ? kind.As<Napi::String>().Utf8Value() : std::string();
    bool lossless = false;
    if (number.IsBigInt()) bound.value = number.As<Napi::BigInt>().Uint64Value(&lossless);
    if (!lossless) return wrong(name, "a value from 0 to 2^64 - 1"), bound;
    if (named == "number") {
      bound.kind = events::Bound::Kind::kNumber;
    } else if (named == "time") {
      bound.kind = events::Bound::Kind::kTime;
    } else if (named == "relative") {
      bound.kind = events::Bound::Kind::kRelative;
    } else {
      wrong(name, "a kind of number, time or relative");
    }
    return bound;
  }
  ConfigReader object(const char* name) {
    const Napi::Value value = object_.Get(name);
    if (value.IsObject()) return {env_, value.As<Napi::Object>()};
    wrong(name, "an object");
    return {env_, Napi::Object::New(env_)};
  }
  // Calls `visit(ConfigReader)` for each object of an array, until it returns false.
  template <typename Visit>
  void each(const char* name, Visit visit) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsArray()) return wrong(name, "an array");
    const auto items = value.As<Napi::Array>();
    for (uint32_t i = 0; i < items.Length(); ++i) {
      const Napi::HandleScope scope(env_);
      const Napi::Value item = items.Get(i);
      if (item.IsObject() && visit(ConfigReader(env_, item.As<Napi::Object>()))) continue;
      return wrong(name, "objects");
    }
  }
  void wrong(const char* name, const std::string& expected) {
    if (fine_ && !env_.IsExceptionPending())
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

void to_definitions(ConfigReader& reader, rules::Definitions& definitions) {
  reader.each("macros", [&definitions](ConfigReader item) {
    rules::MacroDefinition& macro = definitions.macros.emplace_back();
    macro.name = item.text("name");
    macro.condition = item.text("condition");
    macro.place = static_cast<uint32_t>(item.integer("place", 0, UINT32_MAX));
    macro.sees = static_cast<uint32_t>(item.integer("sees", 0, UINT32_MAX));
    return item.fine();
  });
  reader.each("rules", [&definitions](ConfigReader item) {
    rules::RuleDefinition& rule = definitions.rules.emplace_back();
    rule.condition = item.text("condition");
    rule.output = item.text("output");
    rule.skip_unknown = item.boolean("skipUnknown");
    rule.warn_event_types = item.boolean("warnEventTypes");
    return item.fine();
  });
}

void to_rules(ConfigReader& reader, rules::CheckOptions& options) {
  ConfigReader rules = reader.object("rules");
  to_definitions(rules, options.rules);
  options.match.all_matching = rules.boolean("allMatching");
  options.match.fold = rules.boolean("fold");
  options.match.max_distinct = static_cast<size_t>(rules.integer("maxDistinct", 1, UINT32_MAX));
  if (!rules.fine()) reader.wrong("rules", "rules");
}

void to_probe(ConfigReader& reader, live::ProbeOptions& options) {
  options.all_calls = reader.boolean("allSyscalls");
  options.snaplen =
      static_cast<uint32_t>(reader.integer("snaplen", live::kMinSnaplen, live::kMaxSnaplen));
  options.sampling_ratio = static_cast<uint32_t>(
      reader.integer("samplingRatio", live::kMinSamplingRatio, live::kMaxSamplingRatio));
  options.ring_bytes =
      static_cast<uint32_t>(reader.integer("ringBytes", live::kMinRingBytes, live::kMaxRingBytes));
  options.cpus_per_ring = static_cast<uint32_t>(
      reader.integer("cpusPerRing", live::kMinCpusPerRing, live::kMaxCpusPerRing));
  options.raw_tracepoints = reader.boolean("rawTracepoints");
}

void to_live(ConfigReader& reader, live::LiveOptions& options) {
  ConfigReader live = reader.object("live");
  to_probe(live, options.probe);
  options.record_path = live.text("recordPath");
  options.record_gzip = live.boolean("recordGzip");
  options.drops_privileges = live.boolean("dropsPrivileges");
  options.host_root = live.text("hostRoot");
  constexpr int64_t kMaxEvents = int64_t{1} << 53;
  options.max_events = static_cast<uint64_t>(live.integer("maxEvents", 0, kMaxEvents));
  if (!live.fine()) reader.wrong("live", "the settings of a live capture");
}

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
  } else if (kind == "live") {
    config.kind = InputKind::kLive;
  } else if (kind != "auto") {
    reader.wrong("kind", "auto, capture, sysflow or live");
  }

  const std::string output = reader.text("output");
  if (output == "avro") {
    config.output = OutputKind::kAvro;
  } else if (output == "datums") {
    config.output = OutputKind::kDatums;
  } else if (output == "files") {
    config.output = OutputKind::kFiles;
  } else if (output == "none") {
    config.output = OutputKind::kNone;
  } else if (output == "lines") {
    config.output = OutputKind::kLines;
  } else if (output == "recovered") {
    config.output = OutputKind::kRecovered;
  } else if (output == "info") {
    config.output = OutputKind::kInfo;
  } else if (output == "findings") {
    config.output = OutputKind::kFindings;
  } else if (output != "columns") {
    reader.wrong("output",
                 "avro, columns, datums, files, lines, recovered, info, findings or none");
  }

  config.tables = reader.tables("tables");
  config.capture_columns = reader.capture_columns("captureColumns", config.tables);
  config.moments = reader.moments("moments");
  constexpr int64_t kMaxBatchRows = 122880;
  config.batch_rows = static_cast<uint32_t>(reader.integer("batchRows", 1, kMaxBatchRows));
  config.with_files = reader.boolean("withFiles");
  config.with_datums = reader.boolean("withDatums");
  const std::string codec = reader.text("codec");
  if (codec == "null") {
    config.codec = output::Codec::kNull;
  } else if (codec != "deflate") {
    reader.wrong("codec", "deflate or null");
  }
  config.file_names = reader.text("fileNames");
  config.options.mode = static_cast<sysflow::Mode>(reader.integer("mode", 0, 2));
  constexpr int64_t kMaxSeconds = 1 << 30;
  config.options.rotate_interval = reader.integer("rotateInterval", 0, kMaxSeconds);
  const std::string line_format = reader.text("lineFormat");
  if (line_format == "json") {
    config.lines.format = events::ListOptions::Format::kJson;
  } else if (line_format == "count") {
    config.lines.format = events::ListOptions::Format::kNone;
  } else if (line_format != "text") {
    reader.wrong("lineFormat", "text, json or count");
  }
  config.options.filter = config.lines.filter = reader.text("filter");
  config.lines.line = reader.text("line");
  config.lines.from = reader.bound("from");
  config.lines.to = reader.bound("to");
  config.options.exporter = reader.text("exporter");
  config.options.node_ip = reader.text("nodeIp");
  config.options.filename = reader.text("filename");
  config.options.file_read_mode = static_cast<int>(reader.integer("fileReadMode", 0, 2));
  config.options.file_only = reader.boolean("fileOnly");
  config.options.process_flow = reader.boolean("processFlow");
  config.options.containers_only = reader.boolean("containersOnly");
  const std::string compat = reader.text("compat");
  config.options.compat = compat == "sysflow-0.7";
  if (!compat.empty() && !config.options.compat)
    reader.wrong("compat", "an empty string or sysflow-0.7");
  constexpr int64_t kMaxSize = int64_t{1} << 53;
  config.options.max_memory = static_cast<uint64_t>(reader.integer("maxMemory", 0, kMaxSize));
  config.lines.max_memory = config.rules.max_memory = config.options.max_memory;
  config.tallies = reader.boolean("tallies");
  if (config.output == OutputKind::kFindings) to_rules(reader, config.rules);
  if (config.kind == InputKind::kLive) to_live(reader, config.live);
  if (!reader.fine()) return std::nullopt;
  return config;
}

std::optional<rules::Definitions> to_definitions(Napi::Env env, const Napi::Value& value) {
  if (!value.IsObject()) {
    Napi::TypeError::New(env, "rules: expected an object").ThrowAsJavaScriptException();
    return std::nullopt;
  }
  ConfigReader reader(env, value.As<Napi::Object>());
  rules::Definitions definitions;
  to_definitions(reader, definitions);
  if (!reader.fine()) return std::nullopt;
  return definitions;
}

namespace {

Napi::Array from_texts(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array list = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) list.Set(i, text(env, texts[i]));
  return list;
}

}  // namespace

Napi::Value from_compilation(Napi::Env env, const rules::Compilation& compilation) {
  Napi::Array diagnostics = Napi::Array::New(env, compilation.diagnostics.size());
  for (uint32_t i = 0; i < compilation.diagnostics.size(); ++i) {
    const rules::Diagnostic& diagnostic = compilation.diagnostics[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("remark", text(env, std::string(rules::name_of(diagnostic.remark))));
    item.Set("of", diagnostic.of_macro ? "macro" : "rule");
    item.Set("isOfOutput", Napi::Boolean::New(env, diagnostic.of_output));
    item.Set("index", Napi::Number::New(env, diagnostic.index));
    item.Set("macro", diagnostic.in_macro ? Napi::Number::New(env, diagnostic.macro) : env.Null());
    item.Set("at", Napi::Number::New(env, static_cast<double>(diagnostic.at)));
    item.Set("message", text(env, diagnostic.message));
    diagnostics.Set(i, item);
  }
  Napi::Array macros = Napi::Array::New(env, compilation.macros.size());
  for (uint32_t i = 0; i < compilation.macros.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("condition", text(env, compilation.macros[i].condition));
    item.Set("used", Napi::Boolean::New(env, compilation.macros[i].used));
    macros.Set(i, item);
  }
  Napi::Array all = Napi::Array::New(env, compilation.rules.size());
  for (uint32_t i = 0; i < compilation.rules.size(); ++i) {
    const rules::CompiledRule& rule = compilation.rules[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("isTaken", Napi::Boolean::New(env, rule.is_taken));
    item.Set("condition", text(env, rule.condition));
    item.Set("unavailableFields", from_texts(env, rule.unavailable_fields));
    item.Set("containerFields", from_texts(env, rule.container_fields));
    item.Set("canMatch", Napi::Boolean::New(env, rule.can_match));
    all.Set(i, item);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("isOk", Napi::Boolean::New(env, compilation.is_ok));
  object.Set("diagnostics", diagnostics);
  object.Set("macros", macros);
  object.Set("rules", all);
  return object;
}

std::optional<live::ProbeOptions> to_probe_options(Napi::Env env, const Napi::Value& value) {
  if (!value.IsObject()) {
    Napi::TypeError::New(env, "options: expected an object").ThrowAsJavaScriptException();
    return std::nullopt;
  }
  ConfigReader reader(env, value.As<Napi::Object>());
  live::ProbeOptions options;
  to_probe(reader, options);
  if (!reader.fine()) return std::nullopt;
  return options;
}

napi_value from_batch(napi_env env, Batch batch) {
  Maker maker(env);
  napi_value value = nullptr;
  if (auto* bytes = std::get_if<std::vector<uint8_t>>(&batch)) {
    value = bytes_batch(maker, std::move(*bytes));
  } else if (auto* datums = std::get_if<output::DatumBatch>(&batch)) {
    value = datum_batch(maker, std::move(*datums));
  } else if (auto* file = std::get_if<FileBytes>(&batch)) {
    value = bytes_batch(maker, std::move(file->bytes));
    const output::FileStart& start = file->file;
    maker.set(value, "file", maker.number(start.number));
    maker.set(value, "startSeconds", maker.number(static_cast<uint32_t>(start.start_seconds)));
    maker.set(value, "name", maker.text(start.name));
  } else {
    value = column_batch(maker, std::move(std::get<output::ColumnBatch>(batch)));
  }
  return maker.fine() ? value : nullptr;
}

namespace {

void release_array(const Napi::Value& value) {
  if (!value.IsTypedArray()) return;
  Napi::ArrayBuffer buffer = value.As<Napi::TypedArray>().ArrayBuffer();
  if (!buffer.IsDetached()) buffer.Detach();
}

}  // namespace

void release_batch(Napi::Env env, const Napi::Object& batch) {
  release_array(batch.Get("bytes"));
  const Napi::Value columns = batch.Get("columns");
  const Napi::Value texts = batch.Get("strings");
  if (!columns.IsArray() || !texts.IsObject()) return;
  const auto strings = texts.As<Napi::Object>();
  release_array(strings.Get("offsets"));
  release_array(strings.Get("bytes"));
  const auto list = columns.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::HandleScope scope(env);
    const Napi::Value item = list.Get(i);
    if (!item.IsObject()) continue;
    const auto column = item.As<Napi::Object>();
    for (const char* const name : {"values", "valid", "possible"}) release_array(column.Get(name));
  }
}

namespace {

Napi::Object from_info(Napi::Env env, const events::CaptureInfo& info) {
  const auto count = [env](uint64_t number) { return Napi::BigInt::New(env, number); };
  Napi::Object object = Napi::Object::New(env);
  object.Set("version", text(env, std::to_string(info.major) + "." + std::to_string(info.minor)));
  object.Set("swapped", Napi::Boolean::New(env, info.swapped));
  object.Set("processList", Napi::Number::New(env, info.process_list));
  object.Set("countedParameters", Napi::Boolean::New(env, info.counted_parameters));
  object.Set("hasEnters", Napi::Boolean::New(env, info.has_enters));
  object.Set("writer", text(env, info.writer));
  object.Set("sections", count(info.sections));
  object.Set("hostname", text(env, info.hostname));
  object.Set("cpus", Napi::Number::New(env, info.cpus));
  object.Set("memoryBytes", count(info.memory_bytes));
  object.Set("bootTime", count(info.boot_time));
  object.Set("threads", count(info.threads));
  object.Set("processes", count(info.processes));
  object.Set("descriptors", count(info.descriptors));
  object.Set("users", count(info.users));
  object.Set("groups", count(info.groups));
  object.Set("interfaces", count(info.interfaces));
  object.Set("containers", count(info.containers));
  Napi::Array events = Napi::Array::New(env, info.events.size());
  for (uint32_t i = 0; i < info.events.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("type", text(env, std::string(info.events[i].name)));
    item.Set("enter", count(info.events[i].enter));
    item.Set("exit", count(info.events[i].exit));
    events.Set(i, item);
  }
  object.Set("events", events);
  return object;
}

}  // namespace

Napi::Value from_unknown_containers(Napi::Env env,
                                    const std::vector<UnknownContainer>& containers) {
  Napi::Array list = Napi::Array::New(env, containers.size());
  for (uint32_t i = 0; i < containers.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("id", text(env, containers[i].id));
    item.Set("cgroups", text(env, containers[i].cgroups));
    list.Set(i, item);
  }
  return list;
}

Napi::Value from_busiest(Napi::Env env, const std::vector<sysflow::TallyRow>& rows) {
  constexpr const char* kKinds[] = {"process", "file", "connection"};
  Napi::Array list = Napi::Array::New(env, rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("kind", kKinds[static_cast<size_t>(rows[i].kind)]);
    item.Set("name", text(env, rows[i].name));
    item.Set("calls", Napi::BigInt::New(env, rows[i].calls));
    item.Set("read", Napi::BigInt::New(env, rows[i].read));
    item.Set("written", Napi::BigInt::New(env, rows[i].written));
    list.Set(i, item);
  }
  return list;
}

Napi::Object counted(Napi::Env env, Reason reason, uint64_t count) {
  const ReasonInfo& info = info_of(reason);
  Napi::Object item = Napi::Object::New(env);
  item.Set("id", text(env, info.id));
  item.Set("severity", text(env, kSeverityNames[static_cast<size_t>(info.severity)]));
  item.Set("reason", text(env, info.text));
  item.Set("count", Napi::BigInt::New(env, count));
  return item;
}

Napi::Array counted(Napi::Env env, const std::vector<Skipped>& reasons) {
  Napi::Array list = Napi::Array::New(env, reasons.size());
  for (uint32_t i = 0; i < reasons.size(); ++i) {
    list.Set(i, counted(env, reasons[i].reason, reasons[i].count));
  }
  return list;
}

Napi::Value from_progress(Napi::Env env, const Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&](const char* name, const std::atomic<uint64_t>& counter) {
    object.Set(name, Napi::Number::New(env, static_cast<double>(Progress::get(counter))));
  };
  set("size", progress.size);
  set("consumed", progress.consumed);
  set("bytes", progress.bytes);
  set("events", progress.events);
  return object;
}

Napi::Value from_summary(Napi::Env env, const SessionSummary& summary) {
  const InputSummary& input = summary.input;
  Napi::Object records = Napi::Object::New(env);
  for (const auto& [type, count] : summary.records)
    records.Set(type, Napi::BigInt::New(env, count));

  Napi::Array damage = Napi::Array::New(env, input.damage.size());
  for (uint32_t i = 0; i < input.damage.size(); ++i) {
    const Damage& what = input.damage[i];
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
  Napi::Object alive = Napi::Object::New(env);
  alive.Set("startSeconds", Napi::BigInt::New(env, summary.start_seconds));
  alive.Set("containers", Napi::BigInt::New(env, summary.containers));
  alive.Set("processes", Napi::BigInt::New(env, summary.processes));
  alive.Set("files", Napi::BigInt::New(env, summary.files));
  alive.Set("networkFlows", Napi::BigInt::New(env, summary.network_flows));
  alive.Set("fileFlows", Napi::BigInt::New(env, summary.file_flows));
  alive.Set("processFlows", Napi::BigInt::New(env, summary.process_flows));
  object.Set("tables", alive);
  Napi::Object live = Napi::Object::New(env);
  live.Set("events", Napi::BigInt::New(env, summary.live.events));
  Napi::Array gaps = Napi::Array::New(env, summary.live.gaps.size());
  for (uint32_t i = 0; i < summary.live.gaps.size(); ++i) {
    const sfkit::live::LiveGap& gap = summary.live.gaps[i];
    Napi::Object item = counted(env, gap.reason, gap.count);
    item.Set("isLoss", Napi::Boolean::New(env, gap.is_loss()));
    gaps.Set(i, item);
  }
  live.Set("gaps", gaps);
  live.Set("running", Napi::Boolean::New(env, summary.live_running));
  live.Set("recordingFailure", text(env, summary.recording_failure));
  live.Set("privilegesFailure", text(env, summary.privileges_failure));
  object.Set("live", live);
  object.Set("info", from_info(env, summary.info));
  object.Set("containersSeen", Napi::BigInt::New(env, summary.containers_seen.containers));
  object.Set("containersUndescribed", Napi::BigInt::New(env, summary.containers_seen.undescribed));
  object.Set("shown", Napi::BigInt::New(env, summary.shown));
  object.Set("skipped", counted(env, input.skipped));
  object.Set("notes", counted(env, input.notes));
  object.Set("damage", damage);
  object.Set("firstTime", Napi::BigInt::New(env, input.first_time));
  object.Set("lastTime", Napi::BigInt::New(env, input.last_time));
  return object;
}

napi_value from_status(napi_env env, const Status& status) {
  Maker maker(env);
  std::string scratch;
  const napi_value code = maker.text(error_code_name(status.code()));
  const napi_value message = maker.text(valid_utf8(status.message(), scratch));
  napi_value error = nullptr;
  if (!maker.fine() || napi_create_error(env, code, message, &error) != napi_ok) return nullptr;
  return error;
}

}  // namespace sfkit::addon
