#include "fields/parameter_text.h"

#include <algorithm>

#include "base/error_name.h"
#include "base/ip_text.h"
#include "base/numbers.h"
#include "event_names.gen.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

// The engine's constants must agree with names.json.
constexpr uint8_t open_flag_table() {
  const scap::EventInfo& open = scap::kEvents[scap::ev::SYSCALL_OPEN_X];
  for (uint8_t i = 0; i < open.nparams; ++i) {
    const scap::ParamInfo& param = scap::kParams[open.first_param + i];
    if (param.name == scap::P::flags) return param.table;
  }
  return 0;
}
constexpr uint8_t kOpenFlagTable = open_flag_table();
constexpr uint32_t open_flag(std::string_view name) {
  const scap::FlagTable& table = scap::kFlagTables[kOpenFlagTable - 1];
  for (uint16_t k = 0; k < table.count; ++k) {
    if (scap::kFlagValues[table.first + k].name == name)
      return scap::kFlagValues[table.first + k].value;
  }
  return 0;
}
static_assert(open_flag("O_WRONLY") == state::kOpenWronly);
static_assert(open_flag("O_CREAT") == state::kOpenCreate);
static_assert(open_flag("O_DIRECTORY") == state::kOpenDirectory);
static_assert(open_flag("O_TMPFILE") == state::kOpenTmpfile);
static_assert(open_flag("O_CLOEXEC") == state::kOpenCloexec);
static_assert(open_flag("O_F_CREATED") == state::kOpenFCreated);
static_assert(open_flag("PATH_DOUBTFUL") == state::kOpenDoubtful);

using scap::ParamFormat;
using scap::ParamInfo;
using scap::ParamType;
using state::FdType;

constexpr uint64_t kNanoseconds = 1'000'000'000;

void append_integer(std::string& out, uint64_t value, ParamFormat format) {
  switch (format) {
    case ParamFormat::kHex: return append_hex(out, value);
    case ParamFormat::kOct:
      if (value != 0) out += '0';
      append_number(out, value, 8);
      return;
    default: append_number(out, value); return;
  }
}

// Appends the names of flags in a mask. A flag matches if all its bits are set, which are then
// cleared; zero matches only zero (spec: scap-format, section 10).
void append_flags(std::string& out, uint32_t value, uint8_t table) {
  if (table == 0) return;
  const scap::FlagTable& flags = scap::kFlagTables[table - 1];
  const uint32_t whole = value;
  bool any = false;
  for (uint16_t i = 0; i < flags.count; ++i) {
    const scap::NamedValue& flag = scap::kFlagValues[flags.first + i];
    const bool matches = flag.value == 0 ? whole == 0 : (value & flag.value) == flag.value;
    if (!matches) continue;
    if (any) out += '|';
    out += flag.name;
    any = true;
    value &= ~flag.value;
  }
}

// Appends all names of a value.
void append_enumeration(std::string& out, uint32_t value, uint8_t table) {
  if (table == 0) return;
  const scap::FlagTable& flags = scap::kFlagTables[table - 1];
  bool any = false;
  for (uint16_t i = 0; i < flags.count; ++i) {
    const scap::NamedValue& flag = scap::kFlagValues[flags.first + i];
    if (flag.value != value) continue;
    if (any) out += '|';
    out += flag.name;
    any = true;
  }
}

void append_buffer(std::string& out, Bytes value) {
  for (size_t i = 0; i < value.size(); ++i) {
    const auto character = static_cast<char>(value.data()[i]);
    out += character >= 0x20 && character < 0x7f ? character : '.';
  }
}

// Strings that end with NUL, on one line.
void append_list(std::string& out, Bytes value) {
  std::string_view text = value.text();
  if (text.ends_with('\0')) text.remove_suffix(1);
  for (const char character : text) out += character == '\0' ? ' ' : character;
}

bool is_list(scap::P name) {
  return name == scap::P::args || name == scap::P::env || name == scap::P::cgroups;
}

void append_seconds(std::string& out, uint64_t nanoseconds) {
  append_number(out, nanoseconds / kNanoseconds);
  if (const uint64_t rest = nanoseconds % kNanoseconds; rest != 0) {
    out += '.';
    append_padded(out, rest, 9);
    while (out.back() == '0') out.pop_back();
  }
  out += 's';
}

void append_address(std::string& out, Bytes value) {
  const state::SocketAddress address = state::parse_address(value);
  switch (address.family) {
    case state::Family::kNone: return;
    case state::Family::kUnix: out += address.path; return;
    case state::Family::kInet:
    case state::Family::kInet6:
      state::append_endpoint(out, address.endpoint, address.family == state::Family::kInet6);
      return;
  }
}

void append_tuple(std::string& out, Bytes value, std::string& scratch) {
  const state::SocketTuple tuple = state::parse_tuple(value);
  switch (tuple.family) {
    case state::Family::kNone: return;
    case state::Family::kUnix:
      state::unix_name(tuple.unix_source, tuple.unix_destination, tuple.path, scratch);
      out += scratch;
      return;
    case state::Family::kInet:
    case state::Family::kInet6: {
      const bool ipv6 = tuple.family == state::Family::kInet6;
      state::append_endpoint(out, tuple.source, ipv6);
      out += "->";
      state::append_endpoint(out, tuple.destination, ipv6);
      return;
    }
  }
}

char protocol_letter(state::L4 protocol) {
  switch (protocol) {
    case state::L4::kTcp: return 't';
    case state::L4::kUdp: return 'u';
    case state::L4::kIcmp: return 'i';
    case state::L4::kRaw: return 'r';
    default: return '\0';
  }
}

}  // namespace

char type_letter(FdType type) {
  switch (type) {
    case FdType::kFile:
    case FdType::kFileV2: return 'f';
    case FdType::kDirectory: return 'd';
    case FdType::kIpv4:
    case FdType::kIpv4Server: return '4';
    case FdType::kIpv6:
    case FdType::kIpv6Server: return '6';
    case FdType::kFifo: return 'p';
    case FdType::kUnix:
    case FdType::kUserfault: return 'u';
    case FdType::kEvent: return 'e';
    case FdType::kSignal: return 's';
    case FdType::kEventPoll: return 'l';
    case FdType::kInotify: return 'i';
    case FdType::kTimer: return 't';
    case FdType::kNetlink: return 'n';
    case FdType::kBpf: return 'b';
    case FdType::kIoUring: return 'r';
    case FdType::kMemfd: return 'm';
    case FdType::kPidfd: return 'P';
    case FdType::kUnknown: return 'o';
    case FdType::kUnsupported: return 'X';
  }
  return '?';
}

void append_descriptor_name(std::string& out, const state::Descriptor& descriptor) {
  if (descriptor.connection == state::Connection::kAttempted) return;
  const bool ipv6 = descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server;
  if (descriptor.is_ip_server()) {
    state::append_endpoint(out, {descriptor.sip, descriptor.sport}, ipv6);
  } else if (descriptor.is_ip_socket()) {
    if (!descriptor.has_address()) {
      out += descriptor.name;
      return;
    }
    state::append_endpoint(out, {descriptor.sip, descriptor.sport}, ipv6);
    out += "->";
    state::append_endpoint(out, {descriptor.dip, descriptor.dport}, ipv6);
  } else {
    out += descriptor.name;
  }
}

void append_open_flags(std::string& out, uint32_t flags) {
  append_flags(out, flags, kOpenFlagTable);
}

void append_error_name(std::string& out, int64_t number) {
  out += error_name(number);
}

std::string_view syscall_name(uint64_t code) {
  return code < std::size(scap::kSyscallNames) ? scap::kSyscallNames[code] : std::string_view();
}

std::string_view native_syscall_name(uint64_t number) {
  return number < std::size(scap::kX86SyscallNames) ? scap::kX86SyscallNames[number]
                                                    : std::string_view();
}

void ParameterText::decode_fd(int64_t fd, state::Thread* thread) {
  append_number(raw_, fd);
  if (fd < 0) {
    if (fd == state::kAtFdcwd) {
      resolved_ += "AT_FDCWD";
    } else if (is_error(fd)) {
      append_error_name(resolved_, -fd);
    }
    return;
  }
  state::DescriptorTable* table = thread == nullptr ? nullptr : thread->table();
  const state::FdSlot* slot = table == nullptr ? nullptr : table->find(fd);
  if (slot == nullptr) return;
  const state::Descriptor& descriptor = *slot->descriptor;
  resolved_ += '<';
  resolved_ += type_letter(descriptor.type);
  if (descriptor.is_ip_socket() || descriptor.is_ip_server()) {
    if (const char letter = protocol_letter(descriptor.l4); letter != '\0') resolved_ += letter;
  }
  resolved_ += '>';
  if (descriptor.type == FdType::kFifo || descriptor.type == FdType::kUnix) {
    resolved_ += state::identity_of(descriptor, scratch_);
  } else {
    append_descriptor_name(resolved_, descriptor);
  }
}

// A path as given, and the resolved path if it differs.
void ParameterText::decode_path(const scap::EventView& event, const ParamInfo& info, Bytes value,
                                state::Thread* thread) {
  if (!state::has_text(value) || (!engine_.compat() && !state::has_path(value))) {
    is_missing_ = true;
    raw_ +=
        value.empty() || state::has_text(value) ? state::kNotAvailable : std::string_view("(NULL)");
    return;
  }
  const std::string_view path = scap::to_text(value);
  raw_ += path;
  const bool in_root = state::resolves_in_root(event) && !engine_.compat();
  if (thread == nullptr || path.empty() || (state::is_absolute(path) && !in_root)) return;
  int64_t directory = state::kAtFdcwd;
  if (info.directory >= 0) {
    directory = scap::to_int(event.param(static_cast<uint32_t>(info.directory)), state::kAtFdcwd);
  } else if (engine_.cwd_of(*thread).empty()) {
    return;
  }
  if (!engine_.directory_of(*thread, directory)) return;
  engine_.resolve(*thread, directory, value, scratch_,
                  in_root ? state::Confine::kInRoot : state::Confine::kNo);
  if (scratch_ != path) resolved_ += scratch_;
}

void ParameterText::append(std::string& out, const scap::EventView& event, uint32_t index,
                           state::Thread* thread) {
  decode(event, index, thread);
  out += raw_;
  if (resolved_.empty()) return;
  out += '(';
  out += resolved_;
  out += ')';
}

bool ParameterText::append_meaning(std::string& out, const scap::EventView& event, uint32_t index,
                                   state::Thread* thread) {
  decode(event, index, thread);
  out += resolved_.empty() ? raw_ : resolved_;
  return !is_missing_;
}

void ParameterText::decode(const scap::EventView& event, uint32_t index, state::Thread* thread) {
  raw_.clear();
  resolved_.clear();
  is_missing_ = false;
  const ParamInfo& info = scap::kParams[event.info().first_param + index];
  if (event.code == scap::ev::SYSCALL_FCNTL_X && index == 0) {
    // Only commands that copy a descriptor return one.
    const uint64_t command = scap::to_uint(event.param(scap::P::cmd), 0);
    if (command != state::kFcntlDupfd && command != state::kFcntlDupfdCloexec) {
      const ParamInfo plain{info.name, ParamType::kErrno, info.size, info.format, 0, -1};
      return decode_value(event, plain, event.param(index), thread);
    }
  }
  decode_value(event, info, event.param(index), thread);
}

void ParameterText::decode_value(const scap::EventView& event, const ParamInfo& info, Bytes value,
                                 state::Thread* thread) {
  std::string& out = raw_;
  switch (info.type) {
    case ParamType::kFspath:
    case ParamType::kFsrelpath: return decode_path(event, info, value, thread);
    case ParamType::kCharbuf:
      if (!state::has_text(value)) {
        is_missing_ = true;
        out += state::kNotAvailable;
      } else {
        out += scap::to_text(value);
      }
      return;
    default: break;
  }
  if (value.empty()) {
    is_missing_ = true;
    out += "NULL";
    return;
  }
  const uint64_t number = scap::to_uint(value, 0);
  switch (info.type) {
    case ParamType::kInt8:
    case ParamType::kInt16:
    case ParamType::kInt32:
    case ParamType::kInt64: {
      const int64_t integer = scap::to_int(value, 0);
      if (integer < 0 && info.format != ParamFormat::kHex) return append_number(out, integer);
      return append_integer(out, number, info.format);
    }
    case ParamType::kErrno: {
      const int64_t result = scap::to_int(value, 0);
      // If the result is an address, all values but errors are addresses.
      const bool failed = is_error(result);
      if (info.format == ParamFormat::kHex && !failed) return append_hex(out, number);
      append_number(out, result);
      if (failed) append_error_name(resolved_, -result);
      return;
    }
    case ParamType::kFd:
    case ParamType::kFd32: return decode_fd(scap::to_int(value, -1), thread);
    case ParamType::kPid:
    case ParamType::kPid32: {
      const int64_t pid = scap::to_int(value, -1);
      append_number(out, pid);
      if (pid < 0) return;
      const state::Thread* named = engine_.find_thread(pid);
      if (named == nullptr || named->comm.empty() || named->comm == state::kNotAvailable) return;
      resolved_ += named->comm;
      return;
    }
    case ParamType::kFlags8:
    case ParamType::kFlags16:
    case ParamType::kFlags32:
      append_number(out, number);
      return append_flags(resolved_, static_cast<uint32_t>(number), info.table);
    case ParamType::kMode:
      append_integer(out, number, ParamFormat::kOct);
      return append_flags(resolved_, static_cast<uint32_t>(number), info.table);
    case ParamType::kEnumflags8:
    case ParamType::kEnumflags16:
    case ParamType::kEnumflags32:
      append_number(out, number);
      return append_enumeration(resolved_, static_cast<uint32_t>(number), info.table);
    case ParamType::kUid:
    case ParamType::kGid: {
      const auto id = static_cast<uint32_t>(number);
      if (id == state::kNoId) {
        out += "-1";
        return;
      }
      append_number(out, id);
      const state::NameTable& names =
          info.type == ParamType::kUid ? engine_.users() : engine_.groups();
      const std::string* name = names.find(thread == nullptr ? 0 : thread->container, id);
      if (name != nullptr) resolved_ += *name;
      return;
    }
    case ParamType::kSyscallid:
      append_number(out, number);
      resolved_ += syscall_name(number);
      return;
    case ParamType::kSigtype:
      append_number(out, number);
      if (number > 0 && number < std::size(scap::kSignalNames))
        resolved_ += scap::kSignalNames[number];
      return;
    case ParamType::kReltime:
      append_number(out, static_cast<int64_t>(number));
      if (number != UINT64_MAX) append_seconds(resolved_, number);
      return;
    case ParamType::kBool: out += number != 0 ? "true" : "false"; return;
    case ParamType::kSockaddr: return append_address(out, value);
    case ParamType::kSocktuple: return append_tuple(out, value, scratch_);
    case ParamType::kIpv4addr:
      if (value.size() == 4) append_ipv4(out, value.data());
      return;
    case ParamType::kIpv6addr:
    case ParamType::kIpaddr:
      if (value.size() == 4) append_ipv4(out, value.data());
      if (value.size() == 16) append_ipv6(out, value.data());
      return;
    case ParamType::kFdlist: {
      Cursor in(value);
      const auto count = in.read<uint16_t>();
      for (uint16_t i = 0; i < count; ++i) {
        const auto fd = in.read<int64_t>();
        const auto poll_events = in.read<uint16_t>();
        if (in.failed()) return;
        if (i != 0) out += ' ';
        append_number(out, fd);
        state::DescriptorTable* table = thread == nullptr ? nullptr : thread->table();
        const state::FdSlot* slot = table == nullptr ? nullptr : table->find(fd);
        out += ':';
        if (slot != nullptr) out += type_letter(slot->descriptor->type);
        append_number(out, poll_events, 16);
      }
      return;
    }
    case ParamType::kDyn: {
      if (info.table == 0) return append_buffer(out, value);
      const scap::DynamicTable& types = scap::kDynamicTables[info.table - 1];
      const uint8_t selector = value[0];
      if (selector >= types.count) return append_buffer(out, value.slice(1));
      const ParamInfo as{info.name, types.types[selector].type, 0, types.types[selector].format, 0,
                         -1};
      return decode_value(event, as, value.slice(1), thread);
    }
    case ParamType::kBytebuf:
      if (is_list(info.name)) return append_list(out, value);
      return append_buffer(out, value);
    default:
      if (value.size() > sizeof(uint64_t)) return append_buffer(out, value);
      return append_integer(out, number, info.format);
  }
}

}  // namespace sfkit::fields
