// Fields of the event's descriptor.

#include <algorithm>

#include "base/ip_text.h"
#include "base/numbers.h"
#include "event_roles.gen.h"
#include "fields/fields.h"
#include "state/paths.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using scap::P;
using state::Descriptor;
using state::FdType;
namespace ev = scap::ev;

constexpr uint32_t kOpenUpperLayer = 1u << 15;
constexpr uint32_t kOpenLowerLayer = 1u << 16;

// The type letter of the descriptor that a call creates, for calls that failed or have not
// returned.
std::string_view expected_type_letter(uint16_t code) {
  return {&state::kMadeLetters[code], 1};
}

bool is_ipv6(const Descriptor& descriptor) {
  return descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server;
}

std::string_view protocol_name(state::L4 protocol) {
  switch (protocol) {
    case state::L4::kTcp: return "tcp";
    case state::L4::kUdp: return "udp";
    case state::L4::kIcmp: return "icmp";
    case state::L4::kRaw: return "raw";
    default: return state::kNotAvailable;
  }
}

// The two halves of a device number in the kernel's 32-bit encoding.
uint64_t major_of(uint32_t device) {
  return (device >> 8) & 0xfff;
}
uint64_t minor_of(uint32_t device) {
  return (device & 0xff) | ((device >> 12) & 0xfff00);
}

// Whether the event is the exit event of a call that opens something with a name.
bool opens_named_descriptor(uint16_t code) {
  switch (state::kHandlers[code]) {
    case state::Handler::kAccept:
    case state::Handler::kMemfd:
    case state::Handler::kPidfdOpen: return true;
    default: return opens_path(code);
  }
}

}  // namespace

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

FieldValue FieldReader::descriptor_name() {
  if (context_->shown_slot == nullptr) {
    // An enter event does not have a result that could have the name.
    if (context_->call == nullptr) return {};
    const std::string* path = opened_path();
    return path == nullptr ? FieldValue::of(std::string_view()) : FieldValue::of(*path);
  }
  text_.clear();
  append_descriptor_name(text_, *context_->shown_slot->descriptor);
  return FieldValue::of(text_);
}

FieldValue FieldReader::directory_or_file(const Descriptor& descriptor, bool directory) {
  if (descriptor.type == FdType::kDirectory)
    return directory ? FieldValue::of(descriptor.name) : FieldValue();
  return descriptor.is_file() ? directory_or_file(descriptor.name, directory) : FieldValue();
}

FieldValue FieldReader::directory_or_file(std::string_view name, bool directory) {
  if (!engine_.compat() && name.starts_with(state::kUnknownDirectory)) {
    if (directory) return FieldValue::of(state::directory_of_path(name));
    const size_t unknown =
        name.find('/') == std::string_view::npos ? state::kUnknownDirectory.size() : 0;
    return FieldValue::of_text(state::last_component(name).substr(unknown));
  }
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos)
    return directory ? FieldValue::of(std::string_view("/")) : FieldValue::of(name);
  if (slash + 1 == name.size()) return FieldValue::of(name);
  if (!directory) return FieldValue::of(name.substr(slash + 1));
  return FieldValue::of(name.substr(0, std::max<size_t>(slash, 1)));
}

bool FieldReader::is_local(const state::IpBytes& ip, bool ipv6) const {
  return engine_.interfaces().has(ip, ipv6);
}

// Whether the first endpoint of a connection is local. A known role decides: interfaces of other
// network namespaces are unknown, and bridges to them belong to the host.
bool FieldReader::is_first_local(const Descriptor& descriptor, bool ipv6) const {
  if (engine_.compat() || descriptor.role == state::Role::kNone)
    return is_local(descriptor.sip, ipv6);
  return descriptor.role == state::Role::kClient;
}

FieldValue FieldReader::socket_field(Field field, const Descriptor& descriptor) {
  const bool server = descriptor.is_ip_server();
  const bool ipv6 = is_ipv6(descriptor);
  if (!server && (!descriptor.is_ip_socket() || !descriptor.has_address())) {
    return field == Field::kFdIsServer ? FieldValue::of(false) : FieldValue();
  }
  if (field == Field::kFdIsServer) {
    return FieldValue::of(server || (descriptor.role == state::Role::kNone
                                         ? is_local(descriptor.dip, ipv6)
                                         : descriptor.role == state::Role::kServer));
  }
  // A connection has the client first; a server socket has its bound address only.
  bool first = server;
  switch (field) {
    case Field::kFdCip:
    case Field::kFdCnet:
    case Field::kFdCport:
    case Field::kFdCproto:
      if (server) return {};
      first = true;
      break;
    case Field::kFdLip:
    case Field::kFdLnet:
    case Field::kFdLport:
    case Field::kFdLproto:
      if (server) return {};
      first = is_first_local(descriptor, ipv6);
      break;
    case Field::kFdRip:
    case Field::kFdRnet:
    case Field::kFdRport:
    case Field::kFdRproto:
      if (server) return {};
      first = !is_first_local(descriptor, ipv6);
      break;
    default: break;
  }
  const uint16_t port = first ? descriptor.sport : descriptor.dport;
  switch (field) {
    case Field::kFdCport:
    case Field::kFdSport:
    case Field::kFdLport:
    case Field::kFdRport: return FieldValue::of(uint64_t{port});
    case Field::kFdCproto:
    case Field::kFdSproto:
    case Field::kFdLproto:
    case Field::kFdRproto: {
      if (const std::string_view name = service_name(port); !name.empty())
        return FieldValue::of(name);
      text_.clear();
      append_number(text_, port);
      return FieldValue::of(text_);
    }
    default: return FieldValue::of_ip(first ? descriptor.sip.data() : descriptor.dip.data(), ipv6);
  }
}

// Lists the descriptors that poll waits for.
FieldValue FieldReader::polled_descriptors(Field field) {
  const uint16_t code = context_->event->code | 1;
  if (code != ev::SYSCALL_POLL_X && code != ev::SYSCALL_PPOLL_X) return {};
  state::Thread* thread = context_->thread;
  if (thread == nullptr) return {};
  state::DescriptorTable* table = thread->table();
  text_.clear();
  Cursor in(context_->event->param(P::fds));
  const auto count = in.read<uint16_t>();
  for (uint16_t i = 0; i < count; ++i) {
    const auto fd = in.read<int64_t>();
    in.skip(sizeof(uint16_t));
    if (in.failed()) break;
    const state::FdSlot* slot = table == nullptr ? nullptr : table->find(fd);
    const Descriptor* descriptor = slot == nullptr ? nullptr : &*slot->descriptor;
    const bool socket = descriptor != nullptr && descriptor->is_ip_socket();
    const bool server = descriptor != nullptr && descriptor->is_ip_server();
    const size_t before = text_.size();
    if (before != 0) text_ += ',';
    const size_t start = text_.size();
    const auto append_ip = [this, descriptor](const state::IpBytes& ip) {
      if (is_ipv6(*descriptor)) {
        append_ipv6(text_, ip.data());
      } else {
        append_ipv4(text_, ip.data());
      }
    };
    switch (field) {
      case Field::kFdlistNums: append_number(text_, fd); break;
      case Field::kFdlistNames:
        if (descriptor != nullptr) append_descriptor_name(text_, *descriptor);
        if (text_.size() == start) text_ += state::kNotAvailable;
        break;
      case Field::kFdlistCips:
        if (socket) append_ip(descriptor->sip);
        break;
      case Field::kFdlistSips:
        if (socket) append_ip(descriptor->dip);
        if (server) append_ip(descriptor->sip);
        break;
      case Field::kFdlistCports:
        if (socket) append_number(text_, descriptor->sport);
        break;
      default:
        if (socket) append_number(text_, descriptor->dport);
        break;
    }
    if (text_.size() == start) text_.resize(before);
  }
  return FieldValue::of_text(text_);
}

FieldValue FieldReader::descriptor_field(const FieldRef& field) {
  switch (field.field) {
    case Field::kFdlistNums:
    case Field::kFdlistNames:
    case Field::kFdlistCips:
    case Field::kFdlistSips:
    case Field::kFdlistCports:
    case Field::kFdlistSports: return polled_descriptors(field.field);
    default: break;
  }
  if (!context_->has_shown_fd) return {};
  const state::FdSlot* slot = context_->shown_slot;
  const auto container_id = [this]() -> std::string_view {
    return context_->thread == nullptr
               ? std::string_view()
               : std::string_view(engine_.containers().at(context_->thread->container).id);
  };
  switch (field.field) {
    case Field::kFdNum: return FieldValue::of(context_->shown_fd);
    case Field::kFdName: return descriptor_name();
    case Field::kFdUid:
      text_.clear();
      append_number(text_, context_->event->tid);
      append_number(text_, context_->shown_fd);
      return FieldValue::of(text_);
    case Field::kFdContainername: {
      const FieldValue name = descriptor_name();
      if (name.is_missing()) return {};
      joined_ = container_id();
      joined_ += ':';
      joined_ += name.text;
      return FieldValue::of(joined_);
    }
    case Field::kFdTypes: {
      state::DescriptorTable* table =
          context_->thread == nullptr ? nullptr : context_->thread->table();
      const state::FdSlot* other = table == nullptr ? nullptr : table->find(field.index_argument);
      return other == nullptr ? FieldValue()
                              : FieldValue::of_text(type_name(other->descriptor->type));
    }
    case Field::kFdNameraw:
      if (slot == nullptr) return FieldValue::of_text(opened_raw_path());
      break;
    default: break;
  }
  if (slot == nullptr) {
    // A failed open has the name that it asked for.
    const bool directory = field.field == Field::kFdDirectory;
    if ((directory || field.field == Field::kFdFilename) && context_->call != nullptr) {
      const std::string* path = opened_path();
      return directory_or_file(path == nullptr ? std::string_view() : *path, directory);
    }
    return field.field == Field::kFdTypechar
               ? FieldValue::of(expected_type_letter(context_->event->code))
               : FieldValue();
  }
  const Descriptor& descriptor = *slot->descriptor;
  switch (field.field) {
    case Field::kFdType: return FieldValue::of_text(type_name(descriptor.type));
    case Field::kFdTypechar: text_ = type_letter(descriptor.type); return FieldValue::of(text_);
    case Field::kFdNameraw:
      return FieldValue::of_text(descriptor.raw_name.empty() ? descriptor.name
                                                             : descriptor.raw_name);
    case Field::kFdDirectory: return directory_or_file(descriptor, true);
    case Field::kFdFilename: return directory_or_file(descriptor, false);
    case Field::kFdContainerdirectory: {
      const FieldValue directory = directory_or_file(descriptor, true);
      if (directory.is_missing()) return {};
      joined_ = container_id();
      joined_ += ':';
      joined_ += directory.text;
      return FieldValue::of(joined_);
    }
    case Field::kFdL4proto: return FieldValue::of(protocol_name(descriptor.l4));
    case Field::kFdSockfamily:
      if (descriptor.type == FdType::kUnix) return FieldValue::of(std::string_view("unix"));
      return descriptor.is_ip_socket() || descriptor.is_ip_server()
                 ? FieldValue::of(std::string_view("ip"))
                 : FieldValue();
    case Field::kFdConnected: return FieldValue::of(descriptor.is_connected());
    case Field::kFdNameChanged:
      return FieldValue::of(
          descriptor.named_by_event == context_->event->number ||
          (!descriptor_name().text.empty() && opens_named_descriptor(context_->event->code)));
    case Field::kFdIsUpperLayer:
      return FieldValue::of((descriptor.open_flags & kOpenUpperLayer) != 0);
    case Field::kFdIsLowerLayer:
      return FieldValue::of((descriptor.open_flags & kOpenLowerLayer) != 0);
    case Field::kFdIno: return FieldValue::of(descriptor.inode);
    case Field::kFdDev: return FieldValue::of(uint64_t{descriptor.device});
    case Field::kFdDevMajor: return FieldValue::of(major_of(descriptor.device));
    case Field::kFdDevMinor: return FieldValue::of(minor_of(descriptor.device));
    default: return socket_field(field.field, descriptor);
  }
}

}  // namespace sfkit::fields
