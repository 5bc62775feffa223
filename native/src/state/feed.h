// Feeds a capture to the state engine. Derived classes handle the events.
#pragma once

#include <algorithm>
#include <atomic>
#include <string>

#include "base/summary.h"
#include "scap/blocks.h"
#include "scap/time_span.h"
#include "state/engine.h"
#include "state/memory_budget.h"

namespace sfkit::state {

class Feed : public scap::CaptureVisitor {
 public:
  // `compat`: as for Engine. Reading stops once `cancel` is true.
  Feed(bool compat, const std::atomic<bool>& cancel) : cancel_(cancel), engine_(compat) {}

  // Limits what the engine remembers: bytes, at least MemoryBudget::kMinLimit; 0 for no limit. See
  // release_records() for the order in which it forgets.
  void limit_memory(uint64_t limit) {
    if (limit == 0) return;
    budget_.set_limit(limit);
    engine_.limit_pods(limit - MemoryBudget::kBase);
  }

  // Resets the state. Records already written stay.
  void section() override { engine_.reset(); }
  void machine(const scap::MachineInfo& machine) override { engine_.add_machine(machine); }
  // A list is not yet followed by calls that show which of its threads matter, so that what does
  // not fit is left out.
  void thread(const scap::ThreadEntry& entry) override {
    if (budget_.is_exceeded()) {
      ++forgotten_.threads;
    } else {
      engine_.add_thread(entry);
    }
  }
  void descriptor(int64_t tid, const scap::FdEntry& entry) override {
    if (budget_.is_exceeded()) {
      ++forgotten_.descriptors;
    } else {
      engine_.add_descriptor(tid, entry);
    }
  }
  void users_begin() override { engine_.clear_names(); }
  void interfaces_begin() override { engine_.clear_interfaces(); }
  void user(const scap::UserEntry& entry) override {
    if (budget_.is_exceeded()) {
      ++forgotten_.names;
    } else {
      engine_.add_user(entry);
    }
  }
  void group(const scap::GroupEntry& entry) override {
    if (budget_.is_exceeded()) {
      ++forgotten_.names;
    } else {
      engine_.add_group(entry.gid, entry.name);
    }
  }
  void interface(const scap::InterfaceEntry& entry) override { engine_.add_interface(entry); }
  void lists_complete() override { engine_.lists_complete(); }

  bool event(const scap::EventView& event) final { return see(event) && take(event, shown(event)); }
  bool events(scap::EventRun& run) override {
    return take_all(
        run, [this](const scap::EventView& event, bool is_shown) { return take(event, is_shown); });
  }

  // Fills in the facts known from the reader and the event times.
  void describe(InputSummary& summary, const scap::Input& input,
                const scap::ReadStats& stats) const {
    summary.format = "scap";
    summary.compression = input.is_gzip() ? "gzip" : "none";
    // Events that only describe state do not count, as lists do not.
    summary.events = stats.events - std::min(stats.events, state_only_);
    summary.bytes = input.offset();
    summary.damage = stats.damage;
    summary.first_time = static_cast<int64_t>(times_.first());
    summary.last_time = static_cast<int64_t>(times_.last());
    summary.add_skipped(Reason::kUnknownEvents, stats.unknown_events);
    summary.add_skipped(Reason::kMoreDamage, stats.more_damage);
    summary.add_skipped(Reason::kUnknownBlocks, stats.unknown_blocks);
    summary.add_skipped(Reason::kForgottenThreads, forgotten_.threads);
    summary.add_skipped(Reason::kForgottenDescriptors, forgotten_.descriptors);
    summary.add_skipped(Reason::kForgottenNames, forgotten_.names);
  }

 protected:
  // Handles one event. `shown` is false for events that only describe state. Returns false to stop
  // reading.
  virtual bool take(const scap::EventView& event, bool shown) = 0;
  // Called between two events if the memory limit is exceeded: releases what consumers of the state
  // can make again or write early. If that is not enough, the engine forgets descriptors and
  // threads.
  virtual void release_records(const MemoryBudget& /*budget*/) {}
  // Called after the engine forgot threads.
  virtual void follow_forgotten() {}

  // events() with a function in place of take(). If that is the take() of a known class, an event
  // costs no virtual call.
  template <typename Take>
  bool take_all(scap::EventRun& run, Take take_one) {
    engine_.begin_run();
    const bool go_on = run.for_each(
        [&](const scap::EventView& event) { return see(event) && take_one(event, shown(event)); });
    engine_.end_run();
    return go_on;
  }

  Engine& engine() { return engine_; }
  const std::string& host_name() const { return engine_.host_name(); }
  const scap::TimeSpan& times() const { return times_; }

 private:
  static constexpr uint64_t kCheckEvery = 256;  // events

  static bool shown(const scap::EventView& event) {
    return (event.block_flags & scap::kStateOnlyFlag) == 0;
  }

  // Returns false to stop reading. What it does depends on the number of the event, never on how
  // the input arrives.
  bool see(const scap::EventView& event) {
    if (event.number % kCheckEvery == 0) {
      if (cancel_.load(std::memory_order_relaxed)) return false;
      if (budget_.is_exceeded()) release_memory();
    }
    times_.see(event);
    if (!shown(event)) ++state_only_;
    return true;
  }

  void release_memory() {
    engine_.finish_event();
    release_records(budget_);
    engine_.release_memory(budget_, forgotten_);
    follow_forgotten();
    budget_.start_again();
  }

  const std::atomic<bool>& cancel_;
  MemoryBudget budget_;  // before what it counts
  Forgotten forgotten_;
  Engine engine_;
  scap::TimeSpan times_;
  uint64_t state_only_ = 0;
};

}  // namespace sfkit::state
