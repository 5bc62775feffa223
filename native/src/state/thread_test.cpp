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
  if (tid != pid) thread->flags |= kCloneFiles | kCloneThread;
  table.link(thread);
  return thread;
}

void die(ThreadTable& table, Thread* thread) {
  table.end(thread);
  table.remove_ended(thread);
}

TEST(ThreadTable, ThreadsShareTheirLeadersDescriptors) {
  ThreadTable table;
  Thread* leader = add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  EXPECT_EQ(worker->leader(), leader);
  EXPECT_EQ(worker->table(), &leader->descriptors);
  EXPECT_EQ(add(table, 21, 20, 1)->table(), nullptr) << "the leader is unknown";
}

TEST(ThreadTable, ADeadLeaderStaysUntilItsGroupIsGone) {
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
  EXPECT_EQ(child->ptid, 1);
  EXPECT_EQ(child->parent, table.find(1));
}

TEST(ThreadTable, OrphansGoToAnotherThreadOfTheGroupFirst) {
  ThreadTable table;
  add(table, 1, 1, 0);
  add(table, 10, 10, 1);
  Thread* worker = add(table, 11, 10, 1);
  Thread* child = add(table, 20, 20, 11);
  die(table, worker);
  EXPECT_EQ(child->ptid, 10);
}

TEST(ThreadTable, TheEventsReaperWins) {
  ThreadTable table;
  add(table, 1, 1, 0);
  add(table, 5, 5, 1);
  Thread* parent = add(table, 10, 10, 1);
  Thread* child = add(table, 20, 20, 10);
  parent->has_reaper_tid = true;
  parent->reaper_tid = 5;
  die(table, parent);
  EXPECT_EQ(child->ptid, 5);
}

TEST(ThreadTable, AThreadIsNotItsOwnReaper) {
  ThreadTable table;
  Thread* parent = add(table, 10, 10, 1);
  Thread* child = add(table, 20, 20, 10);
  parent->has_reaper_tid = true;
  parent->reaper_tid = 10;
  die(table, parent);
  EXPECT_EQ(child->ptid, 0);
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

TEST(ThreadTable, ANumberUsedAgainIsANewThread) {
  ThreadTable table;
  Thread* old = add(table, 10, 10, 1);
  old->comm = "old";
  Thread* child = add(table, 11, 11, 10);
  Thread* fresh = table.create(10);
  EXPECT_EQ(fresh->comm, "");
  EXPECT_EQ(table.find(10), fresh);
  EXPECT_EQ(child->parent, nullptr);
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

TEST(Descriptor, IsCopiedBeforeItIsChangedWhenShared) {
  DescriptorPool pool;
  DescriptorTable parent;
  DescriptorRef made = pool.make(FdType::kFileV2);
  made.get()->set_name("/a");
  parent.put(3, std::move(made));
  DescriptorTable child;
  child.copy_from(parent);
  child.find(3)->descriptor.writable().set_name("/b");
  EXPECT_EQ(parent.find(3)->descriptor->name, "/a");
  EXPECT_EQ(child.find(3)->descriptor->name, "/b");
}

TEST(DescriptorTable, TakesAnyNumberWithoutGrowingToIt) {
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
