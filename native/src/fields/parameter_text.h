// Parameters of events as analysts know them: numbers with the names of their flags, descriptors with what
// they stand for, process ids with process names.
#pragma once

#include <string>

#include "scap/event.h"
#include "state/engine.h"

namespace sfkit::fields {

// The letter that stands for a kind of descriptor.
char type_letter(state::FdType type);

// Appends the name of a descriptor: the path of a file, the ends of a connection. Pipes and socket pairs have
// none.
void append_descriptor_name(std::string& out, const state::Descriptor& descriptor);

// Appends the names of the flags of an open, joined by `|`.
void append_open_flags(std::string& out, uint32_t flags);

// Whether the result of a call is a negative error number: addresses may look negative too, but not within
// the last page.
inline bool is_error(int64_t result) {
  constexpr int64_t kMostErrors = 4095;
  return result < 0 && result >= -kMostErrors;
}

// Appends the name of an error number, or nothing where it has none.
void append_error_name(std::string& out, int64_t number);

// The name of a system call by its portable code, "" when unknown.
std::string_view syscall_name(uint64_t code);
// The name of a system call by its number on x86-64, where nearly all captures are from, "" when unknown.
std::string_view native_syscall_name(uint64_t number);

class ParameterText {
 public:
  // `engine` must outlive this; it is asked for names as of the last event.
  explicit ParameterText(state::Engine& engine) : engine_(engine) {}

  // Appends parameter `index` of `event`, unescaped, as value(meaning); "<NA>" for text that is missing.
  void append(std::string& out, const scap::EventView& event, uint32_t index, state::Thread* thread);
  // Appends the meaning alone, or the value where it has none: the name of a flag, a user, an error. Returns
  // whether there is a value.
  bool append_meaning(std::string& out, const scap::EventView& event, uint32_t index, state::Thread* thread);

 private:
  // These leave the value in raw_ and what it means, if that is more, in resolved_.
  void take(const scap::EventView& event, uint32_t index, state::Thread* thread);
  void take_value(const scap::EventView& event, const scap::ParamInfo& info, Bytes value,
                  state::Thread* thread);
  void take_fd(int64_t fd, state::Thread* thread);
  void take_path(const scap::EventView& event, const scap::ParamInfo& info, Bytes value,
                 state::Thread* thread);

  state::Engine& engine_;
  bool is_missing_ = false;
  std::string raw_;
  std::string resolved_;
  std::string scratch_;
};

}  // namespace sfkit::fields
