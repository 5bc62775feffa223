// The table `dns`: questions and answers in the data of DNS sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/dns.h"
#include "base/hash.h"
#include "events/field_rows.h"
#include "filter/feed.h"
#include "state/socket_data.h"

namespace sfkit::events {

class DnsTable : public filter::Feed {
 public:
  DnsTable(FieldRows& rows, const std::atomic<bool>& cancel);

  bool finish() { return rows_.flush(); }

 protected:
  bool take(const scap::EventView& event, bool shown) override;

 private:
  using Wanted = FieldRows::Wanted;

  // Queries without a response that are remembered; then all are forgotten.
  static constexpr size_t kMaxPending = 1u << 16;

  struct Key {
    int64_t pid = -1;
    int64_t fd = -1;
    uint16_t id = 0;
    bool is_sent = false;  // the query
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      const uint64_t place =
          mix_words(static_cast<uint64_t>(key.pid), static_cast<uint64_t>(key.fd));
      return mix_words(place, uint64_t{key.id} << 1 | (key.is_sent ? 1 : 0));
    }
  };
  struct Query {
    uint64_t time = 0;
    uint64_t question = 0;  // hash of name and type
  };

  bool add(const state::Context& context, const state::SocketData& moved);
  bool add_message(const state::Context& context, const state::SocketData& moved);
  bool put(const Wanted& wanted, const state::Context& context, const state::SocketData& moved,
           const dns::Record& record);
  bool put_server(const Wanted& wanted, const state::Descriptor& socket);
  // Time since the query of a response, in ns; -1 if unknown. Remembers queries.
  int64_t pair(const state::Context& context, bool is_sent);

  FieldRows& rows_;
  const fields::FieldRef server_ip_;
  const fields::FieldRef server_port_;
  const fields::FieldRef client_ip_;
  const fields::FieldRef client_port_;
  dns::Message message_;
  bool is_stream_ = false;
  int64_t latency_ = -1;
  std::string text_;
  std::unordered_map<Key, Query, KeyHash> pending_;
};

}  // namespace sfkit::events
