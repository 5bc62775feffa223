#include "output/socket_sink.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace sfkit::output {
namespace {

// Between attempts to send to a slow reader.
constexpr std::chrono::milliseconds kPause{2};
// How many messages can be sent before asking what the reader has read.
constexpr size_t kMaxUnchecked = 256;

}  // namespace

SocketSink::SocketSink(std::string path, LogHook log, const std::atomic<bool>& ending,
                       SocketLimits limits)
    : path_(std::move(path)),
      log_(std::move(log)),
      ending_(ending),
      limits_(limits),
      retry_after_(limits.retry) {}

template <typename Record>
DatumRef SocketSink::make(const Record& record, Datum::Kind kind) {
  buffer_.clear();
  encoder_.encode(record);
  const Bytes bytes = buffer_.bytes();
  DatumRef datum(pool_, pool_.take());
  datum->kind = kind;
  datum->bytes.assign(bytes.data(), bytes.data() + bytes.size());
  datum->has_container = false;
  datum->has_pod = false;
  datum->own.reset();
  datum->process.reset();
  datum->file_count = 0;
  return datum;
}

template <typename Record>
DatumRef SocketSink::make_activity(const Record& record) {
  DatumRef datum = make(record, Datum::Kind::kOther);
  datum->process = record.proc_oid;
  return datum;
}

void SocketSink::header(const sysflow::Header& record) {
  // After a header, entities are written again. Queued records still use the old table.
  entities_ = std::make_shared<SentEntities>();
  accept(make(record, Datum::Kind::kHeader));
}

void SocketSink::container(const sysflow::Container& record) {
  DatumRef datum = make(record, Datum::Kind::kContainer);
  datum->container = record.id;
  datum->has_pod = record.pod_id.has_value();
  if (record.pod_id) datum->pod = *record.pod_id;
  accept(std::move(datum));
}

void SocketSink::process(const sysflow::Process& record) {
  DatumRef datum = make(record, Datum::Kind::kProcess);
  datum->own = record.oid;
  datum->process = record.poid;
  datum->has_container = record.container_id.has_value();
  if (record.container_id) datum->container = record.container_id->view();
  accept(std::move(datum));
}

void SocketSink::file(const sysflow::File& record) {
  DatumRef datum = make(record, Datum::Kind::kFile);
  datum->files[0] = record.oid;
  datum->has_container = record.container_id.has_value();
  if (record.container_id) datum->container = record.container_id->view();
  accept(std::move(datum));
}

void SocketSink::process_event(const sysflow::ProcessEvent& record) {
  accept(make_activity(record));
}

void SocketSink::process_flow(const sysflow::ProcessFlow& record) {
  accept(make_activity(record));
}

void SocketSink::network_flow(const sysflow::NetworkFlow& record) {
  if (record.ipv6) {
    ++dropped_ipv6_;
    return;
  }
  accept(make_activity(record));
}

void SocketSink::file_flow(const sysflow::FileFlow& record) {
  DatumRef datum = make_activity(record);
  datum->files[0] = record.file_oid;
  datum->file_count = 1;
  accept(std::move(datum));
}

void SocketSink::file_event(const sysflow::FileEvent& record) {
  DatumRef datum = make_activity(record);
  datum->files[0] = record.file_oid;
  datum->file_count = 1;
  if (record.new_file_oid) {
    datum->files[1] = *record.new_file_oid;
    datum->file_count = 2;
  }
  accept(std::move(datum));
}

void SocketSink::network_event(const sysflow::NetworkEvent& record) {
  accept(make_activity(record));
}

void SocketSink::pod(const sysflow::Pod& record) {
  DatumRef datum = make(record, Datum::Kind::kPod);
  datum->pod = record.id;
  accept(std::move(datum));
}

void SocketSink::k8s_event(const sysflow::K8sEvent& record) {
  accept(make(record, Datum::Kind::kOther));
}

void SocketSink::process_gone(const sysflow::Oid& oid) {
  forget(oid);
}

void SocketSink::files_forgotten() {
  forget(AllFiles{});
}

void SocketSink::container_gone(std::string_view id) {
  forget(ContainerId{std::string(id)});
}

void SocketSink::pod_gone(std::string_view id) {
  forget(PodId{std::string(id)});
}

void SocketSink::accept(DatumRef datum) {
  const uint64_t number = ++accepted_;
  entities_->keep(datum, number);
  if (queue_.size() < limits_.queue && queue_bytes_ < limits_.queue_bytes) {
    queue_bytes_ += datum->bytes.size();
    queue_.push_back({std::move(datum), entities_, number});
  } else if (datum->is_entity()) {
    // It is kept outside the queue and sent before a record that refers to it.
    entities_->mark_missing(datum);
  } else {
    ++dropped_;
  }
  while (send_queue() == Flushed::kBusy && !has_waited()) std::this_thread::sleep_for(kPause);
}

void SocketSink::flush() {
  send_queue();
  remove_read();
}

void SocketSink::close() {
  has_waited();
  if (!is_ending_) {
    is_ending_ = true;
    progress_at_ = Clock::now();
  }
  while ((send_queue() != Flushed::kDone || waits_for_reader()) && !has_waited())
    std::this_thread::sleep_for(kPause);
  dropped_ += static_cast<uint64_t>(std::count_if(
      queue_.begin(), queue_.end(), [](const Queued& next) { return !next.datum->is_entity(); }));
  queue_.clear();
  queue_bytes_ = 0;
  if (dropped_ > 0) {
    log(LogSeverity::kError, 0,
        path_ + ": " + std::to_string(dropped_) + " records were dropped" +
            (problem_.empty() ? "" : " (" + problem_ + ")"));
  }
  client_.close();
}

bool SocketSink::has_waited() {
  if (!is_ending_ && ending_.load(std::memory_order_relaxed)) {
    is_ending_ = true;
    progress_at_ = Clock::now();
  }
  return is_ending_ && Clock::now() - progress_at_ > limits_.linger;
}

bool SocketSink::waits_for_reader() {
  if (!queue_.empty()) return true;
  remove_read();
  return !unread_.empty() || !queue_.empty();
}

void SocketSink::forget(EndedEntity ended) {
  // Records after the newest pending one do not refer to these entities.
  const uint64_t newest = !queue_.empty()    ? queue_.back().number
                          : !unread_.empty() ? unread_.back().number
                                             : 0;
  entities_->forget(ended, newest, accepted_);
  if (std::holds_alternative<AllFiles>(ended)) {
    std::erase_if(pending_ends_, [this](const PendingEnd& other) {
      return std::holds_alternative<AllFiles>(other.ended) && other.entities == entities_;
    });
  }
  if (entities_->has(ended)) pending_ends_.push_back({std::move(ended), accepted_, entities_});
  forget_read();
}

void SocketSink::forget_read() {
  const uint64_t oldest = !unread_.empty()  ? unread_.front().number
                          : !queue_.empty() ? queue_.front().number
                                            : UINT64_MAX;
  while (!pending_ends_.empty() && pending_ends_.front().after < oldest) {
    const PendingEnd& end = pending_ends_.front();
    end.entities->forget(end.ended, 0, end.after);
    pending_ends_.pop_front();
  }
}

SocketSink::Flushed SocketSink::send_queue() {
  if (!connect()) return Flushed::kAway;
  const auto flushed = [](Sent sent) {
    return sent == Sent::kBusy ? Flushed::kBusy : Flushed::kAway;
  };
  while (!queue_.empty()) {
    const Queued& next = queue_.front();
    next.entities->serve(reader_);
    next.entities->find_missing(*next.datum, missing_);
    for (const DatumRef& needed : missing_) {
      if (const Sent result = send(next, needed); result != Sent::kSent) return flushed(result);
    }
    if (!next.entities->was_sent(next.datum)) {
      if (const Sent result = send(next, next.datum); result != Sent::kSent) return flushed(result);
    }
    queue_bytes_ -= next.datum->bytes.size();
    queue_.pop_front();
    if (unread_.size() % kMaxUnchecked == kMaxUnchecked - 1) {
      remove_read();
      if (!connected_) return Flushed::kAway;
    }
  }
  return Flushed::kDone;
}

SocketSink::Sent SocketSink::send(const Queued& queued, const DatumRef& datum) {
  bool too_long = false;
  const auto result = client_.send({datum->bytes.data(), datum->bytes.size()}, too_long);
  if (too_long) {
    ++dropped_;
    log(LogSeverity::kWarning, 0,
        path_ + ": a record of " + std::to_string(datum->bytes.size()) +
            " bytes exceeds the maximum message size");
    queued.entities->mark_sent(datum);
    return Sent::kSent;
  }
  if (result == SeqpacketClient::Sent::kBusy) {
    remove_read();
    return connected_ ? Sent::kBusy : Sent::kAway;
  }
  if (result == SeqpacketClient::Sent::kLost) {
    lose();
    return Sent::kAway;
  }
  ++sent_;
  progress_at_ = Clock::now();
  queued.entities->mark_sent(datum);
  unread_.push_back({datum, queued.entities, queued.number});
  return Sent::kSent;
}

void SocketSink::remove_read() {
  const size_t unread =
      (client_.unread() + SeqpacketClient::kMinUnread - 1) / SeqpacketClient::kMinUnread;
  if (unread_.size() > unread) {
    unread_.erase(unread_.begin(),
                  unread_.begin() + static_cast<std::ptrdiff_t>(unread_.size() - unread));
    progress_at_ = Clock::now();
  }
  forget_read();
  if (connected_ && !unread_.empty() && client_.has_ended()) lose();
}

void SocketSink::lose() {
  connected_ = false;
  client_.close();
  log(LogSeverity::kWarning, 0,
      path_ + ": the reader disconnected; records are queued until it reconnects");
  // Entities are sent again by themselves, before records that refer to them.
  std::erase_if(unread_, [](const Queued& queued) { return queued.datum->is_entity(); });
  for (const Queued& queued : unread_) queue_bytes_ += queued.datum->bytes.size();
  queue_.insert(queue_.begin(), std::make_move_iterator(unread_.begin()),
                std::make_move_iterator(unread_.end()));
  unread_.clear();
  ++reader_;
  retry_at_ = {};
  retry_after_ = limits_.retry;
}

bool SocketSink::connect() {
  if (connected_) return true;
  const Clock::time_point now = Clock::now();
  if (now < retry_at_) return false;
  if (const Status status = client_.connect(path_); !status.is_ok()) {
    // One warning for each time without a reader.
    const bool is_first = retry_after_ == limits_.retry;
    log(is_first ? LogSeverity::kWarning : LogSeverity::kInfo, is_first ? 0 : 1,
        "cannot connect: " + status.message() + "; records are queued until it succeeds");
    problem_ = status.message();
    retry_at_ = now + retry_after_;
    retry_after_ = std::min(retry_after_ * 2, limits_.max_retry);
    return false;
  }
  connected_ = true;
  retry_after_ = limits_.retry;
  log(LogSeverity::kInfo, 0, path_ + ": connected");
  return true;
}

void SocketSink::log(LogSeverity severity, int verbosity, const std::string& text) const {
  if (log_) log_({severity, verbosity, "socket", text});
}

}  // namespace sfkit::output
