#include "state/thread.h"

#include <algorithm>
#include <utility>

namespace sfkit::state {
namespace {

// A longer chain of parents must be a loop.
constexpr int kMaxAncestry = 4096;

// The first living member other than `except`.
Thread* living_member(const ThreadGroup& group, const Thread* except) {
  Thread* member = group.first == except && except != nullptr ? except->next_member : group.first;
  return member == nullptr || member->dead ? nullptr : member;
}

void release(Siblings* siblings) {
  while (siblings != nullptr && --siblings->references == 0) {
    Siblings* const above = siblings->merged_into;
    delete siblings;
    siblings = above;
  }
}

Siblings* hold(Siblings* siblings) {
  ++siblings->references;
  return siblings;
}

// The set that now holds these siblings. Shortens the path for later lookups.
Siblings* root_of(Siblings* siblings) {
  while (siblings->merged_into != nullptr) {
    Siblings* const next = siblings->merged_into;
    if (next->merged_into != nullptr) {
      siblings->merged_into = hold(next->merged_into);
      siblings = siblings->merged_into;
      release(next);
    } else {
      siblings = next;
    }
  }
  return siblings;
}

// Do not keep a large buffer for the next thread.
constexpr size_t kKept = 1024;

void reset_text(std::string& text, CountedBytes& count) {
  if (text.capacity() > kKept) {
    text = std::string();
    count.lower(kKept);
  } else {
    text.clear();
  }
}

}  // namespace

Thread* Thread::parent() const {
  if (siblings == nullptr) return nullptr;
  if (siblings->merged_into != nullptr) {
    Siblings* const root = hold(root_of(siblings));
    release(siblings);
    siblings = root;
  }
  return siblings->parent;
}

int64_t Thread::parent_tid() const {
  if (siblings == nullptr) return ptid;
  const Thread* const now = parent();
  return now == nullptr ? 0 : now->tid;
}

void Thread::reset() {
  tid = pid = ptid = sid = vpgid = pgid = vtid = vpid = -1;
  flags = 0;
  uid = gid = loginuid = kNoId;
  tty = container = 0;
  fdlimit = reaper_tid = last_child = -1;
  has_reaper_tid = dead = in_user_namespace = false;
  child_pid_namespace = ChildPidNamespace::kSame;
  clone_events = 0;
  secure_bits = changes = identity_changes = 0;
  clone_ts = exec_ts = pidns_start_ts = 0;
  executable = {};
  capabilities = {};
  memory = {};
  cgroups.reset();
  for (std::string* text : {&comm, &exe, &args}) reset_text(*text, texts);
  for (SharedText* text : {&exepath, &root, &env, &user_name, &group_name}) text->clear();
  cwd.reset();
  descriptors.reset();
  enter.valid = false;
  last_exit = 0;
  last_enter = 0;
  enter_fd = kNoFd;
  has_last_enter = false;
  group = nullptr;
  previous_member = next_member = nullptr;
  siblings = children = nullptr;
  process = nullptr;
}

std::vector<const Thread*> ThreadTable::sorted() const {
  std::vector<const Thread*> all;
  threads_.for_each([&all](int64_t, const Thread* thread) { all.push_back(thread); });
  std::sort(all.begin(), all.end(),
            [](const Thread* a, const Thread* b) { return a->tid < b->tid; });
  return all;
}

Thread* ThreadTable::create(int64_t tid) {
  if (Thread* old = find(tid)) remove(old);
  Thread* thread = thread_pool_.take();
  thread->reset();
  thread->tid = tid;
  thread->cwd = std::make_shared<WorkingDirectory>();
  thread->descriptors = std::make_shared<DescriptorTable>(static_cast<uint64_t>(tid));
  threads_.put(tid, thread);
  return thread;
}

std::shared_ptr<DescriptorTable> ThreadTable::copy_of(const DescriptorTable& table) {
  constexpr uint64_t kNoThread = uint64_t{1} << 63;
  auto copy = std::make_shared<DescriptorTable>(kNoThread | ++copies_);
  copy->copy_from(table);
  return copy;
}

// Living members come before dead ones.
void ThreadTable::add_member(ThreadGroup& group, Thread* thread) {
  Thread* const after = thread->dead ? group.last : std::exchange(group.last_alive, thread);
  thread->previous_member = after;
  thread->next_member = after == nullptr ? group.first : after->next_member;
  (after == nullptr ? group.first : after->next_member) = thread;
  (thread->next_member == nullptr ? group.last : thread->next_member->previous_member) = thread;
}

void ThreadTable::remove_member(ThreadGroup& group, Thread* thread) {
  if (group.last_alive == thread) group.last_alive = thread->previous_member;
  (thread->previous_member == nullptr ? group.first : thread->previous_member->next_member) =
      thread->next_member;
  (thread->next_member == nullptr ? group.last : thread->next_member->previous_member) =
      thread->previous_member;
  thread->previous_member = thread->next_member = nullptr;
}

void ThreadTable::join_group(Thread* thread) {
  if (thread->pid < 0) return;
  ThreadGroup** found = groups_.find(thread->pid);
  ThreadGroup* group = found == nullptr ? nullptr : *found;
  if (group == nullptr) {
    group = group_pool_.take();
    group->pid = thread->pid;
    group->leader = group->first = group->last_alive = group->last = nullptr;
    group->alive = 0;
    group->reaper = false;
    groups_.put(thread->pid, group);
  }
  add_member(*group, thread);
  if (!thread->dead) ++group->alive;
  if (thread->is_leader()) group->leader = thread;
  if (thread->pid == 1 || thread->vpid == 1) group->reaper = true;
  thread->group = group;
}

void ThreadTable::leave_group(Thread* thread) {
  ThreadGroup* group = thread->group;
  if (group == nullptr) return;
  remove_member(*group, thread);
  if (!thread->dead && group->alive > 0) --group->alive;
  if (group->leader == thread) group->leader = nullptr;
  if (group->first == nullptr) {
    groups_.erase(group->pid);
    group_pool_.give_back(group);
  }
  thread->group = nullptr;
}

void ThreadTable::set_parent(Thread* thread, Thread* parent) {
  if (Siblings* const old = thread->siblings) {
    --root_of(old)->children;
    release(old);
    thread->siblings = nullptr;
  }
  if (parent == nullptr) return;
  if (parent->children == nullptr) {
    parent->children = hold(new Siblings);
    parent->children->parent = parent;
  }
  thread->siblings = hold(parent->children);
  ++thread->siblings->children;
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
  thread->ptid = thread->parent_tid();
  leave_group(thread);
  set_parent(thread, nullptr);
  link(thread);
}

void ThreadTable::end(Thread* thread) {
  if (thread->dead) return;
  thread->dead = true;
  if (thread->group == nullptr) return;
  remove_member(*thread->group, thread);
  add_member(*thread->group, thread);
  if (thread->group->alive > 0) --thread->group->alive;
}

void ThreadTable::revive(Thread* thread) {
  if (!thread->dead) return;
  thread->dead = false;
  if (thread->group == nullptr) return;
  remove_member(*thread->group, thread);
  add_member(*thread->group, thread);
  ++thread->group->alive;
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
  // Search the ancestors for a reaper. Stop at another pid namespace or at a loop.
  const bool in_namespace = thread->tid != thread->vtid;
  Thread* ancestor = thread->parent();
  for (int depth = 0; ancestor != nullptr && depth < kMaxAncestry;
       ++depth, ancestor = ancestor->parent()) {
    if ((ancestor->tid != ancestor->vtid) != in_namespace) return nullptr;
    if (ancestor->group == nullptr || !ancestor->group->reaper) continue;
    if (Thread* member = living_member(*ancestor->group, thread)) return member;
  }
  return nullptr;
}

void ThreadTable::reparent_children(Thread* thread) {
  Siblings* own = std::exchange(thread->children, nullptr);
  if (own == nullptr) return;
  if (own->children == 0) return release(own);
  Thread* const reaper = find_reaper(thread);
  own->parent = reaper;
  if (reaper == nullptr) return release(own);
  if (reaper->group != nullptr) reaper->group->reaper = true;
  if (reaper->siblings != nullptr && root_of(reaper->siblings) == own) {
    set_parent(reaper, nullptr);
    reaper->ptid = 0;
  }
  Siblings* theirs = reaper->children;
  if (theirs != nullptr) {
    // Merge the smaller set into the larger one, which keeps paths short.
    if (theirs->children > own->children) std::swap(theirs, own);
    own->children += theirs->children;
    theirs->merged_into = hold(own);
    own->parent = reaper;
    release(theirs);
  }
  reaper->children = own;
}

void ThreadTable::note_removed(const Thread& thread) {
  if (thread.process == nullptr) return;
  removed_.push_back({thread.clone_ts, thread.pid < 0 ? thread.tid : thread.pid});
}

void ThreadTable::drop(Thread* thread) {
  leave_group(thread);
  set_parent(thread, nullptr);
  if (Siblings* const left = std::exchange(thread->children, nullptr)) {
    left->parent = nullptr;
    release(left);
  }
  if (last_ == thread) last_ = nullptr;
  note_removed(*thread);
  threads_.erase(thread->tid);
  thread->cwd.reset();
  thread->descriptors.reset();
  thread_pool_.give_back(thread);
}

void ThreadTable::remove_ended(Thread* thread) {
  reparent_children(thread);
  ThreadGroup* group = thread->group;
  if (group == nullptr) {
    drop(thread);
    return;
  }
  if (thread->is_leader() && group->alive > 0) return;
  Thread* leader = group->leader;
  const bool last_one =
      !thread->is_leader() && group->alive == 0 && leader != nullptr && leader->dead;
  drop(thread);
  if (last_one) drop(leader);
}

void ThreadTable::remove(Thread* thread) {
  end(thread);
  if (thread->is_leader() && thread->group != nullptr) keep_only(thread);
  reparent_children(thread);
  drop(thread);
}

void ThreadTable::keep_only(Thread* keep) {
  if (keep->group == nullptr) return;
  for (Thread* member = keep->group->first; member != nullptr;) {
    Thread* const next = member->next_member;
    if (member != keep) {
      end(member);
      reparent_children(member);
      drop(member);
    }
    member = next;
  }
}

void ThreadTable::clear() {
  threads_.for_each([this](int64_t, Thread* thread) {
    note_removed(*thread);
    release(thread->siblings);
    release(thread->children);
  });
  threads_.clear();
  groups_.clear();
  thread_pool_.clear();
  group_pool_.clear();
  last_ = nullptr;
}

}  // namespace sfkit::state
