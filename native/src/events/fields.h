// What an event can be asked for by name (native/tables/fields.json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "events/parameter_text.h"
#include "fields.gen.h"
#include "state/engine.h"

namespace sfkit::events {

// A field and, where it takes one, its argument: the name or place of a parameter.
struct FieldRef {
  Field field = Field::kEvtNum;
  FieldType type = FieldType::kU64;
  std::string name;  // as it was asked for, argument included
  int name_argument = -1;
  int place_argument = -1;
};

// The field at the start of `text`, as in "evt.type" or "evt.arg.path" or "evt.arg[0]"; `used` becomes the
// number of characters that belong to it. Fails with kInvalidArgument and a message that names what is likely
// meant.
Result<FieldRef> parse_field(std::string_view text, size_t& used);

struct FieldValue {
  enum class Kind : uint8_t { kMissing, kSigned, kUnsigned, kText, kBool };
  Kind kind = Kind::kMissing;
  int64_t integer = 0;
  uint64_t number = 0;  // kUnsigned; kBool: 0 or 1
  std::string_view text;

  static FieldValue of(int64_t value) { return {Kind::kSigned, value, 0, {}}; }
  static FieldValue of(uint64_t value) { return {Kind::kUnsigned, 0, value, {}}; }
  static FieldValue of(bool value) { return {Kind::kBool, 0, value, {}}; }
  static FieldValue of(std::string_view value) { return {Kind::kText, 0, 0, value}; }
  // Missing when empty.
  static FieldValue of_text(std::string_view value) { return value.empty() ? FieldValue() : of(value); }
};

class FieldReader {
 public:
  explicit FieldReader(state::Engine& engine) : engine_(engine), parameters_(engine) {}

  // What get() is about from now on; `context` must stay valid.
  void look_at(const state::Context& context) { context_ = &context; }
  // From when evt.reltime counts; 0 as long as that is not known.
  void set_origin(uint64_t nanoseconds) { origin_ = nanoseconds; }

  // Text is unescaped and valid until the next call.
  FieldValue get(const FieldRef& field);

  const state::Context& context() const { return *context_; }
  ParameterText& parameters() { return parameters_; }
  // Appends every parameter as name=value, separated by blanks.
  void append_arguments(std::string& out);

 private:
  FieldValue event_field(const FieldRef& field);
  FieldValue process_field(const FieldRef& field);
  FieldValue container_field(Field field);
  FieldValue descriptor_field(const FieldRef& field);
  FieldValue argument(const FieldRef& field);
  std::string_view type_of(const scap::EventView& event) const;
  FieldValue result_name();
  FieldValue time(Field field);
  FieldValue descriptor_name();
  FieldValue client_or_server(Field field, const state::Descriptor& descriptor);
  const std::string* opened_path();
  FieldValue joined(std::string_view first, std::string_view list);

  state::Engine& engine_;
  ParameterText parameters_;
  const state::Context* context_ = nullptr;
  uint64_t origin_ = 0;
  uint64_t shown_second_ = UINT64_MAX;
  std::string date_;   // of shown_second_
  std::string clock_;  // of shown_second_
  std::string text_;
  std::string path_;
};

}  // namespace sfkit::events
