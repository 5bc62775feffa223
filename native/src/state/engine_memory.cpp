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
  return std::max(thread.last_event, thread.clone_ts);
}

}  // namespace

void Engine::settle() {
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
  forget_descriptors(budget, forgotten);
  forget_threads(budget, forgotten);
  if (!budget.wants_less()) return;
  forgotten.names += users_.size() + groups_.size() + accounts_.size();
  clear_names();
}

// Tables in the order of their last use by any of their threads. The idle half is forgotten whole,
// the others from kFirstOfMany on.
void Engine::forget_descriptors(const MemoryBudget& budget, Forgotten& forgotten) {
  std::vector<DescriptorTable*> tables;
  threads_.for_each_thread([](Thread& thread) {
    if (thread.descriptors != nullptr) thread.descriptors->first_tid = INT64_MAX;
  });
  threads_.for_each_thread([&tables](Thread& thread) {
    DescriptorTable* const table = thread.descriptors.get();
    if (table == nullptr) return;
    const bool is_first = table->first_tid == INT64_MAX;
    if (is_first) tables.push_back(table);
    const uint64_t used = last_use_of(thread);
    table->last_event = is_first ? used : std::max(table->last_event, used);
    table->first_tid = std::min(table->first_tid, thread.tid);
  });
  std::sort(tables.begin(), tables.end(), [](const DescriptorTable* a, const DescriptorTable* b) {
    return std::tie(a->last_event, a->first_tid) < std::tie(b->last_event, b->first_tid);
  });
  for (size_t at = 0; at < tables.size(); ++at) {
    if (at % kStep == 0) {
      pool_.trim();
      if (!budget.wants_less()) return;
    }
    DescriptorTable& table = *tables[at];
    const size_t before = table.count();
    table.erase_range(at < tables.size() / 2 ? 0 : kFirstOfMany, INT64_MAX);
    forgotten.descriptors += before - table.count();
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
