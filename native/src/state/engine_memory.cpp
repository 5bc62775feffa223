// Forgets state to stay within a memory limit, the longest idle first.

#include <algorithm>
#include <tuple>
#include <vector>

#include "state/engine.h"
#include "state/memory_budget.h"

namespace sfkit::state {
namespace {

// Removals between two looks at the budget, each of which frees the memory.
constexpr size_t kStep = 256;
// Numbers below this are often those of listening sockets, logs and standard streams.
constexpr int64_t kFirstOfMany = 64;

uint64_t last_use_of(const Thread& thread) {
  return std::max(thread.last_exit, thread.clone_ts);
}

}  // namespace

void Engine::finish_event() {
  if (has_pending_) finish_last_event();
  for (Thread* const thread : borrowers_) thread->enter.own();
  borrowers_.clear();
}

void Engine::trim() {
  threads_.trim();
  pool_.trim();
}

void Engine::release_memory(const MemoryBudget& budget, Forgotten& forgotten) {
  trim();
  if (!budget.wants_less()) return;
  limit_containers();
  pods_.forget(containers_);
  forget_descriptors(budget, forgotten);
  forget_threads(budget, forgotten);
  if (!budget.wants_less()) return;
  forgotten.names += users_.size() + groups_.size() + accounts_.size();
  clear_names();
}

// Tables in the order of their last use by any of their threads. The idle half is forgotten whole,
// the others from kFirstOfMany on.
void Engine::forget_descriptors(const MemoryBudget& budget, Forgotten& forgotten) {
  struct Use {
    DescriptorTable* table;
    uint64_t last;
    int64_t tid;
  };
  std::vector<Use> tables;
  threads_.for_each_thread([&tables](Thread& thread) {
    if (thread.descriptors != nullptr)
      tables.push_back({thread.descriptors.get(), last_use_of(thread), thread.tid});
  });
  // Of the threads with one table, the one that used it last counts.
  std::sort(tables.begin(), tables.end(), [](const Use& a, const Use& b) {
    return std::tie(a.table, b.last, b.tid) < std::tie(b.table, a.last, a.tid);
  });
  const auto end = std::unique(tables.begin(), tables.end(),
                               [](const Use& a, const Use& b) { return a.table == b.table; });
  tables.erase(end, tables.end());
  std::sort(tables.begin(), tables.end(), [](const Use& a, const Use& b) {
    return std::tie(a.last, a.tid) < std::tie(b.last, b.tid);
  });
  // What several tables share counts once.
  const uint64_t all = ++visits_;
  const uint64_t kept = ++visits_;
  for (size_t at = 0; at < tables.size(); ++at) {
    if (at % kStep == 0) {
      pool_.trim();
      if (!budget.wants_less()) return;
    }
    DescriptorTable& table = *tables[at].table;
    uint64_t slots = 0;
    uint64_t left = 0;
    table.for_each_slot_once(all, [&](const FdSlot& slot) { slots += slot.descriptor ? 1 : 0; });
    if (at < tables.size() / 2) {
      table.clear();
    } else {
      table.erase_range(kFirstOfMany, INT64_MAX);
      table.for_each_slot_once(kept, [&](const FdSlot& slot) { left += slot.descriptor ? 1 : 0; });
    }
    forgotten.descriptors += slots - left;
  }
  pool_.trim();
}

// A leader goes after the other members of its process, which need it.
void Engine::forget_threads(const MemoryBudget& budget, Forgotten& forgotten) {
  std::vector<Thread*> threads;
  for (bool has_progress = true; has_progress && budget.wants_less();) {
    has_progress = false;
    threads.clear();
    threads_.for_each_thread([&threads](Thread& thread) {
      const ThreadGroup* const group = thread.group;
      if (group == nullptr || group->leader != &thread || group->first == group->last)
        threads.push_back(&thread);
    });
    std::sort(threads.begin(), threads.end(), [](const Thread* a, const Thread* b) {
      const uint64_t used = last_use_of(*a);
      const uint64_t other = last_use_of(*b);
      return std::tie(used, a->tid) < std::tie(other, b->tid);
    });
    for (size_t at = 0; at < threads.size(); ++at) {
      if (at % kStep == 0) {
        trim();
        if (!budget.wants_less()) return;
      }
      if (!threads[at]->dead) ++forgotten.threads;
      threads_.forget(threads[at]);
      has_progress = true;
    }
    trim();
  }
}

void Engine::visit_slots_once(void (*visit)(const FdSlot& slot)) {
  ++visits_;
  threads_.for_each_thread([this, visit](Thread& thread) {
    if (thread.descriptors != nullptr) thread.descriptors->for_each_slot_once(visits_, visit);
  });
}

}  // namespace sfkit::state
