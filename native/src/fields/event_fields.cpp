// Fields of the event itself: time, type, result and parameters.

#include <algorithm>
#include <array>

#include "base/numbers.h"
#include "event_names.gen.h"
#include "fields/event_name.h"
#include "fields/fields.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using scap::EventCategory;
using scap::P;
using scap::ParamType;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
using state::FdType;
namespace ev = scap::ev;

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecondsOfDay = 86400;

constexpr std::string_view kCategories[] = {
    "unknown", "other",   "file",   "net",       "IPC",     "memory",     "process",
    "sleep",   "system",  "signal", "user",      "time",    "processing", "unknown",
    "unknown", "unknown", "wait",   "scheduler", "internal"};

constexpr std::string_view kFacilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",      "news",
    "uucp",   "clock",  "authpriv", "ftp",    "ntp",    "logaudit", "logalert", "cron",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",   "local7"};
constexpr std::string_view kSeverities[] = {"emerg", "alert",  "crit", "err",
                                            "warn",  "notice", "info", "debug"};

bool is_io(EventCategory category) {
  return category == EventCategory::kIoRead || category == EventCategory::kIoWrite ||
         category == EventCategory::kIoOther;
}

// Converts days since 1970 to a date of the Gregorian calendar, with years from March in cycles of
// 400.
void append_date(std::string& out, uint64_t days) {
  const uint64_t shifted = days + 719468;
  const uint64_t era = shifted / 146097;
  const uint64_t day_of_era = shifted % 146097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
  const uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  append_padded(out, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
  out += '-';
  append_padded(out, month, 2);
  out += '-';
  append_padded(out, day, 2);
}

// Uses the largest unit that fits, with up to two decimals.
void append_duration(std::string& out, uint64_t nanoseconds) {
  struct Unit {
    std::string_view name;
    uint64_t size;
  };
  constexpr Unit kUnits[] = {{"s", kNanoseconds}, {"ms", kMillisecond}, {"us", 1000}, {"ns", 1}};
  for (const Unit& unit : kUnits) {
    if (nanoseconds < unit.size && unit.size != 1) continue;
    append_number(out, nanoseconds / unit.size);
    if (const uint64_t hundredths = nanoseconds % unit.size * 100 / unit.size; hundredths != 0) {
      out += '.';
      append_padded(out, hundredths, 2);
    }
    out += unit.name;
    return;
  }
}

bool is_directory_or_file(FdType type) {
  return type == FdType::kFile || type == FdType::kFileV2 || type == FdType::kDirectory;
}

bool is_network(FdType type) {
  return type == FdType::kIpv4 || type == FdType::kIpv6 || type == FdType::kIpv4Server ||
         type == FdType::kIpv6Server;
}

bool connects(uint16_t code) {
  const state::Handler handler = state::kHandlers[code];
  return handler == state::Handler::kConnect || handler == state::Handler::kAccept;
}

}  // namespace

FieldValue FieldReader::event_field(const FieldRef& field) {
  const scap::EventView& event = *context_->event;
  const uint16_t flags = event.info().flags;
  const bool reads = (flags & scap::kReadsFromFd) != 0;
  const bool writes = (flags & scap::kWritesToFd) != 0;
  switch (field.field) {
    case Field::kEvtNum: return FieldValue::of(event.number);
    case Field::kEvtRawtime: return FieldValue::of(event.ts);
    case Field::kEvtRawtimeS: return FieldValue::of(event.ts / kNanoseconds);
    case Field::kEvtRawtimeNs: return FieldValue::of(event.ts % kNanoseconds);
    case Field::kEvtReltime:
    case Field::kEvtReltimeS:
    case Field::kEvtReltimeNs: {
      if (origin_ == 0) return {};
      const auto since = static_cast<int64_t>(event.ts - origin_);
      constexpr auto kSecond = static_cast<int64_t>(kNanoseconds);
      return FieldValue::of(field.field == Field::kEvtReltime    ? since
                            : field.field == Field::kEvtReltimeS ? since / kSecond
                                                                 : since % kSecond);
    }
    case Field::kEvtDeltatime:
    case Field::kEvtDeltatimeS:
    case Field::kEvtDeltatimeNs: {
      const uint64_t delta =
          previous_time_ == 0 || event_time_ < previous_time_ ? 0 : event_time_ - previous_time_;
      return FieldValue::of(field.field == Field::kEvtDeltatime    ? delta
                            : field.field == Field::kEvtDeltatimeS ? delta / kNanoseconds
                                                                   : delta % kNanoseconds);
    }
    case Field::kEvtLatency:
    case Field::kEvtLatencyS:
    case Field::kEvtLatencyNs:
    case Field::kEvtLatencyHuman:
    case Field::kEvtWaitLatency: return latency(field.field);
    case Field::kEvtDir:
      return FieldValue::of(std::string_view(scap::is_enter(event.code) ? ">" : "<"));
    case Field::kEvtType: return FieldValue::of(event_type());
    case Field::kEvtTypeIs: return type_is(field);
    case Field::kSyscallType:
      return event.info().kind == scap::EventKind::kSyscall ? FieldValue::of(event_type())
                                                            : FieldValue();
    case Field::kEvtCode: return FieldValue::of(uint64_t{event.code});
    case Field::kEvtCategory: return category();
    case Field::kEvtCpu: return FieldValue::of(uint64_t{event.cpu});
    case Field::kEvtArgs:
    case Field::kEvtInfo:
      text_.clear();
      append_arguments(text_);
      return FieldValue::of(text_);
    case Field::kEvtArg:
    case Field::kEvtRawarg: return argument(field);
    case Field::kEvtBuffer: {
      const Bytes data = parameter(P::data);
      return data.empty() ? FieldValue() : FieldValue::of_bytes(data.text());
    }
    case Field::kEvtBuflen:
    case Field::kEvtBuflenIn:
    case Field::kEvtBuflenOut:
    case Field::kEvtBuflenFile:
    case Field::kEvtBuflenFileIn:
    case Field::kEvtBuflenFileOut:
    case Field::kEvtBuflenNet:
    case Field::kEvtBuflenNetIn:
    case Field::kEvtBuflenNetOut: return transferred_bytes(field.field);
    case Field::kEvtRes: return result_name();
    case Field::kEvtRawres:
      return has_result() ? FieldValue::of(context_->call->result()) : FieldValue();
    case Field::kEvtFailed:
      return has_result() ? FieldValue::of(is_error(context_->call->result())) : FieldValue();
    case Field::kEvtIsIo: return FieldValue::of(reads || writes);
    case Field::kEvtIsIoRead: return FieldValue::of(reads);
    case Field::kEvtIsIoWrite: return FieldValue::of(writes);
    case Field::kEvtIoDir: return FieldValue::of_text(writes ? "write" : reads ? "read" : "");
    case Field::kEvtIsWait: return FieldValue::of((flags & scap::kWaits) != 0);
    case Field::kEvtCount: return FieldValue::of(uint64_t{1});
    case Field::kEvtCountExit:
      return FieldValue::of(uint64_t{scap::is_enter(event.code) ? 0u : 1u});
    case Field::kEvtCountProcinfo:
    case Field::kEvtCountThreadinfo: {
      const bool is_leader = context_->thread != nullptr && context_->thread->is_leader();
      const bool counts =
          event.code == ev::PROCINFO_E && (field.field == Field::kEvtCountThreadinfo || is_leader);
      return FieldValue::of(uint64_t{counts ? 1u : 0u});
    }
    case Field::kEvtCountError:
    case Field::kEvtCountErrorFile:
    case Field::kEvtCountErrorNet:
    case Field::kEvtCountErrorMemory:
    case Field::kEvtCountErrorOther: return error_count(field.field);
    case Field::kEvtAround: {
      const uint64_t distance =
          std::max(event.ts, field.number_argument) - std::min(event.ts, field.number_argument);
      return FieldValue::of(distance / kMillisecond + (distance % kMillisecond != 0 ? 1 : 0));
    }
    case Field::kEvtIsOpenRead:
    case Field::kEvtIsOpenWrite:
    case Field::kEvtIsOpenExec:
    case Field::kEvtIsOpenCreate: return open_flag_field(field.field);
    case Field::kEvtSource: return FieldValue::of(std::string_view("syscall"));
    case Field::kEvtIsAsync: return FieldValue::of(event.code == ev::ASYNCEVENT_E);
    case Field::kEvtAsynctype:
      return event.code == ev::ASYNCEVENT_E ? FieldValue::of_text(to_text(event.param(P::name)))
                                            : FieldValue();
    case Field::kEvtHostname: return FieldValue::of_text(engine_.host_name());
    case Field::kUtilCnt: return FieldValue::of(++reads_);
    case Field::kEvtIsSyslog:
    case Field::kSyslogFacility:
    case Field::kSyslogFacilityStr:
    case Field::kSyslogSeverity:
    case Field::kSyslogSeverityStr:
    case Field::kSyslogMessage: return syslog(field.field);
    default: return time(field.field);
  }
}

std::string_view FieldReader::event_type() {
  const scap::EventView& event = *context_->event;
  if (event.code == ev::ASYNCEVENT_E) return to_text(event.param(P::name));
  if ((event.code | 1) != ev::GENERIC_X) return event_name(event.code);
  const uint64_t code = to_uint(parameter(P::ID), 0);
  std::string_view name = syscall_name(code);
  if (code == 0) {
    if (const std::string_view native =
            native_syscall_name(to_uint(parameter(P::nativeID), UINT64_MAX));
        !native.empty()) {
      name = native;
    }
  }
  return name.empty() ? std::string_view(event.info().name) : name;
}

FieldValue FieldReader::type_is(const FieldRef& field) const {
  const uint16_t code = context_->event->code;
  const bool same =
      field.index_argument >= 0 ? code == field.index_argument : event_name(code) == field.argument;
  return FieldValue::of(uint64_t{same ? 1u : 0u});
}

FieldValue FieldReader::category() {
  const EventCategory category = context_->event->info().category;
  if (is_io(category) && context_->shown_slot != nullptr) {
    switch (const FdType type = context_->shown_slot->descriptor->type) {
      case FdType::kFifo:
      case FdType::kUnix:
      case FdType::kEvent:
      case FdType::kSignal: return FieldValue::of(std::string_view("ipc"));
      default:
        if (is_directory_or_file(type)) return FieldValue::of(std::string_view("file"));
        if (is_network(type)) return FieldValue::of(std::string_view("net"));
    }
  }
  return FieldValue::of(kCategories[static_cast<size_t>(category)]);
}

// ---- result

bool FieldReader::has_result() const {
  const scap::EventView& event = *context_->event;
  return context_->call != nullptr && event.size() != 0 && !event.param(0).empty() &&
         event.code != ev::GENERIC_X;
}

FieldValue FieldReader::result_name() {
  if (!has_result()) return {};
  const int64_t result = context_->call->result();
  if (!is_error(result)) return FieldValue::of(std::string_view("SUCCESS"));
  text_.clear();
  append_error_name(text_, -result);
  if (text_.empty()) append_number(text_, result);
  return FieldValue::of(text_);
}

FieldValue FieldReader::error_count(Field field) {
  if (!has_result() || !is_error(context_->call->result())) return FieldValue::of(uint64_t{0});
  const scap::EventView& event = *context_->event;
  const bool known = context_->shown_slot != nullptr;
  const FdType type = known ? context_->shown_slot->descriptor->type : FdType::kUnknown;
  const bool of_file = known ? is_directory_or_file(type) : opens_path(event.code);
  const bool of_network = known ? is_network(type) || type == FdType::kUnix : connects(event.code);
  const bool of_memory = event.info().category == EventCategory::kMemory;
  bool counts = true;
  if (field == Field::kEvtCountErrorFile) counts = of_file;
  if (field == Field::kEvtCountErrorNet) counts = of_network;
  if (field == Field::kEvtCountErrorMemory) counts = of_memory;
  if (field == Field::kEvtCountErrorOther)
    counts = !of_file && !of_network && (known || !of_memory);
  return FieldValue::of(uint64_t{counts ? 1u : 0u});
}

FieldValue FieldReader::transferred_bytes(Field field) {
  const scap::EventView& event = *context_->event;
  const EventCategory category = event.info().category;
  if (!is_io(category) || context_->call == nullptr || context_->shown_slot == nullptr) return {};
  const FdType type = context_->shown_slot->descriptor->type;
  const bool file = type == FdType::kFile || type == FdType::kFileV2;
  const bool network = is_network(type);
  const bool in = category == EventCategory::kIoRead;
  const bool out = category == EventCategory::kIoWrite;
  switch (field) {
    case Field::kEvtBuflenIn:
      if (!in) return {};
      break;
    case Field::kEvtBuflenOut:
      if (!out) return {};
      break;
    case Field::kEvtBuflenFile:
      if (!file) return {};
      break;
    case Field::kEvtBuflenFileIn:
      if (!file || !in) return {};
      break;
    case Field::kEvtBuflenFileOut:
      if (!file || !out) return {};
      break;
    case Field::kEvtBuflenNet:
      if (!network) return {};
      break;
    case Field::kEvtBuflenNetIn:
      if (!network || !in) return {};
      break;
    case Field::kEvtBuflenNetOut:
      if (!network || !out) return {};
      break;
    default: break;
  }
  const int64_t result = context_->call->result();
  return result < 0 ? FieldValue() : FieldValue::of(static_cast<uint64_t>(result));
}

FieldValue FieldReader::open_flag_field(Field field) {
  constexpr uint64_t kRead = 1;
  constexpr uint64_t kWrite = 2;
  constexpr uint64_t kCreate = 4;
  constexpr uint64_t kTemporary = 1u << 13;
  constexpr uint64_t kExecutable = 0111;
  const scap::EventView& event = *context_->event;
  if (!opens_path(event.code) || context_->call == nullptr) return FieldValue::of(false);
  const uint64_t mode = to_uint(parameter(P::mode), 0);
  if (event.code == ev::SYSCALL_CREAT_X) {
    return FieldValue::of(field == Field::kEvtIsOpenExec && (mode & kExecutable) != 0);
  }
  const uint64_t flags = to_uint(parameter(P::flags), 0);
  switch (field) {
    case Field::kEvtIsOpenRead: return FieldValue::of((flags & kRead) != 0);
    case Field::kEvtIsOpenWrite: return FieldValue::of((flags & kWrite) != 0);
    case Field::kEvtIsOpenCreate:
      return FieldValue::of((flags & state::kOpenFCreated) != 0 ||
                            ((flags & kTemporary) != 0 && context_->call->result() >= 0));
    default:
      return FieldValue::of(event.code != ev::SYSCALL_OPEN_BY_HANDLE_AT_X &&
                            (flags & (kTemporary | kCreate)) != 0 && (mode & kExecutable) != 0);
  }
}

// ---- time

FieldValue FieldReader::latency(Field field) {
  const scap::EventView& event = *context_->event;
  if (field == Field::kEvtWaitLatency &&
      ((event.info().flags & scap::kWaits) == 0 || context_->call == nullptr)) {
    return {};
  }
  if (context_->thread == nullptr || event.info().category == EventCategory::kInternal) return {};
  uint64_t duration = 0;
  if (const scap::CallView* call = context_->call) {
    // Unknown without the enter event.
    if (!call->paired()) return {};
    const uint64_t entered = call->enter().ts;
    if (event.ts > entered) duration = event.ts - entered;
  }
  switch (field) {
    case Field::kEvtLatencyS: return FieldValue::of(duration / kNanoseconds);
    case Field::kEvtLatencyNs: return FieldValue::of(duration % kNanoseconds);
    case Field::kEvtLatencyHuman:
      text_.clear();
      append_duration(text_, duration);
      return FieldValue::of(text_);
    default: return FieldValue::of(duration);
  }
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
  if (field == Field::kEvtTimeS) return FieldValue::of(clock_);
  text_.clear();
  if (field != Field::kEvtTime) {
    text_ += date_;
    text_ += field == Field::kEvtTimeIso8601 ? 'T' : ' ';
  }
  text_ += clock_;
  if (field == Field::kEvtDatetimeS) return FieldValue::of(text_);
  text_ += '.';
  append_padded(text_, ts % kNanoseconds, 9);
  if (field == Field::kEvtTimeIso8601) text_ += 'Z';
  return FieldValue::of(text_);
}

// ---- parameters

void FieldReader::append_arguments(std::string& out) {
  const scap::EventView& event = *context_->event;
  const uint16_t first = event.info().first_param;
  const bool is_whole = shows_enter_parameters_ && context_->call != nullptr;
  const uint32_t count =
      is_whole ? std::max<uint32_t>(event.size(), event.info().nparams) : event.size();
  for (uint32_t i = 0; i < count; ++i) {
    if (i != 0) out += ' ';
    out += scap::kParamNames[static_cast<size_t>(scap::kParams[first + i].name)];
    out += '=';
    if (i < event.size()) {
      parameters_.append(out, event, i, context_->thread);
    } else if (const uint32_t entered = index_in_enter(i); entered != UINT32_MAX) {
      parameters_.append(out, context_->call->enter(), entered, context_->thread);
    } else {
      out += state::kNotAvailable;
    }
  }
}

// Index in the enter event of the parameter with this index in the exit event's current version;
// UINT32_MAX if it is not there.
uint32_t FieldReader::index_in_enter(uint32_t place) const {
  const scap::EventInfo& info = context_->event->info();
  if (place >= info.nparams || context_->call == nullptr || !context_->call->paired())
    return UINT32_MAX;
  const scap::EventView& enter = context_->call->enter();
  const auto name = static_cast<size_t>(scap::kParams[info.first_param + place].name);
  const int8_t found = scap::kParamPlaces[enter.code][name];
  return found < 0 || static_cast<uint32_t>(found) >= enter.size() ? UINT32_MAX
                                                                   : static_cast<uint32_t>(found);
}

FieldValue FieldReader::argument(const FieldRef& field) {
  const scap::EventView* event = context_->event;
  const auto place_in = [&field](const scap::EventView& candidate) -> uint32_t {
    if (field.index_argument >= 0) return static_cast<uint32_t>(field.index_argument);
    const int8_t place =
        scap::kParamPlaces[candidate.code][static_cast<size_t>(field.name_argument)];
    return place < 0 ? UINT32_MAX : static_cast<uint32_t>(place);
  };
  uint32_t place = place_in(*event);
  if (place >= event->size() && field.index_argument >= 0) {
    place = index_in_enter(place);
    if (place == UINT32_MAX) return {};
    event = &context_->call->enter();
  }
  if (place >= event->size() && field.name_argument >= 0 && context_->call != nullptr &&
      context_->call->paired()) {
    event = &context_->call->enter();
    place = place_in(*event);
  }
  if (place >= event->size()) return {};
  if (field.field == Field::kEvtArg) {
    text_.clear();
    const bool found = parameters_.append_meaning(text_, *event, place, context_->thread);
    return found ? FieldValue::of(text_) : FieldValue();
  }
  const Bytes value = event->param(place);
  if (value.empty()) return {};
  switch (const scap::ParamInfo& info = scap::kParams[event->info().first_param + place];
          info.type) {
    case ParamType::kCharbuf:
    case ParamType::kFspath:
    case ParamType::kFsrelpath: return FieldValue::of(to_text(value));
    case ParamType::kErrno:
    case ParamType::kFd:
    case ParamType::kFd32:
    case ParamType::kPid:
    case ParamType::kPid32:
    case ParamType::kInt8:
    case ParamType::kInt16:
    case ParamType::kInt32:
    case ParamType::kInt64:
      if (value.size() <= sizeof(int64_t)) return FieldValue::of(to_int(value, 0));
      return FieldValue::of_bytes(value.text());
    default:
      if (info.size == 0 || value.size() > sizeof(uint64_t))
        return FieldValue::of_bytes(value.text());
      return FieldValue::of(to_uint(value, 0));
  }
}

// ---- messages to the system log: <facility * 8 + severity>text

FieldValue FieldReader::syslog(Field field) {
  const scap::EventView& event = *context_->event;
  const state::FdSlot* slot = context_->shown_slot;
  const bool writes = (event.info().flags & scap::kWritesToFd) != 0;
  const bool to_log =
      writes && slot != nullptr && std::string_view(slot->descriptor->name).ends_with("/dev/log");
  if (field == Field::kEvtIsSyslog) return FieldValue::of(to_log);
  if (!to_log || context_->call == nullptr) return {};
  const std::string_view text = parameter(P::data).text();
  constexpr size_t kMaxDigits = 3;
  const size_t end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos || end < 2 || end > kMaxDigits + 1)
    return {};
  uint64_t priority = 0;
  for (const char digit : text.substr(1, end - 1)) {
    if (digit < '0' || digit > '9') return {};
    priority = priority * 10 + static_cast<uint64_t>(digit - '0');
  }
  const uint64_t facility = priority >> 3;
  const uint64_t severity = priority & 7;
  switch (field) {
    case Field::kSyslogFacility: return FieldValue::of(facility);
    case Field::kSyslogSeverity: return FieldValue::of(severity);
    case Field::kSyslogSeverityStr: return FieldValue::of(kSeverities[severity]);
    case Field::kSyslogFacilityStr:
      return FieldValue::of(facility < std::size(kFacilities) ? kFacilities[facility] : "<NA>");
    default: return FieldValue::of(text.substr(end + 1));
  }
}

}  // namespace sfkit::fields
