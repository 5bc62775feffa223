#include "events/dns_table.h"

#include "base/ip_text.h"

namespace sfkit::events {
namespace {

using fields::FieldValue;
using output::Column;
using state::Descriptor;
using state::SocketData;

// A later response belongs to another query with the same number.
constexpr uint64_t kMaxLatency = 60'000'000'000;

uint64_t hash_question(const dns::Record& question) {
  // Servers may change upper and lower case.
  uint64_t hash = question.type;
  for (const char character : question.name) {
    const bool is_upper = character >= 'A' && character <= 'Z';
    hash =
        mix_words(hash, static_cast<unsigned char>(is_upper ? character - 'A' + 'a' : character));
  }
  return hash;
}

}  // namespace

DnsTable::DnsTable(FieldRows& rows, const std::atomic<bool>& cancel)
    : Feed(nullptr, false, cancel),
      rows_(rows),
      server_ip_(field_named("fd.sip")),
      server_port_(field_named("fd.sport")),
      client_ip_(field_named("fd.cip")),
      client_port_(field_named("fd.cport")) {}

bool DnsTable::take(const scap::EventView& event, bool /*shown*/) {
  bool wants_more = true;
  reader().next_event(event);
  engine().apply_all(event, [&](const state::Context& context) {
    const auto moved = socket_data(context, context.shown_slot);
    if (!moved || !moved->socket->is_ip()) return;
    if (!dns::is_port(moved->socket->sport) && !dns::is_port(moved->socket->dport)) return;
    reader().set_context(context);
    wants_more = add(context, *moved);
  });
  return wants_more;
}

bool DnsTable::add(const state::Context& context, const SocketData& moved) {
  const Descriptor& socket = *moved.socket;
  const bool is_multicast =
      socket.sport == dns::kMulticastPort || socket.dport == dns::kMulticastPort;
  const auto transport = is_multicast ? dns::Transport::kMulticast : dns::Transport::kUnicast;
  is_stream_ = socket.l4 == state::L4::kTcp;
  return dns::each_message(message_, moved.data, moved.size, is_stream_, transport,
                           [&] { return add_message(context, moved); });
}

bool DnsTable::add_message(const state::Context& context, const SocketData& moved) {
  latency_ = pair(context, moved.is_sent);
  bool wants_more = true;
  for (size_t i = 0; i < message_.size() && wants_more; ++i) {
    wants_more =
        rows_.add([&](const Wanted& wanted) { return put(wanted, context, moved, message_[i]); });
  }
  return wants_more;
}

int64_t DnsTable::pair(const state::Context& context, bool is_sent) {
  if (context.thread == nullptr || !message_[0].is_question || !message_[0].has_type) return -1;
  const uint64_t now = context.event->ts;
  const uint64_t question = hash_question(message_[0]);
  const Key key{context.thread->pid, context.shown_fd, message_.id,
                is_sent != message_.is_response};
  const auto found = pending_.find(key);
  const bool is_same = found != pending_.end() && found->second.question == question &&
                       now >= found->second.time && now - found->second.time <= kMaxLatency;
  if (message_.is_response) {
    if (!is_same) return -1;
    const auto latency = static_cast<int64_t>(now - found->second.time);
    pending_.erase(found);
    return latency;
  }
  // A query that is sent again keeps its time.
  if (is_same) return -1;
  if (pending_.size() >= kMaxPending) pending_.clear();
  pending_[key] = {now, question};
  return -1;
}

bool DnsTable::put(const Wanted& wanted, const state::Context& context, const SocketData& moved,
                   const dns::Record& record) {
  switch (wanted.column) {
    case Column::kDnsDirection:
      return rows_.text(wanted, message_.is_response ? "response" : "query");
    case Column::kDnsIsSent: return rows_.truth(wanted, moved.is_sent);
    case Column::kDnsSection: return rows_.text(wanted, record.is_question ? "question" : "answer");
    case Column::kDnsId: return rows_.number(wanted, message_.id);
    case Column::kDnsName: return rows_.text(wanted, record.name);
    case Column::kDnsType:
      if (!record.has_type) return rows_.missing(wanted);
      text_.clear();
      dns::append_type(text_, record.type);
      return rows_.text(wanted, text_);
    case Column::kDnsRcode:
      if (!message_.is_response) return rows_.missing(wanted);
      text_.clear();
      dns::append_rcode(text_, message_.rcode);
      return rows_.text(wanted, text_);
    case Column::kDnsAnswer:
      return record.has_answer ? rows_.text(wanted, record.answer) : rows_.missing(wanted);
    case Column::kDnsTtl:
      return record.is_question ? rows_.missing(wanted) : rows_.number(wanted, record.ttl);
    case Column::kDnsProtocol: return rows_.text(wanted, is_stream_ ? "tcp" : "udp");
    case Column::kDnsServerIp:
    case Column::kDnsServerPort: return put_server(wanted, *moved.socket);
    case Column::kDnsLatency:
      return latency_ < 0 ? rows_.missing(wanted) : rows_.number(wanted, latency_);
    case Column::kDnsIsCut: return rows_.truth(wanted, message_.is_cut);
    case Column::kDnsContainerId:
    case Column::kDnsContainerName:
      if (context.thread == nullptr || context.thread->container == 0) return rows_.missing(wanted);
      break;
    default: break;
  }
  return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field)) : rows_.missing(wanted);
}

bool DnsTable::put_server(const Wanted& wanted, const Descriptor& socket) {
  // The server is the endpoint with the known port, whichever end began.
  const bool is_second = dns::is_port(socket.dport) || socket.is_ip_server();
  if (wanted.column == Column::kDnsServerPort)
    return rows_.field(wanted, reader().get(is_second ? server_port_ : client_port_));
  const FieldValue address = reader().get(is_second ? server_ip_ : client_ip_);
  if (address.is_missing()) return rows_.missing(wanted);
  text_.clear();
  address.ipv6 ? append_ipv6(text_, address.ip) : append_ipv4(text_, address.ip);
  return rows_.text(wanted, text_);
}

}  // namespace sfkit::events
