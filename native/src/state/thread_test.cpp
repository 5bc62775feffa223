#include "state/thread.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

Thread* add(ThreadTable& table, int64_t tid, int64_t pid, int64_t ptid) {
  Thread* thread = table.create(tid);
  thread->pid = pid;
  thread->ptid = ptid;
  thread->vtid = tid;
  thread->vpid = pid;
  if (tid != pid) {
    thread->flags |= kCloneFiles | kCloneThread;
    thread->descriptors.reset();
  }
  table.link(thread);
  return thread;
}

void die(ThreadTable& table, Thread* thread) {
  table.end(thread);
  table.remove_ended(thread);
}

TEST(ThreadTable, ThreadsShareTheDescriptorsOfTheirLeader) {
  ThreadTable table;
  Thread* leader = add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  EXPECT_EQ(worker->leader(), leader);
  EXPECT_EQ(worker->table(), leader->descriptors.get());
  EXPECT_EQ(add(table, 21, 20, 1)->table(), nullptr) << "the leader is unknown";
}

TEST(ThreadTable, ADeadLeaderStaysUntilItsGroupEnds) {
  ThreadTable table;
  Thread* leader = add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  die(table, leader);
  EXPECT_EQ(table.find(10), leader);
  die(table, worker);
  EXPECT_EQ(table.find(10), nullptr);
  EXPECT_EQ(table.find(11), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(ThreadTable, OrphansGoToTheReaper) {
  ThreadTable table;
  add(table, 1, 1, 0);
  Thread* parent = add(table, 10, 10, 1);
  Thread* child = add(table, 20, 20, 10);
  die(table, parent);
  EXPECT_EQ(child->parent_tid(), 1);
  EXPECT_EQ(child->parent(), table.find(1));
}

TEST(ThreadTable, OrphansGoToTheirParentsGroupFirst) {
  ThreadTable table;
  add(table, 1, 1, 0);
  add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  Thread* child = add(table, 20, 20, 11);
  die(table, worker);
  EXPECT_EQ(child->parent_tid(), 10);
}

TEST(ThreadTable, TheReaperInTheEventTakesPrecedence) {
  ThreadTable table;
  add(table, 1, 1, 0);
  add(table, 5, 5, 1);
  Thread* parent = add(table, 10, 10, 1);
  Thread* child = add(table, 20, 20, 10);
  parent->has_reaper_tid = true;
  parent->reaper_tid = 5;
  die(table, parent);
  EXPECT_EQ(child->parent_tid(), 5);
}

TEST(ThreadTable, AThreadIsNotItsOwnReaper) {
  ThreadTable table;
  Thread* parent = add(table, 10, 10, 1);
  Thread* child = add(table, 20, 20, 10);
  parent->has_reaper_tid = true;
  parent->reaper_tid = 10;
  die(table, parent);
  EXPECT_EQ(child->parent_tid(), 0);
}

TEST(ThreadTable, ARevivedLeaderStaysWhileItsThreadsLive) {
  ThreadTable table;
  Thread* leader = add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  die(table, leader);
  table.revive(leader);
  die(table, leader);
  EXPECT_EQ(table.find(10), leader);
  EXPECT_EQ(worker->leader(), leader);
}

TEST(ThreadTable, AnUnknownParentBecomesZero) {
  ThreadTable table;
  EXPECT_EQ(add(table, 10, 10, 999)->ptid, 0);
}

TEST(ThreadTable, AReusedTidIsANewThread) {
  ThreadTable table;
  Thread* old = add(table, 10, 10, 1);
  old->comm = "old";
  Thread* child = add(table, 11, 11, 10);
  Thread* fresh = table.create(10);
  EXPECT_EQ(fresh->comm, "");
  EXPECT_EQ(table.find(10), fresh);
  EXPECT_EQ(child->parent(), nullptr);
}

TEST(ThreadTable, ParentLoopsDoNotHang) {
  ThreadTable table;
  Thread* a = add(table, 10, 10, 20);
  Thread* b = add(table, 20, 20, 10);
  a->ptid = 20;
  table.relink(a);
  die(table, add(table, 30, 30, 10));
  die(table, b);
  die(table, a);
  EXPECT_EQ(table.size(), 0u);
}

TEST(ThreadTable, ManyOrphansAreReparentedRepeatedly) {
  ThreadTable table;
  add(table, 1, 1, 0);
  constexpr int64_t kWorkers = 200;
  std::vector<Thread*> workers;
  for (int64_t i = 0; i < kWorkers; ++i) workers.push_back(add(table, 10 + i, 10, 1));
  std::vector<Thread*> children;
  for (int64_t i = 0; i < 500; ++i)
    children.push_back(add(table, 1000 + i, 1000 + i, 10 + i % kWorkers));
  // The leader stays while its threads live, but adopts no orphans after it has ended.
  for (int64_t i = 0; i + 1 < kWorkers; ++i) {
    die(table, workers[static_cast<size_t>(i)]);
    if (i < 490) die(table, children[static_cast<size_t>(i)]);
    for (size_t child = static_cast<size_t>(i) + 1; child < children.size(); child += 37) {
      const int64_t parent = children[child]->parent_tid();
      EXPECT_TRUE(parent >= 10 + i + 1 && parent < 10 + kWorkers) << parent;
      EXPECT_EQ(children[child]->parent(), table.find(parent));
    }
  }
  EXPECT_EQ(children[499]->parent_tid(), 10 + kWorkers - 1);
  die(table, workers.back());
  EXPECT_EQ(children[499]->parent_tid(), 1);
}

TEST(ThreadTable, AnOrphanedReaperHasNoParent) {
  ThreadTable table;
  Thread* parent = add(table, 10, 10, 1);
  Thread* reaper = add(table, 20, 20, 10);
  Thread* child = add(table, 21, 21, 10);
  parent->has_reaper_tid = true;
  parent->reaper_tid = 20;
  die(table, parent);
  EXPECT_EQ(child->parent(), reaper);
  EXPECT_EQ(reaper->parent(), nullptr);
  EXPECT_EQ(reaper->parent_tid(), 0);
}

TEST(ThreadTable, ListsRemovedThreadsThatHadAProcess) {
  ThreadTable table;
  Thread* seen = add(table, 10, 10, 1);
  seen->clone_ts = 77;
  seen->process = &table;
  add(table, 11, 11, 1);
  table.create(10);
  table.create(11);
  ASSERT_EQ(table.removed().size(), 1u);
  EXPECT_EQ(table.removed()[0].clone_ts, 77u);
  EXPECT_EQ(table.removed()[0].pid, 10);
}

TEST(DescriptorTable, AnExecClosesMarkedDescriptorsInItsOwnTableOnly) {
  DescriptorPool pool;
  DescriptorTable parent;
  for (int64_t fd = 0; fd < 5000; fd += 50)
    parent.put(fd, pool.make(FdType::kFileV2), fd % 100 == 0);
  DescriptorTable child;
  child.copy_from(parent);
  child.put(7, pool.make(FdType::kFileV2), true);
  child.close_on_exec();
  for (int64_t fd = 0; fd < 5000; fd += 50) {
    EXPECT_NE(parent.find(fd), nullptr) << fd;
    EXPECT_EQ(child.find(fd) != nullptr, fd % 100 != 0) << fd;
  }
  EXPECT_EQ(child.find(7), nullptr);
  EXPECT_EQ(child.own(200), nullptr);
  // A descriptor opened later at the same number stays open.
  child.put(200, pool.make(FdType::kFileV2), true);
  EXPECT_NE(child.find(200), nullptr);
  EXPECT_EQ(child.count(), 51u);
  EXPECT_EQ(parent.count(), 100u);
  size_t seen = 0;
  child.for_each([&seen](int64_t, const Descriptor&, bool) { ++seen; });
  EXPECT_EQ(seen, 51u);
  child.close_on_exec();
  EXPECT_EQ(child.count(), 50u);
}

TEST(DescriptorTable, ClosesRanges) {
  DescriptorPool pool;
  DescriptorTable parent;
  for (const int64_t fd : {0, 1, 2, 3, 63, 64, 65, 1023, 100000})
    parent.put(fd, pool.make(FdType::kFileV2));
  DescriptorTable child;
  child.copy_from(parent);
  child.erase_range(3, UINT32_MAX);
  EXPECT_EQ(child.count(), 3u);
  EXPECT_EQ(parent.count(), 9u);
  parent.erase_range(64, 1023);
  EXPECT_EQ(parent.count(), 6u);
  EXPECT_NE(parent.find(63), nullptr);
  EXPECT_EQ(parent.find(64), nullptr);
  EXPECT_NE(parent.find(100000), nullptr);
  parent.erase_range(-5, INT64_MAX);
  EXPECT_EQ(parent.count(), 0u);
}

TEST(Descriptor, IsCopiedOnWriteIfShared) {
  DescriptorPool pool;
  DescriptorTable parent;
  DescriptorRef made = pool.make(FdType::kFileV2);
  made.get()->set_name("/a");
  parent.put(3, std::move(made));
  DescriptorTable child;
  child.copy_from(parent);
  child.own(3)->set_name("/b");
  EXPECT_EQ(parent.find(3)->descriptor->name, "/a");
  EXPECT_EQ(child.find(3)->descriptor->name, "/b");
}

TEST(DescriptorTable, HugeDescriptorsNeedLittleMemory) {
  DescriptorPool pool;
  DescriptorTable table;
  const int64_t huge = INT64_MAX;
  table.put(huge, pool.make(FdType::kFile));
  table.put(-5, pool.make(FdType::kFile));
  EXPECT_NE(table.find(huge), nullptr);
  EXPECT_EQ(table.find(-5), nullptr);
  table.erase(huge);
  EXPECT_EQ(table.find(huge), nullptr);
}

}  // namespace
}  // namespace sfkit::state
