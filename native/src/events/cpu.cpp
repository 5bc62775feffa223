#include "events/cpu.h"

#include <algorithm>
#include <vector>

#include "scap/blocks.h"

namespace sfkit::events {
namespace {

using output::Column;
using scap::P;
namespace ev = scap::ev;

constexpr uint64_t kSecond = 1'000'000'000;
// Counters of procinfo events are in ticks of the kernel's user interface (USER_HZ, 100 a second).
constexpr uint64_t kTick = 10'000'000;
// One event must not make rows without bound.
constexpr uint64_t kMaxSplit = 10;

}  // namespace

bool CpuTime::take(const scap::EventView& event, bool /*shown*/) {
  bool wants_more = true;
  reader().next_event(event);
  engine().apply_all(event, [&](const state::Context& context) {
    switch (event.code) {
      case ev::SCHEDSWITCH_1_E:
      case ev::SCHEDSWITCH_6_E: wants_more = switch_to(context); break;
      case ev::PROCINFO_E: wants_more = sample(context); break;
      case ev::PROCEXIT_E:
      case ev::PROCEXIT_1_E: wants_more = end(context, event.tid); break;
      // What ran while events were dropped is unknown.
      case ev::DROP_E: cpus_.clear(); break;
      default: break;
    }
  });
  return wants_more;
}

bool CpuTime::switch_to(const state::Context& context) {
  const scap::EventView& event = *context.event;
  Running& running = cpus_[event.cpu];
  const Running before = running;
  running = {scap::to_int(event.param(P::next), -1), event.ts};
  // If another thread ran before, the switch event to this one was lost. Thread 0 is the idle CPU.
  if (before.tid != event.tid || event.tid <= 0 || event.ts < before.since) return true;
  uint64_t from = before.since;
  if (event.ts / kSecond - from / kSecond > kMaxSplit)
    return add(context, event.ts / kSecond, event.ts - from);
  bool wants_more = true;
  while (wants_more && from / kSecond < event.ts / kSecond) {
    const uint64_t next = (from / kSecond + 1) * kSecond;
    wants_more = add(context, from / kSecond, next - from);
    from = next;
  }
  return wants_more && (from == event.ts || add(context, from / kSecond, event.ts - from));
}

bool CpuTime::add(const state::Context& context, uint64_t second, uint64_t time) {
  const int64_t tid = context.event->tid;
  Second& known = seconds_[static_cast<uint64_t>(tid)];
  if (known.second == second) {
    known.time += time;
    return true;
  }
  const Second before = known;
  known = {second, time};
  if (before.time != 0 && !write(context, {before.second, tid, before.time, false, 0, 0}))
    return false;
  return seconds_.size() <= kMaxThreads || write_all();
}

bool CpuTime::sample(const state::Context& context) {
  const scap::EventView& event = *context.event;
  const auto count = [&event](P name) {
    return static_cast<uint64_t>(scap::to_int(event.param(name), 0));
  };
  const Ticks now{count(P::cpu_usr), count(P::cpu_sys)};
  // Thread 0 is the idle CPU.
  if (event.tid <= 0) return true;
  if (ticks_.size() > kMaxThreads) ticks_.clear();
  const auto [place, is_new] = ticks_.try_emplace(static_cast<uint64_t>(event.tid), now);
  const Ticks before = place->second;
  place->second = now;
  // A counter that goes down belongs to another thread with the same number.
  if (is_new || now.user < before.user || now.system < before.system) return true;
  const auto nanoseconds = [](uint64_t ticks) {
    return std::min<uint64_t>(ticks, INT64_MAX / kTick / 2) * kTick;
  };
  const uint64_t user = nanoseconds(now.user - before.user);
  const uint64_t system = nanoseconds(now.system - before.system);
  if (user + system == 0) return true;
  return write(context, {event.ts / kSecond, event.tid, user + system, true, user, system});
}

bool CpuTime::end(const state::Context& context, int64_t tid) {
  ticks_.erase(static_cast<uint64_t>(tid));
  const auto found = seconds_.find(static_cast<uint64_t>(tid));
  if (found == seconds_.end()) return true;
  const Second left = found->second;
  seconds_.erase(found);
  return left.time == 0 || write(context, {left.second, tid, left.time, false, 0, 0});
}

bool CpuTime::write(const state::Context& context, const Row& row) {
  reader().set_context(context);
  return rows_.add([&](const Wanted& wanted) {
    switch (wanted.column) {
      case Column::kCpuTsUts:
        return rows_.number(wanted, static_cast<int64_t>(row.second * kSecond));
      case Column::kCpuTid: return rows_.number(wanted, row.tid);
      case Column::kCpuSource: return rows_.text(wanted, row.is_sample ? "sample" : "switch");
      case Column::kCpuCpuTime:
        return rows_.number(wanted, static_cast<int64_t>(std::min<uint64_t>(row.time, INT64_MAX)));
      case Column::kCpuUserTime:
      case Column::kCpuSystemTime:
        if (!row.is_sample) return rows_.missing(wanted);
        return rows_.number(
            wanted,
            static_cast<int64_t>(wanted.column == Column::kCpuUserTime ? row.user : row.system));
      case Column::kCpuContainerId:
      case Column::kCpuContainerName:
        if (context.thread == nullptr || context.thread->container == 0)
          return rows_.missing(wanted);
        break;
      default: break;
    }
    return wanted.has_field ? rows_.field(wanted, reader().get(wanted.field))
                            : rows_.missing(wanted);
  });
}

bool CpuTime::write_all() {
  // By number, as the order in the table differs from run to run.
  std::vector<int64_t> threads;
  threads.reserve(seconds_.size());
  for (const auto& [tid, second] : seconds_) {
    if (second.time != 0) threads.push_back(static_cast<int64_t>(tid));
  }
  std::sort(threads.begin(), threads.end());
  // Stands for an event that never comes: it has no time and no parameters.
  const scap::EventView none{};
  bool wants_more = true;
  for (const int64_t tid : threads) {
    const Second& second = seconds_[static_cast<uint64_t>(tid)];
    state::Context context;
    context.event = &none;
    context.thread = engine().find_thread(tid);
    wants_more = wants_more && write(context, {second.second, tid, second.time, false, 0, 0});
  }
  seconds_.clear();
  return wants_more;
}

bool CpuTime::finish() {
  return write_all() && rows_.flush();
}

}  // namespace sfkit::events
