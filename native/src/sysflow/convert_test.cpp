#include "sysflow/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "events.gen.h"
#include "testing/record_log.h"
#include "testing/scenario.h"
#include "testing/temporary_file.h"
#include "testing/webserver.h"

namespace sfkit::sysflow {
namespace {

using scap::value::i64;
using scap::value::text;
using sfkit::testing::Age;
using sfkit::testing::ProcessFacts;
using sfkit::testing::Scenario;
using namespace scap::value;
namespace ev = scap::ev;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint32_t kReadOnly = 1;
constexpr uint32_t kReadWrite = 3;
constexpr uint32_t kCreate = 4;
constexpr int64_t kAtFdcwd = -100;
constexpr int64_t kPid = 50;

// Keeps the typed records that tests check, and every record as text.
struct Kept : RecordLog {
  std::vector<Process> processes;
  std::vector<File> files;
  std::vector<FileFlow> file_flows;
  std::vector<NetworkFlow> network_flows;
  std::vector<ProcessEvent> events;
  std::vector<FileEvent> file_events;
  std::vector<ProcessFlow> process_flows;
  std::vector<Header> headers;
  std::vector<Container> containers;
  std::vector<std::pair<Oid, sysflow::ProcessFacts>> facts;
  std::vector<Oid> gone;
  std::vector<std::string> gone_containers;

  template <typename List, typename Record>
  void keep(List& list, const Record& record) {
    list.push_back(record);
  }
  void header(const Header& r) override { keep(headers, r), RecordLog::header(r); }
  void container(const Container& r) override { keep(containers, r), RecordLog::container(r); }
  void process(const Process& r) override { keep(processes, r), RecordLog::process(r); }
  void file(const File& r) override { keep(files, r), RecordLog::file(r); }
  void file_flow(const FileFlow& r) override { keep(file_flows, r), RecordLog::file_flow(r); }
  void network_flow(const NetworkFlow& r) override {
    keep(network_flows, r), RecordLog::network_flow(r);
  }
  void process_event(const ProcessEvent& r) override {
    keep(events, r), RecordLog::process_event(r);
  }
  void file_event(const FileEvent& r) override { keep(file_events, r), RecordLog::file_event(r); }
  void process_flow(const ProcessFlow& r) override {
    keep(process_flows, r), RecordLog::process_flow(r);
  }
  bool takes_facts() const override { return true; }
  void process_facts(const Oid& oid, const sysflow::ProcessFacts& now) override {
    facts.emplace_back(oid, now);
  }
  void process_gone(const Oid& oid) override { gone.push_back(oid); }
  void container_gone(std::string_view id) override { gone_containers.emplace_back(id); }
};

ConvertOptions everything() {
  ConvertOptions options;
  options.file_read_mode = 0;
  options.file_only = false;
  options.process_flow = false;
  return options;
}

Kept convert(Scenario& world, const ConvertOptions& options, InputSummary* summary = nullptr) {
  const sfkit::testing::TemporaryFile file(world.writer().bytes());
  Kept kept;
  InputSummary own;
  const std::atomic<bool> cancel{false};
  const Status status =
      convert_capture(file.path(), options, kept, cancel, summary == nullptr ? own : *summary);
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_TRUE(kept.finished);
  return kept;
}

ProcessFacts facts(int64_t pid = kPid) {
  return {.exe = "/bin/app",
          .comm = "app",
          .args = {"-x", "y"},
          .env = {"A=1"},
          .tid = pid,
          .pid = pid,
          .ptid = 1,
          .uid = 7,
          .gid = 8,
          .vtid = pid,
          .vpid = pid};
}

// A world with init and one process, which has a file open as descriptor 4.
Scenario small_world(Age age) {
  Scenario world(age);
  world.writer().begin();
  scap::MachineInfo machine;
  machine.hostname = "box";
  world.writer().machine(machine);
  world.writer().users({{7, 8, "ana", "/", "/"}}, {{8, "staff"}});
  scap::ThreadEntry init;
  init.tid = init.pid = init.vtid = init.vpid = 1;
  init.ptid = 0;
  init.exe = init.exepath = "/sbin/init";
  init.cwd = "/";
  scap::ThreadEntry app;
  app.tid = app.pid = app.vtid = app.vpid = kPid;
  app.ptid = 1;
  app.exe = app.exepath = "/bin/app";
  app.cwd = "/work";
  app.uid = 7;
  app.gid = 8;
  world.writer().processes({init, app});
  scap::FdEntry log;
  log.fd = 4;
  log.type = scap::FdType::kFileV2;
  log.name = "/var/log/app";
  world.writer().descriptors(kPid, {log});
  return world;
}

class EveryAge : public ::testing::TestWithParam<Age> {};

TEST_P(EveryAge, AFileFlowCountsOperationsFromOpenToClose) {
  Scenario world = small_world(GetParam());
  world.openat(kPid, 3, kAtFdcwd, "data.txt", kReadWrite | kCreate);
  world.write(kPid, 3, 100);
  world.write(kPid, 3, -11);
  world.read(kPid, 3, 40);
  world.mmap(kPid, 3, 4096);
  world.close(kPid, 3);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 1u);
  const FileFlow& flow = kept.file_flows[0];
  EXPECT_EQ(flow.op_flags, kOpOpen | kOpWriteSend | kOpReadRecv | kOpMmap | kOpClose);
  EXPECT_EQ(flow.open_flags, static_cast<int32_t>(kReadWrite | kCreate));
  EXPECT_EQ(flow.counters.write_ops, 2);
  EXPECT_EQ(flow.counters.write_bytes, 100);
  EXPECT_EQ(flow.counters.read_ops, 1);
  EXPECT_EQ(flow.counters.read_bytes, 40);
  EXPECT_EQ(kept.files.at(0).path, "/work/data.txt");
  ASSERT_EQ(kept.processes.size(), 2u) << "the parent comes first";
  EXPECT_EQ(kept.processes[0].exe, "/sbin/init");
  EXPECT_EQ(kept.processes[1].poid, kept.processes[0].oid);
  EXPECT_EQ(kept.processes[1].user_name, "ana");
  EXPECT_EQ(kept.processes[1].cwd, "/work/");
}

TEST_P(EveryAge, ConnectionsHaveEndpointsInBothAddressFamilies) {
  for (const bool v6 : {false, true}) {
    Scenario world = small_world(GetParam());
    const auto client =
        v6 ? sfkit::testing::ipv6(1, 40000) : sfkit::testing::ipv4(10, 0, 0, 1, 40000);
    const auto server = v6 ? sfkit::testing::ipv6(2, 80) : sfkit::testing::ipv4(10, 0, 0, 2, 80);
    world.socket(kPid, 5, v6, false);
    world.connect(kPid, 5, client, server, 0);
    world.write(kPid, 5, 10);
    world.read(kPid, 5, 20);
    world.close(kPid, 5);
    world.accept(kPid, 6, server, client);
    world.close(kPid, 6);
    const Kept kept = convert(world, everything());
    ASSERT_EQ(kept.network_flows.size(), 2u);
    const NetworkFlow& flow = kept.network_flows[0];
    EXPECT_EQ(flow.op_flags, kOpConnect | kOpWriteSend | kOpReadRecv | kOpClose);
    EXPECT_EQ(flow.ipv6, v6);
    EXPECT_EQ(flow.sip.bytes, client.ip);
    EXPECT_EQ(flow.dip.bytes, server.ip);
    EXPECT_EQ(flow.dport, 80);
    EXPECT_EQ(flow.proto, 6);
    EXPECT_EQ(flow.counters.read_bytes, 20);
    EXPECT_EQ(kept.network_flows[1].op_flags, kOpAccept | kOpClose);
  }
}

TEST_P(EveryAge, ADatagramServerHasAFlowForEachClient) {
  Scenario world = small_world(GetParam());
  const auto server = sfkit::testing::ipv4(10, 0, 0, 2, 53);
  const auto first = sfkit::testing::ipv4(10, 0, 0, 3, 4001);
  const auto second = sfkit::testing::ipv4(10, 0, 0, 4, 4002);
  world.socket(kPid, 5, false, true);
  world.bind(kPid, 5, server);
  for (const auto& client : {first, second}) {
    world.recvfrom(kPid, 5, 30, client, server);
    world.sendto(kPid, 5, 60, server, client);
  }
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.network_flows.size(), 2u);
  for (const NetworkFlow& flow : kept.network_flows) {
    EXPECT_EQ(flow.dip.bytes, server.ip);
    EXPECT_EQ(flow.dport, 53);
    EXPECT_EQ(flow.proto, 17);
    EXPECT_EQ(flow.counters.read_bytes, 30);
    EXPECT_EQ(flow.counters.write_bytes, 60);
  }
  EXPECT_EQ(kept.network_flows[0].sip.bytes, first.ip);
  EXPECT_EQ(kept.network_flows[1].sport, 4002);
}

TEST_P(EveryAge, ARefusedConnectKeepsItsDestination) {
  Scenario world = small_world(GetParam());
  world.socket(kPid, 5, false, false);
  world.connect(kPid, 5, sfkit::testing::ipv4(10, 0, 0, 1, 4000),
                sfkit::testing::ipv4(10, 0, 0, 2, 80), -111);
  world.close(kPid, 5);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.network_flows.size(), 1u);
  EXPECT_EQ(kept.network_flows[0].dport, 80);
}

TEST_P(EveryAge, FileEventsFindTheirPathsInEitherEvent) {
  Scenario world = small_world(GetParam());
  world.mkdir(kPid, "new");
  world.rename(kPid, "a", "/b/../c");
  world.link(kPid, "/x", "y");
  world.unlink(kPid, "./z");
  world.rmdir(kPid, "new", -39);
  const Kept kept = convert(world, everything());
  std::vector<std::string> paths;
  for (const File& file : kept.files) paths.emplace_back(file.path.view());
  EXPECT_EQ(paths,
            (std::vector<std::string>{"/work/new", "/work/a", "/c", "/x", "/work/y", "/work/z"}));
  ASSERT_EQ(kept.file_events.size(), 5u);
  EXPECT_EQ(kept.file_events[4].ret, -39);
  EXPECT_EQ(kept.files[0].restype, 'd');
}

TEST_P(EveryAge, ForkAndExecMakeAProcessThatInheritsState) {
  Scenario world = small_world(GetParam());
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.fork(facts(), child);
  child.exe = "/bin/other";
  child.comm = "other";
  child.args = {"1"};
  world.exec(child, 0);
  world.write(60, 4, 5);
  world.setuid(60, 0);
  world.exit(60, 256);
  const Kept kept = convert(world, everything());
  std::vector<uint32_t> ops;
  for (const ProcessEvent& event : kept.events) ops.push_back(event.op_flags);
  EXPECT_EQ(ops, (std::vector<uint32_t>{kOpClone, kOpClone, kOpExec, kOpSetuid, kOpExit}));
  EXPECT_EQ(kept.events[3].args, std::vector<std::string>{"root"});
  EXPECT_EQ(kept.events[4].ret, 256);
  const Process& changed = kept.processes.back();
  EXPECT_EQ(changed.state, ObjectState::kModified);
  EXPECT_EQ(changed.exe, "/bin/other");
  EXPECT_EQ(changed.uid, 0);
  EXPECT_EQ(changed.env, TextList({"A=1"})) << "the environment after the exec";
  ASSERT_EQ(kept.file_flows.size(), 1u) << "on the inherited descriptor";
  EXPECT_EQ(kept.file_flows[0].op_flags, kOpWriteSend);
}

// Readers join a flow with the last process record before it.
TEST_P(EveryAge, FlowsBelongToTheProgramAndUserThatMadeThem) {
  Scenario world = small_world(GetParam());
  world.write(kPid, 4, 1);
  ProcessFacts other = facts();
  other.exe = "/bin/other";
  world.exec(other, -2);
  world.write(kPid, 4, 20);
  world.exec(other, 0);
  world.write(kPid, 4, 300);
  world.setuid(kPid, 0);
  world.write(kPid, 4, 4000);
  world.exit(kPid, 0);
  struct Written {
    std::string exe;
    int32_t uid;
    int64_t bytes;
    bool operator==(const Written&) const = default;
  };
  // Each flow with the process record before it.
  struct Joined : Kept {
    std::vector<Written> written;
    void file_flow(const FileFlow& r) override {
      Kept::file_flow(r);
      written.push_back({processes.back().exe.str(), processes.back().uid, r.counters.write_bytes});
    }
  };
  const std::vector<Written> expected = {
      {"/bin/app", 7, 21}, {"/bin/other", 7, 300}, {"/bin/other", 0, 4000}};
  for (const char* filter : {"", "fd.name = /var/log/app"}) {
    const sfkit::testing::TemporaryFile file(world.writer().bytes());
    ConvertOptions options = everything();
    options.filter = filter;
    Joined joined;
    InputSummary summary;
    const std::atomic<bool> cancel{false};
    ASSERT_TRUE(convert_capture(file.path(), options, joined, cancel, summary).is_ok());
    EXPECT_EQ(joined.written, expected) << filter;
  }
}

TEST_P(EveryAge, AProcessThatChangedIsWrittenBeforeARecordRefersToIt) {
  const auto story = [](Scenario& world) {
    world.mkdir(kPid, "a");
    world.chdir(kPid, "/srv");
    world.chdir(kPid, "/opt");
    world.mkdir(kPid, "b");
    world.chdir(kPid, "/srv");
    world.chdir(kPid, "/opt");
    world.mkdir(kPid, "c");
    world.chdir(kPid, "/end");
  };
  Scenario world = small_world(GetParam());
  story(world);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.processes.size(), 3u) << "init, the process, and the process in its new directory";
  EXPECT_EQ(kept.processes[1].cwd, "/work/");
  EXPECT_EQ(kept.processes[2].state, ObjectState::kModified);
  EXPECT_EQ(kept.processes[2].cwd, "/opt/");
  ASSERT_EQ(kept.file_events.size(), 3u);
  EXPECT_EQ(kept.processes[2].ts, kept.file_events[1].ts);

  ConvertOptions compat = everything();
  compat.compat = true;
  Scenario again = small_world(GetParam());
  story(again);
  EXPECT_EQ(convert(again, compat).processes.size(), 2u);
}

TEST(Convert, AConnectThatRemovesThePeerIsNotAFlow) {
  Scenario world = small_world(Age::k2026);
  world.socket(kPid, 3, false, true);
  const auto server = sfkit::testing::ipv4(192, 0, 2, 53, 53);
  world.connect(kPid, 3, sfkit::testing::ipv4(10, 0, 0, 5, 40000), server, 0);
  world.write(kPid, 3, 7);
  world.event(kPid, ev::SOCKET_CONNECT_X, {i64(0), "", i64(3), ""});
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.network_flows.size(), 1u);
  EXPECT_EQ(kept.network_flows[0].counters.write_bytes, 7);
}

TEST(Convert, AProcessIsWrittenAgainWhenItsDirectoryIsRenamed) {
  Scenario world = small_world(Age::k2026);
  world.mkdir(kPid, "a");
  world.rename(1, "/other", "/there");
  world.mkdir(kPid, "b");
  world.rename(1, "/work", "/done");
  world.mkdir(kPid, "c");
  const Kept kept = convert(world, everything());
  std::vector<std::string> directories;
  for (const Process& process : kept.processes) {
    if (process.oid.hpid == kPid) directories.emplace_back(process.cwd.view());
  }
  EXPECT_EQ(directories, (std::vector<std::string>{"/work/", "/done/"}));
}

TEST(Convert, AProcessIsWrittenAgainWhenAnotherChangesTheirSharedDirectory) {
  constexpr uint32_t kCloneFs = 2;
  Scenario world = small_world(Age::k2026);
  world.mkdir(kPid, "a");
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.born(child, kCloneFs);
  world.chdir(60, "/srv");
  world.mkdir(kPid, "b");
  const Kept kept = convert(world, everything());
  const auto last = std::find_if(kept.processes.rbegin(), kept.processes.rend(),
                                 [](const Process& process) { return process.oid.hpid == kPid; });
  ASSERT_NE(last, kept.processes.rend());
  EXPECT_EQ(last->cwd, "/srv/");
  EXPECT_EQ(last->state, ObjectState::kModified);
}

TEST(Convert, FlowsOfTheOldGroupAreWrittenFirst) {
  Scenario world = small_world(Age::k2026);
  world.openat(kPid, 3, kAtFdcwd, "data.txt", kReadWrite | kCreate);
  world.write(kPid, 3, 100);
  world.event(kPid, scap::ev::SYSCALL_SETGID_X, {scap::value::i64(0), scap::value::u32(0)});
  world.write(kPid, 3, 30);
  world.close(kPid, 3);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  EXPECT_EQ(kept.file_flows[0].counters.write_bytes, 100);
  EXPECT_EQ(kept.file_flows[1].counters.write_bytes, 30);
  ASSERT_EQ(kept.processes.size(), 3u);
  EXPECT_EQ(kept.processes[1].gid, 8);
  EXPECT_EQ(kept.processes[2].gid, 0);
  EXPECT_EQ(kept.processes[2].group_name, "root");
  ASSERT_GE(kept.lines.size(), 3u);
  const auto kind_before_end = [&kept](size_t back) {
    const std::string& line = kept.lines[kept.lines.size() - back];
    return line.substr(
        0, line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
  };
  EXPECT_EQ(kind_before_end(3), "FileFlow") << "of the old group";
  EXPECT_EQ(kind_before_end(2), "Process");
}

TEST(Convert, AParentThatChangedIsWrittenWithItsChild) {
  Scenario world = small_world(Age::k2026);
  world.mkdir(kPid, "a");
  world.chdir(kPid, "/srv");
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.born(child, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.processes.size(), 4u);
  EXPECT_EQ(kept.processes[2].oid.hpid, 60);
  EXPECT_EQ(kept.processes[3].oid.hpid, kPid);
  EXPECT_EQ(kept.processes[3].cwd, "/srv/");
}

TEST(Convert, ACloneAddsTheUserOfAProcessKnownFromItsExec) {
  Scenario world = small_world(Age::k2017);
  world.exec(facts(70), 0);
  world.fork(facts(70), facts(71));
  const Kept kept = convert(world, everything());
  const auto at_clone = std::find_if(kept.processes.rbegin(), kept.processes.rend(),
                                     [](const Process& process) { return process.oid.hpid == 70; });
  ASSERT_NE(at_clone, kept.processes.rend());
  EXPECT_EQ(at_clone->uid, 7);
  EXPECT_EQ(at_clone->gid, 8);
  EXPECT_EQ(at_clone->state, ObjectState::kModified);
}

TEST(Convert, TheCgroupPathShowsTheContainerType) {
  Scenario world = small_world(Age::k2026);
  ProcessFacts guest = facts(60);
  guest.cgroup = "/lxc.payload.guest/init.scope";
  world.born(guest, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.containers.size(), 1u);
  EXPECT_EQ(kept.containers[0].id, "guest");
  EXPECT_EQ(kept.containers[0].type, 1);
}

TEST_P(EveryAge, ThreadsAreCountedInProcessFlows) {
  Scenario world = small_world(GetParam());
  world.spawn_thread(facts(), 51);
  world.write(51, 4, 9);
  world.exit(51, 0);
  ConvertOptions options = everything();
  options.process_flow = true;
  const Kept kept = convert(world, options);
  EXPECT_TRUE(kept.events.empty());
  ASSERT_EQ(kept.process_flows.size(), 1u);
  EXPECT_EQ(kept.process_flows[0].threads_cloned, 1);
  EXPECT_EQ(kept.process_flows[0].threads_exited, 1);
}

TEST_P(EveryAge, LongFlowsAreExportedEvery30SecondsWithoutLosses) {
  Scenario world = small_world(GetParam());
  world.write(kPid, 4, 1);
  world.wait(31 * kSecond);
  world.write(kPid, 4, 2);
  world.wait(100 * kSecond);
  world.write(kPid, 4, 4);
  const Kept kept = convert(world, everything());
  int64_t bytes = 0;
  for (const FileFlow& flow : kept.file_flows) bytes += flow.counters.write_bytes;
  EXPECT_EQ(kept.file_flows.size(), 3u);
  EXPECT_EQ(bytes, 7);

  ConvertOptions compat = everything();
  compat.compat = true;
  bytes = 0;
  for (const FileFlow& flow : convert(world, compat).file_flows) bytes += flow.counters.write_bytes;
  EXPECT_EQ(bytes, 5) << "the collector drops the counts of flows that were idle for a minute";
}

INSTANTIATE_TEST_SUITE_P(Writers, EveryAge, ::testing::Values(Age::k2017, Age::k2023, Age::k2026),
                         [](const auto& info) {
                           return std::string(info.param == Age::k2017   ? "of2017"
                                              : info.param == Age::k2023 ? "of2023"
                                                                         : "of2026");
                         });

TEST(Convert, OneStoryGivesTheSameRecordsFromEveryWriter) {
  std::vector<Kept> ages;
  for (const sfkit::testing::Fixture& fixture : sfkit::testing::webserver_captures()) {
    const sfkit::testing::TemporaryFile file(fixture.bytes);
    InputSummary summary;
    const std::atomic<bool> cancel{false};
    ASSERT_TRUE(
        convert_capture(file.path(), everything(), ages.emplace_back(), cancel, summary).is_ok());
    EXPECT_TRUE(summary.damage.empty());
  }
  EXPECT_EQ(ages[0].lines, ages[1].lines);
  // Without enter events timers fire at other events, so the times of some flows differ; nothing
  // else.
  ASSERT_EQ(ages[1].lines.size(), ages[2].lines.size());
  size_t different = 0;
  for (size_t i = 0; i < ages[1].lines.size(); ++i) {
    if (ages[1].lines[i] == ages[2].lines[i]) continue;
    ++different;
    EXPECT_TRUE(ages[1].lines[i].starts_with("FileFlow")) << ages[1].lines[i];
  }
  EXPECT_EQ(different, 3u);
}

TEST(Convert, ClosingADescriptorEndsTheFlowsOfOtherThreadsOnIt) {
  Scenario world = small_world(Age::k2023);
  world.spawn_thread(facts(), 51);
  world.write(51, 4, 9);
  world.write(kPid, 4, 1);
  world.close(kPid, 4);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  EXPECT_EQ(kept.file_flows[0].tid, 51);
  EXPECT_EQ(kept.file_flows[0].op_flags, kOpWriteSend | kOpTruncate);
  EXPECT_EQ(kept.file_flows[1].op_flags, kOpWriteSend | kOpClose);
}

TEST(Convert, ReadModesDiscardReadOnlyFlows) {
  const auto flows = [](int mode) {
    Scenario world = small_world(Age::k2023);
    for (const char* path : {"/usr/lib/libc.so", "/home/notes"}) {
      world.open(kPid, 3, path, kReadOnly);
      world.read(kPid, 3, 10);
      world.close(kPid, 3);
    }
    world.open(kPid, 3, "/usr/lib/x", kReadWrite);
    world.write(kPid, 3, 10);
    world.close(kPid, 3);
    ConvertOptions options = everything();
    options.file_read_mode = mode;
    return convert(world, options).file_flows.size();
  };
  EXPECT_EQ(flows(0), 3u);
  EXPECT_EQ(flows(1), 1u);
  EXPECT_EQ(flows(2), 2u);
}

TEST(Convert, TheExporterDefaultsToTheHostNameOfTheCapture) {
  Scenario world = small_world(Age::k2023);
  world.write(kPid, 4, 1);
  ConvertOptions options = everything();
  EXPECT_EQ(convert(world, options).headers.at(0).exporter, "box");
  options.exporter = "me";
  EXPECT_EQ(convert(world, options).headers.at(0).exporter, "me");
  options.exporter.clear();
  options.compat = true;
  EXPECT_EQ(convert(world, options).headers.at(0).exporter, "");
}

TEST(Convert, ContainersOnlySkipsTheHost) {
  Scenario world = small_world(Age::k2023);
  world.write(kPid, 4, 1);
  ConvertOptions options = everything();
  options.containers_only = true;
  InputSummary summary;
  EXPECT_TRUE(convert(world, options, &summary).file_flows.empty());
  ASSERT_EQ(summary.skipped.size(), 1u);
  EXPECT_EQ(summary.skipped[0].count, 1u);
}

TEST(Convert, SyntheticTimesDoNotCountAsCaptureTimes) {
  Scenario world = small_world(Age::k2023);
  world.container(R"({"container":{"id":"c"}})");
  world.write(kPid, 4, 1);
  world.writer().event(UINT64_MAX, -1, 0, scap::ev::PROCINFO_E, {});
  InputSummary summary;
  const Kept kept = convert(world, everything(), &summary);
  EXPECT_GT(summary.first_time, 0);
  EXPECT_LT(summary.last_time - summary.first_time, static_cast<int64_t>(kSecond));
  EXPECT_EQ(kept.file_flows.at(0).end_ts, summary.last_time);
}

TEST(Convert, ACompleteSectionMayFollowAnother) {
  Scenario world = small_world(Age::k2023);
  world.write(kPid, 4, 1);
  Scenario again = small_world(Age::k2023);
  again.wait(kSecond);
  again.write(kPid, 4, 2);
  std::vector<uint8_t> bytes = world.writer().bytes();
  bytes.insert(bytes.end(), again.writer().bytes().begin(), again.writer().bytes().end());
  const sfkit::testing::TemporaryFile file(bytes);
  Kept kept;
  InputSummary summary;
  const std::atomic<bool> cancel{false};
  ASSERT_TRUE(convert_capture(file.path(), everything(), kept, cancel, summary).is_ok());
  EXPECT_EQ(kept.headers.size(), 1u);
  EXPECT_EQ(kept.processes.size(), 2u) << "entities are not written again";
  ASSERT_EQ(kept.file_flows.size(), 1u);
  EXPECT_EQ(kept.file_flows[0].counters.write_bytes, 3);
}

TEST(Convert, OnlyCallsThatNeedADescriptorCountAsUnknownDescriptor) {
  Scenario world = small_world(Age::k2026);
  world.open(kPid, -2, "/missing", kReadOnly);
  world.read(kPid, 99, -9);
  world.read(kPid, 98, 5);
  InputSummary summary;
  convert(world, everything(), &summary);
  ASSERT_EQ(summary.skipped.size(), 1u);
  EXPECT_EQ(summary.skipped[0].count, 1u);
}

TEST(Convert, ListsBetweenEventsAddToTheState) {
  Scenario world = small_world(Age::k2026);
  world.write(kPid, 4, 1);
  world.exit(kPid, 0);
  scap::ThreadEntry late;
  late.tid = late.pid = late.vtid = late.vpid = 90;
  late.ptid = 1;
  late.exe = late.exepath = "/bin/late";
  world.writer().processes({late});
  scap::FdEntry file;
  file.fd = 3;
  file.type = scap::FdType::kFileV2;
  file.name = "/late";
  world.writer().descriptors(90, {file});
  world.write(90, 3, 7);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  EXPECT_EQ(kept.processes.back().exe, "/bin/late");
  EXPECT_EQ(kept.processes.back().poid, kept.processes.front().oid);
}

TEST_P(EveryAge, KernelCopiesReadFromOneFileAndWriteToTheOther) {
  Scenario world = small_world(GetParam());
  world.openat(kPid, 3, kAtFdcwd, "from", kReadOnly);
  world.sendfile(kPid, 4, 3, 100);
  world.copy_file_range(kPid, 4, 3, 23);
  world.close(kPid, 3);
  world.close(kPid, 4);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  EXPECT_EQ(kept.file_flows[0].op_flags, kOpOpen | kOpReadRecv | kOpClose);
  EXPECT_EQ(kept.file_flows[0].counters.read_bytes, 123);
  EXPECT_EQ(kept.file_flows[0].counters.read_ops, 2);
  EXPECT_EQ(kept.file_flows[1].op_flags, kOpWriteSend | kOpClose);
  EXPECT_EQ(kept.file_flows[1].counters.write_bytes, 123);

  ConvertOptions compat = everything();
  compat.compat = true;
  for (const FileFlow& flow : convert(world, compat).file_flows) {
    EXPECT_EQ(flow.counters.read_bytes + flow.counters.write_bytes, 0)
        << "the collector ignores these calls";
  }
}

TEST_P(EveryAge, AFilterChecksBothDescriptorsOfACopy) {
  Scenario world = small_world(GetParam());
  world.openat(kPid, 3, kAtFdcwd, "from", kReadOnly);
  world.sendfile(kPid, 4, 3, 100);
  world.copy_file_range(kPid, 4, 3, 23);
  ConvertOptions options = everything();
  options.filter = "fd.name = /work/from";
  const Kept read = convert(world, options);
  ASSERT_EQ(read.file_flows.size(), 1u);
  EXPECT_EQ(read.file_flows[0].counters.read_bytes, 123);
  options.filter = "fd.name = /var/log/app";
  const Kept written = convert(world, options);
  ASSERT_EQ(written.file_flows.size(), 1u);
  EXPECT_EQ(written.file_flows[0].counters.write_bytes, 123);
  EXPECT_EQ(written.file_flows[0].counters.read_bytes, 0);
}

TEST_P(EveryAge, FlowsEndWithTheirProcessEvenIfAFilterExcludesTheExit) {
  Scenario world = small_world(GetParam());
  world.write(kPid, 4, 5);
  world.wait(kSecond);
  world.exit(kPid, 0);
  world.wait(8 * kSecond);
  world.write(1, 4, 1);
  for (const char* filter : {"fd.name = /var/log/app", "evt.type = write"}) {
    ConvertOptions options = everything();
    options.filter = filter;
    const Kept kept = convert(world, options);
    ASSERT_EQ(kept.file_flows.size(), 1u) << filter;
    EXPECT_TRUE(kept.events.empty()) << filter;
    EXPECT_EQ(kept.file_flows[0].op_flags, kOpWriteSend | kOpTruncate) << filter;
    EXPECT_LT(kept.file_flows[0].end_ts - kept.file_flows[0].ts, static_cast<int64_t>(2 * kSecond))
        << filter;
  }
}

TEST(Convert, TheNameOfAProcessFollowsItWithoutARecord) {
  for (const bool compat : {false, true}) {
    Scenario world = small_world(Age::k2026);
    world.write(kPid, 4, 1);
    ProcessFacts renamed = facts();
    renamed.comm = "renamed";
    ProcessFacts child = renamed;
    child.tid = child.pid = child.vtid = child.vpid = 60;
    child.ptid = kPid;
    world.fork(renamed, child);
    world.write(kPid, 4, 1);
    ConvertOptions options = everything();
    options.compat = compat;
    const Kept kept = convert(world, options);
    const auto of_pid = [](const Process& process) { return process.oid.hpid == kPid; };
    EXPECT_EQ(std::count_if(kept.processes.begin(), kept.processes.end(), of_pid), 1);
    // The collector keeps the name of a caller.
    ASSERT_EQ(kept.facts.size(), compat ? 0u : 1u);
    if (compat) continue;
    EXPECT_EQ(kept.facts[0].first.hpid, kPid);
    EXPECT_EQ(kept.facts[0].second.comm, "renamed");
    EXPECT_EQ(kept.facts[0].second.parent_pid, 1);
  }
}

TEST(Convert, AProcessHasTheParentThatAdoptedIt) {
  Scenario world = small_world(Age::k2026);
  ProcessFacts middle = facts(60);
  middle.ptid = kPid;
  ProcessFacts orphan = facts(61);
  orphan.ptid = 60;
  world.fork(facts(), middle);
  world.fork(middle, orphan);
  world.write(61, 4, 1);
  world.exit(60, 0, 1);
  world.write(61, 4, 1);
  world.write(61, 4, 1);
  const Kept kept = convert(world, everything());
  const auto found = std::find_if(kept.processes.begin(), kept.processes.end(),
                                  [](const Process& process) { return process.oid.hpid == 61; });
  ASSERT_NE(found, kept.processes.end());
  EXPECT_EQ(found->poid->hpid, 60);
  EXPECT_EQ(found->facts.parent_pid, 60);
  ASSERT_EQ(kept.facts.size(), 1u);
  EXPECT_EQ(kept.facts[0].first.hpid, 61);
  EXPECT_EQ(kept.facts[0].second.parent_pid, 1);
}

TEST(Convert, AFlowHasTheRoleOfItsSocketAfterAnExportToo) {
  const sfkit::testing::Endpoint client = sfkit::testing::ipv4(10, 0, 0, 1, 40000);
  const sfkit::testing::Endpoint server = sfkit::testing::ipv4(10, 0, 0, 2, 80);
  for (const bool connects : {true, false}) {
    Scenario world = small_world(Age::k2026);
    if (connects) {
      world.socket(kPid, 5, false, false);
      world.connect(kPid, 5, client, server, 0);
    } else {
      world.accept(kPid, 5, client, server);
    }
    for (int i = 0; i < 2; ++i) {
      world.wait(31 * kSecond);
      world.read(kPid, 5, 10);
    }
    const Kept kept = convert(world, everything());
    ASSERT_GT(kept.network_flows.size(), 1u);
    EXPECT_EQ(kept.network_flows.back().op_flags & (kOpConnect | kOpAccept), 0u);
    for (const NetworkFlow& flow : kept.network_flows)
      EXPECT_EQ(flow.role, connects ? FlowRole::kClient : FlowRole::kServer);
  }
}

TEST(Convert, ListedIpv6ConnectionsHaveTheClientAsSource) {
  Scenario world = small_world(Age::k2026);
  const auto local = [](uint8_t last) {
    std::array<uint8_t, 16> ip{};
    ip[15] = last;
    return ip;
  };
  scap::FdEntry listening;
  listening.fd = 5;
  listening.type = scap::FdType::kIpv6Server;
  listening.source_port = 80;
  listening.l4 = scap::L4::kTcp;
  scap::FdEntry accepted = listening;
  accepted.fd = 6;
  accepted.type = scap::FdType::kIpv6;
  accepted.source = accepted.destination = local(1);
  accepted.destination_port = 40000;
  world.writer().descriptors(kPid, {listening, accepted});
  world.read(kPid, 6, 10);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.network_flows.size(), 1u);
  EXPECT_EQ(kept.network_flows[0].sport, 40000);
  EXPECT_EQ(kept.network_flows[0].dport, 80);
}

// Address lookups connect datagram sockets to find their source address.
TEST(Convert, TheCollectorTreatsAConnectToNothingAsIpv4) {
  const auto flows = [](bool compat, const sfkit::testing::Endpoint& first) {
    Scenario world = small_world(Age::k2023);
    world.socket(kPid, 8, true, true);
    const sfkit::testing::Endpoint nothing{.ipv6 = true};
    if (first.port != 0) world.connect(kPid, 8, first, sfkit::testing::ipv6(60, 443), 0);
    world.connect(kPid, 8, nothing, nothing, 0);
    ConvertOptions options = everything();
    options.compat = compat;
    return convert(world, options).network_flows;
  };
  const std::vector<NetworkFlow> found = flows(true, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].ipv6);
  EXPECT_EQ(found[0].proto, -1);
  EXPECT_EQ(found[0].sip, Address{});
  EXPECT_EQ(found[0].dip, Address{});
  EXPECT_EQ(found[0].sport, 0);
  // The second four bytes of the earlier source become the destination, which is not overwritten.
  sfkit::testing::Endpoint first = sfkit::testing::ipv6(5, 4000);
  first.ip[5] = 9;
  const std::vector<NetworkFlow> after = flows(true, first);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].sip, Address{});
  EXPECT_EQ(after[0].dip.bytes, (std::array<uint8_t, 16>{0, 9}));
  for (const NetworkFlow& flow : flows(false, {})) EXPECT_TRUE(flow.ipv6);
}

TEST(Convert, AnUnnamedFileIsNotADirectory) {
  constexpr uint32_t kDirectory = 1024;
  constexpr uint32_t kTmpfile = 8192;
  Scenario world = small_world(Age::k2026);
  world.openat(kPid, 3, kAtFdcwd, "/tmp", kReadWrite | kDirectory | kTmpfile);
  world.write(kPid, 3, 20);
  // Older drivers set the flag for every directory.
  world.openat(kPid, 5, kAtFdcwd, "/var", kReadOnly | kDirectory | kTmpfile);
  world.read(kPid, 5, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.files.size(), 2u);
  EXPECT_EQ(kept.files[0].restype, 'f');
  EXPECT_EQ(kept.files[1].restype, 'd');
}

TEST(Convert, HostileResultsDoNotOverflowCounters) {
  Scenario world = small_world(Age::k2026);
  for (int i = 0; i < 3; ++i) world.write(kPid, 4, INT64_MAX);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 1u);
  EXPECT_GT(kept.file_flows[0].counters.write_bytes, 0);
}

TEST(Convert, AnOlderSectionDoesNotStopTheTimers) {
  Scenario newer = small_world(Age::k2026);
  newer.wait(5000 * kSecond);
  newer.write(kPid, 4, 1);
  Scenario older = small_world(Age::k2026);
  older.write(kPid, 4, 2);
  older.wait(31 * kSecond);
  older.write(kPid, 4, 4);
  std::vector<uint8_t> bytes = newer.writer().bytes();
  bytes.insert(bytes.end(), older.writer().bytes().begin(), older.writer().bytes().end());
  const sfkit::testing::TemporaryFile file(bytes);
  Kept kept;
  InputSummary summary;
  const std::atomic<bool> cancel{false};
  ASSERT_TRUE(convert_capture(file.path(), everything(), kept, cancel, summary).is_ok());
  EXPECT_EQ(kept.file_flows.size(), 2u);
  for (const FileFlow& flow : kept.file_flows) EXPECT_GE(flow.end_ts, flow.ts);
}

TEST(Convert, AnUnknownThreadGetsAPlaceholder) {
  Scenario world = small_world(Age::k2023);
  world.open(777, 3, "/x", kReadOnly);
  world.close(777, 3);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.processes.size(), 1u);
  EXPECT_EQ(kept.processes[0].oid.hpid, 777);
  EXPECT_EQ(kept.processes[0].exe, "<NA>");
  EXPECT_EQ(kept.processes[0].uid, -1);
}

// Long runs see ever new files. Unused ones are forgotten and written again before the next
// reference.
TEST(Convert, FilesAreForgottenWhenThereAreMany) {
  constexpr int kFiles = 70000;
  Scenario world = small_world(Age::k2026);
  const int64_t kept_open = 3;
  world.open(kPid, kept_open, "/kept", kReadWrite);
  for (int i = 0; i < kFiles; ++i) {
    world.open(kPid, 4, "/file-" + std::to_string(i), kReadWrite);
    world.close(kPid, 4);
  }
  world.wait(2 * kSecond);
  world.open(kPid, 4, "/file-0", kReadWrite);
  world.close(kPid, 4);
  world.close(kPid, kept_open);
  const Kept kept = convert(world, everything());

  const auto times_written = [&kept](std::string_view path) {
    return std::count_if(kept.files.begin(), kept.files.end(),
                         [&](const File& file) { return file.path == path; });
  };
  EXPECT_EQ(kept.file_flows.size(), kFiles + 2);
  EXPECT_EQ(times_written("/file-0"), 2);
  EXPECT_EQ(times_written("/file-1"), 1);
  EXPECT_EQ(times_written("/kept"), 2);  // its flow stayed open, but the reader has forgotten it
}

// Many changes of user with many open files: flows idle since the last change are not written, and
// later continue from that change.
TEST(Convert, RestingFlowsContinueFromTheLastChangeOfUser) {
  Scenario world = small_world(Age::k2026);
  constexpr int64_t kFirst = 100;
  constexpr int64_t kFlows = 100;
  for (int64_t fd = kFirst; fd < kFirst + kFlows; ++fd) {
    world.open(kPid, fd, "/f" + std::to_string(fd), kReadWrite);
    world.write(kPid, fd, 1);
  }
  world.setuid(kPid, 1);
  world.write(kPid, kFirst + 50, 10);
  world.setuid(kPid, 2);
  world.setuid(kPid, 3);
  world.wait(kSecond);
  world.write(kPid, kFirst + 50, 100);
  world.write(kPid, kFirst + 60, 1000);
  // Resting flows are exported together after 30 s, which writes nothing, and idle ones end.
  world.wait(31 * kSecond);
  world.write(kPid, 4, 5);
  world.write(kPid, kFirst + 70, 10000);
  world.wait(31 * kSecond);
  world.write(kPid, 4, 5);
  world.close(kPid, kFirst + 70);
  world.exit(kPid, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.processes.size(), 5u);  // init, and one for each user
  const int64_t last_change = kept.events.at(2).ts;

  std::map<std::string, std::vector<FileFlow>> by_path;
  const auto path_of = [&kept](const FileFlow& flow) {
    return std::find_if(kept.files.begin(), kept.files.end(),
                        [&](const File& file) { return file.oid == flow.file_oid; })
        ->path.str();
  };
  for (const FileFlow& flow : kept.file_flows) by_path[path_of(flow)].push_back(flow);
  EXPECT_EQ(by_path["/f100"].size(), 1u);
  const std::vector<FileFlow>& busy = by_path["/f150"];
  ASSERT_EQ(busy.size(), 3u);
  EXPECT_EQ(busy[1].counters.write_bytes, 10);
  EXPECT_EQ(busy[1].ts, kept.events.at(0).ts);
  EXPECT_EQ(busy[2].counters.write_bytes, 100);
  EXPECT_EQ(busy[2].ts, last_change);
  const std::vector<FileFlow>& woken = by_path["/f160"];
  ASSERT_EQ(woken.size(), 2u);
  EXPECT_EQ(woken[1].ts, last_change);
  EXPECT_EQ(woken[1].counters.write_bytes, 1000);
  const std::vector<FileFlow>& late = by_path["/f170"];
  ASSERT_EQ(late.size(), 3u);
  EXPECT_GT(late[1].ts, last_change);
  EXPECT_EQ(late[1].counters.write_bytes, 10000);
  EXPECT_EQ(late[1].op_flags, kOpWriteSend);
  EXPECT_EQ(late[2].op_flags, kOpClose);
  int64_t bytes = 0;
  for (const FileFlow& flow : kept.file_flows) bytes += flow.counters.write_bytes;
  EXPECT_EQ(bytes, kFlows + 10 + 100 + 1000 + 10000 + 10);
}

TEST(Convert, EveryThreadHasItsOwnFlowOnADescriptor) {
  Scenario world = small_world(Age::k2026);
  constexpr int64_t kFirst = 1000;
  constexpr int64_t kThreads = 90;
  for (int64_t tid = kFirst; tid < kFirst + kThreads; ++tid) world.spawn_thread(facts(), tid);
  for (const int64_t bytes : {1, 10, 100}) {
    for (int64_t tid = kFirst; tid < kFirst + kThreads; ++tid) world.write(tid, 4, bytes);
  }
  // A thread's exit ends only its own flow; closing the descriptor ends all.
  world.exit(kFirst + 40, 0);
  for (int64_t tid = kFirst + 41; tid < kFirst + kThreads; ++tid) world.write(tid, 4, 1000);
  world.close(kFirst + 45, 4);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), size_t{kThreads});
  EXPECT_EQ(kept.file_flows.front().tid, kFirst + 40);
  EXPECT_EQ(kept.file_flows.back().tid, kFirst + 45);
  for (const FileFlow& flow : kept.file_flows) {
    EXPECT_EQ(flow.counters.write_bytes, flow.tid > kFirst + 40 ? 1111 : 111) << flow.tid;
    EXPECT_EQ(flow.op_flags, kOpWriteSend | (flow.tid == kFirst + 45 ? kOpClose : kOpTruncate))
        << flow.tid;
  }

  // In the collector, the exit of one thread ends all flows on the descriptor.
  ConvertOptions compat = everything();
  compat.compat = true;
  EXPECT_EQ(convert(world, compat).file_flows.size(), 2 * kThreads - 41);
}

// Ways to close a descriptor, and the operation that its flow gets.
struct CloseCase {
  const char* what;
  void (*close)(Scenario& world, int64_t fd);
  uint32_t op;
};

void mark(Scenario& world, int64_t fd) {
  constexpr uint8_t kSetfd = 3;
  world.event(kPid, ev::SYSCALL_FCNTL_X, {i64(0), i64(fd), u8(kSetfd), u64(1)});
}

void close_range(Scenario& world, int64_t first, int64_t last, uint32_t flags) {
  world.event(
      kPid, ev::SYSCALL_CLOSE_RANGE_X,
      {i64(0), u32(static_cast<uint32_t>(first)), u32(static_cast<uint32_t>(last)), u32(flags)});
}

const CloseCase kCloseCases[] = {
    {"close", [](Scenario& world, int64_t fd) { world.close(kPid, fd); }, kOpClose},
    {"close, EIO",
     [](Scenario& world, int64_t fd) {
       world.event(kPid, ev::SYSCALL_CLOSE_X, {i64(-5), i64(fd)});
     },
     kOpClose},
    {"dup2", [](Scenario& world, int64_t fd) { world.dup2(kPid, 4, fd); }, kOpClose},
    {"dup2 of an unknown descriptor", [](Scenario& world, int64_t fd) { world.dup2(kPid, 99, fd); },
     kOpClose},
    {"dup3",
     [](Scenario& world, int64_t fd) {
       world.event(kPid, ev::SYSCALL_DUP3_X, {i64(fd), i64(4), i64(fd), u32(0)});
     },
     kOpClose},
    {"close_range", [](Scenario& world, int64_t fd) { close_range(world, fd, fd + 3, 0); },
     kOpClose},
    {"close_range to the end",
     [](Scenario& world, int64_t fd) { close_range(world, fd, UINT32_MAX, 0); }, kOpClose},
    {"F_SETFD and exec",
     [](Scenario& world, int64_t fd) {
       mark(world, fd);
       world.exec(facts(), 0);
     },
     kOpClose},
    {"close_range for exec",
     [](Scenario& world, int64_t fd) {
       constexpr uint32_t kCloexec = 4;
       close_range(world, fd, fd, kCloexec);
       world.exec(facts(), 0);
     },
     kOpClose},
    {"an open with the same descriptor",
     [](Scenario& world, int64_t fd) { world.open(kPid, fd, "/new", kReadOnly); }, kOpTruncate},
    {"F_DUPFD",
     [](Scenario& world, int64_t fd) {
       world.event(kPid, ev::SYSCALL_FCNTL_X, {i64(fd), i64(4), u8(1), u64(0)});
     },
     kOpTruncate},
    {"the end of the process", [](Scenario& world, int64_t) { world.exit(kPid, 0); }, kOpTruncate},
};

TEST(Convert, AFlowEndsWithItsDescriptor) {
  for (const CloseCase& test : kCloseCases) {
    // Descriptors from 64 on are stored separately.
    for (const int64_t fd : {30, 63, 64, 500}) {
      Scenario world = small_world(Age::k2026);
      world.open(kPid, fd, "/tmp/f", kReadWrite);
      world.open(kPid, fd + 4, "/tmp/g", kReadWrite);
      world.write(kPid, fd, 5);
      world.wait(kSecond);
      test.close(world, fd);
      world.wait(kSecond);
      world.write(kPid, fd, 7);
      const Kept kept = convert(world, everything());
      ASSERT_FALSE(kept.file_flows.empty()) << test.what;
      const FileFlow* ended = nullptr;
      for (const FileFlow& flow : kept.file_flows) {
        if (flow.fd == fd && flow.open_flags == static_cast<int32_t>(kReadWrite)) {
          EXPECT_EQ(ended, nullptr) << test.what;
          ended = &flow;
        }
      }
      ASSERT_NE(ended, nullptr) << test.what;
      EXPECT_EQ(ended->op_flags, kOpOpen | kOpWriteSend | test.op) << test.what << ' ' << fd;
      EXPECT_EQ(ended->counters.write_bytes, 5) << test.what << ' ' << fd;
      const int64_t duration = ended->end_ts - ended->ts;
      EXPECT_GE(duration, static_cast<int64_t>(kSecond)) << test.what;
      EXPECT_LT(duration, static_cast<int64_t>(2 * kSecond)) << test.what;
    }
  }
}

TEST(Convert, AnExecEndsOnlyFlowsOnDescriptorsThatItCloses) {
  constexpr uint32_t kCloexec = 4096;
  Scenario world = small_world(Age::k2026);
  for (int64_t fd = 10; fd < 210; ++fd) {
    world.open(kPid, fd, "/f" + std::to_string(fd), kReadWrite | (fd % 2 == 0 ? kCloexec : 0));
  }
  // The flows are exported before the exec closes descriptors.
  world.setuid(kPid, 0);
  world.exec(facts(), 0);
  mark(world, 11);
  mark(world, 111);
  world.exec(facts(), -2);
  world.write(kPid, 13, 1);
  world.exec(facts(), 0);
  world.write(kPid, 15, 1);
  world.write(kPid, 115, 1);
  const Kept kept = convert(world, everything());
  size_t closed = 0;
  for (const FileFlow& flow : kept.file_flows) {
    const bool is_closed = (flow.op_flags & kOpClose) != 0;
    closed += is_closed ? 1 : 0;
    EXPECT_EQ(is_closed, (flow.op_flags & kOpOpen) == 0 &&
                             (flow.fd % 2 == 0 || flow.fd == 11 || flow.fd == 111))
        << flow.fd << ' ' << flow.op_flags;
  }
  EXPECT_EQ(closed, 102u);

  // The collector ignores close-on-exec.
  ConvertOptions compat = everything();
  compat.compat = true;
  for (const FileFlow& flow : convert(world, compat).file_flows)
    EXPECT_EQ(flow.op_flags & kOpClose, 0u);
}

TEST(Convert, CloseRangeEndsFlowsOfOtherThreads) {
  Scenario world = small_world(Age::k2026);
  world.spawn_thread(facts(), 51);
  world.open(51, 5, "/f", kReadWrite);
  world.write(kPid, 5, 1);
  world.write(51, 4, 1);
  close_range(world, 3, UINT32_MAX, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 3u);
  for (const FileFlow& flow : kept.file_flows) {
    EXPECT_EQ((flow.op_flags & kOpClose) != 0, flow.tid == kPid) << flow.tid;
    EXPECT_EQ((flow.op_flags & kOpTruncate) != 0, flow.tid == 51) << flow.tid;
  }
}

TEST(Convert, AThreadWithItsOwnTableEndsOnlyItsOwnFlows) {
  constexpr uint32_t kCloneFiles = 1;
  Scenario world = small_world(Age::k2026);
  world.spawn_thread(facts(), 51);
  world.open(kPid, 5, "/f", kReadWrite);
  world.event(51, ev::SYSCALL_UNSHARE_X, {i64(0), u32(kCloneFiles)});
  world.write(51, 5, 10);
  world.close(51, 5);
  world.write(kPid, 5, 1);
  world.close(kPid, 5);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  EXPECT_EQ(kept.file_flows[0].op_flags, kOpWriteSend | kOpClose);
  EXPECT_EQ(kept.file_flows[0].tid, 51);
  EXPECT_EQ(kept.file_flows[1].op_flags, kOpOpen | kOpWriteSend | kOpClose);
  EXPECT_EQ(kept.file_flows[1].counters.write_bytes, 1);
}

TEST(Convert, AProcessThatSharesATableEndsFlowsOfOtherProcesses) {
  constexpr uint32_t kCloneFiles = 1;
  for (const bool by_dup : {false, true}) {
    Scenario world = small_world(Age::k2026);
    ProcessFacts child = facts(60);
    child.ptid = kPid;
    world.born(child, kCloneFiles);
    world.write(60, 4, 20);
    world.write(kPid, 4, 1);
    if (by_dup) {
      world.dup2(60, 99, 4);
    } else {
      world.close(60, 4);
    }
    world.write(kPid, 4, 300);
    const Kept kept = convert(world, everything());
    int64_t bytes = 0;
    bool is_truncated = false;
    for (const FileFlow& flow : kept.file_flows) {
      bytes += flow.counters.write_bytes;
      if (flow.tid == kPid) is_truncated = flow.op_flags == (kOpWriteSend | kOpTruncate);
    }
    EXPECT_EQ(bytes, 21) << "later bytes are in the wrong flow";
    EXPECT_TRUE(is_truncated);
  }
}

TEST(Convert, AnExecLeavesFlowsOfAProcessThatSharedTheTable) {
  constexpr uint32_t kCloneFiles = 1;
  constexpr uint32_t kCloexec = 4096;
  Scenario world = small_world(Age::k2026);
  world.open(kPid, 5, "/f", kReadWrite | kCloexec);
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.born(child, kCloneFiles);
  world.write(60, 5, 20);
  world.write(60, 4, 30);
  world.exec(child, 0);
  world.write(60, 4, 40);
  world.dup2(60, 99, 4);
  world.write(kPid, 5, 1);
  world.close(kPid, 5);
  const Kept kept = convert(world, everything());
  std::vector<std::pair<int64_t, uint32_t>> flows;
  for (const FileFlow& flow : kept.file_flows)
    flows.emplace_back(flow.counters.write_bytes, flow.op_flags);
  EXPECT_EQ(flows,
            (std::vector<std::pair<int64_t, uint32_t>>{{20, kOpWriteSend | kOpClose},
                                                       {30, kOpWriteSend},
                                                       {40, kOpWriteSend | kOpClose},
                                                       {1, kOpOpen | kOpWriteSend | kOpClose}}));
}

TEST(Convert, AllFlowsOfADatagramSocketEndWithIt) {
  Scenario world = small_world(Age::k2026);
  const auto server = sfkit::testing::ipv4(10, 0, 0, 2, 53);
  world.socket(kPid, 5, false, true);
  world.bind(kPid, 5, server);
  for (uint16_t port = 4000; port < 4100; ++port)
    world.recvfrom(kPid, 5, 30, sfkit::testing::ipv4(10, 0, 0, 3, port), server);
  world.wait(kSecond);
  world.close(kPid, 5);
  world.wait(kSecond);
  world.write(kPid, 4, 1);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.network_flows.size(), 100u);
  for (const NetworkFlow& flow : kept.network_flows) {
    EXPECT_EQ(flow.op_flags, kOpReadRecv | kOpClose);
    EXPECT_LT(flow.end_ts - flow.ts, static_cast<int64_t>(2 * kSecond));
  }
}

TEST(Convert, LaterFlowsKeepTheOpenFlags) {
  Scenario world = small_world(Age::k2026);
  world.open(kPid, 5, "/f", kReadWrite);
  world.read(kPid, 5, 1);
  world.wait(31 * kSecond);
  world.read(kPid, 5, 2);
  world.wait(100 * kSecond);
  world.read(kPid, 5, 3);
  world.dup2(kPid, 5, 6);
  world.read(kPid, 6, 4);
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.fork(facts(), child);
  world.read(60, 6, 5);
  world.spawn_thread(facts(), 51);
  world.read(51, 5, 6);
  world.read(kPid, 4, 7);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 7u);
  for (const FileFlow& flow : kept.file_flows) {
    const bool is_listed = flow.counters.read_bytes == 7;
    EXPECT_EQ(flow.open_flags, is_listed ? 0 : static_cast<int32_t>(kReadWrite))
        << flow.counters.read_bytes;
  }
}

TEST(Convert, AProcessEndsWithItsLastThread) {
  for (const bool process_flow : {false, true}) {
    Scenario world = small_world(Age::k2026);
    world.spawn_thread(facts(), 51);
    world.write(kPid, 4, 1);
    world.write(51, 4, 20);
    world.exit(kPid, 0);
    world.wait(10 * kSecond);
    world.write(51, 4, 300);
    world.exit(51, 0);
    world.wait(10 * kSecond);
    world.write(1, 4, 1);
    ConvertOptions options = everything();
    options.process_flow = process_flow;
    for (const char* filter : {"", "evt.type = write"}) {
      options.filter = filter;
      const Kept kept = convert(world, options);
      ASSERT_EQ(kept.file_flows.size(), 2u) << filter;
      EXPECT_EQ(kept.file_flows[0].tid, kPid);
      EXPECT_EQ(kept.file_flows[0].counters.write_bytes, 1);
      EXPECT_EQ(kept.file_flows[1].counters.write_bytes, 320);
      EXPECT_EQ(kept.file_flows[1].op_flags, kOpWriteSend | kOpTruncate);
      EXPECT_EQ(kept.gone.size(), 1u) << "the process ends only then";
      if (process_flow && *filter == '\0') {
        ASSERT_EQ(kept.process_flows.size(), 1u);
        EXPECT_EQ(kept.process_flows[0].threads_exited, 1);
      }
    }
  }
}

TEST(Convert, AnExcludedCloseEndsTheFlow) {
  for (const bool by_dup : {false, true}) {
    Scenario world = small_world(Age::k2026);
    world.write(kPid, 4, 1);
    world.wait(kSecond);
    if (by_dup) {
      world.dup2(kPid, 99, 4);
    } else {
      world.close(kPid, 4);
    }
    world.wait(8 * kSecond);
    world.open(kPid, 5, "/var/log/app", kReadWrite);
    world.dup2(kPid, 5, 4);
    world.write(kPid, 4, 20);
    ConvertOptions options = everything();
    options.filter = "evt.type = write";
    const Kept kept = convert(world, options);
    ASSERT_EQ(kept.file_flows.size(), 2u);
    EXPECT_EQ(kept.file_flows[0].op_flags, kOpWriteSend | kOpTruncate);
    EXPECT_LT(kept.file_flows[0].end_ts - kept.file_flows[0].ts, static_cast<int64_t>(2 * kSecond));
    EXPECT_EQ(kept.file_flows[1].counters.write_bytes, 20);
  }
}

TEST(Convert, AThreadExitEndsItsOwnFlowsAmongMany) {
  Scenario world = small_world(Age::k2026);
  world.spawn_thread(facts(), 51);
  for (int64_t fd = 100; fd < 300; ++fd) {
    world.open(fd % 2 == 0 ? 51 : kPid, fd, "/f" + std::to_string(fd), kReadWrite);
  }
  world.wait(kSecond);
  world.exit(51, 0);
  world.wait(kSecond);
  world.exit(kPid, 0);
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 200u);
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(kept.file_flows[i].tid, i < 100 ? 51 : kPid);
    EXPECT_EQ(kept.file_flows[i].fd, 100 + static_cast<int64_t>(i) % 100 * 2 + (i < 100 ? 0 : 1));
  }
}

// The exit of the first process is not in the capture.
TEST(Convert, AReusedTidEndsTheOldProcess) {
  Scenario world = small_world(Age::k2026);
  ProcessFacts child = facts(60);
  child.ptid = kPid;
  world.fork(facts(), child);
  world.open(60, 5, "/early", kReadWrite);
  world.write(60, 5, 1);
  world.wait(5 * kSecond);
  world.fork(facts(), child);
  world.open(60, 5, "/late", kReadWrite);
  for (int i = 0; i < 2; ++i) {
    world.wait(5 * kSecond);
    world.write(60, 5, 1);
  }
  const Kept kept = convert(world, everything());
  ASSERT_EQ(kept.file_flows.size(), 2u);
  const FileFlow& early = kept.file_flows[0];
  EXPECT_EQ(early.op_flags, kOpOpen | kOpWriteSend | kOpTruncate);
  ASSERT_EQ(kept.gone.size(), 1u);
  EXPECT_EQ(kept.gone[0], early.proc_oid);
  EXPECT_NE(kept.file_flows[1].proc_oid, early.proc_oid);
}

TEST(Convert, UnusedContainersAreForgottenWhenThereAreMany) {
  const auto full_id = [](int number) {
    const std::string digits = std::to_string(number);
    return digits + std::string(64 - digits.size(), 'a');
  };
  Scenario world = small_world(Age::k2026);
  const auto run_in = [&](int number, int64_t pid) {
    ProcessFacts child = facts(pid);
    child.ptid = kPid;
    child.cgroup = "/docker/" + full_id(number);
    ProcessFacts caller = facts();
    caller.cgroup = child.cgroup;  // the child gets it from the event of its caller
    world.fork(caller, child);
    world.write(pid, 4, 1);
  };
  run_in(0, 60);
  constexpr int kContainers = 6000;
  for (int number = 1; number < kContainers; ++number) {
    run_in(number, 61);
    world.exit(61, 0);
    world.wait(kSecond);
  }
  run_in(1, 61);
  world.write(60, 4, 2);
  const Kept kept = convert(world, everything());
  const auto count_of = [&](int number) {
    const std::string id = full_id(number).substr(0, 12);
    return std::pair(
        std::count(kept.gone_containers.begin(), kept.gone_containers.end(), id),
        std::count_if(kept.containers.begin(), kept.containers.end(),
                      [&id](const Container& container) { return container.id == id; }));
  };
  EXPECT_GT(kept.gone_containers.size(), 3000u);
  EXPECT_EQ(count_of(0), std::pair(0l, 1l)) << "still in use";
  EXPECT_EQ(count_of(1), std::pair(1l, 2l));
}

// ---- files

constexpr uint32_t kWriteOnly = 2;
constexpr uint32_t kExclusive = 1u << 4;
constexpr uint32_t kDirectoryFlag = 1u << 10;
constexpr uint32_t kCreated = 1u << 14;

// The records of a file as state and kind: "C?" is CREATED, kind unknown.
std::vector<std::string> records_of(const Kept& kept, std::string_view path) {
  std::vector<std::string> found;
  for (const File& file : kept.files) {
    if (file.path != path) continue;
    found.push_back({"CMR"[static_cast<int>(file.state)], static_cast<char>(file.restype)});
  }
  return found;
}

using Letters = std::vector<std::string>;

void event(Scenario& world, uint16_t code, const std::vector<std::string>& params) {
  world.event(kPid, code, params);
}

void chdir_to(Scenario& world, std::string_view path) {
  event(world, scap::ev::SYSCALL_CHDIR_X, {i64(0), text(path)});
}

// What happens to a file, and the records that it gets.
struct KindCase {
  const char* what;
  std::function<void(Scenario&)> make;
  Letters expected;
};

std::function<void(Scenario&)> remove_and_open(uint32_t flags) {
  return [flags](Scenario& world) {
    world.unlink(kPid, "/f");
    world.openat(kPid, 3, kAtFdcwd, "/f", flags);
    world.close(kPid, 3);
  };
}

const KindCase kKindCases[] = {
    {"created", remove_and_open(kReadWrite | kCreate), {"C?", "Mf"}},
    {"read", remove_and_open(kReadOnly), {"C?", "Mf"}},
    {"a directory", remove_and_open(kReadOnly | kDirectoryFlag), {"C?", "Md"}},
    {"opened, then listed",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_GETDENTS64_X, {i64(24), i64(3)});
       world.close(kPid, 3);
     },
     {"Rf", "Md"}},
    {"opened, then listed by the older call",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_GETDENTS_X, {i64(24), i64(3)});
       world.close(kPid, 3);
     },
     {"Rf", "Md"}},
    {"listed but not closed",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_GETDENTS64_X, {i64(24), i64(3)});
     },
     {"Rf", "Md"}},
    {"a directory is created below it",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_MKDIRAT_X, {i64(0), i64(3), text("g"), u32(0755)});
     },
     {"Rf", "Md"}},
    {"a file is removed below it",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_UNLINKAT_2_X, {i64(0), i64(3), text("g"), u32(0)});
     },
     {"Rf", "Md"}},
    {"a file is moved into it",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_RENAMEAT2_X,
             {i64(0), i64(kAtFdcwd), text("/e"), i64(3), text("g"), u32(0)});
     },
     {"Rf", "Md"}},
    {"linked through its descriptor: no evidence",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       constexpr uint32_t kEmptyPath = 0x1000;
       event(world, ev::SYSCALL_LINKAT_2_X,
             {i64(0), i64(3), text(""), i64(kAtFdcwd), text("/e"), u32(kEmptyPath)});
     },
     {"Rf"}},
    {"a call below it fails: no evidence",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_MKDIRAT_X, {i64(-20), i64(3), text("g"), u32(0755)});
     },
     {"Rf"}},
    {"fchdir to it",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       event(world, ev::SYSCALL_FCHDIR_X, {i64(0), i64(3)});
       world.close(kPid, 3);
     },
     {"Rf", "Md"}},
    {"chdir to it",
     [](Scenario& world) {
       world.rename(kPid, "/e", "/f");
       chdir_to(world, "/f");
     },
     {"C?", "Md"}},
    {"chdir to it before its first record",
     [](Scenario& world) {
       chdir_to(world, "/f");
       world.openat(kPid, 3, kAtFdcwd, ".", kReadOnly);
     },
     {"Rd"}},
    {"a file is opened below it",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
       world.openat(kPid, 4, 3, "g", kReadOnly);
       world.close(kPid, 3);
     },
     {"Rf", "Md"}},
    {"a pipe",
     [](Scenario& world) {
       event(world, ev::SYSCALL_MKNOD_X, {i64(0), text("/f"), u32(0010644), u32(0)});
       world.openat(kPid, 3, kAtFdcwd, "/f", kWriteOnly);
     },
     {"Rp"}},
    {"a bound socket",
     [](Scenario& world) {
       world.unlink(kPid, "/f");
       event(world, ev::SOCKET_SOCKET_X, {i64(5), u32(1), u32(1), u32(0)});
       event(world, ev::SOCKET_BIND_X, {i64(0), std::string("\1/f\0", 4), i64(5)});
     },
     {"C?", "Mu"}},
    {"a directory replaces a file",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadWrite | kCreate);
       world.unlink(kPid, "/f");
       world.mkdir(kPid, "/f");
     },
     {"Rf", "Md"}},
    {"a file replaces a directory, as its flags show",
     [](Scenario& world) {
       world.mkdir(kPid, "/f");
       world.openat(kPid, 3, kAtFdcwd, "/f", kWriteOnly);
     },
     {"Cd", "Mf"}},
    {"opened like a file, but known as a directory",
     [](Scenario& world) {
       world.mkdir(kPid, "/f");
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
     },
     {"Cd"}},
    {"a link replaces a directory",
     [](Scenario& world) {
       world.mkdir(kPid, "/f");
       world.rmdir(kPid, "/f", 0);
       world.symlink(kPid, "/x", "/f");
     },
     {"Cd", "M?"}},
    {"a failed mkdir: no evidence",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadWrite | kCreate);
       world.mkdir(kPid, "/f");
       world.rmdir(kPid, "/f", -20);
     },
     {"Rf", "Md"}},
    {"renamed from a known directory",
     [](Scenario& world) {
       world.mkdir(kPid, "/e");
       world.rename(kPid, "/e", "/f");
     },
     {"Cd"}},
    {"linked from a known file",
     [](Scenario& world) {
       world.openat(kPid, 3, kAtFdcwd, "/e", kWriteOnly | kCreate | kExclusive | kCreated);
       world.link(kPid, "/e", "/f");
     },
     {"Cf"}},
    {"renamed from a working directory",
     [](Scenario& world) {
       chdir_to(world, "/e/sub");
       world.rename(kPid, "/e", "/f");
     },
     {"Cd"}},
    {"a new file after a rename",
     [](Scenario& world) {
       world.mkdir(kPid, "/f");
       world.rename(kPid, "/f", "/g");
       world.openat(kPid, 3, kAtFdcwd, "/f", kReadOnly);
     },
     {"Cd", "Mf"}},
};

TEST(Files, UpdateTheirKindWhenItBecomesKnown) {
  for (const KindCase& test : kKindCases) {
    Scenario world = small_world(Age::k2026);
    test.make(world);
    EXPECT_EQ(records_of(convert(world, everything()), "/f"), test.expected) << test.what;
  }
}

TEST(Files, KeepTheirKindsInAnExchange) {
  Scenario world = small_world(Age::k2026);
  world.mkdir(kPid, "/d");
  world.openat(kPid, 3, kAtFdcwd, "/f", kReadWrite | kCreate);
  event(world, ev::SYSCALL_RENAMEAT2_X,
        {i64(0), i64(kAtFdcwd), text("/d"), i64(kAtFdcwd), text("/f"), scap::value::u32(2)});
  const Kept kept = convert(world, everything());
  EXPECT_EQ(records_of(kept, "/d"), (Letters{"Cd", "Mf"}));
  EXPECT_EQ(records_of(kept, "/f"), (Letters{"Rf", "Md"}));
}

TEST(Files, KeepTheirFirstKindInCompatMode) {
  Scenario world = small_world(Age::k2023);
  world.unlink(kPid, "/f");
  world.openat(kPid, 3, kAtFdcwd, "/f", kReadWrite | kCreate);
  chdir_to(world, "/f");
  ConvertOptions options = everything();
  options.compat = true;
  EXPECT_EQ(records_of(convert(world, options), "/f"), Letters{"C?"});
}

TEST(Files, HaveTheSameKindUnderAnyFilter) {
  Scenario world = small_world(Age::k2026);
  event(world, ev::SYSCALL_MKNOD_X,
        {i64(0), text("/p"), scap::value::u32(0010644), scap::value::u32(0)});
  world.openat(kPid, 3, kAtFdcwd, "/p", kReadOnly);
  ConvertOptions options = everything();
  options.filter = "evt.type = openat";
  EXPECT_EQ(records_of(convert(world, options), "/p"), Letters{"Rp"});
}

TEST_P(EveryAge, LinkTargetsAreRelativeToTheLink) {
  Scenario world = small_world(GetParam());
  world.symlink(kPid, "../x/secret", "d/l");
  world.symlink(kPid, "x", "/a/../l");
  const Kept kept = convert(world, everything());
  std::vector<std::string> paths;
  for (const File& file : kept.files) paths.emplace_back(file.path.view());
  EXPECT_EQ(paths, (std::vector<std::string>{"/work/x/secret", "/work/d/l", "/x", "/l"}));
}

TEST(Files, SymlinkatTargetsAreResolved) {
  Scenario world = small_world(Age::k2026);
  world.openat(kPid, 3, kAtFdcwd, "/srv", kReadOnly | kDirectoryFlag);
  event(world, ev::SYSCALL_SYMLINKAT_X, {i64(0), text("../x"), i64(3), text("d/l")});
  ConvertOptions compat = everything();
  compat.compat = true;
  EXPECT_EQ(records_of(convert(world, everything()), "/srv/x").size(), 1u);
  EXPECT_EQ(records_of(convert(world, compat), "../x").size(), 1u) << "as in the collector";
}

TEST(Files, RemovedDirectoriesAreNotUnlinkedFiles) {
  const auto ops = [](bool compat) {
    Scenario world = small_world(Age::k2023);
    for (const uint32_t flags : {0x200u, 0u}) {
      event(world, ev::SYSCALL_UNLINKAT_2_X,
            {i64(0), i64(kAtFdcwd), text("/tmp/x"), scap::value::u32(flags)});
    }
    ConvertOptions options = everything();
    options.compat = compat;
    std::vector<uint32_t> found;
    for (const FileEvent& event : convert(world, options).file_events)
      found.push_back(event.op_flags);
    return found;
  };
  EXPECT_EQ(ops(false), (std::vector<uint32_t>{kOpRmdir, kOpUnlink}));
  EXPECT_EQ(ops(true), (std::vector<uint32_t>{kOpUnlink, kOpUnlink}));
}

TEST(Files, UnreadablePathsAreUnknown) {
  Scenario world = small_world(Age::k2026);
  world.rename(kPid, "<NA>", "/b");
  event(world, ev::SYSCALL_MKDIR_2_X, {i64(0), "", scap::value::u32(0)});
  event(world, ev::SYSCALL_MKDIRAT_X, {i64(0), i64(77), text("./d"), scap::value::u32(0)});
  const Kept kept = convert(world, everything());
  std::vector<std::string> paths;
  for (const File& file : kept.files) paths.emplace_back(file.path.view());
  EXPECT_EQ(paths, (std::vector<std::string>{"<UNKNOWN>", "/b", "<UNKNOWN>d"}));
}

TEST(Files, FollowRenamesOfTheirDirectory) {
  Scenario world = small_world(Age::k2026);
  world.openat(kPid, 3, kAtFdcwd, "/d/f", kReadWrite);
  world.write(kPid, 3, 1);
  world.rename(kPid, "/d", "/e");
  world.write(kPid, 3, 20);
  world.close(kPid, 3);
  const auto bytes_of = [](const Kept& kept, std::string_view path) {
    int64_t bytes = 0;
    for (const FileFlow& flow : kept.file_flows) {
      for (const File& file : kept.files) {
        if (file.oid == flow.file_oid && file.path == path) bytes += flow.counters.write_bytes;
      }
    }
    return bytes;
  };
  const Kept kept = convert(world, everything());
  EXPECT_EQ(bytes_of(kept, "/d/f"), 1);
  EXPECT_EQ(bytes_of(kept, "/e/f"), 20);
  ConvertOptions compat = everything();
  compat.compat = true;
  EXPECT_EQ(bytes_of(convert(world, compat), "/d/f"), 21);
}

}  // namespace
}  // namespace sfkit::sysflow
