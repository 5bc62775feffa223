// What a call sent or received through a socket.
#pragma once

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "scap/blocks.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {

struct SocketData {
  Bytes data;       // as far as it was captured
  size_t size = 0;  // of the data of the call
  bool is_sent = false;
  const Descriptor* socket = nullptr;
};

// The data of an exit event of a call on `slot`, which may be null; nullopt if the call moved none
// through an IP or Unix socket, or the capture lacks it.
inline std::optional<SocketData> socket_data(const Context& context, const FdSlot* slot) {
  using scap::EventCategory;
  using scap::P;
  const EventCategory category = context.event->info().category;
  if (category != EventCategory::kIoRead && category != EventCategory::kIoWrite)
    return std::nullopt;
  if (context.call == nullptr || slot == nullptr) return std::nullopt;
  const Descriptor& socket = *slot->descriptor;
  if (!socket.is_ip() && socket.type != FdType::kUnix) return std::nullopt;
  const Bytes data = context.call->get(P::data);
  if (context.call->result() < 0 || data.empty()) return std::nullopt;
  const uint16_t code = context.event->code;
  // The result of these is a number of messages.
  const bool is_many = code == scap::ev::SOCKET_SENDMMSG_X || code == scap::ev::SOCKET_RECVMMSG_X;
  const uint64_t moved = is_many ? scap::to_uint(context.call->get(P::size), 0)
                                 : static_cast<uint64_t>(context.call->result());
  return SocketData{data, std::max<size_t>(data.size(), moved), category == EventCategory::kIoWrite,
                    &socket};
}

}  // namespace sfkit::state
