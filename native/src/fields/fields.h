// Fields: values of an event by name (native/tables/fields.json).
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

// A parsed field with its argument.
struct FieldRef {
  Field field = Field::kEvtNum;
  FieldType type = FieldType::kU64;
  Several several = Several::kNo;
  bool filter_only = false;
  bool is_unavailable = false;  // a known field that captures cannot answer; it never has a value
  std::string name;             // as written, argument included
  std::string argument;         // as text
  int name_argument = -1;       // parameter by name: index into kParamNames
  int index_argument = -1;      // parameter, level or mount by number; -1: none
  uint64_t number_argument = 0;
};

// Why a text is not a usable field.
enum class FieldFailure : uint8_t {
  kUnknown,      // no such field
  kUnavailable,  // a known field that captures cannot answer
  kArgument,     // the argument is missing or invalid
};

// Parses the field at the start of `text`, such as "evt.type", "evt.arg.path" or "proc.aname[2]".
// Sets `used` to its length. Fails with kInvalidArgument and a message that suggests a similar name
// or says why the field cannot be answered; sets `failure` unless it is null.
Result<FieldRef> parse_field(std::string_view text, size_t& used, FieldFailure* failure = nullptr);

// Whether the text starts with a field. If not, parse_field() can only fail.
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
  // Missing if the text is empty.
  static FieldValue of_text(std::string_view value) {
    return value.empty() ? FieldValue() : of(value);
  }

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

  // Call this for every event, even if no field of it is needed, before the engine processes it.
  void next_event(const scap::EventView& event) {
    previous_time_ = event_time_;
    event_time_ = event.ts;
  }
  // Sets the event that get() reads. `context` must outlive the calls of get().
  void set_context(const state::Context& context) { context_ = &context; }
  // Sets the zero of evt.reltime, in ns since 1970; 0 if unknown.
  void set_origin(uint64_t nanoseconds) { origin_ = nanoseconds; }
  // Makes evt.args of an exit event complete: parameters that older captures have in the enter
  // event only are added, and <NA> for missing ones.
  void show_enter_parameters() { shows_enter_parameters_ = true; }

  // Text is unescaped and valid until the next call. Returns the first of several values; for
  // ancestors without a level, that of the process itself.
  FieldValue get(const FieldRef& field);

  // Calls visit(const FieldValue&) for every value of the field, until it returns false.
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
  // Appends all parameters as name=value, separated by blanks.
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
  std::string date_;   // date of shown_second_
  std::string clock_;  // time of day of shown_second_
  std::string text_;
  std::string path_;
  std::string joined_;
  // Parsed descriptions of containers, by the container's index.
  struct Description {
    uint64_t version = 0;
    json::Value value;
  };
  std::unordered_map<uint32_t, Description> descriptions_;
  size_t described_bytes_ = 0;  // total size of their texts
  // Position of each().
  state::Thread* ancestor_ = nullptr;
  size_t step_ = 0;
  uint32_t kinds_ = 0;
};

// fd.type of a descriptor, "" if it has none.
std::string_view type_name(state::FdType type);
// Whether the event is the exit event of a call that opens or creates a file by path.
bool opens_path(uint16_t code);
// A longer chain of ancestors is a loop.
inline constexpr size_t kMaxAncestors = 1000;
// Registered service name of a port, "" if it has none.
std::string_view service_name(uint16_t port);
// Port of a registered service name, -1 if there is none.
int service_port(std::string_view name);

}  // namespace sfkit::fields
