// The table `http`: requests and responses of HTTP/1 in the data of stream sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "events/field_rows.h"
#include "events/http.h"
#include "filter/feed.h"
#include "state/socket_data.h"

namespace sfkit::events {

class HttpTable : public filter::Feed {
 public:
  HttpTable(FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(nullptr, false, cancel), rows_(rows) {}

  bool finish() { return rows_.flush(); }

 protected:
  bool take(const scap::EventView& event, bool shown) override;

 private:
  using Wanted = FieldRows::Wanted;

  // Requests without a response that are remembered; then all are forgotten.
  static constexpr size_t kMaxPending = 1u << 16;

  struct Key {
    int64_t pid = -1;
    int64_t fd = -1;
    bool is_sent = false;  // the request
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      const uint64_t place =
          mix_words(static_cast<uint64_t>(key.pid), static_cast<uint64_t>(key.fd));
      return mix_words(place, key.is_sent ? 1 : 0);
    }
  };
  // Descriptor numbers come back: a response must have the connection of its request.
  struct Request {
    uint64_t time = 0;
    uint64_t source = 0;
    uint64_t destination = 0;
    uint32_t ports = 0;
  };

  bool put(const Wanted& wanted, const state::Context& context, const state::SocketData& moved);
  // Time since the request of a response, in ns; -1 if unknown. Remembers requests.
  int64_t pair(const state::Context& context, const state::SocketData& moved);
  bool text_or_missing(const Wanted& wanted, std::string_view text) {
    return text.empty() ? rows_.missing(wanted) : rows_.text(wanted, text);
  }

  FieldRows& rows_;
  http::Message message_;
  int64_t latency_ = -1;
  std::string text_;
  std::unordered_map<Key, Request, KeyHash> pending_;
};

}  // namespace sfkit::events
