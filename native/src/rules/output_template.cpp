#include "rules/output_template.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/escape.h"
#include "base/ip_text.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "state/values.h"

namespace sfkit::rules {
namespace {

using fields::Field;
using fields::FieldReader;
using fields::FieldValue;
using filter::Operand;
using Kind = FieldValue::Kind;

constexpr size_t kMaxTemplate = size_t{64} << 10;
constexpr uint32_t kMaxWidth = 4096;
// Longer than any field name; also limits what a bad argument costs.
constexpr size_t kMaxName = 256;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

void append_sanitized(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = decode_utf8(text);
    const size_t size = std::max<size_t>(character.size, 1);
    out += character.size == 0 || is_control(character.code) ? kReplacement : text.substr(0, size);
    text.remove_prefix(size);
  }
}

void append_bytes(std::string& out, std::string_view bytes) {
  for (const char c : bytes) out += c >= 0x20 && c < 0x7f ? c : '.';
}

void append_real(std::string& out, double value) {
  char text[64];
  const int size = std::snprintf(text, sizeof(text), "%.1f", std::isfinite(value) ? value : 0.0);
  out.append(text, static_cast<size_t>(std::clamp<int>(size, 0, sizeof(text) - 1)));
}

void append_value(std::string& out, const FieldValue& value) {
  switch (value.kind) {
    case Kind::kMissing: out += state::kNotAvailable; return;
    case Kind::kSigned: return append_number(out, value.integer);
    case Kind::kUnsigned: return append_number(out, value.number);
    case Kind::kReal: return append_real(out, value.real);
    case Kind::kText: return append_sanitized(out, value.text);
    case Kind::kBytes: return append_bytes(out, value.text);
    case Kind::kBool: out += value.number != 0 ? "true" : "false"; return;
    case Kind::kIp: return value.ipv6 ? append_ipv6(out, value.ip) : append_ipv4(out, value.ip);
  }
}

bool shows_list(const Operand& operand) {
  const auto& transformers = operand.transformers;
  return filter::gives_list(operand) &&
         (transformers.empty() || transformers.front() != filter::Transformer::kLen);
}

// Appends the operand's value, or its values in parentheses; false if it has none.
bool append_operand(std::string& out, const Operand& operand, filter::Evaluator& evaluator,
                    FieldReader& reader) {
  if (filter::is_unavailable(operand)) return false;
  const bool is_list = shows_list(operand);
  bool any = false;
  evaluator.each_value(operand, reader, [&](const FieldValue& value) {
    if (is_list) out += any ? ',' : '(';
    any = true;
    append_value(out, value);
    return is_list;
  });
  if (is_list && any) out += ')';
  return any;
}

// Truncates or pads the text after `start`. Counts bytes, like Falco, but keeps characters whole.
void fit(std::string& out, size_t start, size_t width) {
  size_t end = start + width;
  if (out.size() > end) {
    while (end > start && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  }
  out.resize(end, ' ');
  out.resize(start + width, ' ');
}

// Fields that differ between repetitions of the same activity.
bool is_volatile(Field field) {
  switch (field) {
    case Field::kEvtNum:
    case Field::kEvtTime:
    case Field::kEvtTimeS:
    case Field::kEvtTimeIso8601:
    case Field::kEvtDatetime:
    case Field::kEvtDatetimeS:
    case Field::kEvtRawtime:
    case Field::kEvtRawtimeS:
    case Field::kEvtRawtimeNs:
    case Field::kEvtReltime:
    case Field::kEvtReltimeS:
    case Field::kEvtReltimeNs:
    case Field::kEvtLatency:
    case Field::kEvtLatencyS:
    case Field::kEvtLatencyNs:
    case Field::kEvtLatencyHuman:
    case Field::kEvtDeltatime:
    case Field::kEvtDeltatimeS:
    case Field::kEvtDeltatimeNs:
    case Field::kEvtCpu:
    case Field::kEvtWaitLatency:
    case Field::kThreadTid:
    case Field::kThreadVtid:
    case Field::kThreadNametid:
    case Field::kThreadPfmajor:
    case Field::kThreadPfminor:
    case Field::kThreadVmsize:
    case Field::kThreadVmrss:
    case Field::kProcPid:
    case Field::kProcVpid:
    case Field::kProcPpid:
    case Field::kProcPvpid:
    case Field::kProcApid:
    case Field::kProcSid:
    case Field::kProcVpgid:
    case Field::kProcPgid:
    case Field::kProcLoginshellid:
    case Field::kProcPidTs:
    case Field::kProcPpidTs:
    case Field::kProcDuration:
    case Field::kProcPpidDuration:
    case Field::kProcExeInoCtimeDurationProcStart:
    case Field::kProcExeInoCtimeDurationPidnsStart:
    case Field::kProcVmsize:
    case Field::kProcVmrss:
    case Field::kProcVmswap:
    case Field::kProcNthreads:
    case Field::kProcNchilds:
    case Field::kProcFdopencount:
    case Field::kProcFdusage:
    case Field::kContainerStartTs:
    case Field::kContainerDuration:
    case Field::kFdNum:
    case Field::kFdUid:
    case Field::kFdCport:
    case Field::kFdCproto:
    case Field::kUtilCnt: return true;
    default: return false;
  }
}

// For connections: the name without the client's port, and no client port.
bool append_endpoints(std::string& out, Field field, FieldReader& reader) {
  const state::FdSlot* slot = reader.context().shown_slot;
  if (slot == nullptr || !slot->descriptor->is_ip_socket()) return false;
  const state::Descriptor& descriptor = *slot->descriptor;
  switch (field) {
    case Field::kFdName:
    case Field::kFdContainername: break;
    case Field::kFdLport:
    case Field::kFdRport:
    case Field::kFdLproto:
    case Field::kFdRproto:
      out += '#';
      append_number(out, uint64_t{descriptor.dport});
      return true;
    default: return false;
  }
  const bool ipv6 = descriptor.type == state::FdType::kIpv6;
  for (const state::IpBytes* address : {&descriptor.sip, &descriptor.dip}) {
    append_value(out, FieldValue::of_ip(address->data(), ipv6));
    out += ' ';
  }
  append_number(out, uint64_t{descriptor.dport});
  return true;
}

// The field at the start of `text`. If the longest candidate is not a field, tries shorter ones.
std::optional<Operand> take_operand(std::string_view text, size_t& used, filter::Problem& problem) {
  for (size_t size = std::min(text.size(), kMaxTemplate); size > 0; --size) {
    auto operand = filter::parse_operand(text.substr(0, size), used);
    filter::Problem found;
    if (operand && filter::resolve(*operand, found) && filter::can_be_shown(*operand, found))
      return operand;
    // Reports the error of the longest candidate.
    if (problem.message.empty()) problem = std::move(found);
    size = std::min(operand ? used : size, kMaxName);
  }
  return std::nullopt;
}

}  // namespace

std::optional<OutputTemplate> OutputTemplate::parse(std::string_view text,
                                                    filter::Problem& problem) {
  OutputTemplate made;
  Piece piece;
  const auto fail = [&problem](size_t at, std::string message, bool is_unknown = false) {
    problem = {at, 0, std::move(message), is_unknown};
    return std::nullopt;
  };
  if (text.size() > kMaxTemplate) return fail(0, "the output is longer than 64 KiB");
  for (size_t at = text.starts_with('*') ? 1 : 0; at < text.size();) {
    if (text[at] != '%') {
      piece.text += text[at++];
      continue;
    }
    const size_t start = at++;
    while (at < text.size() && is_digit(text[at])) {
      piece.width = std::min(piece.width * 10 + static_cast<uint32_t>(text[at++] - '0'), kMaxWidth);
    }
    if (at == text.size())
      return fail(start, "a field name is expected after %, but the output ends here");
    size_t used = 0;
    filter::Problem found;
    auto operand = take_operand(text.substr(at), used, found);
    if (!operand) {
      if (found.message.empty())
        found.message = "a field name is expected after %, as in %proc.name";
      return fail(start, std::move(found.message), true);
    }
    piece.name = filter::text_of(*operand);
    piece.operand = std::move(operand);
    made.pieces_.push_back(std::exchange(piece, Piece()));
    at += used;
  }
  if (!piece.text.empty()) made.pieces_.push_back(std::move(piece));
  return made;
}

void OutputTemplate::append_text(std::string& out, filter::Evaluator& evaluator,
                                 FieldReader& reader) const {
  for (const Piece& piece : pieces_) {
    out += piece.text;
    if (!piece.operand) continue;
    const size_t start = out.size();
    if (!append_operand(out, *piece.operand, evaluator, reader)) out += state::kNotAvailable;
    if (piece.width != 0) fit(out, start, piece.width);
  }
}

void OutputTemplate::append_key(std::string& out, filter::Evaluator& evaluator,
                                FieldReader& reader) const {
  for (const Piece& piece : pieces_) {
    out += '\0';
    if (!piece.operand) continue;
    if (piece.operand->call == nullptr) {
      const Field field = piece.operand->field.field;
      if (is_volatile(field) || append_endpoints(out, field, reader)) continue;
    }
    append_operand(out, *piece.operand, evaluator, reader);
  }
}

void OutputTemplate::append_fields(std::string& out, filter::Evaluator& evaluator,
                                   FieldReader& reader) const {
  out += '{';
  std::string text;
  bool first = true;
  for (const Piece& piece : pieces_) {
    if (!piece.operand) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, piece.name);
    out += ':';
    if (filter::is_unavailable(*piece.operand)) {
      out += "null";
      continue;
    }
    const bool is_list = shows_list(*piece.operand);
    bool any = false;
    evaluator.each_value(*piece.operand, reader, [&](const FieldValue& value) {
      if (is_list) out += any ? ',' : '[';
      any = true;
      text.clear();
      append_value(text, value);
      const bool is_bare = value.kind == Kind::kSigned || value.kind == Kind::kUnsigned ||
                           value.kind == Kind::kReal || value.kind == Kind::kBool;
      if (is_bare) {
        out += text;
      } else {
        append_json_string(out, text);
      }
      return is_list;
    });
    out += !any ? "null" : is_list ? "]" : "";
  }
  out += '}';
}

}  // namespace sfkit::rules
