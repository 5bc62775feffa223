#include "recover.h"

#include <optional>
#include <utility>

#include "scap/blocks.h"
#include "scap/writer.h"
#include "state/feed.h"
#include "state/snapshot.h"

namespace sfkit {
namespace {

constexpr size_t kBatchSize = size_t{256} << 10;

// A list block, from its bytes where they are fine, else from the records that could be read.
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
  bool is_descriptors() const { return type() == scap::block::kFdList1 || type() == scap::block::kFdList2; }
  // Whose descriptors they are; -1 where the list is too short to tell.
  int64_t tid() const { return body_.size() < sizeof(int64_t) ? -1 : load<int64_t>(body_, 0, order_); }

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

  void list_begin(uint32_t type, Bytes body, ByteOrder order) override { list_.begin(type, body, order); }
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
    // Other readers stop at descriptors of a thread they were not told of.
    if (list_.is_descriptors() && engine().find_thread(list_.tid()) == nullptr) {
      ++dropped_lists_;
      return;
    }
    // Machine, interfaces and users are needed again where a section has to be begun in the middle.
    std::vector<uint8_t>* kept = kept_copy(list_.type());
    scap::CaptureWriter alone;
    list_.write(alone, whole);
    std::vector<uint8_t> bytes = alone.take();
    if (!events_in_section_) {
      append(bytes);
    } else {
      state_changed_ = true;
    }
    if (kept != nullptr) *kept = std::move(bytes);
  }

  void lists_complete() override {
    Feed::lists_complete();
    if (std::exchange(state_changed_, false)) restart_section();
  }

  void unknown_event(uint32_t type, Bytes body, ByteOrder order) override {
    if (order != ByteOrder::kNative) {
      ++dropped_events_;
      return;
    }
    scap::CaptureWriter alone;
    alone.block(scap::official_type(type), body);
    append(alone.take());
    events_in_section_ = true;
    ++written_;
  }

  // Gives what is left.
  void flush() {
    if (!out_.empty()) wanted_ = give_(std::exchange(out_, {})) && wanted_;
  }

  uint64_t written() const { return written_; }
  uint64_t dropped_lists() const { return dropped_lists_; }
  uint64_t dropped_events() const { return dropped_events_; }

 protected:
  bool take(const scap::EventView& event, bool) override {
    events_in_section_ = true;
    writer_.event(event);
    append(writer_.take());
    ++written_;
    engine().apply(event, [](const state::Context&) {});
    return wanted_;
  }

 private:
  void append(const std::vector<uint8_t>& bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    if (out_.size() >= kBatchSize) flush();
  }

  void begin_section() {
    scap::CaptureWriter alone;
    alone.begin();
    append(alone.take());
    events_in_section_ = false;
    state_changed_ = false;
    machine_block_.clear();
    interface_block_.clear();
    user_block_.clear();
  }

  // Other readers take lists only at the start of a section: one is begun, with all that is known.
  void restart_section() {
    const std::vector<uint8_t> lists[] = {machine_block_, interface_block_, user_block_};
    scap::CaptureWriter alone;
    alone.begin();
    append(alone.take());
    for (const std::vector<uint8_t>& list : lists) append(list);
    const std::vector<scap::ThreadEntry> threads = state::list_threads(engine());
    alone.processes(threads);
    for (const scap::ThreadEntry& entry : threads) {
      const state::Thread* thread = engine().find_thread(entry.tid);
      if (thread != nullptr) alone.descriptors(entry.tid, state::list_descriptors(*thread));
    }
    append(alone.take());
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
  scap::CaptureWriter writer_;
  std::vector<uint8_t> out_;
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
};

}  // namespace

Status recover_capture(scap::Input& input, const std::string& name,
                       const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel,
                       InputSummary& summary, uint64_t& written) {
  Recovery recovery(give, cancel);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, recovery, stats); !status.is_ok()) return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  recovery.flush();
  written = recovery.written();
  recovery.describe(summary, input, stats);
  summary.skipped.clear();
  summary.add_skipped("further places of damage", stats.more_damage);
  summary.add_skipped("blocks of unknown type", stats.unknown_blocks);
  summary.add_skipped("descriptor lists of threads that are not listed", recovery.dropped_lists());
  summary.add_skipped("events of unknown codes in the other byte order", recovery.dropped_events());
  summary.add_skipped("blocks' options, such as comments", stats.with_options);
  return Status::ok();
}

}  // namespace sfkit
