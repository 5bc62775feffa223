#include "rules/finding_json.h"

#include <algorithm>
#include <string_view>

#include "base/escape.h"
#include "base/ip_text.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "state/values.h"

namespace sfkit::rules {
namespace {

using fields::Field;
using fields::FieldReader;
using fields::FieldRef;
using fields::FieldValue;
using state::Descriptor;
using state::FdType;
using state::Thread;

// Maximum size of a command line, and of an ancestor's.
constexpr size_t kMaxText = size_t{16} << 10;
constexpr size_t kMaxAncestorText = size_t{1} << 10;
constexpr size_t kMaxAncestors = 16;

void append_text(std::string& out, std::string_view text, size_t max_size) {
  if (text.size() <= max_size) return append_json_string(out, text);
  size_t end = max_size;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  append_json_string(out, text.substr(0, end));
  out.insert(out.size() - 1, "…");
}

void append_member(std::string& out, std::string_view name, std::string_view text,
                   size_t max_size = kMaxText) {
  if (text.empty()) return;
  out += out.ends_with('{') ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_text(out, text, max_size);
}

void append_member(std::string& out, std::string_view name, int64_t number) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_number(out, number);
}

FieldValue value_of(Field field, FieldReader& reader) {
  FieldRef ref;
  ref.field = field;
  return reader.get(ref);
}

std::string_view text_of(Field field, FieldReader& reader) {
  const FieldValue value = value_of(field, reader);
  return value.kind == FieldValue::Kind::kText && value.text != state::kNotAvailable
             ? value.text
             : std::string_view();
}

// The process's name and arguments, truncated while they are built.
std::string command_line(const Thread& thread, size_t max_size) {
  std::string line = thread.comm;
  std::string_view arguments = thread.args;
  if (arguments.ends_with('\0')) arguments.remove_suffix(1);
  if (!arguments.empty()) {
    line += ' ';
    line += arguments.substr(0, max_size + 1);
  }
  std::replace(
      line.begin() + static_cast<std::ptrdiff_t>(std::min(thread.comm.size(), line.size())),
      line.end(), '\0', ' ');
  return line;
}

void append_names(std::string& out, const Thread& thread, size_t max_size) {
  append_member(out, "pid", thread.pid);
  append_member(out, "name", thread.comm, max_size);
  append_member(out, "exe", thread.exe, max_size);
  append_member(out, "exepath", thread.exepath, max_size);
  append_member(out, "cmdline", command_line(thread, max_size), max_size);
}

void append_process(std::string& out, FieldReader& reader, state::Engine& engine) {
  Thread* const thread = reader.context().thread;
  if (thread == nullptr) return;
  out += ",\"process\":{";
  append_names(out, *thread, kMaxText);
  append_member(out, "cwd", text_of(Field::kProcCwd, reader));
  if (thread->uid != state::kNoId) append_member(out, "uid", thread->uid);
  append_member(out, "user", text_of(Field::kUserName, reader));
  if (thread->loginuid != state::kNoId) append_member(out, "loginuid", thread->loginuid);
  out += ",\"ancestors\":[";
  Thread* ancestor = thread->leader() == nullptr ? nullptr : engine.parent_of(*thread->leader());
  for (size_t i = 0; ancestor != nullptr && i < kMaxAncestors; ++i) {
    out += i == 0 ? "{" : ",{";
    append_names(out, *ancestor, kMaxAncestorText);
    out += '}';
    ancestor = engine.parent_of(*ancestor);
  }
  out += "]}";
}

void append_endpoint(std::string& out, std::string_view name, const state::IpBytes& address,
                     uint16_t port, bool ipv6) {
  out += ",\"";
  out += name;
  out += "\":{\"ip\":\"";
  if (ipv6) {
    append_ipv6(out, address.data());
  } else {
    append_ipv4(out, address.data());
  }
  out += "\",\"port\":";
  append_number(out, port);
  out += '}';
}

std::string_view protocol_of(const Descriptor& descriptor) {
  switch (descriptor.l4) {
    case state::L4::kTcp: return "tcp";
    case state::L4::kUdp: return "udp";
    case state::L4::kIcmp: return "icmp";
    case state::L4::kRaw: return "raw";
    default: return "ip";
  }
}

bool append_connection(std::string& out, const Descriptor& descriptor, FieldReader& reader) {
  if (descriptor.type == FdType::kUnix) {
    out += ",\"connection\":{\"protocol\":\"unix\"";
    append_member(out, "name", text_of(Field::kFdName, reader));
    out += '}';
    return true;
  }
  if (!descriptor.is_ip_socket() && !descriptor.is_ip_server()) return false;
  out += ",\"connection\":{\"protocol\":\"";
  out += protocol_of(descriptor);
  out += '"';
  const bool ipv6 = descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server;
  // A server socket has only a local address.
  if (descriptor.is_ip_server()) {
    append_endpoint(out, "server", descriptor.sip, descriptor.sport, ipv6);
  } else if (descriptor.has_address()) {
    append_endpoint(out, "client", descriptor.sip, descriptor.sport, ipv6);
    append_endpoint(out, "server", descriptor.dip, descriptor.dport, ipv6);
  }
  out += '}';
  return true;
}

void append_object(std::string& out, FieldReader& reader) {
  const state::FdSlot* slot = reader.context().has_shown_fd ? reader.context().shown_slot : nullptr;
  if (slot != nullptr && append_connection(out, *slot->descriptor, reader)) return;
  const bool is_file = slot != nullptr && (slot->descriptor->is_file() ||
                                           slot->descriptor->type == FdType::kDirectory ||
                                           slot->descriptor->type == FdType::kMemfd);
  const bool is_path = slot == nullptr && reader.context().call != nullptr &&
                       fields::opens_path(reader.context().event->code);
  const std::string path(text_of(is_file || is_path ? Field::kFdName : Field::kFsPathName, reader));
  const std::string target(text_of(Field::kFsPathTarget, reader));
  if (path.empty() && target.empty()) return;
  out += ",\"file\":{";
  append_member(out, "path", path);
  append_member(out, "target", target);
  out += '}';
}

void append_container(std::string& out, FieldReader& reader, state::Engine& engine) {
  const Thread* const thread = reader.context().thread;
  const uint32_t index = thread != nullptr ? thread->container : reader.context().container;
  if (index == 0) return;
  out += ",\"container\":{";
  append_member(out, "id", engine.containers().at(index).id);
  append_member(out, "name", text_of(Field::kContainerName, reader));
  append_member(out, "image", text_of(Field::kContainerImage, reader));
  append_member(out, "type", text_of(Field::kContainerType, reader));
  append_member(out, "namespace", text_of(Field::kK8sNsName, reader));
  append_member(out, "pod", text_of(Field::kK8sPodName, reader));
  out += '}';
}

}  // namespace

void append_subject(std::string& out, FieldReader& reader, state::Engine& engine) {
  append_process(out, reader, engine);
  append_object(out, reader);
  append_container(out, reader, engine);
}

}  // namespace sfkit::rules
