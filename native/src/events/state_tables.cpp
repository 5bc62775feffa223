#include "events/state_tables.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/ip_text.h"
#include "base/times.h"
#include "events/table_feed.h"
#include "state/addresses.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using output::Column;
using output::Table;
using state::Connection;
using state::Descriptor;
using state::DescriptorTable;
using state::FdType;
using state::Thread;
using Wanted = FieldRows::Wanted;

// As in records: a thread that the capture never introduced counts as a process of its own.
int64_t pid_of(const Thread& thread) {
  return thread.pid < 0 ? thread.tid : thread.pid;
}

// Whether the thread stands for its process: the main thread, also after its own end, as long as
// other threads live. A process of unknown main thread is represented by its oldest thread.
bool represents_process(const Thread& thread) {
  if (thread.pid < 0) return !thread.dead;
  if (thread.group == nullptr) return thread.is_leader() && !thread.dead;
  if (thread.group->alive == 0) return false;
  return thread.group->leader != nullptr ? thread.group->leader == &thread
                                         : thread.group->first == &thread;
}

std::string_view protocol_of(const Descriptor& descriptor) {
  switch (descriptor.l4) {
    case state::L4::kTcp: return "tcp";
    case state::L4::kUdp: return "udp";
    case state::L4::kIcmp: return "icmp";
    case state::L4::kRaw: return "raw";
    default: return {};
  }
}

bool is_ipv6(const Descriptor& descriptor) {
  return descriptor.type == FdType::kIpv6 || descriptor.type == FdType::kIpv6Server;
}

bool is_socket(const Descriptor& descriptor) {
  return descriptor.is_ip() || descriptor.type == FdType::kUnix ||
         descriptor.type == FdType::kNetlink;
}

std::string_view family_of(const Descriptor& descriptor) {
  if (descriptor.type == FdType::kUnix) return "unix";
  if (descriptor.type == FdType::kNetlink) return "netlink";
  return is_ipv6(descriptor) ? "ipv6" : "ipv4";
}

// "" if the capture does not show it.
std::string_view state_of(const Descriptor& descriptor) {
  switch (descriptor.connection) {
    case Connection::kConnected: return "connected";
    case Connection::kPending: return "connecting";
    case Connection::kAttempted: return "failed";
    case Connection::kNone: break;
  }
  // The state does not follow listen(): a bound TCP socket counts as listening.
  if (descriptor.is_ip_server()) return descriptor.l4 == state::L4::kTcp ? "listening" : "bound";
  if (descriptor.is_socketpair) return "connected";
  if (descriptor.bound_type != FdType::kUnknown) return "bound";
  if (!descriptor.is_listed) return "unconnected";
  const bool has_peer =
      descriptor.is_ip_socket() && state::destination_of(descriptor) != state::Endpoint();
  return has_peer ? "connected" : std::string_view();
}

std::string_view role_of(const Descriptor& descriptor) {
  switch (descriptor.role) {
    case state::Role::kClient: return "client";
    case state::Role::kServer: return "server";
    case state::Role::kNone: return {};
  }
  return {};
}

std::string_view access_of(const Descriptor& descriptor) {
  if (!descriptor.is_file() && descriptor.type != FdType::kDirectory) return {};
  constexpr std::string_view kAccess[] = {"", "r", "w", "rw"};
  return kAccess[descriptor.open_flags & 3];
}

struct Ends {
  state::Endpoint local;
  state::Endpoint remote;
};

// A server has the ends in the order of its client.
Ends ends_of(const Descriptor& descriptor) {
  const state::Endpoint source = state::source_of(descriptor);
  const state::Endpoint destination = state::destination_of(descriptor);
  if (descriptor.is_ip_server()) return {source, {}};
  if (descriptor.role == state::Role::kServer) return {destination, source};
  return {source, destination};
}

class StateAt : public filter::Feed {
 public:
  StateAt(Table table, const std::vector<Moment>& moments, FieldRows& rows,
          const std::atomic<bool>& cancel, uint64_t max_descriptors)
      : Feed(nullptr, false, cancel),
        table_(table),
        rows_(rows),
        max_descriptors_(max_descriptors) {
    for (const Moment& moment : moments)
      pending_.push_back({moment, static_cast<int32_t>(pending_.size())});
  }

  // Adds the rows of moments that no event is later than.
  void finish() {
    if (!has_times_) set_times(0);
    while (next_ < pending_.size() && wants_more_) add_next(times().last());
    if (wants_more_) rows_.flush();
  }
  uint64_t cut_tables() const { return cut_tables_; }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    // Metaevents, and events that only describe the state, have no time of their own.
    const bool has_time = event.info().kind != scap::EventKind::kMetaevent && event.ts != 0 &&
                          is_possible_time(event.ts) && shown;
    if (has_time) {
      if (!has_times_) set_times(event.ts);
      while (next_ < pending_.size() && event.ts > pending_[next_].due && wants_more_)
        add_next(event.ts);
      if (next_ == pending_.size() || !wants_more_) return false;
    }
    reader().next_event(event);
    engine().apply(event, [](const state::Context&) {});
    return true;
  }

 private:
  struct Pending {
    Moment moment;
    int32_t number;
    uint64_t due = 0;  // the first event that is later makes the rows
  };

  // `first`: the time of the first event, 0 without events.
  void set_times(uint64_t first) {
    has_times_ = true;
    for (Pending& pending : pending_) {
      const uint64_t value = pending.moment.value;
      switch (pending.moment.kind) {
        case Moment::Kind::kStart: pending.due = 0; break;
        case Moment::Kind::kEnd: pending.due = UINT64_MAX; break;
        case Moment::Kind::kTime: pending.due = value; break;
        case Moment::Kind::kRelative:
          pending.due = first > UINT64_MAX - value ? UINT64_MAX : first + value;
      }
    }
    std::stable_sort(pending_.begin(), pending_.end(),
                     [](const Pending& a, const Pending& b) { return a.due < b.due; });
  }

  // `now`: the time of the next event, or of the last one at the end.
  void add_next(uint64_t now) {
    const Pending& pending = pending_[next_++];
    const bool is_named = pending.moment.kind == Moment::Kind::kStart || pending.due == UINT64_MAX;
    moment_ = is_named ? now : pending.due;
    number_ = pending.number;
    // An event without effect: it removes what the last event ended.
    scap::EventView nothing;
    nothing.code = scap::ev::DROP_E;
    nothing.tid = -1;
    engine().apply(nothing, [](const state::Context&) {});
    if (table_ == Table::kProcessesAt || table_ == Table::kThreadsAt) {
      add_threads();
    } else {
      add_descriptors();
    }
  }

  void add_threads() {
    std::vector<std::pair<int64_t, int64_t>> chosen;  // pid, tid
    engine().threads().for_each([&](const Thread& thread) {
      const bool is_shown =
          table_ == Table::kProcessesAt ? represents_process(thread) : !thread.dead;
      if (is_shown) chosen.emplace_back(pid_of(thread), thread.tid);
    });
    std::sort(chosen.begin(), chosen.end());
    for (const auto& [pid, tid] : chosen) {
      look_at(engine().find_thread(tid));
      if (!add()) return;
    }
  }

  // A table that threads of one process share is shown once.
  void add_descriptors() {
    struct Holder {
      int64_t pid;
      DescriptorTable* table;
      bool is_other;  // not the thread that stands for the process
      int64_t tid;
    };
    std::vector<Holder> holders;
    engine().threads().for_each([&](const Thread& seen) {
      Thread* const thread = engine().find_thread(seen.tid);
      const bool stands_for_it = represents_process(*thread);
      if (thread->dead && !stands_for_it) return;
      if (DescriptorTable* const table = thread->table())
        holders.push_back({pid_of(*thread), table, !stands_for_it, thread->tid});
    });
    std::sort(holders.begin(), holders.end(), [](const Holder& a, const Holder& b) {
      return std::tie(a.pid, a.table, a.is_other, a.tid) <
             std::tie(b.pid, b.table, b.is_other, b.tid);
    });
    const auto same = [](const Holder& a, const Holder& b) {
      return a.pid == b.pid && a.table == b.table;
    };
    holders.erase(std::unique(holders.begin(), holders.end(), same), holders.end());
    std::sort(holders.begin(), holders.end(), [](const Holder& a, const Holder& b) {
      return std::tie(a.pid, a.tid) < std::tie(b.pid, b.tid);
    });
    uint64_t left = max_descriptors_;
    for (const Holder& holder : holders) {
      if (!wants_more_) return;
      if (left == 0) {
        ++cut_tables_;
        continue;
      }
      look_at(engine().find_thread(holder.tid));
      bool is_cut = false;
      holder.table->for_each([&](int64_t fd, const Descriptor& descriptor, bool closes_on_exec) {
        if (left == 0) {
          is_cut = true;
          return;
        }
        --left;
        if (!wants_more_ || (table_ == Table::kSocketsAt && !is_socket(descriptor))) return;
        fd_ = fd;
        descriptor_ = &descriptor;
        ends_ = descriptor.is_ip() ? ends_of(descriptor) : Ends();
        closes_on_exec_ = closes_on_exec;
        (void)add();
      });
      if (is_cut) ++cut_tables_;
    }
  }

  void look_at(Thread* thread) {
    // Stands for an event of the thread at that moment, without parameters.
    event_.ts = moment_;
    event_.tid = thread->tid;
    context_ = {};
    context_.event = &event_;
    context_.thread = thread;
    reader().set_context(context_);
  }

  bool add() {
    wants_more_ = rows_.add([this](const Wanted& wanted) { return put(wanted); });
    return wants_more_;
  }

  bool put(const Wanted& wanted) {
    const Thread& thread = *context_.thread;
    switch (wanted.column) {
      case Column::kProcessesAtMomentUts:
      case Column::kThreadsAtMomentUts:
      case Column::kDescriptorsAtMomentUts:
      case Column::kSocketsAtMomentUts:
        return moment_ == 0 ? rows_.missing(wanted)
                            : rows_.number(wanted, static_cast<int64_t>(moment_));
      case Column::kProcessesAtMomentNumber:
      case Column::kThreadsAtMomentNumber:
      case Column::kDescriptorsAtMomentNumber:
      case Column::kSocketsAtMomentNumber: return rows_.small_number(wanted, number_);
      case Column::kProcessesAtContainerId:
      case Column::kProcessesAtContainerName:
      case Column::kThreadsAtContainerId:
      case Column::kThreadsAtContainerName:
      case Column::kDescriptorsAtContainerId:
      case Column::kDescriptorsAtContainerName:
      case Column::kSocketsAtContainerId:
      case Column::kSocketsAtContainerName:
        if (thread.container == 0) return rows_.missing(wanted);
        break;
      case Column::kProcessesAtUid:
      case Column::kProcessesAtUser:
      case Column::kThreadsAtUid:
      case Column::kThreadsAtUser:
      case Column::kDescriptorsAtUid:
      case Column::kDescriptorsAtUser:
      case Column::kSocketsAtUid:
      case Column::kSocketsAtUser:
        if (thread.uid == state::kNoId) return rows_.missing(wanted);
        break;
      case Column::kProcessesAtGid:
      case Column::kProcessesAtGroupName:
      case Column::kThreadsAtGid:
      case Column::kThreadsAtGroupName:
        if (thread.gid == state::kNoId) return rows_.missing(wanted);
        break;
      case Column::kProcessesAtLoginuid:
      case Column::kThreadsAtLoginuid:
        if (thread.loginuid == state::kNoId) return rows_.missing(wanted);
        break;
      case Column::kThreadsAtIsMain:
        return rows_.truth(wanted, thread.pid < 0 || thread.is_leader());
      case Column::kProcessesAtRoot: {
        const std::string_view root = thread.process_thread().root;
        return root.size() <= 1 ? rows_.missing(wanted) : rows_.text(wanted, root);
      }
      case Column::kProcessesAtDescriptorLimit: {
        const int64_t limit = thread.process_thread().fdlimit;
        return limit < 0 ? rows_.missing(wanted) : rows_.number(wanted, limit);
      }
      // Without a size the capture counts none of these.
      case Column::kProcessesAtVmSize:
      case Column::kProcessesAtVmRss:
      case Column::kProcessesAtVmSwap:
      case Column::kProcessesAtMajorFaults:
      case Column::kProcessesAtMinorFaults:
        if (thread.process_thread().memory.size_kb == 0) return rows_.missing(wanted);
        break;
      default:
        if (descriptor_ != nullptr && !wanted.has_field)
          return put_descriptor(wanted, *descriptor_);
        break;
    }
    return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field))
                            : rows_.missing(wanted);
  }

  bool put_descriptor(const Wanted& wanted, const Descriptor& descriptor) {
    switch (wanted.column) {
      case Column::kDescriptorsAtFd:
      case Column::kSocketsAtFd: return rows_.number(wanted, fd_);
      case Column::kDescriptorsAtType:
        return known_text(wanted, fields::type_name(descriptor.type));
      case Column::kDescriptorsAtName:
        text_.clear();
        fields::append_descriptor_name(text_, descriptor);
        return known_text(wanted, text_);
      case Column::kDescriptorsAtAccess: return known_text(wanted, access_of(descriptor));
      case Column::kDescriptorsAtFlags: {
        const uint32_t mark = closes_on_exec_ ? state::kOpenCloexec : 0;
        const uint32_t flags = (descriptor.open_flags & ~state::kOpenCloexec) | mark;
        text_.clear();
        if (flags != 0) fields::append_open_flags(text_, flags);
        return known_text(wanted, text_);
      }
      case Column::kDescriptorsAtCloseOnExec: return rows_.truth(wanted, closes_on_exec_);
      case Column::kDescriptorsAtListed: return rows_.truth(wanted, descriptor.is_listed);
      case Column::kDescriptorsAtDevice: return known_number(wanted, descriptor.device);
      case Column::kDescriptorsAtInode:
      case Column::kSocketsAtInode: return known_number(wanted, descriptor.inode);
      case Column::kDescriptorsAtProtocol:
      case Column::kSocketsAtProtocol:
        return known_text(wanted,
                          descriptor.is_ip() ? protocol_of(descriptor) : std::string_view());
      case Column::kDescriptorsAtLocalIp:
      case Column::kSocketsAtLocalIp: return address(wanted, ends_.local);
      case Column::kDescriptorsAtLocalPort:
      case Column::kSocketsAtLocalPort: return known_number(wanted, ends_.local.port);
      case Column::kDescriptorsAtRemoteIp:
      case Column::kSocketsAtRemoteIp: return address(wanted, ends_.remote);
      case Column::kDescriptorsAtRemotePort:
      case Column::kSocketsAtRemotePort: return known_number(wanted, ends_.remote.port);
      case Column::kSocketsAtFamily: return rows_.text(wanted, family_of(descriptor));
      case Column::kSocketsAtState: return known_text(wanted, state_of(descriptor));
      case Column::kSocketsAtRole: return known_text(wanted, role_of(descriptor));
      case Column::kSocketsAtPath:
        return known_text(
            wanted, descriptor.type == FdType::kUnix ? path_of(descriptor) : std::string_view());
      default: return rows_.missing(wanted);
    }
  }

  // The name of a connected unix socket starts with two kernel addresses.
  std::string_view path_of(const Descriptor& descriptor) {
    const std::string_view name = descriptor.name;
    state::unix_name(descriptor.unix_source, descriptor.unix_destination, "", text_);
    return name.starts_with(text_) ? name.substr(text_.size()) : name;
  }

  bool known_text(const Wanted& wanted, std::string_view value) {
    return value.empty() ? rows_.missing(wanted) : rows_.text(wanted, value);
  }
  bool known_number(const Wanted& wanted, uint64_t value) {
    return value == 0 ? rows_.missing(wanted) : rows_.number(wanted, static_cast<int64_t>(value));
  }
  // The address that stands for all is shown where a socket is bound to it.
  bool address(const Wanted& wanted, const state::Endpoint& end) {
    if (state::is_zero(end.ip) && (&end == &ends_.remote || !descriptor_->is_ip_server()))
      return rows_.missing(wanted);
    text_.clear();
    is_ipv6(*descriptor_) ? append_ipv6(text_, end.ip.data()) : append_ipv4(text_, end.ip.data());
    return rows_.text(wanted, text_);
  }

  const Table table_;
  FieldRows& rows_;
  const uint64_t max_descriptors_;
  std::vector<Pending> pending_;  // by time, once that of the first event is known
  size_t next_ = 0;
  bool has_times_ = false;
  bool wants_more_ = true;
  uint64_t cut_tables_ = 0;
  // The row under construction.
  uint64_t moment_ = 0;
  int32_t number_ = 0;
  scap::EventView event_;
  state::Context context_;
  int64_t fd_ = -1;
  const Descriptor* descriptor_ = nullptr;
  Ends ends_;
  bool closes_on_exec_ = false;
  std::string text_;
};

}  // namespace

Status tabulate_state(scap::Input& input, const std::string& name, Table table,
                      const std::vector<Moment>& moments, FieldRows& rows,
                      const std::atomic<bool>& cancel, InputSummary& summary,
                      uint64_t max_descriptors) {
  StateAt feed(table, moments, rows, cancel, max_descriptors);
  if (Status status = read_table(input, name, feed, cancel, summary); !status.is_ok())
    return status;
  feed.finish();
  summary.add_skipped(Reason::kDescriptorsAtAMoment, feed.cut_tables());
  return Status::ok();
}

}  // namespace sfkit::events
