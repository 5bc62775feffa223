#include "events/http_table.h"

#include "base/ip_text.h"

namespace sfkit::events {
namespace {

using fields::FieldValue;
using output::Column;
using state::L4;
using state::SocketData;

constexpr int kFirstFinalStatus = 200;

// The transport of sockets from descriptor lists may be unknown.
bool may_be_stream(const state::Descriptor& socket) {
  return socket.type == state::FdType::kUnix || socket.l4 == L4::kTcp ||
         socket.l4 == L4::kUnknown || socket.l4 == L4::kNotAvailable;
}

}  // namespace

bool HttpTable::take(const scap::EventView& event, bool /*shown*/) {
  bool wants_more = true;
  reader().next_event(event);
  engine().apply_all(event, [&](const state::Context& context) {
    const auto moved = socket_data(context, context.shown_slot);
    if (!moved || !may_be_stream(*moved->socket)) return;
    if (!http::decode(moved->data, moved->size > moved->data.size(), message_)) return;
    reader().set_context(context);
    latency_ = pair(context, *moved);
    wants_more = rows_.add([&](const Wanted& wanted) { return put(wanted, context, *moved); });
  });
  return wants_more;
}

int64_t HttpTable::pair(const state::Context& context, const SocketData& moved) {
  if (context.thread == nullptr) return -1;
  const state::Descriptor& socket = *moved.socket;
  const Request here{context.event->ts, socket.unix_source, socket.unix_destination,
                     uint32_t{socket.sport} << 16 | socket.dport};
  const Key key{context.thread->pid, context.shown_fd, moved.is_sent == message_.is_request};
  if (message_.is_request) {
    if (pending_.size() >= kMaxPending) pending_.clear();
    pending_[key] = here;
    return -1;
  }
  const auto found = pending_.find(key);
  if (found == pending_.end()) return -1;
  const Request request = found->second;
  // Interim responses precede the response.
  if (message_.status >= kFirstFinalStatus) pending_.erase(found);
  const bool is_same = request.ports == here.ports && request.source == here.source &&
                       request.destination == here.destination && here.time >= request.time;
  return is_same ? static_cast<int64_t>(here.time - request.time) : -1;
}

bool HttpTable::put(const Wanted& wanted, const state::Context& context, const SocketData& moved) {
  switch (wanted.column) {
    case Column::kHttpDirection: return rows_.text(wanted, moved.is_sent ? "sent" : "received");
    case Column::kHttpKind: return rows_.text(wanted, message_.is_request ? "request" : "response");
    case Column::kHttpMethod: return text_or_missing(wanted, message_.method);
    case Column::kHttpTarget: return text_or_missing(wanted, message_.target);
    case Column::kHttpHost: return text_or_missing(wanted, message_.host);
    case Column::kHttpVersion: return text_or_missing(wanted, message_.version);
    case Column::kHttpStatus:
      return message_.is_request ? rows_.missing(wanted) : rows_.number(wanted, message_.status);
    case Column::kHttpReason: return text_or_missing(wanted, message_.reason);
    case Column::kHttpUserAgent: return text_or_missing(wanted, message_.user_agent);
    case Column::kHttpContentType: return text_or_missing(wanted, message_.content_type);
    case Column::kHttpContentLength:
      return message_.content_length < 0 ? rows_.missing(wanted)
                                         : rows_.number(wanted, message_.content_length);
    case Column::kHttpLatency:
      return latency_ < 0 ? rows_.missing(wanted) : rows_.number(wanted, latency_);
    case Column::kHttpIsCut: return rows_.truth(wanted, message_.is_cut);
    case Column::kHttpHasAllHeaders: return rows_.truth(wanted, message_.has_all_headers);
    case Column::kHttpClientIp:
    case Column::kHttpServerIp: {
      const FieldValue address = reader().get(wanted.field);
      if (address.is_missing()) return rows_.missing(wanted);
      text_.clear();
      address.ipv6 ? append_ipv6(text_, address.ip) : append_ipv4(text_, address.ip);
      return rows_.text(wanted, text_);
    }
    case Column::kHttpContainerId:
    case Column::kHttpContainerName:
      if (context.thread == nullptr || context.thread->container == 0) return rows_.missing(wanted);
      break;
    default: break;
  }
  return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field)) : rows_.missing(wanted);
}

}  // namespace sfkit::events
