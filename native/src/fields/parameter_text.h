// Parameters of events as text: flags and errors by name, descriptors with their file or
// connection, process ids with the process name.
#pragma once

#include <string>

#include "scap/event.h"
#include "state/engine.h"

namespace sfkit::fields {

// The letter for a type of descriptor (fd.typechar).
char type_letter(state::FdType type);

// Appends the name of a descriptor: a path, or the endpoints of a connection. Pipes and socket
// pairs have none.
void append_descriptor_name(std::string& out, const state::Descriptor& descriptor);

// Appends the names of the flags of an open, joined by `|`.
void append_open_flags(std::string& out, uint32_t flags);

// Whether a result is a negative error number. Addresses may be negative too, but not in the last
// page.
inline bool is_error(int64_t result) {
  constexpr int64_t kMaxErrno = 4095;
  return result < 0 && result >= -kMaxErrno;
}

// Appends the name of an error number, if it has one.
void append_error_name(std::string& out, int64_t number);

// Name of a system call by its portable code, "" if unknown.
std::string_view syscall_name(uint64_t code);
// Name of a system call by its number on x86-64, "" if unknown.
std::string_view native_syscall_name(uint64_t number);

class ParameterText {
 public:
  // `engine` must outlive this object. Names are those after the last processed event.
  explicit ParameterText(state::Engine& engine) : engine_(engine) {}

  // Appends parameter `index` of `event`, unescaped, as value(meaning); "<NA>" if a text is
  // missing.
  void append(std::string& out, const scap::EventView& event, uint32_t index,
              state::Thread* thread);
  // Appends the meaning only, such as the name of a flag, user or error; the value if it has none.
  // Returns false if the value is missing.
  bool append_meaning(std::string& out, const scap::EventView& event, uint32_t index,
                      state::Thread* thread);

 private:
  // These set raw_ to the value and resolved_ to its meaning, if it has one.
  void decode(const scap::EventView& event, uint32_t index, state::Thread* thread);
  void decode_value(const scap::EventView& event, const scap::ParamInfo& info, Bytes value,
                    state::Thread* thread);
  void decode_fd(int64_t fd, state::Thread* thread);
  void decode_path(const scap::EventView& event, const scap::ParamInfo& info, Bytes value,
                   state::Thread* thread);

  state::Engine& engine_;
  bool is_missing_ = false;
  std::string raw_;
  std::string resolved_;
  std::string scratch_;
};

}  // namespace sfkit::fields
