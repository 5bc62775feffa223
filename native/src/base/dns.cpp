#include "base/dns.h"

#include <array>
#include <utility>

#include "base/ip_text.h"

namespace sfkit::dns {
namespace {

constexpr size_t kHeader = 12;
constexpr size_t kMinQuestion = 5;  // root name, type, class
constexpr size_t kMinAnswer = 11;   // the same, ttl, length
constexpr size_t kMaxName = 255;    // bytes in a message, RFC 1035, section 2.3.4
// Compression needs one pointer in a name; some servers chain a few.
constexpr int kMaxPointers = 16;

constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kOpcode = 0x7800;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kReserved = 0x0040;
constexpr uint16_t kRcode = 0x000f;
// In multicast messages the highest bit of the class has another meaning (RFC 6762, section 10.2).
constexpr uint16_t kMulticastClass = 0x7fff;

enum : uint16_t {
  kA = kTypeA,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kMx = 15,
  kTxt = 16,
  kAaaa = kTypeAaaa,
  kSrv = 33,
  kDname = 39,
  kSvcb = 64,
  kHttps = 65,
};

constexpr std::pair<uint16_t, std::string_view> kTypes[] = {
    {kA, "A"},     {kNs, "NS"},   {kCname, "CNAME"}, {kSoa, "SOA"},   {kPtr, "PTR"},
    {13, "HINFO"}, {kMx, "MX"},   {kTxt, "TXT"},     {kAaaa, "AAAA"}, {29, "LOC"},
    {kSrv, "SRV"}, {35, "NAPTR"}, {kDname, "DNAME"}, {41, "OPT"},     {43, "DS"},
    {44, "SSHFP"}, {46, "RRSIG"}, {47, "NSEC"},      {48, "DNSKEY"},  {50, "NSEC3"},
    {52, "TLSA"},  {59, "CDS"},   {60, "CDNSKEY"},   {kSvcb, "SVCB"}, {kHttps, "HTTPS"},
    {99, "SPF"},   {251, "IXFR"}, {252, "AXFR"},     {255, "ANY"},    {256, "URI"},
    {257, "CAA"},
};

constexpr std::array<std::string_view, 11> kRcodes = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                      "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                      "NXRRSET", "NOTAUTH", "NOTZONE"};

// IN, CH, HS, NONE and ANY.
bool is_class(uint16_t value) {
  return value == 1 || value == 3 || value == 4 || value == 254 || value == 255;
}

// Escapes a byte as RFC 1035, section 5.1, does.
void append_byte(std::string& out, uint8_t byte) {
  if (byte >= ' ' && byte <= '~') {
    out += static_cast<char>(byte);
    return;
  }
  out += '\\';
  out += static_cast<char>('0' + byte / 100);
  out += static_cast<char>('0' + byte / 10 % 10);
  out += static_cast<char>('0' + byte % 10);
}

void append_label(std::string& out, Bytes label) {
  for (size_t i = 0; i < label.size(); ++i) {
    const uint8_t byte = label[i];
    if (byte == ' ') {
      out += "\\032";
      continue;
    }
    if (byte == '.' || byte == '\\') out += '\\';
    append_byte(out, byte);
  }
}

}  // namespace

bool Message::decode(Bytes data, size_t size, Transport transport) {
  size_ = 0;
  is_cut = false;
  data_ = data;
  message_size_ = size;
  if (data.size() < kHeader) return false;
  id = number(0);
  const uint16_t flags = number(2);
  is_response = (flags & kResponse) != 0;
  rcode = static_cast<uint8_t>(flags & kRcode);
  const size_t questions = number(4);
  const size_t answers = number(6);
  const size_t others = size_t{number(8)} + number(10);
  // Only standard queries and their responses.
  if ((flags & (kOpcode | kReserved)) != 0 || questions + answers == 0) return false;
  if (!is_response && rcode != 0) return false;
  if (transport == Transport::kUnicast &&
      (is_response ? questions > 1 : questions != 1 || answers != 0))
    return false;
  const bool is_truncated = (flags & kTruncated) != 0;
  if (!is_truncated && kHeader + questions * kMinQuestion + (answers + others) * kMinAnswer > size)
    return false;

  size_t position = kHeader;
  Outcome outcome = Outcome::kDone;
  for (size_t i = 0; i < questions && outcome == Outcome::kDone; ++i)
    outcome = question(position, transport);
  for (size_t i = 0; i < answers && outcome == Outcome::kDone; ++i) {
    // The server left out what did not fit.
    if (is_truncated && position == size) break;
    outcome = answer(position, transport);
  }
  is_cut = outcome == Outcome::kCut;
  if (outcome == Outcome::kBad) size_ = 0;
  return size_ != 0;
}

Message::Outcome Message::question(size_t& position, Transport transport) {
  Record& record = add();
  record.is_question = true;
  const Outcome outcome = read_name(position, record.name);
  if (outcome == Outcome::kBad) return outcome;
  if (outcome == Outcome::kCut || data_.size() - position < 4) {
    if (record.name.empty()) --size_;
    return missing();
  }
  const uint16_t mask = transport == Transport::kMulticast ? kMulticastClass : UINT16_MAX;
  record.type = number(position);
  record.has_type = true;
  if (record.type == 0 || !is_class(number(position + 2) & mask)) return Outcome::kBad;
  position += 4;
  return Outcome::kDone;
}

Message::Outcome Message::answer(size_t& position, Transport transport) {
  Record& record = add();
  const Outcome outcome = read_name(position, record.name);
  if (outcome == Outcome::kBad) return outcome;
  if (outcome == Outcome::kCut || data_.size() - position < 10) {
    --size_;
    return missing();
  }
  const uint16_t mask = transport == Transport::kMulticast ? kMulticastClass : UINT16_MAX;
  record.type = number(position);
  record.has_type = true;
  if (record.type == 0 || !is_class(number(position + 2) & mask)) return Outcome::kBad;
  record.ttl = long_number(position + 4);
  const size_t begin = position + 10;
  const size_t end = begin + number(position + 8);
  if (end > message_size_) return Outcome::kBad;
  if (end > data_.size()) return missing();
  position = end;
  return read_data(begin, end, record);
}

Message::Outcome Message::read_name(size_t& position, std::string& out) const {
  size_t at = position;
  // A pointer leads to before the part of the name that it ends, so there are no loops.
  size_t limit = position;
  size_t bytes = 1;
  int pointers = 0;
  for (;;) {
    if (at >= data_.size()) return missing();
    const uint8_t length = data_[at];
    if (length == 0) break;
    if ((length & 0xc0) == 0xc0) {
      if (data_.size() - at < 2) return missing();
      const size_t target = number(at) & 0x3fffu;
      if (target >= limit || target < kHeader || pointers == kMaxPointers) return Outcome::kBad;
      if (pointers++ == 0) position = at + 2;
      limit = at = target;
      continue;
    }
    bytes += size_t{length} + 1;
    if ((length & 0xc0) != 0 || bytes > kMaxName) return Outcome::kBad;
    if (data_.size() - at <= length) return missing();
    if (!out.empty()) out += '.';
    append_label(out, data_.slice(at + 1, length));
    at += size_t{length} + 1;
  }
  if (pointers == 0) position = at + 1;
  if (out.empty()) out = ".";
  return Outcome::kDone;
}

Message::Outcome Message::read_data(size_t position, size_t end, Record& record) const {
  const size_t size = end - position;
  std::string& out = record.answer;
  record.has_answer = true;
  record.data = data_.slice(position, size);
  // Names in the data may point backward into the message, but must end with the data.
  const auto name_at_end = [&] {
    std::string name;
    const Outcome outcome = read_name(position, name);
    out += name;
    return outcome == Outcome::kDone && position == end ? Outcome::kDone : Outcome::kBad;
  };
  const auto numbers = [&](int count) {
    for (int i = 0; i < count; ++i, position += 2)
      out.append(std::to_string(number(position))).append(1, ' ');
  };
  switch (record.type) {
    case kA:
      if (size != 4) return Outcome::kBad;
      append_ipv4(out, data_.slice(position).data());
      return Outcome::kDone;
    case kAaaa:
      if (size != 16) return Outcome::kBad;
      append_ipv6(out, data_.slice(position).data());
      return Outcome::kDone;
    case kNs:
    case kCname:
    case kPtr:
    case kDname: return name_at_end();
    case kMx:
      if (size < 3) return Outcome::kBad;
      numbers(1);
      return name_at_end();
    case kSrv:
      if (size < 7) return Outcome::kBad;
      numbers(3);
      return name_at_end();
    case kTxt: {
      // The strings of a record belong together.
      while (position < end) {
        const size_t length = data_[position];
        if (end - position <= length) return Outcome::kBad;
        for (size_t i = 1; i <= length; ++i) {
          if (data_[position + i] == '\\') out += '\\';
          append_byte(out, data_[position + i]);
        }
        position += length + 1;
      }
      return Outcome::kDone;
    }
    case kSoa: {
      for (int i = 0; i < 2; ++i) {
        std::string name;
        if (read_name(position, name) != Outcome::kDone) return Outcome::kBad;
        out.append(name).append(1, ' ');
      }
      if (position > end || end - position != 20) return Outcome::kBad;
      for (size_t i = 0; i < 20; i += 4) {
        if (i != 0) out += ' ';
        out += std::to_string(long_number(position + i));
      }
      return Outcome::kDone;
    }
    case kSvcb:
    case kHttps: {
      if (size < 3) return Outcome::kBad;
      numbers(1);
      std::string name;
      if (read_name(position, name) != Outcome::kDone || position > end) return Outcome::kBad;
      out += name;
      return Outcome::kDone;
    }
    default: {
      // The form of RFC 3597 for data of any type.
      constexpr char kHex[] = "0123456789abcdef";
      out.append("\\# ").append(std::to_string(size));
      if (size != 0) out += ' ';
      for (; position < end; ++position) {
        out += kHex[data_[position] >> 4];
        out += kHex[data_[position] & 15];
      }
      return Outcome::kDone;
    }
  }
}

Record& Message::add() {
  if (size_ == records_.size()) records_.emplace_back();
  Record& record = records_[size_++];
  record.is_question = record.has_type = record.has_answer = false;
  record.type = 0;
  record.ttl = 0;
  record.name.clear();
  record.answer.clear();
  record.data = {};
  return record;
}

Bytes next_in_stream(Bytes& stream, size_t& stream_size, size_t& size) {
  if (stream.size() <= 2) return {};
  size = static_cast<size_t>(stream[0] << 8 | stream[1]);
  const Bytes message = stream.slice(2, size);
  const size_t used = 2 + size;
  stream = stream.slice(used);
  stream_size = stream_size > used ? stream_size - used : 0;
  return message;
}

void append_type(std::string& out, uint16_t type) {
  for (const auto& [number, name] : kTypes) {
    if (number == type) {
      out += name;
      return;
    }
  }
  out.append("TYPE").append(std::to_string(type));
}

void append_rcode(std::string& out, uint8_t rcode) {
  if (rcode < kRcodes.size()) {
    out += kRcodes[rcode];
  } else {
    out.append("RCODE").append(std::to_string(rcode));
  }
}

}  // namespace sfkit::dns
