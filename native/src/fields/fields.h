// What an event can be asked for by name (native/tables/fields.json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"
#include "base/status.h"
#include "fields.gen.h"
#include "fields/parameter_text.h"
#include "state/engine.h"

namespace sfkit::fields {

// A field and, where it takes one, its argument.
struct FieldRef {
  Field field = Field::kEvtNum;
  FieldType type = FieldType::kU64;
  Several several = Several::kNo;
  bool filter_only = false;
  bool unanswered = false;  // the language has it, and nobody can answer it: it never has a value
  std::string name;         // as it was asked for, argument included
  std::string argument;     // its text
  int name_argument = -1;   // parameter by name: index into the names
  int index_argument = -1;  // parameter, level or mount by number
  uint64_t number_argument = 0;
};

// Why a text names no field that has values.
enum class FieldFailure : uint8_t {
  kUnknown,     // there is none of this name
  kUnanswered,  // the language has it, and nobody can answer it
  kArgument,    // its argument is missing or wrong
};

// The field at the start of `text`, as in "evt.type" or "evt.arg.path" or "proc.aname[2]"; `used` becomes the
// number of characters that belong to it. Fails with kInvalidArgument and a message that names what is likely
// meant, or why the field cannot be answered; `failure`, if given, says which kind it is.
Result<FieldRef> parse_field(std::string_view text, size_t& used, FieldFailure* failure = nullptr);

// Whether the text begins like a field: of any other one parse_field() only looks for advice.
bool may_be_field(std::string_view text);

struct FieldValue {
  enum class Kind : uint8_t { kMissing, kSigned, kUnsigned, kReal, kText, kBytes, kBool, kIp };
  Kind kind = Kind::kMissing;
  bool ipv6 = false;
  int64_t integer = 0;
  uint64_t number = 0;  // kUnsigned; kBool: 0 or 1
  double real = 0;
  std::string_view text;        // kText, kBytes
  const uint8_t* ip = nullptr;  // kIp: network order

  bool is_missing() const { return kind == Kind::kMissing; }

  static FieldValue of(int64_t value) {
    return with(Kind::kSigned, [&](auto& v) { v.integer = value; });
  }
  static FieldValue of(uint64_t value) {
    return with(Kind::kUnsigned, [&](auto& v) { v.number = value; });
  }
  static FieldValue of(double value) {
    return with(Kind::kReal, [&](auto& v) { v.real = value; });
  }
  static FieldValue of(bool value) {
    return with(Kind::kBool, [&](auto& v) { v.number = value ? 1 : 0; });
  }
  static FieldValue of(std::string_view value) {
    return with(Kind::kText, [&](auto& v) { v.text = value; });
  }
  static FieldValue of(const std::string& value) { return of(std::string_view(value)); }
  static FieldValue of_bytes(std::string_view value) {
    return with(Kind::kBytes, [&](auto& v) { v.text = value; });
  }
  static FieldValue of_ip(const uint8_t* bytes, bool is_ipv6) {
    return with(Kind::kIp, [&](auto& v) {
      v.ip = bytes;
      v.ipv6 = is_ipv6;
    });
  }
  // Missing when empty.
  static FieldValue of_text(std::string_view value) { return value.empty() ? FieldValue() : of(value); }

 private:
  template <typename Set>
  static FieldValue with(Kind kind, Set set) {
    FieldValue value;
    value.kind = kind;
    set(value);
    return value;
  }
};

class FieldReader {
 public:
  explicit FieldReader(state::Engine& engine) : engine_(engine), parameters_(engine) {}

  // To be called for every event, also those that nobody asks about, before the state follows it.
  void next_event(const scap::EventView& event) {
    previous_time_ = event_time_;
    event_time_ = event.ts;
  }
  // What get() is about from now on; `context` must stay valid.
  void set_context(const state::Context& context) { context_ = &context; }
  // From when evt.reltime counts; 0 as long as that is not known.
  void set_origin(uint64_t nanoseconds) { origin_ = nanoseconds; }
  // From now on evt.args of the end of a call has all that captures of today have there, <NA> for what is
  // missing: older ones have a part of it at the beginning of the call.
  void show_enter_parameters() { shows_enter_parameters_ = true; }

  // Text is unescaped and valid until the next call. Of fields with several values the first; ancestors
  // without a number begin with the process itself here.
  FieldValue get(const FieldRef& field);

  // Gives every value of the field, as visit(const FieldValue&), until it returns false.
  template <typename Visit>
  void each(const FieldRef& field, Visit visit) {
    if (field.several == Several::kNo) {
      if (const FieldValue value = get(field); !value.is_missing()) visit(value);
      return;
    }
    begin_values(field);
    for (;;) {
      const FieldValue value = next_value(field);
      if (value.is_missing() || !visit(value)) return;
    }
  }

  const state::Context& context() const { return *context_; }
  state::Engine& engine() { return engine_; }
  ParameterText& parameters() { return parameters_; }
  // Appends every parameter as name=value, separated by blanks.
  void append_arguments(std::string& out);
  uint32_t index_in_enter(uint32_t place) const;

 private:
  void begin_values(const FieldRef& field);
  FieldValue next_value(const FieldRef& field);

  // event_fields.cpp
  FieldValue event_field(const FieldRef& field);
  FieldValue argument(const FieldRef& field);
  FieldValue time(Field field);
  FieldValue latency(Field field);
  FieldValue transferred_bytes(Field field);
  FieldValue open_flag_field(Field field);
  FieldValue error_count(Field field);
  FieldValue syslog(Field field);
  FieldValue category();
  FieldValue type_is(const FieldRef& field) const;
  std::string_view event_type();
  bool has_result() const;
  FieldValue result_name();

  // process_fields.cpp
  FieldValue process_field(const FieldRef& field);
  FieldValue process_value(Field field, state::Thread& thread);
  FieldValue ancestor(const FieldRef& field);
  FieldValue group_leader_field(Field field, const state::Thread& thread);
  FieldValue environment_variable(const state::Thread& thread, std::string_view name);
  FieldValue standard_descriptor(Field field, state::Thread& thread);
  FieldValue executable(Field field, const state::Thread& thread);
  FieldValue account(Field field, const state::Thread& thread);
  FieldValue capabilities(uint64_t bits);
  FieldValue cgroup(const FieldRef& field, const state::Thread& thread);
  FieldValue joined(std::string_view first, std::string_view list);

  // container_fields.cpp
  const json::Value& description_of(uint32_t index, const state::ContainerInfo& container);
  FieldValue container_field(const FieldRef& field);
  FieldValue container_value(const FieldRef& field, const state::ContainerInfo& container,
                             const json::Value& description);
  FieldValue mount(const FieldRef& field, const json::Value& description);
  FieldValue pod_labels(const FieldRef& field, const json::Value& description);
  FieldValue container_labels(const json::Value& description);
  FieldValue health_probe(std::string_view key, const json::Value& description);

  // descriptor_fields.cpp
  FieldValue descriptor_field(const FieldRef& field);
  FieldValue socket_field(Field field, const state::Descriptor& descriptor);
  FieldValue polled_descriptors(Field field);
  FieldValue descriptor_name();
  FieldValue directory_or_file(const state::Descriptor& descriptor, bool directory);
  FieldValue directory_or_file(std::string_view name, bool directory);
  bool is_local(const state::IpBytes& ip, bool ipv6) const;
  bool is_first_local(const state::Descriptor& descriptor, bool ipv6) const;

  // path_fields.cpp
  FieldValue path_field(Field field);
  FieldValue path_of(scap::P name, scap::P directory, bool raw);
  FieldValue link_target();
  int64_t directory_argument(scap::P name) const;
  FieldValue absolute_path(const FieldRef& field);
  const std::string* opened_path();
  std::string_view opened_raw_path() const;

  Bytes parameter(scap::P name) const {
    return context_->call != nullptr ? context_->call->get(name) : context_->event->param(name);
  }

  state::Engine& engine_;
  ParameterText parameters_;
  const state::Context* context_ = nullptr;
  bool shows_enter_parameters_ = false;
  uint64_t origin_ = 0;
  uint64_t event_time_ = 0;
  uint64_t previous_time_ = 0;
  uint64_t reads_ = 0;
  uint64_t shown_second_ = UINT64_MAX;
  std::string date_;   // of shown_second_
  std::string clock_;  // of shown_second_
  std::string text_;
  std::string path_;
  std::string joined_;
  // Descriptions of containers that were asked for, by the container's index.
  struct Description {
    uint64_t version = 0;
    json::Value value;
  };
  std::unordered_map<uint32_t, Description> descriptions_;
  size_t described_bytes_ = 0;  // of text
  // Where each() is.
  state::Thread* ancestor_ = nullptr;
  size_t step_ = 0;
  uint32_t kinds_ = 0;
};

// fd.type of a kind of descriptor, "" where it has none.
std::string_view type_name(state::FdType type);
// Whether the event is the return of a call that opens or makes a file by its path.
bool opens_path(uint16_t code);
// More ancestors than this are a loop.
inline constexpr size_t kMaxAncestors = 1000;
// The registered name of a port, "" when it has none.
std::string_view service_name(uint16_t port);
// The port of a registered name, -1 when there is none.
int service_port(std::string_view name);

}  // namespace sfkit::fields
