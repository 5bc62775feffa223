#include "events/state_tables.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "events/tables.h"
#include "scap/writer.h"

namespace sfkit::events {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;
using output::Column;
using output::Table;
using Kind = Moment::Kind;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

scap::ThreadEntry process(int64_t pid, int64_t parent, std::string_view name) {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = pid;
  entry.ptid = parent;
  entry.comm = entry.exe = name;
  return entry;
}

scap::FdEntry file(int64_t fd, std::string_view name) {
  scap::FdEntry entry;
  entry.fd = fd;
  entry.type = scap::FdType::kFileV2;
  entry.name = name;
  entry.open_flags = 1;
  return entry;
}

class Capture {
 public:
  Capture() { out_.begin(); }
  scap::CaptureWriter& lists() { return out_; }
  // One event a second.
  Capture& event(uint16_t code, const std::vector<std::string>& params, int64_t tid = 10) {
    out_.event(kStart + kSecond * count_++, tid, 0, code, params);
    return *this;
  }
  Capture& open(int64_t fd, std::string_view path) {
    return event(ev::SYSCALL_OPENAT_2_X,
                 {value::i64(fd), value::i64(-100), value::text(path), value::u32(1), value::u32(0),
                  value::u32(0), value::u64(0)});
  }
  Capture& close(int64_t fd) { return event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(fd)}); }
  // The rows as the texts of some columns, joined by blanks; - for a missing value.
  std::vector<std::string> rows(Table table, const std::vector<Moment>& moments,
                                const std::vector<Column>& columns) {
    TableOptions options;
    options.table = table;
    options.moments = moments;
    options.batch_rows = 2;
    const std::atomic<bool> cancel{false};
    summary_ = {};
    uint64_t count = 0;
    std::vector<std::string> lines;
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    const Status status = sfkit::events::tabulate(
        *input.value(), "test", options,
        [&](const output::ColumnBatch& batch) {
          for (uint32_t row = 0; row < batch.rows; ++row)
            lines.push_back(line(batch, columns, row));
          return true;
        },
        cancel, summary_, count);
    EXPECT_TRUE(status.is_ok());
    EXPECT_EQ(count, lines.size());
    return lines;
  }
  const InputSummary& summary() const { return summary_; }

 private:
  static std::string line(const output::ColumnBatch& batch, const std::vector<Column>& columns,
                          uint32_t row) {
    const auto all = output::kTables[static_cast<size_t>(batch.table)].columns;
    std::string text;
    for (const Column column : columns) {
      size_t place = 0;
      while (all[place].column != column) ++place;
      const output::ColumnValues& values = batch.columns[place];
      if (!text.empty()) text += ' ';
      if (values.valid && (values.valid.data()[row / 8] >> (row % 8) & 1) == 0) {
        text += '-';
        continue;
      }
      switch (values.type) {
        case output::ColumnType::kI64:
          text += std::to_string(values.values.as<int64_t>()[row]);
          break;
        case output::ColumnType::kI32:
          text += std::to_string(values.values.as<int32_t>()[row]);
          break;
        case output::ColumnType::kBool:
          text += values.values.as<uint8_t>()[row] != 0 ? "true" : "false";
          break;
        case output::ColumnType::kStr: {
          const auto* const offsets = batch.string_offsets.as<uint32_t>();
          const uint32_t index = values.values.as<uint32_t>()[row];
          text.append(reinterpret_cast<const char*>(batch.string_bytes.data()) + offsets[index],
                      offsets[index + 1] - offsets[index]);
        }
      }
    }
    return text;
  }

  scap::CaptureWriter out_;
  uint64_t count_ = 0;
  InputSummary summary_;
};

using Lines = std::vector<std::string>;
const std::vector<Column> kFile = {Column::kDescriptorsAtMomentNumber, Column::kDescriptorsAtPid,
                                   Column::kDescriptorsAtFd, Column::kDescriptorsAtName};

Capture opens_and_closes() {
  Capture capture;
  capture.lists().processes({process(10, 1, "sh")});
  capture.lists().descriptors(10, {file(3, "/listed")});
  capture.open(4, "/a").close(3).open(5, "/b").close(4);
  return capture;
}

TEST(StateAt, AMomentShowsTheStateBeforeTheFirstLaterEvent) {
  Capture capture = opens_and_closes();
  const Lines start = {"0 10 3 /listed"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kStart, 0}}, kFile), start);
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kTime, kStart - 1}}, kFile), start);
  const Lines opened = {"0 10 3 /listed", "0 10 4 /a"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kTime, kStart}}, kFile), opened);
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kRelative, kSecond - 1}}, kFile), opened);
  // The close is the last event, and what it closed is not shown.
  const Lines closed = {"0 10 4 /a"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kRelative, kSecond}}, kFile), closed);
  const Lines end = {"0 10 5 /b"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kEnd, 0}}, kFile), end);
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, {{Kind::kRelative, UINT64_MAX}}, kFile), end);
}

TEST(StateAt, MomentsKeepTheirNumbersAndHaveTheirTimes) {
  Capture capture = opens_and_closes();
  const std::vector<Column> columns = {Column::kDescriptorsAtMomentNumber,
                                       Column::kDescriptorsAtMomentUts, Column::kDescriptorsAtFd};
  const Lines expected = {"1 " + std::to_string(kStart) + " 3",
                          "2 " + std::to_string(kStart + kSecond) + " 4",
                          "0 " + std::to_string(kStart + 3 * kSecond) + " 5"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt,
                         {{Kind::kEnd, 0}, {Kind::kStart, 0}, {Kind::kRelative, kSecond}}, columns),
            expected);
}

TEST(StateAt, ReadingEndsWhenAllMomentsHaveRows) {
  Capture capture = opens_and_closes();
  capture.rows(Table::kDescriptorsAt, {{Kind::kStart, 0}}, kFile);
  EXPECT_EQ(capture.summary().events, 1u);
  capture.rows(Table::kDescriptorsAt, {{Kind::kEnd, 0}}, kFile);
  EXPECT_EQ(capture.summary().events, 4u);
}

TEST(StateAt, WithoutEventsEveryMomentShowsTheLists) {
  Capture capture;
  capture.lists().processes({process(10, 1, "sh")});
  const Lines expected = {"- 10 sh", "- 10 sh"};
  EXPECT_EQ(capture.rows(
                Table::kProcessesAt, {{Kind::kStart, 0}, {Kind::kEnd, 0}},
                {Column::kProcessesAtMomentUts, Column::kProcessesAtPid, Column::kProcessesAtComm}),
            expected);
}

TEST(StateAt, ThreadsOfAProcessShareItsRowsAndItsDescriptors) {
  Capture capture;
  scap::ThreadEntry worker = process(10, 1, "worker");
  worker.tid = worker.vtid = 11;
  capture.lists().processes({process(10, 1, "sh"), worker, process(20, 10, "cat")});
  capture.lists().descriptors(10, {file(3, "/shared")});
  capture.lists().descriptors(20, {file(0, "/own")});
  const std::vector<Moment> end = {{Kind::kEnd, 0}};
  const Lines processes = {"10 sh 2 -", "20 cat 1 10"};
  EXPECT_EQ(capture.rows(Table::kProcessesAt, end,
                         {Column::kProcessesAtPid, Column::kProcessesAtComm,
                          Column::kProcessesAtThreads, Column::kProcessesAtPpid}),
            processes);
  const Lines threads = {"10 10 true", "11 10 false", "20 20 true"};
  EXPECT_EQ(capture.rows(Table::kThreadsAt, end,
                         {Column::kThreadsAtTid, Column::kThreadsAtPid, Column::kThreadsAtIsMain}),
            threads);
  const Lines descriptors = {"0 10 3 /shared", "0 20 0 /own"};
  EXPECT_EQ(capture.rows(Table::kDescriptorsAt, end, kFile), descriptors);
}

TEST(StateAt, AProcessLivesOnAfterItsMainThread) {
  Capture capture;
  scap::ThreadEntry worker = process(10, 1, "worker");
  worker.tid = worker.vtid = 11;
  capture.lists().processes({process(10, 1, "sh"), worker});
  capture.event(ev::PROCEXIT_1_E, {value::i64(0), value::i64(0), value::u8(0), value::u8(0)}, 10);
  const std::vector<Moment> end = {{Kind::kEnd, 0}};
  const std::vector<Column> pid = {Column::kProcessesAtPid, Column::kProcessesAtThreads};
  EXPECT_EQ(capture.rows(Table::kProcessesAt, end, pid), Lines{"10 1"});
  EXPECT_EQ(capture.rows(Table::kThreadsAt, end, {Column::kThreadsAtTid}), Lines{"11"});
  capture.event(ev::PROCEXIT_1_E, {value::i64(0), value::i64(0), value::u8(0), value::u8(0)}, 11);
  EXPECT_EQ(capture.rows(Table::kProcessesAt, end, pid), Lines{});
}

TEST(StateAt, SocketsHaveLocalAndRemoteEnds) {
  Capture capture;
  capture.lists().processes({process(10, 1, "nginx")});
  scap::FdEntry listening;
  listening.fd = 3;
  listening.type = scap::FdType::kIpv4Server;
  listening.l4 = scap::L4::kTcp;
  listening.source_port = 80;
  scap::FdEntry accepted = listening;
  accepted.fd = 4;
  accepted.type = scap::FdType::kIpv4;
  accepted.source = {10, 0, 0, 1};
  accepted.destination = {10, 0, 0, 2};
  accepted.destination_port = 40000;
  scap::FdEntry client = accepted;
  client.fd = 5;
  client.type = scap::FdType::kIpv6;
  client.source = {0xfd, 1};
  client.destination = {0xfd, 2};
  client.source_port = 50000;
  client.destination_port = 443;
  capture.lists().descriptors(10, {listening, accepted, client, file(6, "/no/socket")});
  const Lines expected = {"3 ipv4 tcp listening - 0.0.0.0 80 - -",
                          "4 ipv4 tcp connected server 10.0.0.1 80 10.0.0.2 40000",
                          "5 ipv6 tcp connected client fd01:: 50000 fd02:: 443"};
  EXPECT_EQ(
      capture.rows(
          Table::kSocketsAt, {{Kind::kEnd, 0}},
          {Column::kSocketsAtFd, Column::kSocketsAtFamily, Column::kSocketsAtProtocol,
           Column::kSocketsAtState, Column::kSocketsAtRole, Column::kSocketsAtLocalIp,
           Column::kSocketsAtLocalPort, Column::kSocketsAtRemoteIp, Column::kSocketsAtRemotePort}),
      expected);
}

TEST(StateAt, TablesBeyondTheLimitAreCounted) {
  Capture capture;
  capture.lists().processes({process(10, 1, "a"), process(20, 1, "b"), process(30, 1, "c")});
  for (const int64_t pid : {10, 20, 30})
    capture.lists().descriptors(pid, {file(1, "/x"), file(2, "/y")});
  const std::atomic<bool> cancel{false};
  const auto rows_of = [&](uint64_t limit, InputSummary& summary) {
    auto wanted = FieldRows::resolve(Table::kDescriptorsAt, {});
    FieldRows rows(Table::kDescriptorsAt, wanted.value(), 100,
                   [](const output::ColumnBatch&) { return true; });
    const auto& bytes = capture.lists().bytes();
    auto input = scap::Input::over(Bytes(bytes.data(), bytes.size()));
    const std::vector<Moment> moments = {{Kind::kStart, 0}, {Kind::kEnd, 0}};
    EXPECT_TRUE(tabulate_state(*input.value(), "test", Table::kDescriptorsAt, moments, rows, cancel,
                               summary, limit)
                    .is_ok());
    return rows.rows();
  };
  InputSummary whole;
  EXPECT_EQ(rows_of(6, whole), 12u);
  EXPECT_TRUE(whole.skipped.empty());
  // Of each moment: one table is cut, one left out.
  InputSummary cut;
  EXPECT_EQ(rows_of(3, cut), 6u);
  ASSERT_EQ(cut.skipped.size(), 1u);
  EXPECT_EQ(cut.skipped[0].reason, Reason::kDescriptorsAtAMoment);
  EXPECT_EQ(cut.skipped[0].count, 4u);
}

TEST(ListTables, EqualEntriesMakeOneRow) {
  Capture capture;
  const auto lists = [&capture] {
    scap::UserEntry root;
    root.name = "root";
    root.home = "/root";
    scap::UserEntry unnamed;
    unnamed.uid = unnamed.gid = 7;
    unnamed.name = "<NA>";
    scap::GroupEntry wheel{10, "wheel"};
    capture.lists().users({root, unnamed}, {wheel});
    scap::InterfaceEntry loopback;
    loopback.address = {127, 0, 0, 1};
    loopback.netmask = {255};
    loopback.name = "lo";
    capture.lists().interfaces({loopback});
  };
  lists();
  lists();
  capture.event(ev::USER_ADDED_E,
                {value::u32(5), value::u32(6), value::text("web"), value::text("/srv"),
                 value::text("/bin/sh"), value::text("3ad7b26ded6d")});
  const Lines users = {"0 0 root -", "7 7 - -", "5 6 web 3ad7b26ded6d"};
  EXPECT_EQ(capture.rows(Table::kUsers, {},
                         {Column::kUsersUid, Column::kUsersGid, Column::kUsersName,
                          Column::kUsersContainerId}),
            users);
  EXPECT_EQ(capture.rows(Table::kGroups, {}, {Column::kGroupsGid, Column::kGroupsName}),
            Lines{"10 wheel"});
  const std::vector<Column> address = {Column::kInterfacesName, Column::kInterfacesFamily,
                                       Column::kInterfacesAddress, Column::kInterfacesNetmask};
  EXPECT_EQ(capture.rows(Table::kInterfaces, {}, address), Lines{"lo ipv4 127.0.0.1 255.0.0.0"});
}

TEST(ListTables, AContainerHasItsLastDescription) {
  Capture capture;
  const auto describe = [&capture](std::string_view name) {
    capture.event(ev::CONTAINER_JSON_2_E,
                  {value::text(R"({"container":{"id":"3ad7b26ded6d","type":0,"name":")" +
                               std::string(name) + R"(","image":"nginx:1"}})")});
  };
  describe("first");
  describe("last");
  EXPECT_EQ(capture.rows(Table::kContainers, {}, {Column::kContainersId, Column::kContainersName}),
            Lines{"3ad7b26ded6d last"});
}

TEST(ListTables, ADamagedCaptureHasItsPlaces) {
  Capture capture = opens_and_closes();
  EXPECT_EQ(capture.rows(Table::kDamage, {}, {Column::kDamageKind}), Lines{});
  EXPECT_EQ(capture.rows(Table::kCapture, {},
                         {Column::kCaptureEvents, Column::kCaptureDuration,
                          Column::kCaptureDescriptors, Column::kCaptureDamagedPlaces}),
            Lines{"4 3000000000 1 0"});
  capture.lists().cut(capture.lists().bytes().size() - 8);
  EXPECT_EQ(capture.rows(Table::kDamage, {}, {Column::kDamageKind}).size(), 1u);
  EXPECT_EQ(
      capture.rows(Table::kCapture, {}, {Column::kCaptureEvents, Column::kCaptureDamagedPlaces}),
      Lines{"3 1"});
}

}  // namespace
}  // namespace sfkit::events
