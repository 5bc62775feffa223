#include "events/tables.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "scap/writer.h"

namespace sfkit::events {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;
using output::Column;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;

class Capture {
 public:
  Capture() {
    out_.begin();
    scap::ThreadEntry shell;
    shell.tid = shell.pid = shell.vtid = shell.vpid = 10;
    shell.ptid = 1;
    shell.comm = "sh";
    shell.exe = "-sh";
    out_.processes({shell});
  }
  Capture& event(uint16_t code, const std::vector<std::string>& params, int64_t tid = 10) {
    return at(count_++, code, params, tid);
  }
  Capture& at(uint64_t nanoseconds, uint16_t code, const std::vector<std::string>& params,
              int64_t tid = 10) {
    out_.event(kStart + nanoseconds, tid, 1, code, params);
    return *this;
  }
  Status tabulate(const TableOptions& options, std::vector<output::ColumnBatch>& batches) const {
    const std::atomic<bool> cancel{false};
    InputSummary summary;
    uint64_t rows = 0;
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    return sfkit::events::tabulate(
        *input.value(), "test", options,
        [&batches](output::ColumnBatch batch) {
          batches.push_back(std::move(batch));
          return true;
        },
        cancel, summary, rows);
  }

 private:
  scap::CaptureWriter out_;
  uint64_t count_ = 0;
};

size_t place_of(const output::ColumnBatch& batch, Column column) {
  const auto columns = output::kTables[static_cast<size_t>(batch.table)].columns;
  size_t place = 0;
  while (columns[place].column != column) ++place;
  return place;
}

bool has_value(const output::ColumnBatch& batch, Column column, uint32_t row) {
  const HeapBlock& valid = batch.columns[place_of(batch, column)].valid;
  return !valid || (valid.data()[row / 8] >> (row % 8) & 1) != 0;
}

template <typename T>
T number(const output::ColumnBatch& batch, Column column, uint32_t row) {
  return batch.columns[place_of(batch, column)].values.as<T>()[row];
}

std::string_view text(const output::ColumnBatch& batch, Column column, uint32_t row) {
  const auto index = number<uint32_t>(batch, column, row);
  const auto* const offsets = batch.string_offsets.as<uint32_t>();
  return {reinterpret_cast<const char*>(batch.string_bytes.data()) + offsets[index],
          offsets[index + 1] - offsets[index]};
}

Capture two_opens() {
  Capture capture;
  const auto open = [](int64_t result, std::string_view path) {
    return std::vector<std::string>{value::i64(result), value::i64(-100), value::text(path),
                                    value::u32(1),      value::u32(0),    value::u32(0),
                                    value::u64(0)};
  };
  capture.event(ev::SYSCALL_OPENAT_2_X, open(3, "/etc/motd"));
  capture.event(ev::SYSCALL_OPENAT_2_X, open(-2, "/no"));
  return capture;
}

TEST(CaptureTables, AFailedCallHasAnErrorAndAGoodOneHasNone) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(two_opens().tabulate({output::Table::kEvents, "", {}, 100, {}}, batches).is_ok());
  ASSERT_EQ(batches.size(), 1u);
  const output::ColumnBatch& batch = batches[0];
  ASSERT_EQ(batch.rows, 2u);
  EXPECT_EQ(text(batch, Column::kEventsType, 0), "openat");
  EXPECT_EQ(text(batch, Column::kEventsDirection, 0), "exit");
  EXPECT_EQ(number<int64_t>(batch, Column::kEventsResult, 0), 3);
  EXPECT_FALSE(has_value(batch, Column::kEventsError, 0));
  EXPECT_EQ(number<uint8_t>(batch, Column::kEventsFailed, 0), 0);
  EXPECT_EQ(text(batch, Column::kEventsFdName, 0), "/etc/motd");
  EXPECT_EQ(number<int64_t>(batch, Column::kEventsResult, 1), -2);
  EXPECT_EQ(text(batch, Column::kEventsError, 1), "ENOENT");
  EXPECT_EQ(number<uint8_t>(batch, Column::kEventsFailed, 1), 1);
  EXPECT_FALSE(has_value(batch, Column::kEventsLatency, 1));
  EXPECT_FALSE(has_value(batch, Column::kEventsContainerId, 1));
}

TEST(CaptureTables, ArgumentsAreAnObjectOfTexts) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(
      two_opens()
          .tabulate({output::Table::kEvents, "", {Column::kEventsArgumentsJson}, 100, {}}, batches)
          .is_ok());
  constexpr std::string_view kExpected =
      "{\"fd\":\"-2(ENOENT)\",\"dirfd\":\"-100(AT_FDCWD)\",\"name\":\"/"
      "no\",\"flags\":\"1(O_RDONLY)\","
      "\"mode\":\"0\",\"dev\":\"0\",\"ino\":\"0\"}";
  EXPECT_EQ(text(batches[0], Column::kEventsArgumentsJson, 1), kExpected);
}

TEST(CaptureTables, ReturnsFullBatchesOfPassingEvents) {
  std::vector<output::ColumnBatch> batches;
  ASSERT_TRUE(two_opens().tabulate({output::Table::kEvents, "", {}, 1, {}}, batches).is_ok());
  EXPECT_EQ(batches.size(), 2u);
  batches.clear();
  ASSERT_TRUE(two_opens()
                  .tabulate({output::Table::kEvents, "evt.failed = true", {}, 1, {}}, batches)
                  .is_ok());
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kEventsNumber, 0), 2);
  EXPECT_FALSE(
      two_opens().tabulate({output::Table::kEvents, "evt.type =", {}, 1, {}}, batches).is_ok());
}

// Columns without a value hold zeros, so a test names those that it checks.
std::vector<output::ColumnBatch> rows_of(const Capture& capture, output::Table table,
                                         std::vector<Column> columns,
                                         const std::string& filter = "") {
  std::vector<output::ColumnBatch> batches;
  EXPECT_TRUE(capture.tabulate({table, filter, std::move(columns), 1u << 20, {}}, batches).is_ok());
  return batches;
}

std::vector<std::string> open_of(int64_t result, std::string_view path) {
  return {value::i64(result), value::i64(-100), value::text(path), value::u32(1),
          value::u32(0),      value::u32(0),    value::u64(0)};
}

TEST(CallsTable, CountsByTheSelectedColumns) {
  Capture capture;
  capture.event(ev::SYSCALL_OPENAT_2_X, open_of(3, "/a"));
  capture.event(ev::SYSCALL_READ_X,
                {value::i64(5), value::text("hello"), value::i64(3), value::u32(64)});
  capture.event(ev::SYSCALL_OPENAT_2_X, open_of(-2, "/no"));
  capture.event(ev::SYSCALL_READ_X,
                {value::i64(2), value::text("ab"), value::i64(3), value::u32(64)});
  capture.event(ev::SYSCALL_WRITE_X,
                {value::i64(7), value::text("written"), value::i64(3), value::u32(7)});
  const auto types =
      rows_of(capture, output::Table::kCalls,
              {Column::kCallsType, Column::kCallsCount, Column::kCallsFailed, Column::kCallsBytes,
               Column::kCallsBytesRead, Column::kCallsBytesWritten, Column::kCallsTsUts,
               Column::kCallsEndtsUts, Column::kCallsLatency});
  ASSERT_EQ(types.size(), 1u);
  const output::ColumnBatch& batch = types[0];
  ASSERT_EQ(batch.rows, 3u);
  EXPECT_EQ(text(batch, Column::kCallsType, 0), "openat");
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsCount, 0), 2);
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsFailed, 0), 1);
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsTsUts, 0), static_cast<int64_t>(kStart));
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsEndtsUts, 0), static_cast<int64_t>(kStart) + 2);
  EXPECT_EQ(text(batch, Column::kCallsType, 1), "read");
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsBytes, 1), 7);
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsBytesRead, 1), 7);
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsBytesWritten, 1), 0);
  EXPECT_EQ(number<int64_t>(batch, Column::kCallsBytesWritten, 2), 7);
  EXPECT_FALSE(has_value(batch, Column::kCallsLatency, 0)) << "without enter events";

  const auto names = rows_of(capture, output::Table::kCalls,
                             {Column::kCallsFdName, Column::kCallsCount}, "evt.type = read");
  ASSERT_EQ(names[0].rows, 1u);
  EXPECT_EQ(text(names[0], Column::kCallsFdName, 0), "/a");
  EXPECT_EQ(number<int64_t>(names[0], Column::kCallsCount, 0), 2);
}

TEST(CallsTable, SumsLatencies) {
  Capture capture;
  const auto pause = [&capture](uint64_t from, uint64_t to) {
    capture.at(from, ev::SYSCALL_NANOSLEEP_E, {value::u64(1)});
    capture.at(to, ev::SYSCALL_NANOSLEEP_X, {value::i64(0)});
  };
  pause(100, 150);
  pause(200, 230);
  const auto batches =
      rows_of(capture, output::Table::kCalls,
              {Column::kCallsCount, Column::kCallsLatency, Column::kCallsMaxLatency});
  ASSERT_EQ(batches[0].rows, 1u);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kCallsCount, 0), 2) << "enter events are no calls";
  EXPECT_EQ(number<int64_t>(batches[0], Column::kCallsLatency, 0), 80);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kCallsMaxLatency, 0), 50);
}

TEST(CallsTable, WritesRowsEarlyIfThereAreTooMany) {
  Capture capture;
  constexpr int64_t kNames = 70'000;
  for (int64_t i = 0; i < 2 * kNames; ++i)
    capture.event(ev::SYSCALL_OPENAT_2_X, open_of(3, "/d/" + std::to_string(i % kNames)));
  int64_t calls = 0;
  uint32_t rows = 0;
  for (const auto& batch :
       rows_of(capture, output::Table::kCalls, {Column::kCallsFdName, Column::kCallsCount})) {
    rows += batch.rows;
    for (uint32_t row = 0; row < batch.rows; ++row)
      calls += number<int64_t>(batch, Column::kCallsCount, row);
  }
  EXPECT_EQ(calls, 2 * kNames);
  EXPECT_GT(rows, kNames);
}

constexpr uint64_t kSecond = 1'000'000'000;
const std::vector<Column> kCpuColumns = {Column::kCpuTsUts,   Column::kCpuTid,
                                         Column::kCpuSource,  Column::kCpuComm,
                                         Column::kCpuCpuTime, Column::kCpuUserTime};

struct CpuRow {
  int64_t second;  // since kStart
  int64_t tid;
  int64_t time;
  bool operator==(const CpuRow&) const = default;
};

std::vector<CpuRow> cpu_rows(const Capture& capture, std::string_view source) {
  std::vector<CpuRow> rows;
  for (const auto& batch : rows_of(capture, output::Table::kCpu, kCpuColumns)) {
    for (uint32_t row = 0; row < batch.rows; ++row) {
      if (text(batch, Column::kCpuSource, row) != source) continue;
      const int64_t second =
          (number<int64_t>(batch, Column::kCpuTsUts, row) - static_cast<int64_t>(kStart)) /
          static_cast<int64_t>(kSecond);
      rows.push_back({second, number<int64_t>(batch, Column::kCpuTid, row),
                      number<int64_t>(batch, Column::kCpuCpuTime, row)});
    }
  }
  return rows;
}

std::vector<std::string> next(int64_t tid) {
  return {value::i64(tid), value::u64(0), value::u64(0),
          value::u32(0),   value::u32(0), value::u32(0)};
}

TEST(CpuTable, MeasuresBetweenSwitchesAndSplitsAtSeconds) {
  Capture capture;
  capture.at(0, ev::SCHEDSWITCH_6_E, next(10), 11);
  capture.at(300, ev::SCHEDSWITCH_6_E, next(0), 10);
  capture.at(500, ev::SCHEDSWITCH_6_E, next(10), 0);
  capture.at(2 * kSecond + 7, ev::SCHEDSWITCH_6_E, next(0), 10);
  const std::vector<CpuRow> expected = {{0, 10, 300 + static_cast<int64_t>(kSecond) - 500},
                                        {1, 10, static_cast<int64_t>(kSecond)},
                                        {2, 10, 7}};
  EXPECT_EQ(cpu_rows(capture, "switch"), expected);
}

TEST(CpuTable, LeavesOutWhatItCannotKnow) {
  Capture lost;
  lost.at(0, ev::SCHEDSWITCH_6_E, next(10), 11);
  // The switch from 10 to 12 is missing.
  lost.at(100, ev::SCHEDSWITCH_6_E, next(0), 12);
  EXPECT_TRUE(cpu_rows(lost, "switch").empty());
  Capture dropped;
  dropped.at(0, ev::SCHEDSWITCH_6_E, next(10), 11);
  dropped.at(50, ev::DROP_E, {value::u32(1)}, 10);
  dropped.at(100, ev::SCHEDSWITCH_6_E, next(0), 10);
  EXPECT_TRUE(cpu_rows(dropped, "switch").empty());
}

TEST(CpuTable, OneEventMakesFewRows) {
  Capture capture;
  capture.at(0, ev::SCHEDSWITCH_6_E, next(10), 11);
  capture.at(1000 * kSecond, ev::SCHEDSWITCH_6_E, next(0), 10);
  const std::vector<CpuRow> expected = {{1000, 10, static_cast<int64_t>(1000 * kSecond)}};
  EXPECT_EQ(cpu_rows(capture, "switch"), expected);
}

TEST(CpuTable, TakesTheDifferencesOfSamples) {
  Capture capture;
  const auto sample = [&capture](uint64_t second, uint64_t user, uint64_t system) {
    capture.at(second * kSecond, ev::PROCINFO_E, {value::u64(user), value::u64(system)});
  };
  sample(0, 100, 50);
  sample(1, 103, 51);
  sample(2, 103, 51);
  sample(3, 0, 0);
  sample(4, 1, 0);
  const std::vector<CpuRow> expected = {{1, 10, 40'000'000}, {4, 10, 10'000'000}};
  EXPECT_EQ(cpu_rows(capture, "sample"), expected);
}

// A socket of thread 10 that is connected from 10.0.0.5:40000 to 192.0.2.1.
std::string endpoints(uint16_t server_port) {
  const auto port = [](uint16_t number) { return value::u16(number); };
  return value::u8(2) + "\x0a" + std::string(2, '\0') + "\x05" + port(40000) + "\xc0" +
         std::string(1, '\0') + "\x02\x01" + port(server_port);
}
void connect(Capture& capture, int64_t fd, uint32_t type, uint16_t server_port) {
  const std::string server =
      value::u8(2) + "\xc0" + std::string(1, '\0') + "\x02\x01" + value::u16(server_port);
  capture.event(ev::SOCKET_SOCKET_X,
                {value::i64(fd), value::u32(2), value::u32(type), value::u32(0)});
  capture.event(ev::SOCKET_CONNECT_X,
                {value::i64(0), endpoints(server_port), value::i64(fd), server});
}
constexpr uint32_t kStream = 1;
constexpr uint32_t kDatagram = 2;

void write(Capture& capture, uint64_t time, int64_t fd, std::string_view data, size_t size) {
  capture.at(time, ev::SYSCALL_WRITE_X,
             {value::i64(static_cast<int64_t>(size)), std::string(data), value::i64(fd),
              value::u32(static_cast<uint32_t>(size))});
}
void read(Capture& capture, uint64_t time, int64_t fd, std::string_view data, size_t size) {
  capture.at(time, ev::SYSCALL_READ_X,
             {value::i64(static_cast<int64_t>(size)), std::string(data), value::i64(fd),
              value::u32(static_cast<uint32_t>(size))});
}
void write(Capture& capture, uint64_t time, int64_t fd, std::string_view data) {
  write(capture, time, fd, data, data.size());
}
void read(Capture& capture, uint64_t time, int64_t fd, std::string_view data) {
  read(capture, time, fd, data, data.size());
}

std::string dns_query(char id = '\x07') {
  return std::string("\0", 1) + id +
         std::string(
             "\x01\0\0\x01\0\0\0\0\0\0\x01"
             "a\x02"
             "bc\0\0\x01\0\x01",
             20);
}
std::string dns_response(char id = '\x07') {
  return std::string("\0", 1) + id +
         std::string(
             "\x81\x80\0\x01\0\x01\0\0\0\0\x01"
             "A\x02"
             "bc\0\0\x01\0\x01",
             20) +
         std::string("\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x01\x02\x03", 16);
}

TEST(DnsTable, HasQuestionsAndAnswersWithTheLatencyOfTheResponse) {
  Capture capture;
  connect(capture, 3, kDatagram, 53);
  write(capture, 1000, 3, dns_query());
  write(capture, 2000, 3, dns_query());  // sent again
  read(capture, 5000, 3, dns_response());
  read(capture, 6000, 3, dns_response());  // its query is answered already
  const auto batches = rows_of(capture, output::Table::kDns, {});
  ASSERT_EQ(batches.size(), 1u);
  const output::ColumnBatch& batch = batches[0];
  ASSERT_EQ(batch.rows, 6u);
  EXPECT_EQ(text(batch, Column::kDnsDirection, 0), "query");
  EXPECT_EQ(text(batch, Column::kDnsSection, 0), "question");
  EXPECT_EQ(text(batch, Column::kDnsName, 0), "a.bc");
  EXPECT_EQ(text(batch, Column::kDnsType, 0), "A");
  EXPECT_EQ(number<int64_t>(batch, Column::kDnsId, 0), 7);
  EXPECT_EQ(number<uint8_t>(batch, Column::kDnsIsSent, 0), 1);
  EXPECT_EQ(text(batch, Column::kDnsComm, 0), "sh");
  EXPECT_EQ(text(batch, Column::kDnsServerIp, 0), "192.0.2.1");
  EXPECT_EQ(number<int64_t>(batch, Column::kDnsServerPort, 0), 53);
  EXPECT_EQ(text(batch, Column::kDnsProtocol, 0), "udp");
  for (const Column column :
       {Column::kDnsRcode, Column::kDnsAnswer, Column::kDnsTtl, Column::kDnsLatency})
    EXPECT_FALSE(has_value(batch, column, 0));
  EXPECT_EQ(text(batch, Column::kDnsDirection, 3), "response");
  EXPECT_EQ(text(batch, Column::kDnsSection, 3), "answer");
  EXPECT_EQ(text(batch, Column::kDnsRcode, 3), "NOERROR");
  EXPECT_EQ(text(batch, Column::kDnsAnswer, 3), "10.1.2.3");
  EXPECT_EQ(number<int64_t>(batch, Column::kDnsTtl, 3), 60);
  EXPECT_EQ(number<int64_t>(batch, Column::kDnsLatency, 3), 4000);
  EXPECT_EQ(number<uint8_t>(batch, Column::kDnsIsCut, 3), 0);
  EXPECT_FALSE(has_value(batch, Column::kDnsLatency, 5));
}

TEST(DnsTable, ReadsStreamsWithTheLengthsOfTheirMessages) {
  Capture capture;
  connect(capture, 3, kStream, 53);
  const std::string length = std::string("\0", 1) + static_cast<char>(dns_query().size());
  write(capture, 1000, 3, length + dns_query('\x01') + length + dns_query('\x02'));
  // The length in a call of its own, then a response of which the capture lacks the answer.
  read(capture, 2000, 3, std::string("\0\x26", 2));
  read(capture, 3000, 3, dns_response('\x02').substr(0, 22), dns_response().size());
  const auto batches =
      rows_of(capture, output::Table::kDns,
              {Column::kDnsId, Column::kDnsProtocol, Column::kDnsIsCut, Column::kDnsLatency});
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].rows, 3u);
  EXPECT_EQ(text(batches[0], Column::kDnsProtocol, 0), "tcp");
  EXPECT_EQ(number<int64_t>(batches[0], Column::kDnsId, 1), 2);
  EXPECT_EQ(number<uint8_t>(batches[0], Column::kDnsIsCut, 1), 0);
  EXPECT_EQ(number<uint8_t>(batches[0], Column::kDnsIsCut, 2), 1);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kDnsLatency, 2), 2000);
}

TEST(DnsTable, TakesOnlySocketsWithADnsPort) {
  Capture capture;
  connect(capture, 3, kDatagram, 54);
  write(capture, 1000, 3, dns_query());
  capture.event(ev::SYSCALL_OPENAT_2_X, open_of(4, "/tmp/query"));
  write(capture, 2000, 4, dns_query());
  connect(capture, 5, kDatagram, 5355);
  write(capture, 3000, 5, dns_query());
  const auto batches = rows_of(capture, output::Table::kDns, {Column::kDnsServerPort});
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].rows, 1u);
  EXPECT_EQ(number<int64_t>(batches[0], Column::kDnsServerPort, 0), 5355);
}

TEST(HttpTable, PairsResponsesWithRequests) {
  Capture capture;
  connect(capture, 3, kStream, 8080);
  write(capture, 1000, 3, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  read(capture, 2000, 3, "HTTP/1.1 100 Continue\r\n\r\n");
  read(capture, 4000, 3, "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n");
  read(capture, 5000, 3, "HTTP/1.1 200 OK\r\n\r\n");
  write(capture, 6000, 3, "POST /long-tar", 500);
  const auto batches = rows_of(capture, output::Table::kHttp, {});
  ASSERT_EQ(batches.size(), 1u);
  const output::ColumnBatch& batch = batches[0];
  ASSERT_EQ(batch.rows, 5u);
  EXPECT_EQ(text(batch, Column::kHttpDirection, 0), "sent");
  EXPECT_EQ(text(batch, Column::kHttpKind, 0), "request");
  EXPECT_EQ(text(batch, Column::kHttpMethod, 0), "GET");
  EXPECT_EQ(text(batch, Column::kHttpTarget, 0), "/a");
  EXPECT_EQ(text(batch, Column::kHttpHost, 0), "h");
  EXPECT_EQ(text(batch, Column::kHttpClientIp, 0), "10.0.0.5");
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpClientPort, 0), 40000);
  EXPECT_EQ(text(batch, Column::kHttpServerIp, 0), "192.0.2.1");
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpServerPort, 0), 8080);
  EXPECT_EQ(number<uint8_t>(batch, Column::kHttpHasAllHeaders, 0), 1);
  for (const Column column : {Column::kHttpStatus, Column::kHttpReason, Column::kHttpLatency,
                              Column::kHttpContentLength, Column::kHttpContentType})
    EXPECT_FALSE(has_value(batch, column, 0));
  EXPECT_EQ(text(batch, Column::kHttpDirection, 2), "received");
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpStatus, 2), 503);
  EXPECT_EQ(text(batch, Column::kHttpReason, 2), "Busy");
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpContentLength, 2), 9);
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpLatency, 1), 1000);
  EXPECT_EQ(number<int64_t>(batch, Column::kHttpLatency, 2), 3000);
  EXPECT_FALSE(has_value(batch, Column::kHttpLatency, 3));
  EXPECT_EQ(text(batch, Column::kHttpTarget, 4), "/long-tar");
  EXPECT_EQ(number<uint8_t>(batch, Column::kHttpIsCut, 4), 1);
  EXPECT_FALSE(has_value(batch, Column::kHttpVersion, 4));
}

TEST(HttpTable, ADescriptorNumberThatComesBackIsAnotherConnection) {
  Capture capture;
  connect(capture, 3, kStream, 80);
  write(capture, 1000, 3, "GET / HTTP/1.1\r\n\r\n");
  capture.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)});
  connect(capture, 3, kStream, 81);
  read(capture, 4000, 3, "HTTP/1.1 200 OK\r\n\r\n");
  const auto batches =
      rows_of(capture, output::Table::kHttp, {Column::kHttpStatus, Column::kHttpLatency});
  ASSERT_EQ(batches[0].rows, 2u);
  EXPECT_FALSE(has_value(batches[0], Column::kHttpLatency, 1));
}

TEST(HttpTable, TakesOnlyStreamSockets) {
  Capture capture;
  connect(capture, 3, kDatagram, 1900);
  write(capture, 1000, 3, "M-SEARCH * HTTP/1.1\r\n\r\n");
  capture.event(ev::SYSCALL_OPENAT_2_X, open_of(4, "/tmp/request"));
  write(capture, 2000, 4, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(rows_of(capture, output::Table::kHttp, {}).empty());
}

}  // namespace
}  // namespace sfkit::events
