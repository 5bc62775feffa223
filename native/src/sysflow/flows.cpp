#include "sysflow/flows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/times.h"

namespace sfkit::sysflow {
namespace {

constexpr int64_t kExportAfter = 30;  // seconds since creation or last export
constexpr int64_t kIdleAfter = 60;    // seconds since the last operation
constexpr uint32_t kAccessMask = 3;   // in open flags
constexpr uint32_t kAccessRead = 1;
constexpr int64_t kMaxTransferBytes = 0x7ffff000;  // the kernel transfers no more in one call
constexpr size_t kMaxChainWalk = 16;               // longer chains are indexed
constexpr uint32_t kMaxUnindexedFlows = 64;
constexpr int32_t kKeepAll = 0;
constexpr int32_t kKeepNone = 1;

// Directories whose files every starting program reads.
constexpr std::array<std::string_view, 8> kReadDirectories = {
    "/proc/", "/dev/", "/sys/", "//sys/", "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};

int32_t protocol_number(state::L4 l4) {
  switch (l4) {
    case state::L4::kTcp: return 6;
    case state::L4::kUdp: return 17;
    case state::L4::kIcmp: return 1;
    case state::L4::kRaw: return 254;
    default: return -1;
  }
}

FlowRole flow_role(state::Role role) {
  switch (role) {
    case state::Role::kClient: return FlowRole::kClient;
    case state::Role::kServer: return FlowRole::kServer;
    default: return FlowRole::kUnknown;
  }
}

uint64_t ports_and_family(uint16_t sport, uint16_t dport, bool ipv6) {
  return uint64_t{sport} << 32 | uint64_t{dport} << 16 | (ipv6 ? 1 : 0);
}

uint64_t fd_key(int64_t fd) {
  return static_cast<uint32_t>(fd);
}

// The newest flow on a descriptor.
Flow* last_on_fd(const TableFlows& table, uint64_t number) {
  if (number < TableFlows::kLow) return table.low[number];
  Flow* const* found = table.open.find(number);
  if (found == nullptr) found = table.kept.find(number);
  return found == nullptr ? nullptr : *found;
}

void set_last_on_high_fd(TableFlows& table, uint64_t number, Flow* flow) {
  if (Flow** const kept = table.kept.writable(number)) {
    if (flow != nullptr) {
      *kept = flow;
    } else {
      table.kept.erase(number);
    }
  } else if (flow != nullptr) {
    table.open.put(number, flow);
  } else {
    table.open.erase(number);
  }
}

void set_last_on_fd(TableFlows& table, uint64_t number, Flow* flow) {
  if (number < TableFlows::kLow) {
    table.low[number] = flow;
  } else {
    set_last_on_high_fd(table, number, flow);
  }
}

template <typename Record>
void start_record(Record& record, const ProcessEntity& process, const FlowTarget& target,
                  int64_t ts) {
  record.proc_oid = process.record.oid;
  record.ts = ts;
  record.tid = target.tid;
  record.op_flags = 0;
  record.end_ts = 0;
  record.fd = static_cast<int32_t>(target.fd);
  record.counters = {};
}

}  // namespace

// ---- lookup and creation

bool FlowTable::matches(const Flow& flow, const ProcessEntity& process, const FlowTarget& target) {
  if (!flow.alive || flow.process != &process || flow.network != target.network ||
      flow.tid() != target.tid || flow.fd() != static_cast<int32_t>(target.fd)) {
    return false;
  }
  if (!target.network) return flow.file == target.file;
  const state::Descriptor& descriptor = *target.descriptor;
  return flow.net.ipv6 == (descriptor.type == state::FdType::kIpv6) &&
         flow.net.sport == descriptor.sport && flow.net.dport == descriptor.dport &&
         flow.net.sip.bytes == descriptor.sip && flow.net.dip.bytes == descriptor.dip;
}

uint64_t FlowTable::KeyHash::operator()(const FileKey& key) const {
  const auto process = reinterpret_cast<uintptr_t>(key.process);
  const auto file = reinterpret_cast<uintptr_t>(key.file);
  return mix_words(mix_words(static_cast<uint64_t>(key.fd), process), file);
}

uint64_t FlowTable::KeyHash::operator()(const NetworkKey& key) const {
  std::array<uint64_t, 4> ends;
  std::memcpy(ends.data(), key.sip.bytes.data(), sizeof(key.sip.bytes));
  std::memcpy(ends.data() + 2, key.dip.bytes.data(), sizeof(key.dip.bytes));
  uint64_t hash =
      mix_words(static_cast<uint64_t>(key.fd), reinterpret_cast<uintptr_t>(key.process));
  for (const uint64_t word : ends) hash = mix_words(hash, word);
  return mix_words(hash, key.ports_and_family);
}

FlowTable::NetworkKey FlowTable::network_key(const Flow& flow) {
  const NetworkFlow& record = flow.net;
  return {flow.process, record.sip, record.dip,
          ports_and_family(record.sport, record.dport, record.ipv6), record.fd};
}

Flow* FlowTable::find_chain(ProcessEntity& process, const FlowTarget& target) {
  const auto fd = static_cast<int32_t>(target.fd);
  if (is_chained_by_fd(target.network)) {
    const TableFlows* const table = find_table(process, target.thread->table()->id());
    return table == nullptr ? nullptr : last_on_fd(*table, fd_key(target.fd));
  }
  Flow** head;
  if (target.network) {
    const state::Descriptor& descriptor = *target.descriptor;
    const bool ipv6 = descriptor.type == state::FdType::kIpv6;
    head = network_flows_.find({&process,
                                {descriptor.sip},
                                {descriptor.dip},
                                ports_and_family(descriptor.sport, descriptor.dport, ipv6),
                                fd});
  } else {
    head = file_flows_.find({&process, target.file, fd});
  }
  return head == nullptr ? nullptr : *head;
}

// A chain that took many steps is indexed, so that it is not walked again.
Flow* FlowTable::find_in_chain(Flow* chain, const FlowTarget& target) {
  if (chain == nullptr) return nullptr;
  if (chain->chain != 0) {
    Flow** const found = members_.find({chain->chain, target.tid, target.file});
    return found == nullptr ? nullptr : *found;
  }
  Flow* Flow::*const next =
      is_chained_by_fd(target.network) ? &Flow::next_on_fd : &Flow::next_related;
  size_t steps = 0;
  Flow* flow = chain;
  while (flow != nullptr && (flow->tid() != target.tid || flow->file != target.file)) {
    flow = flow->*next;
    ++steps;
  }
  if (steps <= kMaxChainWalk) return flow;
  ++last_chain_;
  for (Flow* member = chain; member != nullptr; member = member->*next) {
    if (member->network != target.network) continue;
    member->chain = last_chain_;
    members_.put(member_key(*member), member);
  }
  return flow;
}

Flow* FlowTable::create(ProcessEntity& process, const FlowTarget& target) {
  Flow* flow = pool_.take();
  flow->alive = true;
  flow->resting = false;
  flow->network = target.network;
  flow->process = &process;
  flow->file = target.file;
  if (target.network) {
    const state::Descriptor& descriptor = *target.descriptor;
    NetworkFlow& record = flow->net;
    start_record(record, process, target, clock_.ts);
    record.ipv6 = descriptor.type == state::FdType::kIpv6;
    record.sip.bytes = descriptor.sip;
    record.sport = descriptor.sport;
    record.dip.bytes = descriptor.dip;
    record.dport = descriptor.dport;
    // libs 0.18.1 knows the protocol only of raw sockets and of those that connected or accepted.
    const bool has_protocol = !options_.compat || descriptor.role != state::Role::kNone ||
                              descriptor.l4 == state::L4::kRaw;
    record.proto = protocol_number(has_protocol ? descriptor.l4 : state::L4::kUnknown);
    record.role = flow_role(descriptor.role);
    record.dip_name = names_.find(record.dip, record.ipv6);
  } else {
    FileFlow& record = flow->data;
    start_record(record, process, target, clock_.ts);
    // Later flows of the same open keep its flags too.
    const bool is_known = !options_.compat && !target.descriptor->is_listed;
    record.open_flags = is_known ? static_cast<int32_t>(target.descriptor->open_flags) : 0;
    record.file_oid = target.file->record.oid;
    ++target.file->flows;
  }
  flow->exported = clock_.now;
  ++(target.network ? network_count_ : file_count_);
  return flow;
}

// Appends the flow to the list of its process.
void FlowTable::link(Flow& flow) {
  ProcessEntity& process = *flow.process;
  Flow*& first = flow.network ? process.first_network : process.first_file;
  Flow*& last = flow.network ? process.last_network : process.last_file;
  flow.previous = last;
  flow.next = nullptr;
  (last == nullptr ? first : last->next) = &flow;
  last = &flow;
}

void FlowTable::unlink(Flow& flow) {
  ProcessEntity& process = *flow.process;
  Flow*& first = flow.network ? process.first_network : process.first_file;
  Flow*& last = flow.network ? process.last_network : process.last_file;
  (flow.previous == nullptr ? first : flow.previous->next) = flow.next;
  (flow.next == nullptr ? last : flow.next->previous) = flow.previous;
}

void FlowTable::add_to_thread(Flow& flow) {
  const ThreadKey key{flow.process, flow.tid()};
  ThreadFlows* const known = threads_.find(key);
  ThreadFlows flows = known == nullptr ? ThreadFlows{} : *known;
  flow.previous_of_thread = flows.last;
  flow.next_of_thread = nullptr;
  (flows.last == nullptr ? flows.first : flows.last->next_of_thread) = &flow;
  flows.last = &flow;
  if (known != nullptr) {
    *known = flows;
  } else {
    threads_.put(key, flows);
  }
}

void FlowTable::remove_from_thread(Flow& flow) {
  const ThreadKey key{flow.process, flow.tid()};
  ThreadFlows& flows = *threads_.find(key);
  (flow.previous_of_thread == nullptr ? flows.first : flow.previous_of_thread->next_of_thread) =
      flow.next_of_thread;
  (flow.next_of_thread == nullptr ? flows.last : flow.next_of_thread->previous_of_thread) =
      flow.previous_of_thread;
  if (flows.first == nullptr) threads_.erase(key);
}

// ---- flows by descriptor

TableFlows* FlowTable::find_table(const ProcessEntity& process, uint64_t table) {
  if (process.table_flows != nullptr && process.table_flows->table == table)
    return process.table_flows;
  TableFlows** const found = tables_.find({&process, table});
  return found == nullptr ? nullptr : *found;
}

void FlowTable::add_to_fd(Flow& flow, const state::DescriptorTable& descriptors) {
  ProcessEntity& process = *flow.process;
  const uint64_t id = descriptors.id();
  TableFlows* table = find_table(process, id);
  if (table == nullptr) {
    table = table_pool_.take();
    table->process = &process;
    table->table = id;
    tables_.put({&process, id}, table);
  }
  if (process.table_flows != table) {
    drop_table(process.table_flows);
    process.table_flows = table;
  }
  ++table->flows;
  const uint64_t number = fd_key(flow.fd());
  flow.table = table;
  flow.previous_on_fd = nullptr;
  flow.next_on_fd = last_on_fd(*table, number);
  if (flow.next_on_fd != nullptr) flow.next_on_fd->previous_on_fd = &flow;
  set_last_on_fd(*table, number, &flow);
}

void FlowTable::remove_from_fd(Flow& flow) {
  TableFlows& table = *flow.table;
  if (flow.next_on_fd != nullptr) flow.next_on_fd->previous_on_fd = flow.previous_on_fd;
  if (flow.previous_on_fd != nullptr) {
    flow.previous_on_fd->next_on_fd = flow.next_on_fd;
  } else {
    set_last_on_fd(table, fd_key(flow.fd()), flow.next_on_fd);
  }
  flow.table = nullptr;
  if (--table.flows == 0 && flow.process->table_flows != &table) drop_table(&table);
}

// Frees the table if it has no flows.
void FlowTable::drop_table(TableFlows* table) {
  if (table == nullptr || table->flows != 0) return;
  tables_.erase({table->process, table->table});
  table->table = 0;
  table_pool_.give_back(table);
}

void FlowTable::end_fd(Flow* last, const Closer& closer, const Flow* except) {
  if (last == nullptr) return;
  flows_on_fd_.clear();
  for (Flow* flow = last; flow != nullptr; flow = flow->next_on_fd) {
    if (flow != except) flows_on_fd_.push_back(flow);
  }
  std::reverse(flows_on_fd_.begin(), flows_on_fd_.end());
  // Flows that opened the descriptor end first.
  std::stable_partition(flows_on_fd_.begin(), flows_on_fd_.end(), [](Flow* flow) {
    return (flow->op_flags() & (flow->network ? kOpAccept | kOpConnect : kOpOpen)) != 0;
  });
  for (Flow* flow : flows_on_fd_) {
    const bool is_own = flow->process == closer.process && flow->tid() == closer.tid;
    const uint32_t op = is_own ? closer.op : static_cast<uint32_t>(kOpTruncate);
    if (flow->resting && op != kOpTruncate) wake(*flow);
    flow->op_flags() |= op;
    flow->end_ts() = clock_.ts;
    write(*flow);
    remove(*flow);
  }
}

void FlowTable::end_in_other_process(void* hint, uint64_t table, int64_t fd, const Closer& closer) {
  const auto* const flow = static_cast<Flow*>(hint);
  if (flow == nullptr || !flow->alive || flow->table == nullptr || flow->table->table != table)
    return;
  if (flow->fd() == static_cast<int32_t>(fd)) end_fd(last_on_fd(*flow->table, fd_key(fd)), closer);
}

void FlowTable::end_fd_range(TableFlows& table, uint64_t first, uint64_t last,
                             const Closer& closer) {
  for (uint64_t number = first; number < TableFlows::kLow && number <= last; ++number)
    end_fd(table.low[number], closer);
  for (const SharedMap<Flow*>* const map : {&table.open, &table.kept}) {
    uint64_t number = std::max<uint64_t>(first, TableFlows::kLow);
    for (Flow* const* found = map->next(number); found != nullptr && number <= last;
         found = map->next(number))
      end_fd(*found, closer);
  }
}

// From kLow on, checks only descriptors that no exec has left open, so that each is checked once.
void FlowTable::end_cloexec_fds(TableFlows& table, const state::DescriptorTable& descriptors,
                                const Closer& closer) {
  for (size_t number = 0; number < TableFlows::kLow; ++number) {
    if (table.low[number] != nullptr && descriptors.find(static_cast<int64_t>(number)) == nullptr)
      end_fd(table.low[number], closer);
  }
  fds_.clear();
  table.open.for_each([this](uint64_t number, Flow*) { fds_.push_back(number); });
  for (const uint64_t number : fds_) {
    Flow* const last = *table.open.find(number);
    if (descriptors.find(static_cast<int64_t>(number)) == nullptr) {
      end_fd(last, closer);
    } else {
      table.open.erase(number);
      table.kept.put(number, last);
    }
  }
}

void FlowTable::mark_fds(TableFlows& table, uint64_t first, uint64_t last) {
  uint64_t number = std::max<uint64_t>(first, TableFlows::kLow);
  for (Flow* const* found = table.kept.next(number); found != nullptr && number <= last;
       found = table.kept.next(number)) {
    Flow* const flow = *found;
    table.kept.erase(number);
    table.open.put(number, flow);
  }
}

void FlowTable::move_table(ProcessEntity& process, uint64_t from, uint64_t to) {
  TableFlows* const table = find_table(process, from);
  if (table == nullptr) return;
  tables_.erase({&process, from});
  table->table = to;
  tables_.put({&process, to}, table);
}

void FlowTable::end_closed(ProcessEntity* process, const state::Thread& thread,
                           const state::Closed& closed, bool is_shown) {
  using state::Closing;
  const uint64_t id = closed.table->id();
  if (closed.closing == Closing::kMove) {
    // With several threads, later operations show which flows use the copy.
    const bool is_alone = thread.group == nullptr || thread.group->alive <= 1;
    if (process != nullptr && is_alone) move_table(*process, closed.from_table, id);
    return;
  }
  const bool is_seen = is_shown && closed.closing != Closing::kUnseen;
  const Closer closer{process, thread.tid, is_seen ? kOpClose : kOpTruncate};
  const auto first = static_cast<uint64_t>(closed.first);
  const auto last = static_cast<uint64_t>(closed.last);
  if (TableFlows* const table = process == nullptr ? nullptr : find_table(*process, id)) {
    switch (closed.closing) {
      case Closing::kExec: end_cloexec_fds(*table, *closed.table, closer); break;
      case Closing::kMark: mark_fds(*table, first, last); break;
      default: end_fd_range(*table, first, last, closer); break;
    }
  }
  if (closed.flow != nullptr) end_in_other_process(closed.flow, id, closed.first, closer);
}

// ---- flows of a process

void FlowTable::index_threads(ProcessEntity& process) {
  process.threads_indexed = true;
  for (Flow* first : {process.first_file, process.first_network}) {
    for (Flow* flow = first; flow != nullptr; flow = flow->next) add_to_thread(*flow);
  }
}

void FlowTable::add(Flow& flow, Flow* chain, const FlowTarget& target) {
  ProcessEntity& process = *flow.process;
  link(flow);
  ++process.flow_count;
  if (process.threads_indexed) {
    add_to_thread(flow);
  } else if (process.flow_count > kMaxUnindexedFlows) {
    index_threads(process);
  }

  flow.chain = chain == nullptr ? 0 : chain->chain;
  if (flow.chain != 0) members_.put(member_key(flow), &flow);
  if (!is_chained_by_fd(flow.network)) add_to_related(flow, chain);
  flow.table = nullptr;
  if (!options_.compat) add_to_fd(flow, *target.thread->table());
  data_timers_.insert(&flow);
}

// Inserts after the first flow, so that the map changes only with the first flow of a chain.
void FlowTable::add_to_related(Flow& flow, Flow* chain) {
  flow.previous_related = chain;
  flow.next_related = chain == nullptr ? nullptr : chain->next_related;
  if (flow.next_related != nullptr) flow.next_related->previous_related = &flow;
  if (chain != nullptr) {
    chain->next_related = &flow;
  } else if (flow.network) {
    network_flows_.put(network_key(flow), &flow);
  } else {
    file_flows_.put(file_key(flow), &flow);
  }
}

void FlowTable::remove_from_related(Flow& flow) {
  Flow* const next = flow.next_related;
  if (next != nullptr) next->previous_related = flow.previous_related;
  if (flow.previous_related != nullptr) {
    flow.previous_related->next_related = next;
  } else if (flow.network) {
    next != nullptr ? network_flows_.put(network_key(flow), next)
                    : network_flows_.erase(network_key(flow));
  } else {
    next != nullptr ? file_flows_.put(file_key(flow), next) : file_flows_.erase(file_key(flow));
  }
}

void FlowTable::remove(Flow& flow) {
  ProcessEntity& process = *flow.process;
  unlink(flow);
  --process.flow_count;
  if (flow.table != nullptr) remove_from_fd(flow);
  if (process.threads_indexed) {
    remove_from_thread(flow);
    process.threads_indexed = process.flow_count != 0;
  }

  if (flow.chain != 0) members_.erase(member_key(flow));
  if (!is_chained_by_fd(flow.network)) remove_from_related(flow);
  if (flow.resting) {
    leave_resting(flow);
  } else {
    data_timers_.remove(&flow);
  }
  --(flow.network ? network_count_ : file_count_);
  flow.alive = false;
  if (flow.file != nullptr) --flow.file->flows;
  pool_.give_back(&flow);
  entities_.release(process);
}

bool FlowTable::is_discarded(const FileFlow& record, std::string_view path) const {
  if (options_.file_read_mode == kKeepAll) return false;
  const auto open_flags = static_cast<uint32_t>(record.open_flags);
  // The collector treats read-write opens as reads, since both have the same low bit.
  const bool is_opened_for_reading =
      options_.compat ? (open_flags & kAccessRead) != 0 : (open_flags & kAccessMask) == kAccessRead;
  const bool is_read_only =
      (record.op_flags & kOpReadRecv) != 0 && (record.op_flags & (kOpWriteSend | kOpMmap)) == 0;
  if (!is_opened_for_reading && !is_read_only) return false;
  if (options_.file_read_mode == kKeepNone) return true;
  return std::any_of(kReadDirectories.begin(), kReadDirectories.end(),
                     [path](std::string_view directory) { return path.starts_with(directory); });
}

// Events of different CPUs can be slightly out of order, but no flow ends before its start. (The
// collector's can.)
int64_t FlowTable::clamp_end(int64_t begin, int64_t end) const {
  return options_.compat || !is_possible_time(begin) ? end : std::max(begin, end);
}

void FlowTable::write(Flow& flow, bool final) {
  if (flow.op_flags() == 0 || flow.op_flags() == kOpTruncate) return;
  flow.end_ts() = clamp_end(flow.ts(), flow.end_ts());
  if (flow.network) {
    entities_.ensure_written(*flow.process);
    sink_.network_flow(flow.net);
    return;
  }
  // The collector ignores the read mode at the end of input.
  const bool unfiltered = final && options_.compat;
  if (!unfiltered && is_discarded(flow.data, flow.file->record.path)) {
    ++discarded_;
    return;
  }
  entities_.ensure_written(*flow.process);
  entities_.ensure_written(*flow.file);
  sink_.file_flow(flow.data);
}

void FlowTable::write_untracked(const FileFlow& record) {
  if (is_discarded(record, {})) {
    ++discarded_;
  } else {
    sink_.file_flow(record);
  }
}

// Ends the flows of other threads on the same descriptor. Flows with the operation that opened the
// descriptor are written first. (The collector also ends flows on other descriptors of the same
// resource.)
void FlowTable::close_related(Flow& flow, int64_t end_ts) {
  if (flow.previous_related == nullptr && flow.next_related == nullptr) return;
  const uint32_t opening = flow.network ? kOpAccept | kOpConnect : kOpOpen;
  related_.clear();
  for (Flow* other = flow.next_related; other != nullptr; other = other->next_related)
    related_.push_back(other);
  for (Flow* other = flow.previous_related; other != nullptr; other = other->previous_related) {
    related_.push_back(other);
  }
  std::stable_partition(related_.begin(), related_.end(),
                        [opening](Flow* other) { return (other->op_flags() & opening) != 0; });
  for (Flow* other : related_) {
    other->end_ts() = end_ts;
    other->op_flags() |= kOpTruncate;
    write(*other);
    remove(*other);
  }
}

void FlowTable::operate(ProcessEntity& process, const FlowTarget& target, uint32_t op,
                        int64_t result, uint32_t open_flags, const state::FdSlot& slot) {
  auto* flow = static_cast<Flow*>(slot.flow);
  Flow* chained = nullptr;
  if (flow == nullptr || !matches(*flow, process, target)) {
    chained = find_chain(process, target);
    flow = find_in_chain(chained, target);
  }
  const bool is_new = flow == nullptr;
  if (is_new) {
    flow = create(process, target);
  } else if (flow->resting) {
    wake(*flow);
  }

  flow->op_flags() |= op;
  flow->updated = clock_.now;
  flow->last_ts = clock_.ts;
  if (op == kOpOpen && !target.network) flow->data.open_flags = static_cast<int32_t>(open_flags);
  if (op == kOpReadRecv) {
    ++flow->counters().read_ops;
    flow->counters().read_bytes += std::clamp<int64_t>(result, 0, kMaxTransferBytes);
  } else if (op == kOpWriteSend) {
    ++flow->counters().write_ops;
    flow->counters().write_bytes += std::clamp<int64_t>(result, 0, kMaxTransferBytes);
  }

  if (is_new) add(*flow, chained, target);
  if (op == kOpClose) return close(*flow, target, slot);
  slot.flow = flow;
}

void FlowTable::close(Flow& flow, const FlowTarget& target, const state::FdSlot& slot) {
  if (options_.compat) {
    close_related(flow, clock_.ts);
  } else if (flow.previous_on_fd != nullptr || flow.next_on_fd != nullptr || slot.flow != &flow) {
    const Closer closer{flow.process, target.tid, kOpClose};
    end_fd(last_on_fd(*flow.table, fd_key(target.fd)), closer, &flow);
    if (slot.flow != &flow)
      end_in_other_process(slot.flow, target.thread->table()->id(), target.fd, closer);
  }
  flow.end_ts() = clock_.ts;
  write(flow);
  remove(flow);
  slot.flow = nullptr;
}

void FlowTable::end_thread(ProcessEntity& process, int64_t tid) {
  const ThreadFlows* const indexed =
      process.threads_indexed ? threads_.find({&process, tid}) : nullptr;
  for (const bool network : {false, true}) {
    std::vector<Flow*> own;
    if (process.threads_indexed) {
      for (Flow* flow = indexed == nullptr ? nullptr : indexed->first; flow != nullptr;
           flow = flow->next_of_thread) {
        if (flow->network == network) own.push_back(flow);
      }
    } else {
      for (Flow* flow = network ? process.first_network : process.first_file; flow != nullptr;
           flow = flow->next) {
        if (flow->tid() == tid) own.push_back(flow);
      }
    }
    for (Flow* flow : own) {
      flow->end_ts() = clock_.ts;
      if (options_.compat) close_related(*flow, clock_.ts);
      flow->op_flags() |= kOpTruncate;
      write(*flow);
      remove(*flow);
    }
  }
}

void FlowTable::end_process(ProcessEntity& process) {
  for (const bool network : {false, true}) {
    while (Flow* flow = network ? process.first_network : process.first_file) {
      flow->end_ts() = clock_.ts;
      flow->op_flags() |= kOpTruncate;
      write(*flow);
      remove(*flow);
    }
  }
  drop_table(std::exchange(process.table_flows, nullptr));
}

void FlowTable::export_process(ProcessEntity& process) {
  RestingFlows& resting = process.resting;
  if (resting.flows.oldest() != nullptr) data_timers_.remove(&resting);
  for (const bool network : {false, true}) {
    // Active flows come after resting ones.
    related_.clear();
    for (Flow* flow = network ? process.last_network : process.last_file;
         flow != nullptr && !flow->resting; flow = flow->previous) {
      related_.push_back(flow);
    }
    for (auto at = related_.rbegin(); at != related_.rend(); ++at) {
      Flow& flow = **at;
      flow.end_ts() = clock_.ts;
      write(flow);
      data_timers_.remove(&flow);
      reset_flow(flow);
      flow.resting = true;
      resting.flows.insert(&flow);
    }
  }
  if (resting.flows.oldest() == nullptr) return;
  resting.ts = clock_.ts;
  resting.exported = clock_.now;
  data_timers_.insert(&resting);
}

void FlowTable::leave_resting(Flow& flow) {
  RestingFlows& resting = flow.process->resting;
  flow.resting = false;
  resting.flows.remove(&flow);
  if (resting.flows.oldest() == nullptr) data_timers_.remove(&resting);
}

// The flow keeps the export time of the group.
void FlowTable::wake(Flow& flow) {
  RestingFlows& resting = flow.process->resting;
  flow.ts() = resting.ts;
  flow.resting = false;
  resting.flows.remove(&flow);
  flow.exported = resting.exported;
  data_timers_.insert_after(&resting, &flow);
  if (resting.flows.oldest() == nullptr) data_timers_.remove(&resting);
  unlink(flow);
  link(flow);
}

// Restarts each flow, or ends it if idle. Nothing is written: resting flows have no operations.
void FlowTable::wake_all(RestingFlows& resting) {
  data_timers_.remove(&resting);
  while (TimerEntry* entry = resting.flows.oldest()) {
    Flow& flow = static_cast<Flow&>(*entry);
    resting.flows.remove(&flow);
    flow.resting = false;
    flow.ts() = clock_.ts;
    flow.exported = clock_.now;
    data_timers_.insert(&flow);
    if (clock_.now - flow.updated >= kIdleAfter) remove(flow);
  }
}

// ---- process flows

ThreadFlow& FlowTable::thread_flow(ProcessEntity& process) {
  if (process.thread_flow == nullptr) {
    ThreadFlow* flow = thread_pool_.take();
    flow->process = &process;
    flow->record = {};
    flow->record.proc_oid = process.record.oid;
    flow->record.ts = clock_.ts;
    flow->exported = clock_.now;
    process.thread_flow = flow;
    thread_timers_.insert(flow);
    ++thread_count_;
  }
  process.thread_flow->updated = clock_.now;
  process.thread_flow->last_ts = clock_.ts;
  return *process.thread_flow;
}

void FlowTable::thread_cloned(ProcessEntity& process, int64_t result) {
  constexpr int64_t kFailed = -1;
  ProcessFlow& record = thread_flow(process).record;
  record.op_flags |= kOpClone;
  if (result == 0) ++record.threads_cloned;
  // The collector counts only -1 (EPERM).
  if (options_.compat ? result == kFailed : result < 0) ++record.clone_errors;
}

void FlowTable::thread_exited(ProcessEntity& process) {
  ProcessFlow& record = thread_flow(process).record;
  record.op_flags |= kOpExit;
  ++record.threads_exited;
}

void FlowTable::write(ThreadFlow& flow) {
  flow.record.end_ts = clamp_end(flow.record.ts, flow.record.end_ts);
  if (flow.record.op_flags == 0 || flow.record.op_flags == kOpTruncate) return;
  entities_.ensure_written(*flow.process);
  sink_.process_flow(flow.record);
}

void FlowTable::end_thread_flow(ProcessEntity& process) {
  ThreadFlow* flow = process.thread_flow;
  if (flow == nullptr) return;
  flow->record.end_ts = clock_.ts;
  write(*flow);
  thread_timers_.remove(flow);
  process.thread_flow = nullptr;
  --thread_count_;
  thread_pool_.give_back(flow);
}

void FlowTable::remove(ThreadFlow& flow) {
  thread_timers_.remove(&flow);
  ProcessEntity& process = *flow.process;
  process.thread_flow = nullptr;
  --thread_count_;
  thread_pool_.give_back(&flow);
  entities_.release(process);
}

// ---- time

void FlowTable::end_idle(Flow& flow) {
  flow.end_ts() = flow.last_ts;
  write(flow);
  remove(flow);
}

void FlowTable::end_idle(ThreadFlow& flow) {
  flow.record.end_ts = flow.last_ts;
  write(flow);
  remove(flow);
}

uint64_t FlowTable::end_early(const state::MemoryBudget& budget, state::Engine& state) {
  // Looks at the budget only a few times, since trim() visits all descriptors.
  const auto is_enough = [&](uint64_t at, uint64_t most) {
    if (at % (most / 8 + 1) != 0) return false;
    trim(state);
    return !budget.wants_less();
  };
  uint64_t written = 0;
  uint64_t most = (network_count_ + file_count_ + 1) / 2;
  for (uint64_t at = 0; at < most; ++at) {
    if (is_enough(at, most)) return written;
    TimerEntry* const entry = data_timers_.oldest();
    // Resting flows have nothing to write.
    Flow& flow = static_cast<Flow&>(
        entry->is_group ? *static_cast<RestingFlows*>(entry)->flows.oldest() : *entry);
    ProcessEntity& process = *flow.process;
    if (flow.op_flags() != 0) ++written;
    if (process.flow_count == 1) drop_table(std::exchange(process.table_flows, nullptr));
    end_idle(flow);
  }
  most = (thread_count_ + 1) / 2;
  for (uint64_t at = 0; at < most; ++at) {
    if (is_enough(at, most)) return written;
    auto& flow = static_cast<ThreadFlow&>(*thread_timers_.oldest());
    if (flow.record.op_flags != 0) ++written;
    end_idle(flow);
  }
  return written;
}

void FlowTable::trim(state::Engine& state) {
  state.visit_slots_once([](const state::FdSlot& slot) {
    const auto* const flow = static_cast<const Flow*>(slot.flow);
    if (flow != nullptr && !flow->alive) slot.flow = nullptr;
  });
  pool_.trim();
  thread_pool_.trim();
  table_pool_.trim();
}

void FlowTable::reset_flow(Flow& flow) {
  flow.ts() = clock_.ts;
  flow.end_ts() = 0;
  flow.op_flags() = 0;
  flow.counters() = {};
  flow.exported = clock_.now;
}

void FlowTable::restart(Flow& flow) {
  data_timers_.remove(&flow);
  reset_flow(flow);
  data_timers_.insert(&flow);
}

void FlowTable::rebase(int64_t seconds) {
  last_timer_ = seconds;
  for (TimerEntry* entry = data_timers_.oldest(); entry != nullptr; entry = entry->younger) {
    entry->exported = seconds;
    if (!entry->is_group) {
      static_cast<Flow*>(entry)->updated = seconds;
      continue;
    }
    TimerEntry* flow = static_cast<RestingFlows*>(entry)->flows.oldest();
    for (; flow != nullptr; flow = flow->younger) static_cast<Flow*>(flow)->updated = seconds;
  }
  for (TimerEntry* entry = thread_timers_.oldest(); entry != nullptr; entry = entry->younger) {
    entry->exported = seconds;
    static_cast<ThreadFlow*>(entry)->updated = seconds;
  }
}

void FlowTable::run_timers() {
  if (last_timer_ == 0) {
    last_timer_ = clock_.now;
    return;
  }
  if (clock_.now - last_timer_ < 1) return;
  last_timer_ = clock_.now;

  while (TimerEntry* entry = data_timers_.oldest()) {
    if (clock_.now - entry->exported < kExportAfter) break;
    if (entry->is_group) {
      wake_all(static_cast<RestingFlows&>(*entry));
      continue;
    }
    Flow* const flow = static_cast<Flow*>(entry);
    if (clock_.now - flow->updated >= kIdleAfter) {
      // The collector drops the counts of flows that were idle too long.
      if (options_.compat) {
        remove(*flow);
      } else {
        end_idle(*flow);
      }
      continue;
    }
    flow->end_ts() = clock_.ts;
    write(*flow);
    restart(*flow);
  }
  while (TimerEntry* entry = thread_timers_.oldest()) {
    if (clock_.now - entry->exported < kExportAfter) break;
    ThreadFlow* const flow = static_cast<ThreadFlow*>(entry);
    if (clock_.now - flow->updated >= kIdleAfter) {
      if (options_.compat) {
        remove(*flow);
      } else {
        end_idle(*flow);
      }
      continue;
    }
    thread_timers_.remove(flow);
    flow->record.end_ts = clock_.ts;
    write(*flow);
    const Oid oid = flow->record.proc_oid;
    flow->record = {};
    flow->record.proc_oid = oid;
    flow->record.ts = clock_.ts;
    flow->exported = clock_.now;
    thread_timers_.insert(flow);
  }
}

void FlowTable::finish(int64_t end_ts) {
  for (ProcessEntity* process = entities_.first(); process != nullptr; process = process->next) {
    for (Flow* first : {process->first_network, process->first_file}) {
      for (Flow* flow = first; flow != nullptr; flow = flow->next) {
        flow->op_flags() |= kOpTruncate;
        flow->end_ts() = end_ts;
        write(*flow, true);
      }
    }
    if (ThreadFlow* flow = process->thread_flow) {
      flow->record.op_flags |= kOpTruncate;
      flow->record.end_ts = end_ts;
      write(*flow);
    }
  }
}

}  // namespace sfkit::sysflow
