#include "sysflow/dispatcher.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/times.h"
#include "event_roles.gen.h"
#include "state/paths.h"
#include "state/values.h"
#include "sysflow/ops.h"

namespace sfkit::sysflow {
namespace {

using scap::P;
using scap::to_int;
using scap::to_text;
using scap::to_uint;
using state::FileShown;
using state::kNoParameter;
namespace ev = scap::ev;

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint32_t kMapAnonymous = 1u << 3;
constexpr int64_t kBadDescriptor = -9;  // -EBADF
constexpr int64_t kSmallestErrno = -4095;
constexpr int64_t kOutOfOrder = 30;  // seconds that event time may go back
constexpr int kMaxRebases = 1000;
constexpr int64_t kEndedRetention = 1;  // seconds that an ended process is kept
constexpr int64_t kRemovalPeriod = 2;   // seconds between removals
constexpr size_t kMaxEnded = 65536;
constexpr uint32_t kRenameExchange = 2;

// The letter of a descriptor type in File.restype; 0 for types without records.
char kind_letter(const state::Descriptor& descriptor, bool compat) {
  switch (descriptor.type) {
    case state::FdType::kFile:
    case state::FdType::kFileV2: return 'f';
    case state::FdType::kDirectory: return 'd';
    case state::FdType::kUnix: return 'u';
    case state::FdType::kFifo: return 'p';
    // libs show userfaultfd as a unix socket.
    case state::FdType::kUserfault: return compat ? 'u' : 0;
    default: return 0;
  }
}

// Whether an event without an operation shows the kind of a file.
bool shows_kind(uint16_t code) {
  return state::kFilesShown[code] != FileShown::kNone;
}

// What a descriptor shows about the kind of its file.
FileKind kind_of(const state::Descriptor& descriptor, bool compat) {
  if (!descriptor.is_file()) return {kind_letter(descriptor, compat), Certainty::kKnown};
  if (descriptor.used_as_directory) return {'d', Certainty::kKnown};
  constexpr char letter = 'f';
  const uint32_t flags = descriptor.open_flags;
  // The path of an unnamed file is its directory.
  if ((flags & state::kOpenTmpfile) != 0) return {letter, Certainty::kGuessed};
  if ((flags & state::kOpenFCreated) != 0) return {letter, Certainty::kKnown};
  const bool excludes_directories = (flags & (state::kOpenWronly | state::kOpenCreate)) != 0;
  return {letter, excludes_directories ? Certainty::kNotDirectory : Certainty::kGuessed};
}

// The letter of a mknod mode; 0 for types without records.
char kind_of_mode(uint64_t mode) {
  constexpr uint64_t kFormat = 0170000;
  switch (mode & kFormat) {
    case 0:
    case 0100000: return 'f';
    case 0010000: return 'p';
    case 0140000: return 'u';
    default: return 0;
  }
}

}  // namespace

void normalize_path(std::string_view path, std::string& out) {
  const bool slash = path.size() > 1 && path.back() == '/';
  out.clear();
  size_t at = 0;
  while (at < path.size()) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view element = path.substr(at, end - at);
    at = end + 1;
    if (element.empty() || element == ".") continue;
    if (element == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      continue;
    }
    out += '/';
    out += element;
  }
  if (out.empty() || slash) out += '/';
}

// ---- time

void Dispatcher::change_second(uint64_t ts) {
  // One damaged timestamp must not end open flows.
  if (!is_possible_time(ts)) return;
  last_valid_ts_ = clock_.ts;
  const int64_t before = clock_.now;
  clock_.now = static_cast<int64_t>(ts / kNanosecondsPerSecond);
  second_start_ = static_cast<uint64_t>(clock_.now) * kNanosecondsPerSecond;
  second_length_ = kNanosecondsPerSecond;
  if (before - clock_.now > kOutOfOrder) rebase();
  tick();
}

void Dispatcher::limit_memory() {
  until_limit_ = kLimitEvery;
  end_removed_threads();
  // The collector keeps files and processes to the end.
  if (options_.compat) return;
  entities_.limit_memory();
  if (ended_.size() >= kMaxEnded) remove_ended(INT64_MIN);
}

void Dispatcher::release_memory(const state::MemoryBudget& budget) {
  forget_unused();
  if (!budget.wants_less()) return;
  flows_ended_early_ += flows_.end_early(budget, state_);
  forget_unused();
}

void Dispatcher::forget_unused() {
  end_removed_threads();
  remove_ended(INT64_MIN);
  entities_.forget_unused([this](ProcessEntity& process) { flows_.leave(process); });
  flows_.trim(state_);
  entities_.trim();
}

// The capture lacks the exit of a thread whose tid was reused, or that an exec replaced. Nothing
// can refer to its process any more.
void Dispatcher::end_removed_threads() {
  if (options_.compat) state_.removed_threads().clear();
  for (const state::ThreadTable::Removed& thread : state_.removed_threads()) {
    const Oid oid{static_cast<int64_t>(thread.clone_ts), thread.pid};
    ProcessEntity* const process = entities_.find(oid);
    if (process == nullptr || process->ended || entities_.has_leader(oid)) continue;
    process->ended = true;
    ended_.push_back({clock_.now, oid});
  }
  state_.removed_threads().clear();
}

// Time went back: an older section follows, or a timestamp was damaged. This walks over all flows,
// so it must not happen for every event.
void Dispatcher::rebase() {
  if (++rebases_ > kMaxRebases) return;
  flows_.rebase(clock_.now);
  last_removal_ = rotated_ = clock_.now;
  for (EndedProcess& entry : ended_) entry.since = clock_.now;
}

void Dispatcher::begin(const Header& header) {
  header_ = header;
  sink_.header(header_);
}

void Dispatcher::tick() {
  flows_.run_timers();
  end_removed_threads();
  if (clock_.now - last_removal_ >= kRemovalPeriod) remove_ended(kEndedRetention);
  if (rotated_ == 0) {
    rotated_ = clock_.now;
    if (options_.sizes != nullptr)
      options_.sizes->start_seconds.store(clock_.now, std::memory_order_relaxed);
  }
  if (options_.rotate_interval > 0 && clock_.now - rotated_ >= options_.rotate_interval) rotate();
  publish_sizes();
}

// Records after a rotation must not depend on earlier ones.
void Dispatcher::rotate() {
  rotated_ = header_.start_seconds = clock_.now;
  if (options_.name_file) header_.filename = options_.name_file(clock_.now);
  entities_.start_epoch();
  sink_.header(header_);
}

void Dispatcher::publish_sizes() {
  if (options_.sizes == nullptr) return;
  const auto store = [](std::atomic<uint64_t>& to, uint64_t size) {
    to.store(size, std::memory_order_relaxed);
  };
  TableSizes& sizes = *options_.sizes;
  store(sizes.containers, entities_.containers());
  store(sizes.processes, entities_.processes());
  store(sizes.files, entities_.files());
  store(sizes.network_flows, flows_.network_flows());
  store(sizes.file_flows, flows_.file_flows());
  store(sizes.process_flows, flows_.process_flows());
}

void Dispatcher::remove_ended(int64_t keep) {
  const auto kept = std::stable_partition(
      ended_.begin(), ended_.end(),
      [this, keep](const EndedProcess& entry) { return clock_.now - entry.since < keep; });
  for (auto at = kept; at != ended_.end(); ++at) {
    ProcessEntity* process = entities_.find(at->oid);
    if (process == nullptr || !process->ended) continue;
    // Late events may have started flows; write them before the process goes.
    if (!options_.compat) {
      flows_.end_process(*process);
      flows_.end_thread_flow(*process);
    }
    entities_.erase(*process);
  }
  ended_.erase(kept, ended_.end());
  last_removal_ = clock_.now;
}

void Dispatcher::finish() {
  publish_sizes();
  flows_.finish(last_valid_ts_);
  sink_.finish();
}

void Dispatcher::on_kubernetes(const state::Context& context, bool is_shown) {
  const state::KubernetesChange& change = *context.kubernetes;
  entities_.follow(change);
  if (!is_shown) return;
  K8sEvent record;
  record.kind = change.kind;
  record.action = change.action;
  record.ts = clock_.ts;
  record.message = to_text(context.event->param(P::json));
  sink_.k8s_event(record);
}

// ---- routing

bool Dispatcher::needs_dispatch(uint16_t code, bool compat) {
  // In compat mode, enter events set the argument of a setuid.
  return compat || op_of(code, compat) != 0 || shows_kind(code);
}

std::array<uint32_t, scap::kEventCount> Dispatcher::simple_ops(bool compat) {
  std::array<uint32_t, scap::kEventCount> ops{};
  if (compat) return ops;
  for (uint16_t code = 0; code < scap::kEventCount; ++code) {
    const uint32_t op = op_of(code, compat);
    if (op != kOpTransfer) ops[code] = op;
  }
  return ops;
}

void Dispatcher::dispatch_special(const state::Context& context) {
  const scap::EventView& event = *context.event;
  uint32_t op = op_of(event.code, options_.compat);
  if (options_.compat) {
    // The collector remembers the argument of the last setuid of any thread.
    if (event.code == ev::SYSCALL_SETUID_E && context.thread != nullptr) {
      last_setuid_ = entities_.user_argument(
          *context.thread, static_cast<uint32_t>(to_uint(event.param(0), state::kNoId)));
    } else if (event.code == ev::SYSCALL_SETRESUID_E) {
      last_setuid_.clear();
    }
    // It counts mmap enter events; captures without them have the exit only.
    if (op == kOpMmap && context.call != nullptr && context.call->paired()) op = 0;
  }
  if (op == 0 && shows_kind(event.code)) learn_kind(context);
  if (context.thread == nullptr) return;
  if (state_.has_effects()) take_effects(context, true);
  if (op == 0) return;
  each_operation(context, op,
                 [this](const state::Context& part, uint32_t part_op) { dispatch(part, part_op); });
}

void Dispatcher::dispatch(const state::Context& context, uint32_t op) {
  if (context.thread == nullptr) return;
  if (options_.containers_only && context.thread->container == 0) {
    ++counts_.outside_containers;
    return;
  }
  if ((op & kProcessOps) != 0) {
    on_process(context, op);
  } else {
    on_data(context, op);
  }
}

// Earlier activity belongs to the old identity, so its flows are written first. (The collector
// reports them under the new one.)
void Dispatcher::change_identity(ProcessEntity& process, state::Thread& thread, bool succeeded) {
  if (succeeded && !options_.compat) flows_.export_process(process);
  entities_.write_modified(process, thread, clock_.ts);
}

// Writes a process that changed without an event record, such as its working directory. Readers
// join flows with the latest process record, so after a change of identity the old flows are
// written first.
void Dispatcher::refresh(ProcessEntity& process, state::Thread& thread) {
  const EntityStore::Difference difference = entities_.compare(process, thread);
  if (difference == EntityStore::Difference::kNone) return;
  if (difference == EntityStore::Difference::kIdentity) flows_.export_process(process);
  entities_.write_modified(process, thread, clock_.ts);
}

ProcessEntity& Dispatcher::fetch(state::Thread& thread, ObjectState state) {
  const EntityStore::Fetched fetched = entities_.process(thread, state, clock_.ts);
  refresh_fetched(fetched, thread);
  return *fetched.process;
}

void Dispatcher::refresh_fetched(const EntityStore::Fetched& fetched, state::Thread& thread) {
  if (fetched.is_outdated) refresh(*fetched.process, thread);
  if (fetched.created && !options_.compat) refresh_parent(thread);
}

// Rows show a process with its parent.
void Dispatcher::refresh_parent(state::Thread& thread) {
  state::Thread* const parent = entities_.parent_of(thread.process_thread());
  if (parent == nullptr) return;
  ProcessEntity* const process = entities_.find_process(*parent);
  if (process != nullptr && entities_.is_outdated(*process, *parent)) refresh(*process, *parent);
}

// Ends flows on descriptors that something other than close closed (a close is itself an operation
// of its flow), and updates files that turned out to be directories.
void Dispatcher::take_effects(const state::Context& context, bool is_shown) {
  for (const state::Descriptor* const directory : state_.new_directories())
    learn_kind(*context.thread, directory->name, {'d', Certainty::kKnown});
  if (state_.closed().empty()) return;
  ProcessEntity* const process = entities_.find_process(*context.thread);
  for (const state::Closed& closed : state_.closed())
    flows_.end_closed(process, *context.thread, closed, is_shown);
}

// (Not for --compat: the collector never sees excluded events.)
void Dispatcher::follow_excluded(const state::Context& context) {
  if (context.thread == nullptr) return;
  learn_names(context);
  take_effects(context, false);
  const uint32_t op = op_of(context.event->code, options_.compat);
  if ((op & (kOpExec | kOpSetuid | kOpExit | kOpClose)) == 0) return;
  state::Thread& thread = *context.thread;
  ProcessEntity* const process = entities_.find_process(thread);
  if (process == nullptr) return;
  if (op == kOpClose) {
    if (context.slot == nullptr) return;
    flows_.end_closed(
        process, thread,
        {thread.table(), context.fd, context.fd, state::Closing::kUnseen, context.slot->flow},
        false);
    return;
  }
  if (op != kOpExit) {
    if (result_of(context) == 0) change_identity(*process, thread, true);
    return;
  }
  if (ends_process(thread)) {
    end_process(*process);
  } else if (represents_process(thread) || !options_.process_flow) {
    flows_.end_thread(*process, thread.tid);
  }
}

void Dispatcher::end_process(ProcessEntity& process) {
  flows_.end_thread_flow(process);
  flows_.end_process(process);
  process.ended = true;
  ended_.push_back({clock_.now, process.record.oid});
}

// Whether the process ends when the thread exits. (In the collector it ends with its leader.)
bool Dispatcher::ends_process(const state::Thread& thread) const {
  if (options_.compat || thread.group == nullptr) return represents_process(thread);
  const state::Thread* const leader = thread.group->leader;
  return thread.group->alive == 0 && (leader == nullptr || leader->dead);
}

// A thread that the capture never introduced counts as a process.
bool Dispatcher::represents_process(const state::Thread& thread) const {
  return thread.is_leader() || (!options_.compat && thread.is_invalid());
}

void Dispatcher::learn_kind(const state::Context& context) {
  if (options_.compat || context.call == nullptr || context.thread == nullptr) return;
  const scap::CallView& call = *context.call;
  state::Thread& thread = *context.thread;
  FileKind kind{0, Certainty::kKnown};
  const uint16_t code = context.event->code;
  switch (state::kFilesShown[code]) {
    case FileShown::kNode: {
      const state::PathParameters& paths = *state::paths_of(code);
      kind.letter = kind_of_mode(to_uint(call.get(P::mode), 0));
      absolute_path(context, paths.path, paths.directory, path1_);
      break;
    }
    case FileShown::kDirectory:
      kind.letter = 'd';
      if (const state::WorkingDirectory* const directory = thread.directory())
        path1_ = directory->path();
      break;
    case FileShown::kSocket:
      if (context.slot == nullptr || context.slot->descriptor->type != state::FdType::kUnix) return;
      kind.letter = 'u';
      path1_ = context.slot->descriptor->name;
      break;
    case FileShown::kNone: return;
  }
  if (call.result() >= 0 && kind.letter != 0) learn_kind(thread, path1_, kind);
}

void Dispatcher::learn_kind(state::Thread& thread, std::string_view path, FileKind kind) {
  const bool is_wanted = !options_.containers_only || thread.container != 0;
  if (is_wanted && options_.mode != Mode::kNoFiles && state::is_absolute(path))
    entities_.learn_kind(thread, path, kind, clock_.ts);
}

// ---- processes

std::string Dispatcher::setuid_arguments(const state::Context& context) {
  const scap::CallView& call = *context.call;
  if (options_.compat) {
    if (call.paired()) return last_setuid_;
    return call.exit().code == ev::SYSCALL_SETUID_X
               ? entities_.user_argument(
                     *context.thread,
                     static_cast<uint32_t>(to_uint(call.from_exit(P::uid), state::kNoId)))
               : std::string();
  }
  if (call.exit().code == ev::SYSCALL_SETUID_X) {
    const auto uid = static_cast<uint32_t>(to_uint(call.get(P::uid), state::kNoId));
    if (uid != state::kNoId) event_.user_id = uid;
    return entities_.user_argument(*context.thread, uid);
  }
  std::string text;
  for (const P name : {P::ruid, P::euid, P::suid}) {
    const Bytes value = call.get(name);
    if (value.empty()) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(to_int(value, -1));
  }
  return text;
}

void Dispatcher::write_event(const state::Context& context, const ProcessEntity& process,
                             uint32_t op, int64_t result) {
  event_.proc_oid = process.record.oid;
  event_.ts = clock_.ts;
  event_.tid = context.thread->tid;
  event_.op_flags = op;
  event_.args.clear();
  event_.user_id.reset();
  if (op == kOpSetuid) event_.args.push_back(setuid_arguments(context));
  event_.ret = static_cast<int32_t>(result);
  sink_.process_event(event_);
}

void Dispatcher::on_process(const state::Context& context, uint32_t op) {
  state::Thread& thread = *context.thread;
  const bool is_process = represents_process(thread);
  const bool ends = op == kOpExit && ends_process(thread);
  const int64_t result = result_of(context);

  if (options_.process_flow && op == kOpClone) {
    const auto flags = to_uint(context.event->param(P::flags), 0);
    const bool new_process =
        (is_process && result == 0) || (result > 0 && (flags & state::kCloneThread) == 0);
    if (!new_process) {
      flows_.thread_cloned(process_of(thread, ObjectState::kReup), result);
      return;
    }
  }
  if (options_.process_flow && op == kOpExit) {
    ProcessEntity& process = process_of(thread, ObjectState::kReup);
    if (!is_process) {
      flows_.thread_exited(process);
      if (ends) end_process(process);
      return;
    }
    if (ends) flows_.end_thread_flow(process);
  }

  const bool makes = op == kOpClone || op == kOpExec;
  const ObjectState state = makes ? ObjectState::kCreated : ObjectState::kReup;
  const EntityStore::Fetched fetched = entities_.process(thread, state, clock_.ts);
  ProcessEntity& process = *fetched.process;
  if ((op == kOpExec || op == kOpSetuid) && !fetched.created) {
    change_identity(process, thread, result == 0);
  } else {
    refresh_fetched(fetched, thread);
  }
  entities_.update_facts(process, thread);
  if (op == kOpExec) process.ended = false;
  if (ends) {
    flows_.end_process(process);
  } else if (op == kOpExit) {
    flows_.end_thread(process, thread.tid);
  }
  write_event(context, process, op, result);
  if (ends) {
    process.ended = true;
    ended_.push_back({clock_.now, process.record.oid});
  }
}

// ---- files and connections

void Dispatcher::on_data(const state::Context& context, uint32_t op) {
  const bool file_event = (op & kFileEventOps) != 0;
  if (file_event && options_.mode == Mode::kNoFiles) return;
  if (file_event) {
    on_file_event(context, op);
    return;
  }
  if (op == kOpMmap) {
    const Bytes flags =
        context.call != nullptr ? context.call->get(P::flags) : context.event->param(P::flags);
    if ((to_uint(flags, 0) & kMapAnonymous) != 0 && context.slot == nullptr) return;
    if (!options_.compat) {
      const int64_t result = result_of(context);
      if (result < 0 && result >= kSmallestErrno) return;
    }
  }
  if (context.slot == nullptr) {
    // A failed open makes no descriptor, and EBADF means there is none.
    const int64_t result = result_of(context);
    const bool makes_one = op == kOpOpen || op == kOpAccept;
    if (result != kBadDescriptor && !(makes_one && result < 0)) ++counts_.unknown_descriptor;
    return;
  }
  const state::Descriptor& descriptor = *context.slot->descriptor;
  if (descriptor.is_ip_socket()) {
    if (descriptor.type == state::FdType::kIpv6 && options_.compat) {
      ++counts_.ipv6;
      return;
    }
    learn_names(context);
    // The call removed the peer (AF_UNSPEC) or had no address.
    if (op == kOpConnect && !descriptor.has_address() && !options_.compat) return;
    on_flow(context, op, true);
    return;
  }
  if (options_.mode == Mode::kNoFiles) return;
  if (options_.mode == Mode::kConsumer && op != kOpOpen) return;
  const char kind = kind_letter(descriptor, options_.compat);
  if (kind == 0 || (options_.file_only && kind != 'f')) {
    ++counts_.other_descriptor;
    return;
  }
  on_flow(context, op, false);
}

// The collector knows no names.
void Dispatcher::learn_names(const state::Context& context) {
  if (options_.compat || context.slot == nullptr) return;
  const state::Descriptor& descriptor = *context.slot->descriptor;
  if (descriptor.is_ip_socket() && DnsNames::is_dns(descriptor)) flows_.names().read(context);
}

void Dispatcher::on_flow(const state::Context& context, uint32_t op, bool network) {
  state::Thread& thread = *context.thread;
  ProcessEntity& process = process_of(thread, ObjectState::kReup);
  state::Descriptor& descriptor = *context.slot->descriptor.get();
  FlowTarget target;
  target.network = network;
  target.descriptor = &descriptor;
  target.tid = thread.tid;
  target.fd = context.fd;
  target.thread = &thread;
  if (!network) {
    if (descriptor.file == nullptr || descriptor.file_container != thread.container ||
        descriptor.file_generation != entities_.file_generation()) {
      // Unnamed pipes differ by inode; libs 0.18.1 treats them as one file per container.
      const std::string_view name = options_.compat ? std::string_view(descriptor.name)
                                                    : state::identity_of(descriptor, text_);
      descriptor.file = entities_.file(thread, name, kind_of(descriptor, options_.compat),
                                       ObjectState::kReup, clock_.ts);
      descriptor.file_container = thread.container;
      descriptor.file_generation = entities_.file_generation();
    }
    target.file = static_cast<FileEntity*>(descriptor.file);
    entities_.ensure_written(*target.file);
    if (options_.mode == Mode::kConsumer) {
      write_open(context, process, *target.file);
      return;
    }
  }
  flows_.operate(process, target, op, result_of(context), descriptor.open_flags, *context.slot);
}

void Dispatcher::write_open(const state::Context& context, const ProcessEntity& process,
                            const FileEntity& file) {
  FileFlow record;
  record.proc_oid = process.record.oid;
  record.ts = record.end_ts = clock_.ts;
  record.tid = context.thread->tid;
  record.op_flags = kOpOpen;
  record.open_flags = static_cast<int32_t>(context.slot->descriptor->open_flags);
  record.file_oid = file.record.oid;
  record.fd = static_cast<int32_t>(context.fd);
  flows_.write_untracked(record);
}

// ---- file events

std::string_view Dispatcher::path_text(Bytes value) {
  // The collector keeps printable ASCII only.
  text_.clear();
  for (const char c : to_text(value)) {
    if (c >= 0x20 && c < 0x7f) text_ += c;
  }
  return text_;
}

void Dispatcher::absolute_path(const state::Context& context, P path, P directory,
                               std::string& out) {
  const scap::CallView& call = *context.call;
  if (!options_.compat) {
    const Bytes value = state_.path_argument(call, path);
    if (state::has_path(value) && to_text(value).empty() && call.result() < 0) {
      out.clear();  // an empty path names nothing
      return;
    }
    const Bytes dirfd = directory == kNoParameter ? Bytes() : call.get(directory);
    state_.resolve(*context.thread, to_int(dirfd, state::kAtFdcwd), value, out);
    return;
  }
  // The collector reads exit events only, so older events have no paths.
  const std::string_view text = path_text(call.from_exit(path));
  if (text.starts_with('/')) {
    normalize_path(text, out);
    return;
  }
  const int64_t dirfd = directory == kNoParameter
                            ? state::kAtFdcwd
                            : to_int(call.from_exit(directory), state::kAtFdcwd);
  const auto base = state_.directory_of(*context.thread, dirfd);
  if (!base) {
    out = text;
    return;
  }
  std::string joined(*base);
  while (!joined.empty() && joined.back() == '/') joined.pop_back();
  joined += '/';
  joined += text;
  if (joined.front() == '/') {
    normalize_path(joined, out);
  } else {
    out = joined;
  }
}

void Dispatcher::link_target(const state::Context& context, const state::PathParameters& paths) {
  const scap::CallView& call = *context.call;
  const bool at_call = paths.directory != kNoParameter;
  if (!options_.compat) {
    const int64_t dirfd =
        at_call ? to_int(call.get(paths.directory), state::kAtFdcwd) : state::kAtFdcwd;
    state_.resolve_link_target(*context.thread, dirfd, state_.path_argument(call, paths.path),
                               state_.path_argument(call, paths.second), path1_);
  } else if (at_call) {
    path1_ = path_text(call.from_exit(paths.second));
  } else {
    absolute_path(context, paths.second, kNoParameter, path1_);
  }
}

FileEntity* Dispatcher::file_of_event(const state::Context& context, uint32_t op) {
  const bool is_directory = op == kOpMkdir || op == kOpRmdir;
  const bool succeeded = result_of(context) >= 0;
  FileKind kind;
  if (is_directory) kind = {'d', succeeded ? Certainty::kKnown : Certainty::kNone};
  FileEntity* const file =
      entities_.file(*context.thread, path1_, kind, ObjectState::kCreated, clock_.ts);
  // A file created at this path after a removal is a different one.
  if (succeeded && op != kOpMkdir) file->certainty = Certainty::kNone;
  return file;
}

std::pair<FileEntity*, FileEntity*> Dispatcher::files_of_event(const state::Context& context,
                                                               uint32_t op) {
  state::Thread& thread = *context.thread;
  FileKind kind;
  if (context.renamed_directory) kind = {'d', Certainty::kKnown};
  FileEntity* const first = entities_.file(thread, path1_, kind, ObjectState::kReup, clock_.ts);
  const bool succeeded = result_of(context) >= 0 && !options_.compat;
  const FileKind first_kind{static_cast<char>(first->record.restype), first->certainty};
  const bool exchanges =
      op == kOpRename && (to_uint(context.call->get(P::flags), 0) & kRenameExchange) != 0;
  FileKind new_kind;
  if (succeeded && !exchanges && op != kOpSymlink && first_kind.letter != '?') {
    new_kind = {first_kind.letter, Certainty::kKnown};
  } else if (succeeded && op == kOpSymlink) {
    new_kind.certainty = Certainty::kKnown;  // neither file nor directory
  }
  FileEntity* const second =
      entities_.file(thread, path2_, new_kind, ObjectState::kCreated, clock_.ts);
  if (!succeeded) return {first, second};
  if (exchanges) {
    const FileKind second_kind{static_cast<char>(second->record.restype), second->certainty};
    entities_.learn_kind(*first, {second_kind.letter, Certainty::kKnown}, clock_.ts);
    entities_.learn_kind(*second, {first_kind.letter, Certainty::kKnown}, clock_.ts);
    first->certainty = second_kind.certainty;
    second->certainty = first_kind.certainty;
    return {first, second};
  }
  second->certainty = op == kOpSymlink ? Certainty::kNone : first_kind.certainty;
  if (op == kOpRename) first->certainty = Certainty::kNone;
  return {first, second};
}

// Writes the paths of a file event to path1_ and, for calls with two paths, path2_.
void Dispatcher::read_paths(const state::Context& context, uint32_t op) {
  const state::PathParameters& paths = *state::paths_of(context.event->code);
  switch (op) {
    case kOpSymlink:
      link_target(context, paths);
      absolute_path(context, paths.path, paths.directory, path2_);
      break;
    case kOpLink:
      // The record has the existing file first.
      absolute_path(context, paths.second, paths.second_directory, path1_);
      absolute_path(context, paths.path, paths.directory, path2_);
      break;
    case kOpRename:
      absolute_path(context, paths.path, paths.directory, path1_);
      absolute_path(context, paths.second, paths.second_directory, path2_);
      break;
    default: absolute_path(context, paths.path, paths.directory, path1_); break;
  }
}

// With a directory descriptor, libs 0.18.1 shows the directory for two calls. Returns nullptr for
// others.
const state::FdSlot* Dispatcher::shown_directory(const state::Context& context) const {
  const uint16_t code = context.event->code;
  if (!options_.compat || (code != ev::SYSCALL_MKDIRAT_X && code != ev::SYSCALL_UNLINKAT_2_X))
    return nullptr;
  const state::DescriptorTable* const table = context.thread->table();
  return table == nullptr ? nullptr : table->find(to_int(context.call->from_exit(P::dirfd), -1));
}

void Dispatcher::on_file_event(const state::Context& context, uint32_t op) {
  state::Thread& thread = *context.thread;
  // The collector ignores AT_REMOVEDIR.
  if (op == kOpUnlink && !options_.compat && state::removes_directory(*context.call)) op = kOpRmdir;
  const state::FdSlot* const directory_slot = shown_directory(context);
  ProcessEntity& process = process_of(thread, ObjectState::kReup);
  read_paths(context, op);

  const FileEntity* first = nullptr;
  const FileEntity* second = nullptr;
  if (op == kOpSymlink || op == kOpLink || op == kOpRename) {
    std::tie(first, second) = files_of_event(context, op);
  } else if (directory_slot != nullptr) {
    FileKind kind = kind_of(*directory_slot->descriptor, true);
    if (kind.letter == 0) kind.letter = FileKind().letter;
    first = entities_.file(thread, directory_slot->descriptor->name, kind, ObjectState::kCreated,
                           clock_.ts);
  } else {
    first = file_of_event(context, op);
  }

  FileEvent record;
  record.proc_oid = process.record.oid;
  record.ts = clock_.ts;
  record.tid = thread.tid;
  record.op_flags = op;
  record.file_oid = first->record.oid;
  record.ret = static_cast<int32_t>(result_of(context));
  if (second != nullptr) record.new_file_oid = second->record.oid;
  sink_.file_event(record);
}

}  // namespace sfkit::sysflow
