#include "state/thread.h"

#include <algorithm>

namespace sfkit::state {
namespace {

// A chain of parents longer than this is a loop.
constexpr int kDeepestAncestry = 4096;

Thread* living_member(const ThreadGroup& group, const Thread* except) {
  for (Thread* member : group.members) {
    if (member != except && !member->dead) return member;
  }
  return nullptr;
}

}  // namespace

void Thread::reset() {
  tid = pid = ptid = sid = vpgid = pgid = vtid = vpid = -1;
  flags = 0;
  uid = gid = loginuid = kNoId;
  tty = container = 0;
  fdlimit = reaper_tid = -1;
  has_reaper_tid = dead = false;
  clone_ts = exec_ts = pidns_start_ts = 0;
  executable = {};
  capabilities = {};
  memory = {};
  cgroups.reset();
  for (std::string* text : {&comm, &exe, &exepath, &args, &root, &cwd, &env, &user_name, &group_name})
    text->clear();
  descriptors.clear();
  enter.valid = false;
  last_enter = 0;
  entered_fd = kNoFd;
  has_last_enter = false;
  group = nullptr;
  parent = first_child = next_sibling = previous_sibling = nullptr;
  process = nullptr;
}

std::vector<const Thread*> ThreadTable::sorted() const {
  std::vector<const Thread*> all;
  threads_.for_each([&all](int64_t, const Thread* thread) { all.push_back(thread); });
  std::sort(all.begin(), all.end(), [](const Thread* a, const Thread* b) { return a->tid < b->tid; });
  return all;
}

Thread* ThreadTable::create(int64_t tid) {
  if (Thread* old = find(tid)) remove(old);
  Thread* thread = thread_pool_.take();
  thread->reset();
  thread->tid = tid;
  threads_.put(tid, thread);
  return thread;
}

void ThreadTable::join_group(Thread* thread) {
  if (thread->pid < 0) return;
  ThreadGroup** found = groups_.find(thread->pid);
  ThreadGroup* group = found == nullptr ? nullptr : *found;
  if (group == nullptr) {
    group = group_pool_.take();
    group->pid = thread->pid;
    group->leader = nullptr;
    group->members.clear();
    group->alive = 0;
    group->reaper = false;
    groups_.put(thread->pid, group);
  }
  group->members.push_back(thread);
  if (!thread->dead) ++group->alive;
  if (thread->is_leader()) group->leader = thread;
  if (thread->pid == 1 || thread->vpid == 1) group->reaper = true;
  thread->group = group;
}

void ThreadTable::leave_group(Thread* thread) {
  ThreadGroup* group = thread->group;
  if (group == nullptr) return;
  std::erase(group->members, thread);
  if (!thread->dead && group->alive > 0) --group->alive;
  if (group->leader == thread) group->leader = nullptr;
  if (group->members.empty()) {
    groups_.erase(group->pid);
    group_pool_.give_back(group);
  }
  thread->group = nullptr;
}

void ThreadTable::set_parent(Thread* thread, Thread* parent) {
  if (thread->parent != nullptr) {
    if (thread->previous_sibling != nullptr) thread->previous_sibling->next_sibling = thread->next_sibling;
    if (thread->next_sibling != nullptr) thread->next_sibling->previous_sibling = thread->previous_sibling;
    if (thread->parent->first_child == thread) thread->parent->first_child = thread->next_sibling;
  }
  thread->parent = parent;
  thread->previous_sibling = thread->next_sibling = nullptr;
  if (parent == nullptr) return;
  thread->next_sibling = parent->first_child;
  if (parent->first_child != nullptr) parent->first_child->previous_sibling = thread;
  parent->first_child = thread;
}

void ThreadTable::link(Thread* thread) {
  if (thread->is_invalid()) return;
  join_group(thread);
  if (thread->pid == 1) {
    thread->ptid = 0;
    return;
  }
  Thread* parent = find(thread->ptid);
  if (parent != nullptr && parent != thread && !parent->is_invalid()) {
    set_parent(thread, parent);
  } else {
    thread->ptid = 0;
  }
}

void ThreadTable::relink(Thread* thread) {
  leave_group(thread);
  set_parent(thread, nullptr);
  link(thread);
}

void ThreadTable::end(Thread* thread) {
  if (thread->dead) return;
  thread->dead = true;
  if (thread->group != nullptr && thread->group->alive > 0) --thread->group->alive;
}

void ThreadTable::revive(Thread* thread) {
  if (!thread->dead) return;
  thread->dead = false;
  if (thread->group != nullptr) ++thread->group->alive;
}

Thread* ThreadTable::find_reaper(Thread* thread) {
  if (thread->has_reaper_tid) {
    if (thread->reaper_tid > 0) {
      if (Thread* named = find(thread->reaper_tid);
          named != nullptr && named != thread && !named->is_invalid())
        return named;
    } else if (thread->reaper_tid == 0) {
      return nullptr;
    }
  }
  if (thread->group != nullptr) {
    if (Thread* member = living_member(*thread->group, thread)) return member;
  }
  // Up the parents to the first reaper; another pid namespace or a loop ends the search.
  const bool in_namespace = thread->tid != thread->vtid;
  Thread* ancestor = thread->parent;
  for (int depth = 0; ancestor != nullptr && depth < kDeepestAncestry; ++depth, ancestor = ancestor->parent) {
    if ((ancestor->tid != ancestor->vtid) != in_namespace) return nullptr;
    if (ancestor->group == nullptr || !ancestor->group->reaper) continue;
    if (Thread* member = living_member(*ancestor->group, thread)) return member;
  }
  return nullptr;
}

void ThreadTable::hand_over_children(Thread* thread) {
  if (thread->first_child == nullptr) return;
  Thread* reaper = find_reaper(thread);
  if (reaper != nullptr && reaper->group != nullptr) reaper->group->reaper = true;
  while (Thread* child = thread->first_child) {
    set_parent(child, child == reaper ? nullptr : reaper);
    child->ptid = child->parent == nullptr ? 0 : reaper->tid;
  }
}

void ThreadTable::drop(Thread* thread) {
  leave_group(thread);
  set_parent(thread, nullptr);
  if (last_ == thread) last_ = nullptr;
  threads_.erase(thread->tid);
  thread->descriptors.clear();
  thread_pool_.give_back(thread);
}

void ThreadTable::remove_ended(Thread* thread) {
  hand_over_children(thread);
  ThreadGroup* group = thread->group;
  if (group == nullptr) {
    drop(thread);
    return;
  }
  if (thread->is_leader() && group->alive > 0) return;
  Thread* leader = group->leader;
  const bool last_one = !thread->is_leader() && group->alive == 0 && leader != nullptr && leader->dead;
  drop(thread);
  if (last_one) drop(leader);
}

void ThreadTable::remove(Thread* thread) {
  end(thread);
  if (thread->is_leader() && thread->group != nullptr) keep_only(thread);
  hand_over_children(thread);
  drop(thread);
}

void ThreadTable::keep_only(Thread* keep) {
  if (keep->group == nullptr) return;
  const std::vector<Thread*> members = keep->group->members;
  for (Thread* member : members) {
    if (member == keep) continue;
    end(member);
    hand_over_children(member);
    drop(member);
  }
}

void ThreadTable::clear() {
  threads_.clear();
  groups_.clear();
  thread_pool_.clear();
  group_pool_.clear();
  last_ = nullptr;
}

}  // namespace sfkit::state
