#include "output/column_sink.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "base/error_name.h"
#include "base/times.h"
#include "output/address_text.h"
#include "output/pod_text.h"
#include "record_kinds.gen.h"

namespace sfkit::output {

namespace {

using sysflow::Foid;
using sysflow::ObjectState;
using sysflow::Oid;

constexpr std::string_view kStates[] = {"CREATED", "MODIFIED", "REUP"};

// Access bits of open flags (sysflow-semantics, section 2): 1 read, 2 write, both for read-write.
constexpr int32_t kOpenRead = 1;
constexpr int32_t kOpenWrite = 2;

std::string_view last_element(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// As POSIX dirname for paths with a slash; empty without one.
std::string_view without_last_element(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  const size_t end = path.find_last_not_of('/', slash);
  return end == std::string_view::npos ? path.substr(0, slash + 1) : path.substr(0, end + 1);
}

// What SysFlow files have where a text is not known; a table has null there.
constexpr std::string_view kNotAvailable = "<NA>";
constexpr std::string_view kUnknownPath = "<UNKNOWN>";
constexpr std::string_view kUnknownCwd = "./";
constexpr std::string_view kIncomplete = "incomplete";
constexpr std::string_view kIncompleteImage = "incomplete:incomplete";
constexpr std::string_view kUnknownAddress = "NA";

bool is_unknown_name(std::string_view name) {
  return name.empty() || name == kNotAvailable;
}

bool is_unknown_path(std::string_view path) {
  return path == kNotAvailable || path == kUnknownPath;
}

// The collector names containers of which it knows no more than the id, in one of two ways.
bool has_unknown_texts(const sysflow::Container& record) {
  return (record.name == kIncomplete && record.image == kIncompleteImage) ||
         (record.name.empty() && (record.image.empty() || record.image == ":"));
}

// Empty for an unknown role.
std::string_view role_name(sysflow::FlowRole role) {
  switch (role) {
    case sysflow::FlowRole::kClient: return "client";
    case sysflow::FlowRole::kServer: return "server";
    default: return {};
  }
}

// The end of a connection that the process has. The operations of a TCP flow decide if they show
// it, so that a file, which has nothing else, gives the same answer.
sysflow::FlowRole role_of(const sysflow::NetworkFlow& record) {
  constexpr int32_t kTcp = 6;
  if (record.proto == kTcp && (record.op_flags & sysflow::kOpAccept) != 0)
    return sysflow::FlowRole::kServer;
  if (record.proto == kTcp && (record.op_flags & sysflow::kOpConnect) != 0)
    return sysflow::FlowRole::kClient;
  return record.role;
}

std::string_view container_type(int32_t type) {
  const bool known = type >= 0 && static_cast<size_t>(type) < std::size(kContainerTypes);
  return kContainerTypes[known ? type : static_cast<int32_t>(kCustomContainer)];
}

void join_texts(const std::vector<std::string>& parts, std::string& out) {
  out.clear();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) out += ' ';
    out += parts[i];
  }
}

void join_environment(const TextList& variables, std::string& out) {
  out.clear();
  for (const std::string_view variable : variables) {
    if (variable.empty() || variable == "=") continue;
    if (!out.empty()) out += ';';
    out += variable;
  }
}

std::string_view hex(const Foid& foid, std::array<char, 40>& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < foid.size(); ++i) {
    out[2 * i] = kDigits[foid[i] >> 4];
    out[2 * i + 1] = kDigits[foid[i] & 15];
  }
  return {out.data(), out.size()};
}

// A .sf file repeats for each process what it has of its parent.
void share(SharedText& text, const SharedText& of_parent) {
  if (text == of_parent) text = of_parent;
}

bool is_all_table(Table table) {
  return table == Table::kSysflow;
}

// Entities give no rows to the table of all events and flows.
bool is_row_table(Table table) {
  return !kTables[static_cast<size_t>(table)].record.empty();
}

}  // namespace

ColumnSink::ColumnSink(const std::vector<Table>& tables, uint32_t batch_rows, Consumer consumer)
    : consumer_(std::move(consumer)) {
  for (const Table table : tables) {
    targets_.push_back(std::make_unique<Target>(table, batch_rows, targets_.size()));
    Target* const target = targets_.back().get();
    by_table_[static_cast<size_t>(table)].push_back(target);
    if (!is_all_table(table)) continue;
    for (size_t other = 0; other < kTableCount; ++other) {
      if (is_row_table(static_cast<Table>(other))) by_table_[other].push_back(target);
    }
  }
}

ColumnSink::~ColumnSink() {
  forget_all();
}

// --- Entities

void ColumnSink::forget_all() {
  // Parents first: a long line of ancestors must not be destroyed by recursion, nor a circle be
  // kept.
  for (auto& [oid, process] : processes_) process->parent.reset();
  processes_.clear();
  files_.clear();
  containers_.clear();
  pods_.clear();
  last_process_ = nullptr;
}

void ColumnSink::header(const sysflow::Header& record) {
  if (has_header_) {
    finish();
    ++file_;
  }
  has_header_ = true;
  forget_all();
  header_ = record;
  for (auto& target : targets_) target->header_numbers.forget();
  add_rows(Table::kHeader, [](Target&) { return Groups{0}; });
}

void ColumnSink::container(const sysflow::Container& record) {
  std::unique_ptr<ContainerEntry>& entry = containers_[record.id];
  if (!entry) {
    entry = std::make_unique<ContainerEntry>();
    ++container_generation_;
  }
  entry->record = record;
  entry->numbers.forget();
  add_rows(Table::kContainer, [&](Target& target) { return put_container(target, *entry); });
}

void ColumnSink::pod(const sysflow::Pod& record) {
  std::unique_ptr<PodEntry>& entry = pods_[record.id];
  if (!entry) entry = std::make_unique<PodEntry>();
  entry->record = record;
  entry->numbers.forget();
  count_time(Table::kPod, record.ts);
  add_rows(Table::kPod, [&](Target& target) {
    target.builder.set_i64(Column::kTsUts, record.ts);
    target.builder.set_string(Column::kPodId, target.builder.intern(record.id));
    return put_pod(target, *entry) | bit(Group::kPodId) | bit(Group::kTime);
  });
}

void ColumnSink::process(const sysflow::Process& record) {
  std::shared_ptr<ProcessEntry>& entry = processes_[record.oid];
  if (!entry) entry = std::make_shared<ProcessEntry>();
  if (entry->record.poid != record.poid) entry->parent.reset();
  entry->record = record;
  entry->generation = 0;
  entry->numbers.forget();
  entry->comm_number.forget();
  // Held from now on, so that the parent may go before the child makes a row.
  if (const ProcessEntry* const parent = find_parent(*entry)) {
    sysflow::Process& own = entry->record;
    share(own.exe, parent->record.exe);
    share(own.exe_args, parent->record.exe_args);
    share(own.cwd, parent->record.cwd);
    if (own.env == parent->record.env) own.env = parent->record.env;
  }
  count_time(Table::kProcess, record.ts);
  add_rows(Table::kProcess, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kTsUts, record.ts);
    builder.set_i64(Column::kProcPid, record.oid.hpid);
    builder.set_i64(Column::kProcCreatets, record.oid.create_ts);
    builder.set_string(Column::kState, state_number(target, record.state));
    Groups groups = bit(Group::kTime) | bit(Group::kOid) | bit(Group::kState);
    if (record.container_id) {
      builder.set_string(Column::kContainerId, builder.intern(*record.container_id));
      groups |= bit(Group::kContainerId);
    }
    return groups | put_process(target, *entry) | put_parent_identity(target, *entry);
  });
}

void ColumnSink::process_facts(const Oid& oid, const sysflow::ProcessFacts& facts) {
  ProcessEntry* const process = find_process(oid);
  if (process == nullptr) return;
  process->record.facts = facts;
  process->comm_number.forget();
}

void ColumnSink::process_gone(const Oid& oid) {
  const auto found = processes_.find(oid);
  if (found == processes_.end()) return;
  ProcessEntry& entry = *found->second;
  if (last_process_ == &entry) last_process_ = nullptr;
  entry.known = false;
  // Rows look no further up than the parent, so a line of dead ancestors need not be kept.
  entry.parent.reset();
  processes_.erase(found);
}

void ColumnSink::file(const sysflow::File& record) {
  std::unique_ptr<FileEntry>& entry = files_[record.oid];
  if (!entry) entry = std::make_unique<FileEntry>();
  entry->record = record;
  entry->numbers.forget();
  count_time(Table::kFile, record.ts);
  add_rows(Table::kFile, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kTsUts, record.ts);
    builder.set_string(Column::kState, state_number(target, record.state));
    Groups groups = bit(Group::kTime) | bit(Group::kState);
    if (record.container_id) {
      builder.set_string(Column::kContainerId, builder.intern(*record.container_id));
      groups |= bit(Group::kContainerId);
    }
    return groups | put_file(target, record.oid, entry.get());
  });
}

void ColumnSink::container_gone(std::string_view id) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) return;
  containers_.erase(found);
  ++container_generation_;
}

void ColumnSink::pod_gone(std::string_view id) {
  if (const auto found = pods_.find(id); found != pods_.end()) pods_.erase(found);
}

void ColumnSink::files_forgotten() {
  files_.clear();
}

// --- Events and flows

void ColumnSink::process_event(const sysflow::ProcessEvent& record) {
  Joined joined;
  join_texts(record.args, scratch_);
  const bool is_unknown = scratch_ == kNotAvailable;
  if (is_unknown && record.user_id) scratch_ = std::to_string(*record.user_id);
  add_process_rows(Table::kProcessEvent, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kProcTid, record.tid);
    builder.set_string(Column::kEvtArgs,
                       is_unknown && !record.user_id ? kNoString : builder.intern(scratch_));
    return bit(Group::kTid) | bit(Group::kArgs) |
           put_result(target, record.ret, (record.op_flags & sysflow::kOpExit) != 0);
  });
}

void ColumnSink::network_flow(const sysflow::NetworkFlow& record) {
  Joined joined;
  add_process_rows(Table::kNetworkFlow, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    const auto text = [&](auto&& append) {
      scratch_.clear();
      append();
      return builder.intern(scratch_);
    };
    builder.set_i64(Column::kEndtsUts, record.end_ts);
    builder.set_i64(Column::kProcTid, record.tid);
    builder.set_i32(Column::kFileFd, record.fd);
    builder.set_i32(Column::kNetProto, record.proto);
    builder.set_string(Column::kNetSip,
                       text([&] { append_address(scratch_, record.sip, record.ipv6); }));
    builder.set_i32(Column::kNetSport, record.sport);
    builder.set_string(Column::kNetDip,
                       text([&] { append_address(scratch_, record.dip, record.ipv6); }));
    builder.set_i32(Column::kNetDport, record.dport);
    builder.set_string(Column::kNetDname,
                       record.dip_name.empty() ? kNoString : builder.intern(record.dip_name));
    builder.set_string(Column::kRes, text([&] { append_connection(scratch_, record); }));
    const sysflow::FlowRole role = role_of(record);
    const bool is_known = role != sysflow::FlowRole::kUnknown;
    const std::string_view direction = role == sysflow::FlowRole::kClient ? "out" : "in";
    builder.set_string(Column::kRole, is_known ? builder.intern(role_name(role)) : kNoString);
    builder.set_string(Column::kDirection, is_known ? builder.intern(direction) : kNoString);
    return put_duration(target, record.ts, record.end_ts) | bit(Group::kEnd) | bit(Group::kTid) |
           bit(Group::kFd) | bit(Group::kNet) | bit(Group::kRes) |
           put_counters(target, record.counters);
  });
}

void ColumnSink::file_flow(const sysflow::FileFlow& record) {
  Joined joined;
  joined.file = find_file(record.file_oid);
  add_process_rows(Table::kFileFlow, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kEndtsUts, record.end_ts);
    builder.set_i64(Column::kProcTid, record.tid);
    builder.set_i32(Column::kFileFd, record.fd);
    builder.set_i32(Column::kFileOpenflags, record.open_flags);
    builder.set_bool(Column::kFileIsOpenWrite, (record.open_flags & kOpenWrite) != 0);
    builder.set_bool(Column::kFileIsOpenRead, (record.open_flags & kOpenRead) != 0);
    Groups groups = bit(Group::kEnd) | bit(Group::kTid) | bit(Group::kFd) | bit(Group::kOpen) |
                    put_duration(target, record.ts, record.end_ts) |
                    put_file(target, record.file_oid, joined.file) |
                    put_counters(target, record.counters);
    if (joined.file != nullptr) {
      builder.set_string(Column::kRes, file_numbers(target, *joined.file)[0]);
      groups |= bit(Group::kRes);
    }
    return groups;
  });
}

void ColumnSink::file_event(const sysflow::FileEvent& record) {
  Joined joined;
  joined.file = find_file(record.file_oid);
  FileEntry* const second = record.new_file_oid ? find_file(*record.new_file_oid) : nullptr;
  add_process_rows(Table::kFileEvent, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kProcTid, record.tid);
    Groups groups = bit(Group::kTid) | put_result(target, record.ret, false) |
                    put_file(target, record.file_oid, joined.file);
    if (record.new_file_oid) {
      std::array<char, 40> digits;
      builder.set_string(Column::kFileNewoid, builder.intern(hex(*record.new_file_oid, digits)));
      groups |= bit(Group::kNewOid);
    }
    if (second != nullptr) {
      builder.set_string(Column::kFileNewpath, file_numbers(target, *second)[0]);
      groups |= bit(Group::kNewFile);
    }
    if (joined.file != nullptr) {
      uint32_t number = file_numbers(target, *joined.file)[0];
      if (second != nullptr && number != kNoString &&
          file_numbers(target, *second)[0] != kNoString) {
        scratch_ = joined.file->record.path;
        scratch_ += ", ";
        scratch_ += second->record.path;
        number = builder.intern(scratch_);
      }
      builder.set_string(Column::kRes, number);
      groups |= bit(Group::kRes);
    }
    return groups;
  });
}

void ColumnSink::network_event(const sysflow::NetworkEvent& record) {
  Joined joined;
  add_process_rows(Table::kNetworkEvent, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    const auto text = [&](auto&& append) {
      scratch_.clear();
      append();
      return builder.intern(scratch_);
    };
    builder.set_i64(Column::kProcTid, record.tid);
    builder.set_i32(Column::kNetProto, record.proto);
    builder.set_string(Column::kNetSip, text([&] { append_address(scratch_, record.sip, false); }));
    builder.set_i32(Column::kNetSport, record.sport);
    builder.set_string(Column::kNetDip, text([&] { append_address(scratch_, record.dip, false); }));
    builder.set_i32(Column::kNetDport, record.dport);
    builder.set_string(Column::kNetDname, kNoString);
    builder.set_string(Column::kRole, kNoString);
    builder.set_string(Column::kDirection, kNoString);
    builder.set_string(Column::kRes, text([&] { append_connection(scratch_, record); }));
    return bit(Group::kTid) | bit(Group::kNet) | bit(Group::kRes) |
           put_result(target, record.ret, false);
  });
}

void ColumnSink::process_flow(const sysflow::ProcessFlow& record) {
  Joined joined;
  add_process_rows(Table::kProcessFlow, record, joined, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kEndtsUts, record.end_ts);
    builder.set_i64(Column::kPfNthreads, record.threads_cloned);
    builder.set_i64(Column::kPfNexits, record.threads_exited);
    builder.set_i64(Column::kPfNerrors, record.clone_errors);
    return bit(Group::kEnd) | bit(Group::kProcessFlow) |
           put_duration(target, record.ts, record.end_ts);
  });
}

void ColumnSink::k8s_event(const sysflow::K8sEvent& record) {
  count_time(Table::kK8sEvent, record.ts);
  add_rows(Table::kK8sEvent, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kTsUts, record.ts);
    builder.set_string(Column::kK8sAction, builder.intern(record.action));
    builder.set_string(Column::kK8sKind, builder.intern(record.kind));
    builder.set_string(Column::kK8sMsg, builder.intern(record.message));
    return bit(Group::kTime) | bit(Group::kK8s);
  });
  ++row_number_;
}

void ColumnSink::finish() {
  for (auto& target : targets_) {
    if (target->builder.rows() != 0) give(*target);
  }
}

uint64_t ColumnSink::cut_texts() const {
  uint64_t count = 0;
  for (const auto& target : targets_) count += target->builder.cut_texts();
  return count;
}

// --- Rows

void ColumnSink::count_time(Table table, int64_t time) {
  if (!is_possible_time(time) && is_wanted(table)) ++impossible_times_;
}

template <typename Fill>
void ColumnSink::add_rows(Table table, Fill&& fill) {
  if (gone_) return;
  for (Target* const target : by_table_[static_cast<size_t>(table)]) {
    TableBuilder& builder = target->builder;
    builder.begin_row();
    if (is_row_table(table)) {
      const auto& types = target->type_numbers.get(0, builder.epoch(), [&](auto& values) {
        for (size_t i = 0; i < kTableCount; ++i) values[i] = builder.intern(kTables[i].record);
      });
      builder.set_i64(Column::kIdx, row_number_);
      builder.set_string(Column::kType, types[static_cast<size_t>(table)]);
    }
    put_header(*target);
    builder.end_row(fill(*target));
    if (builder.full()) give(*target);
  }
}

template <typename Record, typename Fill>
void ColumnSink::add_process_rows(Table table, const Record& record, Joined& joined, Fill&& fill) {
  if (is_wanted(table)) join(record.proc_oid, joined);
  count_time(table, record.ts);
  if constexpr (requires { record.end_ts; }) count_time(table, record.end_ts);
  add_rows(table, [&](Target& target) {
    TableBuilder& builder = target.builder;
    builder.set_i64(Column::kTsUts, record.ts);
    builder.set_i32(Column::kOpflagsBitmap, static_cast<int32_t>(record.op_flags));
    builder.set_i64(Column::kProcPid, record.proc_oid.hpid);
    builder.set_i64(Column::kProcCreatets, record.proc_oid.create_ts);
    return bit(Group::kTime) | bit(Group::kOid) | put_joined(target, joined) | fill(target);
  });
  ++row_number_;
}

void ColumnSink::give(Target& target) {
  if (gone_) return;
  ColumnBatch batch = target.builder.take();
  batch.file = file_;
  batch.start_seconds = header_.start_seconds;
  if (!consumer_(std::move(batch))) gone_ = true;
}

// --- Joins

ColumnSink::ProcessEntry* ColumnSink::find_process(const Oid& oid) {
  if (last_process_ != nullptr && last_process_->record.oid == oid) return last_process_;
  const auto found = processes_.find(oid);
  if (found == processes_.end()) return nullptr;
  last_process_ = found->second.get();
  return last_process_;
}

ColumnSink::ProcessEntry* ColumnSink::find_parent(ProcessEntry& process) {
  if (!process.record.poid) return nullptr;
  if (process.parent && process.parent->known) return process.parent.get();
  const auto found = processes_.find(*process.record.poid);
  if (found != processes_.end()) process.parent = found->second;
  return process.parent.get();
}

ColumnSink::FileEntry* ColumnSink::find_file(const Foid& foid) {
  const auto found = files_.find(foid);
  return found == files_.end() ? nullptr : found->second.get();
}

ColumnSink::ContainerEntry* ColumnSink::find_container(std::string_view id) {
  const auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : found->second.get();
}

ColumnSink::PodEntry* ColumnSink::find_pod(const ContainerEntry* container) {
  if (container == nullptr || !container->record.pod_id) return nullptr;
  const auto found = pods_.find(*container->record.pod_id);
  return found == pods_.end() ? nullptr : found->second.get();
}

void ColumnSink::join(const Oid& oid, Joined& joined) {
  joined.process = find_process(oid);
  if (joined.process == nullptr) return;
  ProcessEntry& process = *joined.process;
  joined.parent = find_parent(process);
  if (process.record.container_id && process.generation != container_generation_) {
    process.container = find_container(*process.record.container_id);
    process.generation = container_generation_;
  }
  if (process.record.container_id) joined.container = process.container;
  joined.pod = find_pod(joined.container);
}

// --- Parts of rows; each gives the groups it filled

uint32_t ColumnSink::state_number(Target& target, ObjectState state) {
  TableBuilder& builder = target.builder;
  return target.state_numbers.get(0, builder.epoch(), [&](auto& values) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = builder.intern(kStates[i]);
  })[static_cast<size_t>(state)];
}

void ColumnSink::put_header(Target& target) {
  TableBuilder& builder = target.builder;
  const auto& numbers = target.header_numbers.get(0, builder.epoch(), [&](auto& values) {
    values = {builder.intern(header_.exporter),
              header_.ip == kUnknownAddress ? kNoString : builder.intern(header_.ip),
              builder.intern(header_.filename)};
  });
  builder.set_string(Column::kNodeId, numbers[0]);
  builder.set_string(Column::kNodeIp, numbers[1]);
  builder.set_string(Column::kFilename, numbers[2]);
  builder.set_i64(Column::kSchema, header_.version);
}

const ColumnSink::Numbers<8>::Values& ColumnSink::process_numbers(Target& target,
                                                                  ProcessEntry& process) {
  TableBuilder& builder = target.builder;
  return process.numbers.get(target.place, builder.epoch(), [&](auto& values) {
    const sysflow::Process& record = process.record;
    const bool is_known = !is_unknown_path(record.exe);
    values[4] = kNoString;
    if (is_known) {
      line_.assign(record.exe.view());
      if (!record.exe_args.empty()) {
        line_ += ' ';
        line_ += record.exe_args.view();
      }
      values[4] = builder.intern(line_);
    }
    // Of a process without a known executable nothing else is known either, unless it is there.
    const auto is_there = [is_known](const auto& what) { return is_known || !what.empty(); };
    values[7] = kNoString;
    if (is_there(record.env)) {
      values[7] = target.environments.get(builder, record.env.text(), [&] {
        join_environment(record.env, line_);
        return builder.intern(line_);
      });
    }
    values[0] = is_unknown_name(record.user_name) ? kNoString : builder.intern(record.user_name);
    values[1] = is_unknown_name(record.group_name) ? kNoString : builder.intern(record.group_name);
    values[2] = is_known ? target.number_of(record.exe) : kNoString;
    values[3] = is_known ? builder.intern(last_element(record.exe)) : kNoString;
    values[5] = is_there(record.exe_args) ? target.number_of(record.exe_args) : kNoString;
    values[6] =
        record.cwd.empty() || record.cwd == kUnknownCwd ? kNoString : target.number_of(record.cwd);
  });
}

void ColumnSink::put_process(Target& target, ProcessEntry& process, const ProcessColumns& columns) {
  TableBuilder& builder = target.builder;
  const auto& numbers = process_numbers(target, process);
  for (size_t i = 0; i < numbers.size(); ++i) builder.set_string(columns.texts[i], numbers[i]);
  builder.set_i32(columns.uid, process.record.uid);
  builder.set_i32(columns.gid, process.record.gid);
  builder.set_bool(columns.tty, process.record.tty);
  builder.set_bool(columns.entry, process.record.entry);
  const auto& comm = process.comm_number.get(target.place, builder.epoch(), [&](auto& values) {
    const std::string_view name = process.record.facts.comm;
    values[0] = is_unknown_name(name) ? kNoString : builder.intern(name);
  });
  builder.set_string(columns.comm, comm[0]);
}

Groups ColumnSink::put_process(Target& target, ProcessEntry& process) {
  // The texts in the order of process_numbers().
  static constexpr ProcessColumns kColumns = {
      {Column::kProcUser, Column::kProcGroup, Column::kProcExe, Column::kProcName,
       Column::kProcCmdline, Column::kProcArgs, Column::kProcCwd, Column::kProcEnv},
      Column::kProcUid,
      Column::kProcGid,
      Column::kProcTty,
      Column::kProcEntry,
      Column::kProcComm};
  put_process(target, process, kColumns);
  const int64_t parent = process.record.facts.parent_pid;
  if (parent < 0) return bit(Group::kProcess);
  target.builder.set_i64(Column::kProcPpid, parent);
  return bit(Group::kProcess) | bit(Group::kAdopter);
}

Groups ColumnSink::put_parent(Target& target, ProcessEntry& parent) {
  static constexpr ProcessColumns kColumns = {
      {Column::kPprocUser, Column::kPprocGroup, Column::kPprocExe, Column::kPprocName,
       Column::kPprocCmdline, Column::kPprocArgs, Column::kPprocCwd, Column::kPprocEnv},
      Column::kPprocUid,
      Column::kPprocGid,
      Column::kPprocTty,
      Column::kPprocEntry,
      Column::kPprocComm};
  put_process(target, parent, kColumns);
  return bit(Group::kParent);
}

Groups ColumnSink::put_parent_identity(Target& target, const ProcessEntry& process) {
  if (!process.record.poid) return 0;
  target.builder.set_i64(Column::kPprocPid, process.record.poid->hpid);
  target.builder.set_i64(Column::kPprocCreatets, process.record.poid->create_ts);
  return bit(Group::kPoid);
}

Groups ColumnSink::put_container(Target& target, ContainerEntry& container) {
  TableBuilder& builder = target.builder;
  const sysflow::Container& record = container.record;
  const auto& numbers = container.numbers.get(target.place, builder.epoch(), [&](auto& values) {
    const bool is_known = !has_unknown_texts(record);
    const auto known = [&](std::string_view text) {
      return is_known ? builder.intern(text) : kNoString;
    };
    values = {builder.intern(record.id),
              known(record.name),
              is_known || !record.imageid.empty() ? builder.intern(record.imageid) : kNoString,
              known(record.image),
              builder.intern(container_type(record.type)),
              record.labels.empty() ? kNoString : builder.intern(record.labels),
              record.pod_labels.empty() ? kNoString : builder.intern(record.pod_labels)};
  });
  builder.set_string(Column::kContainerId, numbers[0]);
  builder.set_string(Column::kContainerName, numbers[1]);
  builder.set_string(Column::kContainerImageid, numbers[2]);
  builder.set_string(Column::kContainerImage, numbers[3]);
  builder.set_string(Column::kContainerType, numbers[4]);
  builder.set_bool(Column::kContainerPrivileged, record.privileged);
  // The first type stands for an unknown one in such records.
  const bool is_placeholder = numbers[1] == kNoString && record.type == 0 && !record.privileged;
  builder.set_string(Column::kContainerLabels, numbers[5]);
  builder.set_string(Column::kPodLabels, numbers[6]);
  const Groups groups = bit(Group::kContainerId) | bit(Group::kPodLabels) |
                        (is_placeholder ? 0 : bit(Group::kContainer));
  if (!record.pod_id) return groups;
  builder.set_string(Column::kPodId, builder.intern(*record.pod_id));
  return groups | bit(Group::kPodId);
}

Groups ColumnSink::put_pod(Target& target, PodEntry& pod) {
  TableBuilder& builder = target.builder;
  const sysflow::Pod& record = pod.record;
  const auto& numbers = pod.numbers.get(target.place, builder.epoch(), [&](auto& values) {
    const auto json = [&](auto&& append, const auto& list) {
      line_.clear();
      append(line_, list);
      return line_.empty() ? kNoString : builder.intern(line_);
    };
    values = {builder.intern(record.name),
              builder.intern(record.node_name),
              builder.intern(record.namespace_),
              record.labels.empty() ? kNoString : builder.intern(record.labels),
              record.selectors.empty() ? kNoString : builder.intern(record.selectors),
              json(append_addresses, record.host_ip),
              json(append_addresses, record.internal_ip),
              json(append_services, record.services)};
  });
  builder.set_i64(Column::kPodTs, record.ts);
  builder.set_string(Column::kPodName, numbers[0]);
  builder.set_string(Column::kPodNname, numbers[1]);
  builder.set_string(Column::kPodNs, numbers[2]);
  builder.set_i64(Column::kPodRstrtcnt, record.restart_count);
  builder.set_string(Column::kPodLabels, numbers[3]);
  builder.set_string(Column::kPodSelectors, numbers[4]);
  builder.set_string(Column::kPodHostip, numbers[5]);
  builder.set_string(Column::kPodInternalip, numbers[6]);
  builder.set_string(Column::kPodServices, numbers[7]);
  return bit(Group::kPod) | bit(Group::kPodLabels);
}

const ColumnSink::Numbers<6>::Values& ColumnSink::file_numbers(Target& target, FileEntry& file) {
  TableBuilder& builder = target.builder;
  return file.numbers.get(target.place, builder.epoch(), [&](auto& values) {
    const sysflow::File& record = file.record;
    const char type =
        record.restype > ' ' && record.restype < 127 ? static_cast<char>(record.restype) : '?';
    std::array<char, 40> digits;
    const bool is_known = !is_unknown_path(record.path);
    const auto known = [&](std::string_view text) {
      return is_known ? builder.intern(text) : kNoString;
    };
    values = {known(record.path),
              known(last_element(record.path)),
              known(without_last_element(record.path)),
              builder.intern(std::string_view(&type, 1)),
              builder.intern(hex(record.oid, digits)),
              state_number(target, record.state)};
  });
}

Groups ColumnSink::put_file(Target& target, const Foid& foid, FileEntry* file) {
  TableBuilder& builder = target.builder;
  if (file == nullptr) {
    std::array<char, 40> digits;
    builder.set_string(Column::kFileOid, builder.intern(hex(foid, digits)));
    return bit(Group::kFileOid);
  }
  const auto& numbers = file_numbers(target, *file);
  builder.set_string(Column::kFilePath, numbers[0]);
  builder.set_string(Column::kFileName, numbers[1]);
  builder.set_string(Column::kFileDirectory, numbers[2]);
  builder.set_string(Column::kFileType, numbers[3]);
  builder.set_string(Column::kFileOid, numbers[4]);
  return bit(Group::kFileOid) | bit(Group::kFile);
}

Groups ColumnSink::put_joined(Target& target, const Joined& joined) {
  TableBuilder& builder = target.builder;
  if (joined.process == nullptr) {
    if (joined.file == nullptr) return 0;
    builder.set_string(Column::kState, file_numbers(target, *joined.file)[5]);
    return bit(Group::kState);
  }
  const sysflow::Process& record = joined.process->record;
  builder.set_string(Column::kState, state_number(target, record.state));
  Groups groups = bit(Group::kState) | put_process(target, *joined.process) |
                  put_parent_identity(target, *joined.process);
  if (joined.parent != nullptr) groups |= put_parent(target, *joined.parent);
  if (joined.container != nullptr) {
    groups |= put_container(target, *joined.container);
  } else if (record.container_id) {
    builder.set_string(Column::kContainerId, builder.intern(*record.container_id));
    groups |= bit(Group::kContainerId);
  }
  if (joined.pod != nullptr) groups |= put_pod(target, *joined.pod);
  return groups;
}

Groups ColumnSink::put_result(Target& target, int32_t ret, bool is_exit) {
  // The status of a process as wait() returns it: the signal in the lowest seven bits, else a code
  // above them.
  constexpr int32_t kSignalMask = 0x7f;
  constexpr int32_t kCodeMask = 0xff;
  TableBuilder& builder = target.builder;
  const bool failed = ret < 0 && !is_exit;
  builder.set_i32(Column::kRet, ret);
  builder.set_bool(Column::kFailed, failed);
  const std::string_view error = failed ? error_name(-int64_t{ret}) : std::string_view();
  builder.set_string(Column::kError, error.empty() ? kNoString : builder.intern(error));
  // Captures from before 2018 do not contain the status.
  if (!is_exit || ret < 0) return bit(Group::kRet);
  const int32_t signal = ret & kSignalMask;
  builder.set_i32(Column::kSignal, signal);
  if (signal != 0) return bit(Group::kRet) | bit(Group::kSignal);
  builder.set_i32(Column::kExitCode, ret >> 8 & kCodeMask);
  return bit(Group::kRet) | bit(Group::kSignal) | bit(Group::kExit);
}

Groups ColumnSink::put_duration(Target& target, int64_t ts, int64_t end_ts) {
  if (!is_possible_time(ts) || !is_possible_time(end_ts)) return 0;
  target.builder.set_i64(Column::kDuration, end_ts - ts);
  return bit(Group::kDuration);
}

Groups ColumnSink::put_counters(Target& target, const sysflow::Counters& counters) {
  TableBuilder& builder = target.builder;
  builder.set_i64(Column::kFlowRbytes, counters.read_bytes);
  builder.set_i64(Column::kFlowRops, counters.read_ops);
  builder.set_i64(Column::kFlowWbytes, counters.write_bytes);
  builder.set_i64(Column::kFlowWops, counters.write_ops);
  return bit(Group::kFlow);
}

}  // namespace sfkit::output
