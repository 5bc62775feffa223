// Sends records to a unix socket of type SOCK_SEQPACKET, one per message, as plain Avro.
// src/output/socket.ts does the same for Node.
#pragma once

#include <sfkit/log.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "output/avro_encoder.h"
#include "output/datum.h"
#include "output/sent_entities.h"
#include "output/seqpacket.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Limits on waiting for a reader.
struct SocketLimits {
  size_t queue = 65'536;                  // records; further ones are dropped and counted
  size_t queue_bytes = size_t{64} << 20;  // of these records
  std::chrono::milliseconds retry{50};    // before the next connection attempt; failures double it
  std::chrono::milliseconds max_retry{5000};
  std::chrono::milliseconds linger{10'000};  // without progress of the reader, at the end
};

// If the reader disconnects, records queue up until it reconnects. A new reader gets the header,
// every entity before the first record that refers to it, and the records that the previous reader
// left unread. So a record can arrive twice, but none is lost within the limits of the queue.
// Belongs to one thread.
class SocketSink : public sysflow::RecordSink {
 public:
  // `ending`: once true, a reader that takes nothing is waited for no longer than the linger time.
  SocketSink(std::string path, LogHook log, const std::atomic<bool>& ending,
             SocketLimits limits = {});

  void header(const sysflow::Header& record) override;
  void container(const sysflow::Container& record) override;
  void process(const sysflow::Process& record) override;
  void file(const sysflow::File& record) override;
  void process_event(const sysflow::ProcessEvent& record) override;
  // The schema has no IPv6 flows: they are dropped and counted.
  void network_flow(const sysflow::NetworkFlow& record) override;
  void file_flow(const sysflow::FileFlow& record) override;
  void file_event(const sysflow::FileEvent& record) override;
  void process_flow(const sysflow::ProcessFlow& record) override;
  void network_event(const sysflow::NetworkEvent& record) override;
  void pod(const sysflow::Pod& record) override;
  void k8s_event(const sysflow::K8sEvent& record) override;
  void process_gone(const sysflow::Oid& oid) override;
  void files_forgotten() override;
  void container_gone(std::string_view id) override;
  void pod_gone(std::string_view id) override;
  // Sends what waits if the reader is there, and tries to connect if it is not.
  void flush() override;

  // Sends the queue, with a limited wait for a reader, and closes. The rest is dropped and counted.
  void close();

  uint64_t sent() const { return sent_; }
  uint64_t dropped() const { return dropped_; }
  uint64_t dropped_ipv6() const { return dropped_ipv6_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Flushed : uint8_t { kDone, kBusy, kAway };
  enum class Sent : uint8_t { kSent, kBusy, kAway };

  // A record, and the entities that it can refer to.
  struct Queued {
    DatumRef datum;
    std::shared_ptr<SentEntities> entities;
    uint64_t number = 0;  // records accepted, up to this one or the one that needs it
  };
  // Entities to forget once everything accepted before is read.
  struct PendingEnd {
    EndedEntity ended;
    uint64_t after = 0;
    std::shared_ptr<SentEntities> entities;
  };

  // A datum of `record`, encoded.
  template <typename Record>
  DatumRef make(const Record& record, Datum::Kind kind);
  template <typename Record>
  DatumRef make_activity(const Record& record);
  void accept(DatumRef datum);
  void forget(EndedEntity ended);
  void forget_read();
  Flushed send_queue();
  Sent send(const Queued& queued, const DatumRef& datum);
  void remove_read();
  void lose();
  bool connect();
  bool waits_for_reader();
  // Whether the wait for the reader at the end has timed out.
  bool has_waited();
  void log(LogSeverity severity, int verbosity, const std::string& text) const;

  const std::string path_;
  const LogHook log_;
  const std::atomic<bool>& ending_;
  const SocketLimits limits_;
  SeqpacketClient client_;
  DatumPool pool_;  // outlives the references below
  ByteBuffer buffer_;
  AvroEncoder encoder_{buffer_};
  std::deque<Queued> queue_;
  size_t queue_bytes_ = 0;
  std::deque<Queued> unread_;  // sent, but possibly not read yet
  std::shared_ptr<SentEntities> entities_ = std::make_shared<SentEntities>();
  uint64_t reader_ = 1;  // number of the current reader; a new one knows nothing
  std::deque<PendingEnd> pending_ends_;
  std::vector<DatumRef> missing_;
  uint64_t accepted_ = 0;
  bool connected_ = false;
  std::string problem_;
  Clock::time_point retry_at_{};
  std::chrono::milliseconds retry_after_;
  Clock::time_point progress_at_{};  // of the reader, or when the end was announced
  bool is_ending_ = false;
  uint64_t sent_ = 0;
  uint64_t dropped_ = 0;
  uint64_t dropped_ipv6_ = 0;
};

}  // namespace sfkit::output
