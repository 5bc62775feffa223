#include "recover.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "scap/blocks.h"
#include "scap/writer.h"
#include "state/feed.h"
#include "state/snapshot.h"

namespace sfkit {
namespace {

constexpr size_t kBatchSize = size_t{256} << 10;
// Each restarted section repeats all threads, so the input must not be able to force many.
constexpr uint64_t kMaxRestarts = 16;
// Threads per process list block when a section is restarted.
constexpr size_t kThreadsPerBlock = 256;

// Copies a list block: its bytes if they are valid, else the records that could be read.
class ListCopy {
 public:
  void begin(uint32_t type, Bytes body, ByteOrder order) {
    type_ = type;
    body_ = body;
    order_ = order;
    threads_.clear();
    descriptors_.clear();
    users_.clear();
    groups_.clear();
    interfaces_.clear();
    machine_.reset();
  }
  void add(const scap::MachineInfo& entry) { machine_ = entry; }
  void add(const scap::ThreadEntry& entry) { threads_.push_back(entry); }
  void add(const scap::FdEntry& entry) { descriptors_.push_back(entry); }
  void add(const scap::UserEntry& entry) { users_.push_back(entry); }
  void add(const scap::GroupEntry& entry) { groups_.push_back(entry); }
  void add(const scap::InterfaceEntry& entry) { interfaces_.push_back(entry); }

  uint32_t type() const { return scap::official_type(type_); }
  bool is_descriptors() const {
    return type() == scap::block::kFdList1 || type() == scap::block::kFdList2;
  }
  // The thread that owns the descriptors; -1 if the list is too short.
  int64_t tid() const {
    return body_.size() < sizeof(int64_t) ? -1 : load<int64_t>(body_, 0, order_);
  }

  void write(scap::CaptureWriter& out, bool whole) const {
    if (whole && order_ == ByteOrder::kNative) return out.block(type(), body_);
    if (scap::process_list_version(type_) != 0) return out.processes(threads_);
    switch (type()) {
      case scap::block::kMachineInfo:
        if (machine_) out.machine(*machine_);
        return;
      case scap::block::kFdList1:
      case scap::block::kFdList2: return out.descriptors(tid(), descriptors_);
      case scap::block::kInterfaceList1:
      case scap::block::kInterfaceList2: return out.interfaces(interfaces_);
      default: return out.users(users_, groups_);
    }
  }

 private:
  uint32_t type_ = 0;
  Bytes body_;
  ByteOrder order_ = ByteOrder::kNative;
  std::optional<scap::MachineInfo> machine_;
  std::vector<scap::ThreadEntry> threads_;
  std::vector<scap::FdEntry> descriptors_;
  std::vector<scap::UserEntry> users_;
  std::vector<scap::GroupEntry> groups_;
  std::vector<scap::InterfaceEntry> interfaces_;
};

class Recovery : public state::Feed {
 public:
  Recovery(const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel)
      : Feed(false, cancel), give_(give) {}

  void section() override {
    Feed::section();
    begin_section();
  }

  void list_begin(uint32_t type, Bytes body, ByteOrder order) override {
    list_.begin(type, body, order);
  }
  void machine(const scap::MachineInfo& entry) override {
    list_.add(entry);
    Feed::machine(entry);
  }
  void thread(const scap::ThreadEntry& entry) override {
    list_.add(entry);
    Feed::thread(entry);
  }
  void descriptor(int64_t tid, const scap::FdEntry& entry) override {
    list_.add(entry);
    Feed::descriptor(tid, entry);
  }
  void user(const scap::UserEntry& entry) override {
    list_.add(entry);
    Feed::user(entry);
  }
  void group(const scap::GroupEntry& entry) override {
    list_.add(entry);
    Feed::group(entry);
  }
  void interface(const scap::InterfaceEntry& entry) override {
    list_.add(entry);
    Feed::interface(entry);
  }

  void list_end(bool whole) override {
    // Other readers stop at descriptors of an unknown thread.
    if (list_.is_descriptors() && engine().find_thread(list_.tid()) == nullptr) {
      ++dropped_lists_;
      return;
    }
    if (events_in_section_) {
      if (restarts_ == kMaxRestarts) {
        ++dropped_lists_;
        return;
      }
      state_changed_ = true;
    }
    const size_t start = out_.bytes().size();
    list_.write(out_, whole);
    // Machine, interfaces and users are repeated when a section is restarted.
    if (std::vector<uint8_t>* kept = kept_copy(list_.type()); kept != nullptr) {
      kept->assign(out_.bytes().begin() + static_cast<ptrdiff_t>(start), out_.bytes().end());
    }
    if (events_in_section_) out_.cut(start);
    flush_full();
  }

  void unknown_event(uint32_t type, Bytes body, ByteOrder order) override {
    if (order != ByteOrder::kNative) {
      ++dropped_events_;
      return;
    }
    begin_event();
    ++written_;
    out_.block(scap::official_type(type), body);
    flush_full();
  }

  // Delivers the rest. Lists after the last event are dropped.
  void finish() {
    if (state_changed_) ++dropped_lists_;
    flush();
  }

  void flush() {
    if (!out_.bytes().empty()) wanted_ = give_(out_.take()) && wanted_;
  }

  uint64_t written() const { return written_; }
  uint64_t dropped_lists() const { return dropped_lists_; }
  uint64_t dropped_events() const { return dropped_events_; }
  uint64_t restarts() const { return restarts_; }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    begin_event();
    if (shown) ++written_;
    out_.event(event);
    flush_full();
    engine().apply(event, [](const state::Context&) {});
    return wanted_;
  }

 private:
  void flush_full() {
    if (out_.bytes().size() >= kBatchSize) flush();
  }

  void begin_event() {
    if (std::exchange(state_changed_, false)) restart_section();
    events_in_section_ = true;
  }

  void begin_section() {
    out_.begin();
    events_in_section_ = false;
    state_changed_ = false;
    machine_block_.clear();
    interface_block_.clear();
    user_block_.clear();
  }

  // Other readers accept lists only at the start of a section: starts one that repeats the current
  // state.
  void restart_section() {
    ++restarts_;
    out_.begin();
    for (const std::vector<uint8_t>* list : {&machine_block_, &interface_block_, &user_block_})
      out_.append(*list);
    const std::vector<scap::ThreadEntry> threads = state::list_threads(engine());
    for (size_t at = 0; at < threads.size(); at += kThreadsPerBlock) {
      const size_t end = std::min(threads.size(), at + kThreadsPerBlock);
      out_.processes({threads.begin() + static_cast<ptrdiff_t>(at),
                      threads.begin() + static_cast<ptrdiff_t>(end)});
      flush_full();
    }
    for (const scap::ThreadEntry& entry : threads) {
      const state::Thread* thread = engine().find_thread(entry.tid);
      if (thread == nullptr) continue;
      out_.descriptors(entry.tid, state::list_descriptors(*thread));
      flush_full();
    }
  }

  std::vector<uint8_t>* kept_copy(uint32_t type) {
    switch (type) {
      case scap::block::kMachineInfo: return &machine_block_;
      case scap::block::kInterfaceList1:
      case scap::block::kInterfaceList2: return &interface_block_;
      case scap::block::kUserList1:
      case scap::block::kUserList2: return &user_block_;
      default: return nullptr;
    }
  }

  const std::function<bool(std::vector<uint8_t>)>& give_;
  scap::CaptureWriter out_;
  ListCopy list_;
  std::vector<uint8_t> machine_block_;
  std::vector<uint8_t> interface_block_;
  std::vector<uint8_t> user_block_;
  bool events_in_section_ = false;
  bool state_changed_ = false;
  bool wanted_ = true;
  uint64_t written_ = 0;
  uint64_t dropped_lists_ = 0;
  uint64_t dropped_events_ = 0;
  uint64_t restarts_ = 0;
};

}  // namespace

Status recover_capture(scap::Input& input, const std::string& name,
                       const std::function<bool(std::vector<uint8_t>)>& give,
                       const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& written) {
  Recovery recovery(give, cancel);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, recovery, stats); !status.is_ok())
    return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  recovery.finish();
  written = recovery.written();
  recovery.describe(summary, input, stats);
  summary.skipped.clear();
  summary.add_skipped(Reason::kMoreDamage, stats.more_damage);
  summary.add_skipped(Reason::kUnknownBlocks, stats.unknown_blocks);
  summary.add_skipped(Reason::kDroppedLists, recovery.dropped_lists());
  summary.add_skipped(Reason::kListsBetweenEvents, recovery.restarts());
  summary.add_skipped(Reason::kUnknownEventsOtherByteOrder, recovery.dropped_events());
  summary.add_skipped(Reason::kBlockOptions, stats.with_options);
  return Status::ok();
}

}  // namespace sfkit
