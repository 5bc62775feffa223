#include "events/fields.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/escape.h"
#include "base/ip_text.h"
#include "base/nearest.h"
#include "base/numbers.h"
#include "event_names.gen.h"
#include "events/event_name.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using scap::P;
using scap::ParamType;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
using state::FdType;
namespace ev = scap::ev;

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr uint64_t kSecondsOfDay = 86400;

constexpr std::string_view kCategories[] = {"unknown",  "other",   "file",       "net",     "ipc",
                                            "memory",   "process", "sleep",      "system",  "signal",
                                            "user",     "time",    "processing", "IO-read", "IO-write",
                                            "IO-other", "wait",    "scheduler",  "internal"};

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_';
}

// Letters, digits, underscores and dots, but no dot at the end.
std::string_view word_at(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && (is_name_character(text[size]) || text[size] == '.')) ++size;
  while (size > 0 && text[size - 1] == '.') --size;
  return text.substr(0, size);
}

const FieldInfo* longest_field(std::string_view word) {
  const FieldInfo* found = nullptr;
  for (const FieldInfo& info : kFields) {
    if (!word.starts_with(info.name)) continue;
    // Only whole parts count: evt.number is not evt.num with something behind it.
    if (word.size() > info.name.size() && word[info.name.size()] != '.') continue;
    if (found == nullptr || info.name.size() > found->name.size()) found = &info;
  }
  return found;
}

Status unknown_field(std::string_view word) {
  std::string message = "unknown field '" + std::string(word) + "'";
  std::vector<std::string_view> names;
  for (const FieldInfo& info : kFields) names.push_back(info.name);
  if (const std::string_view likely = nearest(word, names); !likely.empty()) {
    message += "; did you mean '" + std::string(likely) + "'?";
  }
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

// Reads [argument] or .argument behind the name of the field.
Status parse_argument(std::string_view text, FieldRef& field, size_t& used) {
  const std::string_view rest = text.substr(used);
  std::string_view argument;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    argument = end == std::string_view::npos ? std::string_view() : rest.substr(1, end - 1);
    used += argument.size() + 2;
  } else if (rest.starts_with('.')) {
    size_t size = 1;
    while (size < rest.size() && is_name_character(rest[size])) ++size;
    argument = rest.substr(1, size - 1);
    used += size;
  }
  if (argument.empty()) {
    return {ErrorCode::kInvalidArgument, "field '" + field.name + "' needs the name of a parameter, as in " +
                                             field.name + ".name, or its place, as in " + field.name + "[0]"};
  }
  field.name = text.substr(0, used);
  const bool is_place = argument.size() <= 2 && std::ranges::all_of(argument, [](char character) {
                          return character >= '0' && character <= '9';
                        });
  if (is_place) {
    field.place_argument = 0;
    for (const char digit : argument) field.place_argument = field.place_argument * 10 + (digit - '0');
    return Status::ok();
  }
  const auto found = std::ranges::find(scap::kParamNames, argument);
  if (found == std::end(scap::kParamNames)) {
    std::string message = "no event has a parameter named '" + std::string(argument) + "'";
    if (const std::string_view likely = nearest(argument, scap::kParamNames); !likely.empty()) {
      message += "; did you mean '" + std::string(likely) + "'?";
    }
    return {ErrorCode::kInvalidArgument, std::move(message)};
  }
  field.name_argument = static_cast<int>(found - std::begin(scap::kParamNames));
  return Status::ok();
}

// Year, month and day of a day since 1970 in the Gregorian calendar, by counting from March in cycles of 400
// years.
void append_date(std::string& out, uint64_t days) {
  const uint64_t shifted = days + 719468;
  const uint64_t era = shifted / 146097;
  const uint64_t day_of_era = shifted % 146097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
  const uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  append_padded(out, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
  out += '-';
  append_padded(out, month, 2);
  out += '-';
  append_padded(out, day, 2);
}

std::string_view type_name(FdType type) {
  switch (type) {
    case FdType::kFile:
    case FdType::kFileV2: return "file";
    case FdType::kDirectory: return "directory";
    case FdType::kIpv4:
    case FdType::kIpv4Server: return "ipv4";
    case FdType::kIpv6:
    case FdType::kIpv6Server: return "ipv6";
    case FdType::kFifo: return "pipe";
    case FdType::kUnix: return "unix";
    case FdType::kEvent: return "event";
    case FdType::kSignal: return "signalfd";
    case FdType::kEventPoll: return "eventpoll";
    case FdType::kInotify: return "inotify";
    case FdType::kTimer: return "timerfd";
    case FdType::kNetlink: return "netlink";
    case FdType::kBpf: return "bpf";
    case FdType::kUserfault: return "userfaultfd";
    case FdType::kIoUring: return "io_uring";
    case FdType::kMemfd: return "memfd";
    case FdType::kPidfd: return "pidfd";
    case FdType::kUnknown:
    case FdType::kUnsupported: return {};
  }
  return {};
}

bool opens_path(uint16_t code) {
  switch (code | 1) {
    case ev::SYSCALL_OPEN_X:
    case ev::SYSCALL_CREAT_X:
    case ev::SYSCALL_OPENAT_X:
    case ev::SYSCALL_OPENAT_2_X:
    case ev::SYSCALL_OPENAT2_X:
    case ev::SYSCALL_OPEN_BY_HANDLE_AT_X: return true;
    default: return false;
  }
}

// The kind of descriptor that a call makes, where it has not made one.
std::string_view promised_letter(uint16_t code) {
  switch (code | 1) {
    case ev::SYSCALL_OPENAT_X:
    case ev::SYSCALL_OPENAT_2_X:
    case ev::SYSCALL_OPENAT2_X: return "f";
    case ev::SOCKET_SOCKET_X:
    case ev::SOCKET_ACCEPT_X:
    case ev::SOCKET_ACCEPT_5_X:
    case ev::SOCKET_ACCEPT4_X:
    case ev::SOCKET_ACCEPT4_5_X:
    case ev::SOCKET_ACCEPT4_6_X: return "4";
    case ev::SYSCALL_PIPE_X:
    case ev::SYSCALL_PIPE2_X: return "p";
    case ev::SYSCALL_EVENTFD_X:
    case ev::SYSCALL_EVENTFD2_X: return "e";
    case ev::SYSCALL_INOTIFY_INIT_X:
    case ev::SYSCALL_INOTIFY_INIT1_X: return "i";
    case ev::SYSCALL_SIGNALFD_X:
    case ev::SYSCALL_SIGNALFD4_X: return "s";
    case ev::SYSCALL_TIMERFD_CREATE_X: return "t";
    default: return "o";
  }
}

}  // namespace

Result<FieldRef> parse_field(std::string_view text, size_t& used) {
  const std::string_view word = word_at(text);
  const FieldInfo* info = longest_field(word);
  if (word.empty()) {
    return Status(ErrorCode::kInvalidArgument,
                  "a lone %: write %% for a percent sign, or the name of a field behind it");
  }
  if (info == nullptr) return unknown_field(word);
  FieldRef field;
  field.field = info->field;
  field.type = info->type;
  field.name = info->name;
  used = info->name.size();
  // A longer name is another field, not this one with something behind it.
  const char next = used < text.size() ? text[used] : '\0';
  const bool goes_on = word.size() > used || next == '[';
  if (!info->argument && goes_on) {
    return unknown_field(next == '[' ? text.substr(0, text.find(']', used) == std::string_view::npos
                                                          ? text.size()
                                                          : text.find(']', used) + 1)
                                     : word);
  }
  if (info->argument) {
    if (Status status = parse_argument(text, field, used); !status.is_ok()) return status;
  }
  return field;
}

FieldValue FieldReader::get(const FieldRef& field) {
  switch (field.field) {
    case Field::kThreadTid:
    case Field::kThreadVtid:
    case Field::kThreadIsmain:
    case Field::kProcPid:
    case Field::kProcVpid:
    case Field::kProcPpid:
    case Field::kProcName:
    case Field::kProcPname:
    case Field::kProcExe:
    case Field::kProcExepath:
    case Field::kProcArgs:
    case Field::kProcCmdline:
    case Field::kProcExeline:
    case Field::kProcCwd:
    case Field::kProcEnv:
    case Field::kProcSid:
    case Field::kProcVpgid:
    case Field::kProcPgid:
    case Field::kProcTty:
    case Field::kUserUid:
    case Field::kUserName:
    case Field::kUserLoginuid:
    case Field::kGroupGid:
    case Field::kGroupName: return process_field(field);
    case Field::kContainerId:
    case Field::kContainerName:
    case Field::kContainerImage:
    case Field::kContainerImageId: return container_field(field.field);
    case Field::kFdNum:
    case Field::kFdType:
    case Field::kFdTypechar:
    case Field::kFdName:
    case Field::kFdDirectory:
    case Field::kFdFilename:
    case Field::kFdCip:
    case Field::kFdCport:
    case Field::kFdSip:
    case Field::kFdSport:
    case Field::kFdL4proto:
    case Field::kFdIno:
    case Field::kFdDev: return descriptor_field(field);
    default: return event_field(field);
  }
}

// ---- the event itself

FieldValue FieldReader::event_field(const FieldRef& field) {
  const scap::EventView& event = *context_->event;
  const bool is_exit = context_->call != nullptr;
  switch (field.field) {
    case Field::kEvtNum: return FieldValue::of(event.number);
    case Field::kEvtRawtime: return FieldValue::of(event.ts);
    case Field::kEvtRawtimeS: return FieldValue::of(event.ts / kNanoseconds);
    case Field::kEvtRawtimeNs: return FieldValue::of(event.ts % kNanoseconds);
    case Field::kEvtReltime:
      return origin_ == 0 ? FieldValue() : FieldValue::of(static_cast<int64_t>(event.ts - origin_));
    case Field::kEvtDir: return FieldValue::of(std::string_view(scap::is_enter(event.code) ? ">" : "<"));
    case Field::kEvtType: return FieldValue::of(type_of(event));
    case Field::kEvtCode: return FieldValue::of(uint64_t{event.code});
    case Field::kEvtCategory: return FieldValue::of(kCategories[static_cast<size_t>(event.info().category)]);
    case Field::kEvtCpu: return FieldValue::of(uint64_t{event.cpu});
    case Field::kEvtArgs:
    case Field::kEvtInfo:
      text_.clear();
      append_arguments(text_);
      return FieldValue::of(std::string_view(text_));
    case Field::kEvtArg:
    case Field::kEvtRawarg: return argument(field);
    case Field::kEvtRes: return result_name();
    case Field::kEvtRawres:
    case Field::kEvtFailed: {
      if (!is_exit || result_name().kind == FieldValue::Kind::kMissing) return {};
      const int64_t result = context_->call->result();
      return field.field == Field::kEvtRawres ? FieldValue::of(result) : FieldValue::of(is_error(result));
    }
    default: return time(field.field);
  }
}

std::string_view FieldReader::type_of(const scap::EventView& event) const {
  if ((event.code | 1) != ev::GENERIC_X) {
    return event_name(event.code);
  }
  const auto get = [this, &event](P name) {
    return context_->call != nullptr ? context_->call->get(name) : event.param(name);
  };
  const uint64_t code = to_uint(get(P::ID), 0);
  std::string_view name = syscall_name(code);
  if (code == 0) {
    if (const std::string_view native = native_syscall_name(to_uint(get(P::nativeID), UINT64_MAX));
        !native.empty()) {
      name = native;
    }
  }
  return name.empty() ? std::string_view(event.info().name) : name;
}

FieldValue FieldReader::result_name() {
  const scap::EventView& event = *context_->event;
  if (context_->call == nullptr || event.size() == 0 || event.param(0).empty()) return {};
  if (event.code == ev::GENERIC_X) return {};
  const int64_t result = context_->call->result();
  if (!is_error(result)) return FieldValue::of(std::string_view("SUCCESS"));
  text_.clear();
  append_error_name(text_, -result);
  if (text_.empty()) append_number(text_, result);
  return FieldValue::of(std::string_view(text_));
}

FieldValue FieldReader::time(Field field) {
  const uint64_t ts = context_->event->ts;
  const uint64_t second = ts / kNanoseconds;
  if (second != shown_second_) {
    shown_second_ = second;
    date_.clear();
    append_date(date_, second / kSecondsOfDay);
    const uint64_t of_day = second % kSecondsOfDay;
    clock_.clear();
    append_padded(clock_, of_day / 3600, 2);
    clock_ += ':';
    append_padded(clock_, of_day / 60 % 60, 2);
    clock_ += ':';
    append_padded(clock_, of_day % 60, 2);
  }
  if (field == Field::kEvtTimeS) return FieldValue::of(std::string_view(clock_));
  text_.clear();
  if (field != Field::kEvtTime) {
    text_ += date_;
    text_ += field == Field::kEvtDatetime ? ' ' : 'T';
  }
  text_ += clock_;
  text_ += '.';
  append_padded(text_, ts % kNanoseconds, 9);
  if (field == Field::kEvtTimeIso8601) text_ += 'Z';
  return FieldValue::of(std::string_view(text_));
}

void FieldReader::append_arguments(std::string& out) {
  const scap::EventView& event = *context_->event;
  const uint16_t first = event.info().first_param;
  for (uint32_t i = 0; i < event.size(); ++i) {
    if (i != 0) out += ' ';
    out += scap::kParamNames[static_cast<size_t>(scap::kParams[first + i].name)];
    out += '=';
    parameters_.append(out, event, i, context_->thread);
  }
}

FieldValue FieldReader::argument(const FieldRef& field) {
  const scap::EventView* event = context_->event;
  const auto place_in = [&field](const scap::EventView& candidate) -> uint32_t {
    if (field.place_argument >= 0) return static_cast<uint32_t>(field.place_argument);
    const int8_t place = scap::kParamPlaces[candidate.code][static_cast<size_t>(field.name_argument)];
    return place < 0 ? UINT32_MAX : static_cast<uint32_t>(place);
  };
  uint32_t place = place_in(*event);
  if (place >= event->size() && field.name_argument >= 0 && context_->call != nullptr &&
      context_->call->paired()) {
    event = &context_->call->enter();
    place = place_in(*event);
  }
  if (place >= event->size()) return {};
  text_.clear();
  if (field.field == Field::kEvtArg) {
    parameters_.append(text_, *event, place, context_->thread);
    return FieldValue::of(std::string_view(text_));
  }
  const Bytes value = event->param(place);
  if (value.empty()) return {};
  switch (const scap::ParamInfo& info = scap::kParams[event->info().first_param + place]; info.type) {
    case ParamType::kCharbuf:
    case ParamType::kFspath:
    case ParamType::kFsrelpath: return FieldValue::of(to_text(value));
    default:
      if (info.size == 0 || value.size() > sizeof(uint64_t)) return FieldValue::of(value.text());
      if (info.type == ParamType::kErrno || info.type == ParamType::kFd || info.type == ParamType::kPid ||
          info.type == ParamType::kInt8 || info.type == ParamType::kInt16 || info.type == ParamType::kInt32 ||
          info.type == ParamType::kInt64 || info.type == ParamType::kFd32 || info.type == ParamType::kPid32) {
        return FieldValue::of(to_int(value, 0));
      }
      return FieldValue::of(to_uint(value, 0));
  }
}

// ---- its thread

FieldValue FieldReader::joined(std::string_view first, std::string_view list) {
  text_ = first;
  if (list.ends_with('\0')) list.remove_suffix(1);
  if (!list.empty() && !text_.empty()) text_ += ' ';
  for (const char character : list) text_ += character == '\0' ? ' ' : character;
  return FieldValue::of_text(text_);
}

FieldValue FieldReader::process_field(const FieldRef& field) {
  if (field.field == Field::kThreadTid) return FieldValue::of(context_->event->tid);
  state::Thread* const thread = context_->thread;
  if (thread == nullptr) return {};
  const auto id = [](int64_t value) { return value < 0 ? FieldValue() : FieldValue::of(value); };
  const auto known = [](std::string_view text) {
    return text == state::kNotAvailable ? FieldValue() : FieldValue::of_text(text);
  };
  switch (field.field) {
    case Field::kThreadVtid: return id(thread->vtid);
    case Field::kThreadIsmain: return FieldValue::of(thread->is_leader());
    case Field::kProcPid: return FieldValue::of(thread->pid);
    case Field::kProcVpid: return id(thread->vpid);
    case Field::kProcPpid: {
      const state::Thread* parent = engine_.parent_of(*thread);
      return parent == nullptr ? FieldValue() : id(parent->pid);
    }
    case Field::kProcPname: {
      const state::Thread* parent = engine_.parent_of(*thread);
      return parent == nullptr ? FieldValue() : known(parent->comm);
    }
    case Field::kProcName: return known(thread->comm);
    case Field::kProcExe: return known(thread->exe);
    case Field::kProcExepath: return known(thread->exepath);
    case Field::kProcArgs: return joined({}, thread->args);
    case Field::kProcCmdline: return joined(thread->comm, thread->args);
    case Field::kProcExeline: return joined(thread->exe, thread->args);
    case Field::kProcCwd: {
      const state::Thread* leader = thread->leader();
      return leader == nullptr ? FieldValue::of(std::string_view("./")) : FieldValue::of_text(leader->cwd);
    }
    case Field::kProcEnv: {
      const state::Thread* leader = thread->leader();
      return leader == nullptr ? FieldValue() : joined({}, leader->env);
    }
    case Field::kProcSid: return id(thread->sid);
    case Field::kProcVpgid: return id(thread->vpgid);
    case Field::kProcPgid: return id(thread->pgid);
    case Field::kProcTty: return FieldValue::of(uint64_t{thread->tty});
    case Field::kUserUid: return FieldValue::of(uint64_t{thread->uid});
    case Field::kGroupGid: return FieldValue::of(uint64_t{thread->gid});
    case Field::kUserName:
    case Field::kGroupName: {
      const bool user = field.field == Field::kUserName;
      const std::string* name = (user ? engine_.users() : engine_.groups())
                                    .find(thread->container, user ? thread->uid : thread->gid);
      return name == nullptr ? FieldValue() : known(*name);
    }
    case Field::kUserLoginuid:
      return FieldValue::of(thread->loginuid == state::kNoId ? int64_t{-1} : int64_t{thread->loginuid});
    default: return {};
  }
}

FieldValue FieldReader::container_field(Field field) {
  const uint32_t index = context_->thread != nullptr ? context_->thread->container : context_->container;
  const state::ContainerInfo& container = engine_.containers().at(index);
  switch (field) {
    case Field::kContainerId: return FieldValue::of_text(container.id);
    case Field::kContainerName: return FieldValue::of_text(container.name);
    case Field::kContainerImage: return FieldValue::of_text(container.image);
    default: return FieldValue::of_text(container.imageid);
  }
}

// ---- its descriptor

// The path that a call tried to open.
const std::string* FieldReader::opened_path() {
  const scap::EventView& event = *context_->event;
  if (!opens_path(event.code) || context_->thread == nullptr) return nullptr;
  const auto get = [this, &event](P name) {
    return context_->call != nullptr ? context_->call->get(name) : event.param(name);
  };
  Bytes name = get(P::name);
  if (name.empty()) name = get(P::path);
  if (!state::has_text(name)) return nullptr;
  const int64_t directory = to_int(get(P::dirfd), state::kAtFdcwd);
  const std::string* base = engine_.directory_of(*context_->thread, directory);
  const std::string_view path = to_text(name);
  if (path.starts_with('/')) {
    path_ = path;
    return &path_;
  }
  state::join_path(base == nullptr ? std::string_view() : std::string_view(*base), path, path_);
  return &path_;
}

FieldValue FieldReader::descriptor_name() {
  if (context_->slot == nullptr) {
    // Before a call returns there is nothing that could have the name.
    const std::string* path = context_->call == nullptr ? nullptr : opened_path();
    return path == nullptr ? FieldValue() : FieldValue::of_text(*path);
  }
  text_.clear();
  append_descriptor_name(text_, *context_->slot->descriptor);
  return FieldValue::of_text(text_);
}

FieldValue FieldReader::client_or_server(Field field, const state::Descriptor& descriptor) {
  const bool server = descriptor.is_ip_server();
  if (!server && (!descriptor.is_ip_socket() || !descriptor.has_address())) return {};
  const bool wants_client = field == Field::kFdCip || field == Field::kFdCport;
  if (server && wants_client) return {};
  // A connection has its client first, a server socket only the address it is bound to.
  const bool first = server || wants_client;
  if (field == Field::kFdCport || field == Field::kFdSport) {
    return FieldValue::of(uint64_t{first ? descriptor.sport : descriptor.dport});
  }
  const state::IpBytes& ip = first ? descriptor.sip : descriptor.dip;
  text_.clear();
  if (descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server) {
    append_ipv6(text_, ip.data());
  } else {
    append_ipv4(text_, ip.data());
  }
  return FieldValue::of(std::string_view(text_));
}

FieldValue FieldReader::descriptor_field(const FieldRef& field) {
  if (!context_->has_fd) return {};
  if (field.field == Field::kFdNum) return FieldValue::of(context_->fd);
  if (field.field == Field::kFdName) return descriptor_name();
  if (context_->slot == nullptr) {
    switch (field.field) {
      case Field::kFdTypechar: return FieldValue::of(promised_letter(context_->event->code));
      default: return {};
    }
  }
  const state::Descriptor& descriptor = *context_->slot->descriptor;
  switch (field.field) {
    case Field::kFdType: return FieldValue::of_text(type_name(descriptor.type));
    case Field::kFdTypechar:
      text_ = type_letter(descriptor.type);
      return FieldValue::of(std::string_view(text_));
    case Field::kFdDirectory:
    case Field::kFdFilename: {
      if (!descriptor.is_file() && descriptor.type != FdType::kDirectory) return {};
      const std::string_view name = descriptor.name;
      const size_t slash = name.rfind('/');
      if (slash == std::string_view::npos) return {};
      if (field.field == Field::kFdFilename) return FieldValue::of_text(name.substr(slash + 1));
      return FieldValue::of(name.substr(0, std::max<size_t>(slash, 1)));
    }
    case Field::kFdL4proto:
      switch (descriptor.l4) {
        case state::L4::kTcp: return FieldValue::of(std::string_view("tcp"));
        case state::L4::kUdp: return FieldValue::of(std::string_view("udp"));
        case state::L4::kIcmp: return FieldValue::of(std::string_view("icmp"));
        case state::L4::kRaw: return FieldValue::of(std::string_view("raw"));
        default: return {};
      }
    case Field::kFdIno: return FieldValue::of(descriptor.inode);
    case Field::kFdDev: return FieldValue::of(uint64_t{descriptor.device});
    default: return client_or_server(field.field, descriptor);
  }
}

}  // namespace sfkit::events
