// Effects of events on processes, threads and users.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "scap/writer.h"
#include "state/engine.h"

namespace sfkit::state {
namespace {

namespace ev = scap::ev;
using scap::value::i64;
using scap::value::list;
using scap::value::text;
using scap::value::u32;
using scap::value::u64;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kBoot = 1'600'000'000'000'000'000;
constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;
constexpr uint32_t kThreadFlags = kCloneFiles | kCloneThread;

// Parameters of a clone exit event, which describe the thread that reports it.
struct Clone {
  int64_t tid = 0;
  int64_t result = 0;
  int64_t pid = 0;
  int64_t ptid = 1;
  uint32_t flags = 0;
  uint32_t uid = 7;
  uint32_t gid = 8;
  int64_t vtid = 0;
  int64_t vpid = 0;
  std::string comm = "app";
  std::string cgroups = {};
  uint64_t faults = 5;
  uint32_t size = 100;
  uint64_t namespace_start = 0;
};

Clone caller(int64_t tid, int64_t result, uint32_t flags = 0) {
  return {.tid = tid, .result = result, .pid = tid, .flags = flags, .vtid = tid, .vpid = tid};
}

Clone child(int64_t tid, int64_t ptid, uint32_t flags = 0) {
  return {
      .tid = tid, .result = 0, .pid = tid, .ptid = ptid, .flags = flags, .vtid = tid, .vpid = tid};
}

// An engine with init (1) and the process 100.
class World {
 public:
  explicit World(bool compat = false) : engine(compat) {
    engine.reset();
    scap::MachineInfo machine;
    machine.boot_time = kBoot;
    engine.add_machine(machine);
    for (const int64_t pid : {int64_t{1}, int64_t{100}}) add(entry(pid, pid));
    engine.lists_complete();
  }

  static scap::ThreadEntry entry(int64_t tid, int64_t pid) {
    scap::ThreadEntry entry;
    entry.tid = entry.vtid = tid;
    entry.pid = entry.vpid = pid;
    entry.ptid = pid == 1 ? 0 : 1;
    entry.sid = entry.vpgid = entry.pgid = 1;
    entry.comm = entry.exe = entry.exepath = "app";
    entry.cwd = "/home";
    entry.env = std::string_view("A=1\0", 4);
    entry.uid = 7;
    entry.gid = 8;
    entry.tty = 5;
    entry.cap_inheritable = entry.cap_permitted = entry.cap_effective = 2;
    if (tid != pid) entry.flags = kThreadFlags;
    return entry;
  }
  void add(const scap::ThreadEntry& entry) { engine.add_thread(entry); }
  // Adds another thread to a process.
  void add_thread(int64_t tid, int64_t pid) {
    add(entry(tid, pid));
    engine.lists_complete();
  }

  void event(int64_t tid, uint16_t code, const std::vector<std::string>& params) {
    std::string body;
    for (const std::string& param : params) {
      const auto length = static_cast<uint16_t>(param.size());
      body.append(reinterpret_cast<const char*>(&length), sizeof(length));
    }
    for (const std::string& param : params) body += param;
    scap::EventView view(code, static_cast<uint32_t>(params.size()), Bytes(std::string_view(body)));
    view.ts = now += 1'000'000;
    view.tid = tid;
    view.number = ++number;
    engine.apply(view, [](const Context&) {});
  }

  void clone(const Clone& facts, uint16_t code = ev::SYSCALL_CLONE_20_X) {
    event(facts.tid, code,
          {i64(facts.result),
           text("/bin/app"),
           list({"x"}),
           i64(facts.tid),
           i64(facts.pid),
           i64(facts.ptid),
           text(""),
           i64(1024),
           u64(facts.faults),
           u64(2 * facts.faults),
           u32(facts.size),
           u32(facts.size / 2),
           u32(1),
           text(facts.comm),
           facts.cgroups,
           u32(facts.flags),
           u32(facts.uid),
           u32(facts.gid),
           i64(facts.vtid),
           i64(facts.vpid),
           u64(facts.namespace_start)});
  }
  void fork(int64_t from, int64_t to) {
    clone(caller(from, to));
    clone(child(to, from));
  }
  // The two process group ids differ in a pid namespace.
  void exec(int64_t tid, int64_t vpgid, int64_t pgid, uint32_t uid = 7) {
    event(tid, ev::SYSCALL_EXECVE_19_X,
          {i64(0),    text("tool"),  "",     i64(tid),   i64(tid), i64(1),   text(""),
           u64(1024), u64(1),        u64(1), u32(1),     u32(1),   u32(1),   text("tool"),
           "",        list({"B=2"}), u32(0), i64(vpgid), u32(0),   u32(0),   u64(0),
           u64(0),    u64(0),        u64(9), u64(0),     u64(0),   u32(uid), text("/bin/tool"),
           i64(pgid), u32(8)});
  }
  void exit(int64_t tid) { event(tid, ev::PROCEXIT_1_E, {i64(0), i64(0), "\0", "\0", i64(0)}); }
  void open(int64_t tid, int64_t fd, std::string_view path) {
    event(tid, ev::SYSCALL_OPENAT_2_X,
          {i64(fd), i64(kAtFdcwd), text(path), u32(1), u32(0), u32(0), u64(0)});
  }

  Thread& at(int64_t tid) {
    Thread* const thread = engine.find_thread(tid);
    EXPECT_NE(thread, nullptr) << tid;
    static Thread none;
    return thread == nullptr ? none : *thread;
  }
  std::string container(int64_t tid) { return engine.containers().at(at(tid).container).id.str(); }

  Engine engine;
  uint64_t now = kStart;
  uint64_t number = 0;
};

// ---- pid namespaces

TEST(EngineProcesses, AChildReportsItsIdsInItsNamespace) {
  World world;
  world.clone(caller(100, 200));
  EXPECT_EQ(world.at(200).vpid, 200);
  Clone first = child(200, 100, kChildInPidns);
  first.vtid = first.vpid = 1;
  first.namespace_start = 77;
  world.clone(first);
  EXPECT_EQ(world.at(200).vpid, 1);
  EXPECT_EQ(world.at(200).vtid, 1);
  EXPECT_EQ(world.at(200).pidns_start_ts, kBoot + 77);
  EXPECT_TRUE(world.at(200).group->reaper);
  EXPECT_EQ(world.at(200).parent_tid(), 100);
}

TEST(EngineProcesses, UnshareAndSetnsChangeTheIdsOfChildren) {
  World world;
  world.event(100, ev::SYSCALL_UNSHARE_X, {i64(-1), u32(kCloneNewPid)});
  world.clone(caller(100, 200));
  EXPECT_EQ(world.at(200).vpid, 200) << "the call failed";
  world.event(100, ev::SYSCALL_UNSHARE_X, {i64(0), u32(kCloneNewPid)});
  EXPECT_EQ(world.at(100).vpid, 100) << "the caller keeps its namespace";
  world.clone(caller(100, 201));
  world.clone(caller(100, 202));
  EXPECT_EQ(world.at(201).vpid, 1) << "first process of the namespace";
  EXPECT_EQ(world.at(202).vpid, -1);
  EXPECT_EQ(world.at(202).vtid, -1);
  Clone second = child(202, 100, kChildInPidns);
  second.vtid = second.vpid = 9;
  world.clone(second);
  EXPECT_EQ(world.at(202).vpid, 9);

  world.add_thread(101, 101);
  world.event(101, ev::SYSCALL_SETNS_X, {i64(0), i64(3), u32(kCloneNewPid)});
  world.clone(caller(101, 301));
  EXPECT_EQ(world.at(301).vpid, -1);

  // If the call has no namespace type, the descriptor shows it.
  for (const auto& [path, is_pid] :
       {std::pair("/proc/9/ns/pid", true), std::pair("/proc/9/ns/pid_for_children", true),
        std::pair("/proc/9/ns/net", false)}) {
    World other;
    other.open(100, 3, path);
    other.event(100, ev::SYSCALL_SETNS_X, {i64(0), i64(3), u32(0)});
    other.clone(caller(100, 200));
    EXPECT_EQ(other.at(200).vpid, is_pid ? -1 : 200) << path;
  }
}

TEST(EngineProcesses, TheCollectorKeepsTheIdsFromTheCaller) {
  World world(true);
  world.event(100, ev::SYSCALL_UNSHARE_X, {i64(0), u32(kCloneNewPid)});
  world.clone(caller(100, 200));
  Clone first = child(200, 100, kChildInPidns);
  first.vtid = first.vpid = 1;
  world.clone(first);
  EXPECT_EQ(world.at(200).vpid, 200);
}

TEST(EngineProcesses, AnExecShowsWhetherAnUnknownThreadIsInAPidNamespace) {
  World world;
  world.exec(300, 300, 300);
  EXPECT_EQ(world.at(300).vpid, 300);
  world.exec(301, 1, 301);
  EXPECT_EQ(world.at(301).vpid, -1);
  EXPECT_EQ(world.at(301).vtid, -1);
}

// ---- what clone events show

TEST(EngineProcesses, ACloneUpdatesItsCaller) {
  World world;
  Clone facts = caller(100, 200);
  facts.comm = "renamed";
  facts.uid = 70;
  facts.gid = 80;
  facts.size = 4000;
  world.clone(facts);
  EXPECT_EQ(world.at(100).comm, "renamed");
  EXPECT_EQ(world.at(100).uid, 70u);
  EXPECT_EQ(world.at(100).gid, 80u);
  EXPECT_EQ(world.at(100).memory.size_kb, 4000u);
  EXPECT_EQ(world.at(200).comm, "renamed");

  // A failed clone describes its caller too. Missing values change nothing.
  facts = caller(100, -11);
  facts.comm = "<NA>";
  facts.uid = kNoId;
  world.clone(facts);
  EXPECT_EQ(world.at(100).comm, "renamed");
  EXPECT_EQ(world.at(100).uid, 70u);

  World compat(true);
  facts = caller(100, 200);
  facts.comm = "renamed";
  compat.clone(facts);
  EXPECT_EQ(compat.at(100).comm, "app");
}

TEST(EngineProcesses, ACloneFillsInAPlaceholder) {
  World world;
  world.open(300, 5, "/tmp/x");
  EXPECT_TRUE(world.at(300).is_invalid());
  Clone facts = caller(300, 301);
  facts.pid = facts.vpid = 290;
  facts.flags = kThreadFlags;
  world.clone(facts);
  EXPECT_EQ(world.at(300).uid, 7u);
  EXPECT_EQ(world.at(300).comm, "app");
  EXPECT_EQ(world.at(300).leader(), &world.at(290));
  EXPECT_EQ(world.at(290).vtid, 290);
  ASSERT_NE(world.at(300).table()->find(5), nullptr) << "its descriptors become the process's";
  EXPECT_EQ(world.at(300).table(), world.at(290).table());
}

TEST(EngineProcesses, ALeaderFoundByItsThreadHasTheIdsOfTheProcess) {
  World world;
  Clone facts = child(30, 1, kThreadFlags);
  facts.pid = 24;
  facts.vtid = 8;
  facts.vpid = 7;
  world.clone(facts);
  EXPECT_EQ(world.at(24).vtid, 7);
  EXPECT_EQ(world.at(24).vpid, 7);
  EXPECT_EQ(world.at(30).vtid, 8);
}

TEST(EngineProcesses, AChildReportsItsGroupsAndFaults) {
  World world;
  const std::string id(64, 'a');
  world.clone(caller(100, 200));
  EXPECT_EQ(world.at(200).memory.major_faults, 0u) << "counts from zero";
  Clone facts = child(200, 100);
  // clone3 can put the child into another cgroup.
  facts.cgroups = list({"cpu=/docker/" + id});
  facts.faults = 3;
  world.clone(facts);
  EXPECT_EQ(world.container(200), "aaaaaaaaaaaa");
  EXPECT_EQ(world.at(200).memory.major_faults, 3u);
  EXPECT_EQ(world.at(200).memory.minor_faults, 6u);
  EXPECT_EQ(world.container(100), "");
}

// ---- reused tids

TEST(EngineProcesses, AReusedTidIsANewProcess) {
  for (const bool exit_seen : {true, false}) {
    World world;
    world.fork(100, 200);
    const uint64_t first = world.at(200).clone_ts;
    world.open(200, 3, "/tmp/first");
    world.event(200, ev::SYSCALL_CHDIR_X, {i64(0), text("/tmp")});
    if (exit_seen) world.exit(200);
    world.fork(100, 200);
    EXPECT_GT(world.at(200).clone_ts, first);
    EXPECT_EQ(world.at(200).table()->find(3), nullptr);
    EXPECT_EQ(world.at(200).cwd->text(), "/home/");
  }
}

TEST(EngineProcesses, AReusedTidIsANewProcessIfTheChildReportsFirst) {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.clone(child(200, 100));
    const uint64_t born = world.at(200).clone_ts;
    world.open(200, 3, "/tmp/x");
    world.clone(caller(100, 200));
    EXPECT_EQ(world.at(200).clone_ts, born) << "both events belong to one clone";
    EXPECT_NE(world.at(200).table()->find(3), nullptr);
  }
  // Without events of the caller, as in a pid namespace.
  for (int i = 0; i < 3; ++i) {
    world.clone(child(300, 100));
    EXPECT_EQ(world.at(300).clone_ts, world.now);
  }
}

TEST(EngineProcesses, ACallerEventAfterTheChildEndedAddsNoProcess) {
  World world;
  world.clone(child(200, 100));
  world.exit(200);
  world.clone(caller(100, 200));
  EXPECT_EQ(world.engine.find_thread(200), nullptr);
  world.clone(caller(100, 200));
  EXPECT_NE(world.engine.find_thread(200), nullptr) << "the next clone is a different one";
  // After both events of the clone, the exit frees the tid at once.
  world.clone(child(200, 100));
  world.exit(200);
  world.clone(caller(100, 200));
  EXPECT_NE(world.engine.find_thread(200), nullptr);
}

TEST(EngineProcesses, ALateChildEventIsNotANewProcess) {
  World world;
  world.clone(caller(100, 200));
  const uint64_t born = world.at(200).clone_ts;
  world.now += 60 * kSecond;  // stopped by a debugger
  world.clone(child(200, 100));
  EXPECT_EQ(world.at(200).clone_ts, born);
  world.now += 60 * kSecond;
  world.clone(child(200, 100));
  EXPECT_GT(world.at(200).clone_ts, born);
}

TEST(EngineProcesses, TheCollectorDetectsReusedTidsByTime) {
  World world(true);
  world.clone(caller(100, 200));
  const uint64_t born = world.at(200).clone_ts;
  world.clone(child(200, 100));
  world.clone(child(200, 100));
  EXPECT_EQ(world.at(200).clone_ts, born) << "within two seconds";
  world.now += 3 * kSecond;
  world.clone(child(200, 100));
  const uint64_t second = world.at(200).clone_ts;
  EXPECT_GT(second, born);
  world.now += 3 * kSecond;
  world.clone(caller(100, 200));
  EXPECT_EQ(world.at(200).clone_ts, second) << "created by its own event, at any time";
  // A child that ended before its caller's event is created again.
  world.clone(child(300, 100));
  world.exit(300);
  world.clone(caller(100, 300));
  EXPECT_EQ(world.at(300).clone_ts, world.now);
}

// ---- names

TEST(EngineProcesses, PrctlNamesTheThread) {
  World world;
  world.add_thread(101, 100);
  const auto prctl = [&world](int64_t result, uint32_t option, const std::string& name) {
    world.event(101, ev::SYSCALL_PRCTL_X, {i64(result), u32(option), name, i64(0)});
  };
  prctl(0, 15, text("a-name-of-more-than-15-bytes"));
  EXPECT_EQ(world.at(101).comm, "a-name-of-more-");
  EXPECT_EQ(world.at(100).comm, "app");
  prctl(-14, 15, text("x"));
  prctl(0, 16, text("x"));
  prctl(0, 15, "");
  prctl(0, 15, text("<NA>"));
  EXPECT_EQ(world.at(101).comm, "a-name-of-more-");
  prctl(0, 15, text(""));
  EXPECT_EQ(world.at(101).comm, "");
}

// ---- capabilities and user namespaces

TEST(EngineProcesses, CapsetSetsThreeSets) {
  World world;
  world.event(100, ev::SYSCALL_CAPSET_X, {i64(-1), u64(1), u64(1), u64(1)});
  EXPECT_EQ(world.at(100).capabilities.effective, 2u);
  world.event(100, ev::SYSCALL_CAPSET_X, {i64(0), u64(1), u64(12), u64(8)});
  EXPECT_EQ(world.at(100).capabilities.inheritable, 1u);
  EXPECT_EQ(world.at(100).capabilities.permitted, 12u);
  EXPECT_EQ(world.at(100).capabilities.effective, 8u);
}

void expect_all_capabilities(const Thread& thread) {
  EXPECT_EQ(thread.capabilities.permitted, kAllCapabilities);
  EXPECT_EQ(thread.capabilities.effective, kAllCapabilities);
  EXPECT_EQ(thread.capabilities.inheritable, 0u);
}

TEST(EngineProcesses, ANewUserNamespaceGivesAllCapabilities) {
  World world;
  world.add_thread(101, 101);
  world.add_thread(102, 102);
  world.event(100, ev::SYSCALL_UNSHARE_X, {i64(0), u32(kCloneNewUser)});
  expect_all_capabilities(world.at(100));
  world.event(101, ev::SYSCALL_SETNS_X, {i64(0), i64(3), u32(kCloneNewUser)});
  expect_all_capabilities(world.at(101));
  world.open(102, 3, "/proc/9/ns/user");
  world.event(102, ev::SYSCALL_SETNS_X, {i64(0), i64(3), u32(0)});
  expect_all_capabilities(world.at(102));
  world.fork(102, 202);
  expect_all_capabilities(world.at(202));
}

TEST(EngineProcesses, AChildInANewUserNamespaceHasAllCapabilitiesInAnyEventOrder) {
  World world;
  world.clone(caller(100, 200, kCloneNewUser));
  expect_all_capabilities(world.at(200));
  EXPECT_EQ(world.at(100).capabilities.effective, 2u);
  world.clone(child(201, 100));
  EXPECT_EQ(world.at(201).capabilities.effective, 2u);
  world.clone(caller(100, 201, kCloneNewUser), ev::SYSCALL_CLONE3_X);
  expect_all_capabilities(world.at(201));
  world.clone(child(202, 100, kCloneNewUser));
  expect_all_capabilities(world.at(202));
}

TEST(EngineProcesses, IdsInAUserNamespaceAreNotHostIds) {
  World world;
  world.event(100, ev::SYSCALL_SETUID_X, {i64(0), u32(9)});
  EXPECT_EQ(world.at(100).uid, 9u);
  world.event(100, ev::SYSCALL_UNSHARE_X, {i64(0), u32(kCloneNewUser)});
  EXPECT_EQ(world.at(100).uid, 9u);
  world.event(100, ev::SYSCALL_SETUID_X, {i64(0), u32(0)});
  EXPECT_EQ(world.at(100).uid, kNoId) << "root of the namespace is not root";
  world.event(100, ev::SYSCALL_SETRESGID_X, {i64(0), u32(0), u32(0), u32(0)});
  EXPECT_EQ(world.at(100).gid, kNoId);
  world.exec(100, 100, 100, 100'000);
  EXPECT_EQ(world.at(100).uid, 100'000u);
}

TEST(EngineProcesses, GivingUpRootClearsCapabilities) {
  struct Case {
    uint16_t code;
    std::vector<std::string> params;
    uint64_t permitted, effective;
  };
  constexpr uint64_t kAll = kAllCapabilities;
  const std::string ok = i64(0);
  const std::string keep = u32(kNoId);
  const std::vector<Case> cases = {
      {ev::SYSCALL_SETUID_X, {ok, u32(9)}, 0, 0},
      {ev::SYSCALL_SETUID_X, {i64(-1), u32(9)}, kAll, kAll},
      {ev::SYSCALL_SETUID_X, {ok, u32(0)}, kAll, kAll},
      {ev::SYSCALL_SETRESUID_X, {ok, u32(9), u32(9), u32(9)}, 0, 0},
      {ev::SYSCALL_SETRESUID_X, {ok, keep, u32(9), keep}, kAll, 0},
      {ev::SYSCALL_SETRESUID_X, {ok, u32(9), u32(9), u32(0)}, kAll, 0},
      {ev::SYSCALL_SETREUID_X, {ok, u32(9), u32(9)}, 0, 0},
      {ev::SYSCALL_SETREUID_X, {ok, keep, u32(9)}, kAll, 0},
      {ev::SYSCALL_SETRESGID_X, {ok, u32(9), u32(9), u32(9)}, kAll, kAll},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    World world;
    world.at(100).uid = 0;
    world.at(100).capabilities = {0, kAll, kAll};
    world.event(100, cases[i].code, cases[i].params);
    EXPECT_EQ(world.at(100).capabilities.permitted, cases[i].permitted) << i;
    EXPECT_EQ(world.at(100).capabilities.effective, cases[i].effective) << i;
  }
  // Temporarily, like seteuid.
  World world;
  world.at(100).uid = 0;
  world.at(100).capabilities = {0, kAll, kAll};
  world.event(100, ev::SYSCALL_SETRESUID_X, {ok, keep, u32(9), keep});
  world.event(100, ev::SYSCALL_SETRESUID_X, {ok, keep, u32(0), keep});
  EXPECT_EQ(world.at(100).capabilities.effective, kAll);
  // setuid without CAP_SETUID keeps the other two ids.
  world.at(100).capabilities = {0, 8, 8};
  world.event(100, ev::SYSCALL_SETUID_X, {ok, u32(9)});
  EXPECT_EQ(world.at(100).capabilities.permitted, 8u);
  EXPECT_EQ(world.at(100).capabilities.effective, 0u);
}

TEST(EngineProcesses, KeptCapabilitiesStayPermitted) {
  const auto prctl = [](World& world, uint32_t option, int64_t argument) {
    world.event(100, ev::SYSCALL_PRCTL_X, {i64(0), u32(option), "", i64(argument)});
  };
  const auto drop = [](World& world) {
    world.at(100).uid = 0;
    world.at(100).capabilities = {0, kAllCapabilities, kAllCapabilities};
    world.event(100, ev::SYSCALL_SETUID_X, {i64(0), u32(9)});
    return std::pair(world.at(100).capabilities.permitted, world.at(100).capabilities.effective);
  };
  const std::pair<uint64_t, uint64_t> none(0, 0), permitted(kAllCapabilities, 0),
      all(kAllCapabilities, kAllCapabilities);
  World world;
  prctl(world, 8, 1);  // PR_SET_KEEPCAPS
  EXPECT_EQ(drop(world), permitted);
  world.exec(100, 100, 100);
  EXPECT_EQ(drop(world), none) << "an exec clears the flag";
  prctl(world, 8, 1);
  prctl(world, 8, 0);
  EXPECT_EQ(drop(world), none);
  prctl(world, 28, 1 << 4);  // PR_SET_SECUREBITS
  EXPECT_EQ(drop(world), permitted);
  prctl(world, 28, 1 << 2);
  EXPECT_EQ(drop(world), all);
}

// ---- sessions and process groups

TEST(EngineProcesses, SetsidStartsASessionAndAProcessGroup) {
  World world;
  world.add_thread(101, 100);
  world.event(101, ev::SYSCALL_SETSID_X, {i64(-1)});
  EXPECT_EQ(world.at(100).sid, 1);
  const uint32_t changes = world.at(100).changes;
  world.event(101, ev::SYSCALL_SETSID_X, {i64(100)});
  EXPECT_EQ(world.at(100).sid, 100);
  EXPECT_EQ(world.at(100).vpgid, 100);
  EXPECT_EQ(world.at(100).pgid, 100);
  EXPECT_EQ(world.at(100).tty, 0u);
  EXPECT_NE(world.at(100).changes, changes);
  world.fork(101, 200);
  EXPECT_EQ(world.at(200).sid, 100);
  EXPECT_EQ(world.at(200).vpgid, 100);
}

TEST(EngineProcesses, SetpgidMovesTheCallerOrAnotherProcess) {
  World world;
  world.add_thread(101, 100);
  world.fork(100, 200);
  world.fork(100, 201);
  const auto setpgid = [&world](int64_t tid, int64_t pid, int64_t group, int64_t result = 0) {
    world.event(tid, ev::SYSCALL_SETPGID_X, {i64(result), i64(pid), i64(group)});
  };
  setpgid(101, 0, 0, -1);
  EXPECT_EQ(world.at(100).vpgid, 1);
  setpgid(101, 0, 0);
  EXPECT_EQ(world.at(100).vpgid, 100) << "the group belongs to the process, whichever thread calls";
  EXPECT_EQ(world.at(100).pgid, 100);
  setpgid(100, 200, 0);
  EXPECT_EQ(world.at(200).vpgid, 200);
  setpgid(100, 201, 200);
  EXPECT_EQ(world.at(201).vpgid, 200);
  EXPECT_EQ(world.at(201).pgid, 200);
  setpgid(100, 999, 200);
  setpgid(201, 0, 100);
  EXPECT_EQ(world.at(201).vpgid, 100);
}

TEST(EngineProcesses, SetpgidInAPidNamespaceUsesItsIds) {
  World world;
  Clone shell = child(200, 100, kChildInPidns);
  shell.vtid = shell.vpid = 4;
  world.clone(shell);
  Clone job = child(300, 200, kChildInPidns);
  job.vtid = job.vpid = 5;
  world.clone(job);
  const auto setpgid = [&world](int64_t tid, int64_t pid, int64_t group) {
    world.event(tid, ev::SYSCALL_SETPGID_X, {i64(0), i64(pid), i64(group)});
  };
  setpgid(200, 0, 0);
  EXPECT_EQ(world.at(200).vpgid, 4);
  EXPECT_EQ(world.at(200).pgid, 200);
  setpgid(200, 5, 5);
  EXPECT_EQ(world.at(300).vpgid, 5);
  EXPECT_EQ(world.at(300).pgid, 300);
  setpgid(200, 5, 4);
  EXPECT_EQ(world.at(300).vpgid, 4);
  EXPECT_EQ(world.at(300).pgid, 200);
  setpgid(300, 0, 9);
  EXPECT_EQ(world.at(300).vpgid, 9);
  EXPECT_EQ(world.at(300).pgid, -1) << "its host id is unknown";
  // Host pid 100 is another process.
  setpgid(200, 100, 0);
  EXPECT_EQ(world.at(100).vpgid, 1);
}

// ---- memory

TEST(EngineProcesses, ASwitchReportsMemoryAndFaultsOfTheOldThread) {
  World world;
  world.add_thread(101, 100);
  world.event(101, ev::SCHEDSWITCH_6_E, {i64(100), u64(7), u64(8), u32(12345), u32(678), u32(9)});
  EXPECT_EQ(world.at(101).memory.major_faults, 7u);
  EXPECT_EQ(world.at(101).memory.minor_faults, 8u);
  EXPECT_EQ(world.at(100).memory.major_faults, 0u);
  EXPECT_EQ(world.at(100).memory.size_kb, 12345u) << "memory belongs to the process";
  EXPECT_EQ(world.at(100).memory.resident_kb, 678u);
  EXPECT_EQ(world.at(100).memory.swap_kb, 9u);
  world.event(999, ev::SCHEDSWITCH_6_E, {i64(100), u64(7), u64(8), u32(1), u32(1), u32(1)});
  EXPECT_EQ(world.engine.find_thread(999), nullptr);
}

// ---- environments

TEST(EngineProcesses, AForkByAnyThreadInheritsTheEnvironment) {
  for (const bool compat : {false, true}) {
    World world(compat);
    world.add_thread(101, 100);
    world.clone({.tid = 101, .result = 200, .pid = 100, .vtid = 101, .vpid = 100});
    EXPECT_EQ(world.at(200).env.view(), compat ? std::string_view() : std::string_view("A=1\0", 4));
    world.clone(caller(100, 201));
    EXPECT_EQ(world.at(201).env.view(), std::string_view("A=1\0", 4));
  }
}

// ---- names of users

TEST(EngineProcesses, AUserWithoutANameChangesNothing) {
  for (const bool compat : {false, true}) {
    World world(compat);
    world.engine.add_user({7, 8, "ana", "/home/ana", "/bin/sh"});
    world.engine.add_group(8, "staff");
    for (const char* name : {"<NA>", ""}) {
      world.event(-1, ev::USER_ADDED_E,
                  {u32(7), u32(8), text(name), text(name), text(name), text("")});
      world.event(-1, ev::GROUP_ADDED_E, {u32(8), text(name), text("")});
      EXPECT_EQ(*world.engine.users().find(0, 7), compat ? name : "ana");
      EXPECT_EQ(*world.engine.groups().find(0, 8), compat ? name : "staff");
      EXPECT_EQ(world.engine.accounts().find(0, 7)->home, compat ? name : "/home/ana");
    }
    world.event(-1, ev::USER_ADDED_E,
                {u32(9), u32(8), text("<NA>"), text("/x"), text("/y"), text("")});
    EXPECT_EQ(world.engine.users().find(0, 9) == nullptr, !compat);
    world.event(-1, ev::USER_ADDED_E,
                {u32(7), u32(8), text("bob"), text("/"), text("/"), text("")});
    EXPECT_EQ(*world.engine.users().find(0, 7), "bob");
  }
}

}  // namespace
}  // namespace sfkit::state
