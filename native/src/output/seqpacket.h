// Client for unix sockets with message boundaries (SOCK_SEQPACKET).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::output {

class SeqpacketClient {
 public:
  enum class Sent : uint8_t {
    kSent,
    kBusy,  // the reader is too slow: retry later
    kLost,  // the connection is closed
  };

  SeqpacketClient() = default;
  SeqpacketClient(const SeqpacketClient&) = delete;
  SeqpacketClient& operator=(const SeqpacketClient&) = delete;
  ~SeqpacketClient() { close(); }

  // Connects to the socket at `path` without blocking. Fails with the system's error.
  Status connect(const std::string& path);
  bool is_connected() const { return fd_ >= 0; }
  // Sends one message, completely or not at all, without blocking. A message larger than the socket
  // allows is lost, but the connection stays; it sets `too_long`.
  Sent send(Bytes message, bool& too_long);
  // Unread bytes of sent messages, including kernel overhead: 0 if the reader has read everything,
  // else at least kMinUnread per message.
  size_t unread() const;
  static constexpr size_t kMinUnread = 576;
  // Whether the peer has closed the connection.
  bool has_ended();
  void close();

 private:
  int fd_ = -1;
};

}  // namespace sfkit::output
