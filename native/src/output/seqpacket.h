// The client's end of a unix socket that keeps the bounds of messages (SOCK_SEQPACKET).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::output {

class SeqpacketClient {
 public:
  enum class Sent : uint8_t {
    kSent,
    kBusy,  // the reader is behind: try again later
    kLost,  // there is no connection any more
  };

  SeqpacketClient() = default;
  SeqpacketClient(const SeqpacketClient&) = delete;
  SeqpacketClient& operator=(const SeqpacketClient&) = delete;
  ~SeqpacketClient() { close(); }

  // Connects to the socket at `path`, without waiting. Fails with what the system says.
  Status connect(const std::string& path);
  bool is_connected() const { return fd_ >= 0; }
  // Sends one message, wholly or not at all, without waiting. A message that can never be sent, as it is
  // longer than the socket takes, counts as lost without ending the connection: `too_long` says so.
  Sent send(Bytes message, bool& too_long);
  // Bytes of sent messages that the other end has not read, with what the system needs to keep them: 0 when
  // it has read all, else at least kLeastUnread for each.
  size_t unread() const;
  static constexpr size_t kLeastUnread = 576;
  // Whether the other end has hung up.
  bool has_ended();
  void close();

 private:
  int fd_ = -1;
};

}  // namespace sfkit::output
