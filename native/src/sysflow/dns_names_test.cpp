#include "sysflow/dns_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "sysflow/convert.h"
#include "testing/record_log.h"
#include "testing/scenario.h"
#include "testing/temporary_file.h"

namespace sfkit::sysflow {
namespace {

using sfkit::testing::Age;
using sfkit::testing::Endpoint;
using sfkit::testing::Scenario;

constexpr int64_t kPid = 50;
constexpr int64_t kResolver = 60;

std::string u16(size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

// "a.bc" in the form of messages.
std::string encode(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.append(1, static_cast<char>(label.size())).append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return out.append(1, '\0');
}

std::string record(std::string_view name, size_t type, const std::string& data) {
  return encode(name) + u16(type) + u16(1) + std::string(4, '\0') + u16(data.size()) + data;
}

std::string address(const Endpoint& endpoint, size_t size = 4) {
  return {reinterpret_cast<const char*>(endpoint.ip.data()), size};
}

std::string response(std::string_view asked, size_t type, const std::vector<std::string>& answers) {
  std::string out = u16(7) + u16(0x8180) + u16(1) + u16(answers.size()) + u16(0) + u16(0);
  out += encode(asked) + u16(type) + u16(1);
  for (const std::string& answer : answers) out += answer;
  return out;
}

Endpoint server(uint8_t last, uint16_t port = 443) {
  return sfkit::testing::ipv4(192, 0, 2, last, port);
}

// A program and a resolver, each with a UDP socket 3.
Scenario world_of(Age age = Age::k2026) {
  Scenario world(age);
  world.writer().begin();
  scap::ThreadEntry init;
  init.tid = init.pid = init.vtid = init.vpid = 1;
  init.ptid = 0;
  init.exe = init.exepath = "/sbin/init";
  init.cwd = "/";
  scap::ThreadEntry app = init;
  app.tid = app.pid = app.vtid = app.vpid = kPid;
  app.ptid = 1;
  app.exe = app.exepath = "/bin/app";
  app.comm = "app";
  scap::ThreadEntry resolver = app;
  resolver.tid = resolver.pid = resolver.vtid = resolver.vpid = kResolver;
  resolver.exe = resolver.exepath = "/bin/resolver";
  resolver.comm = "resolver";
  world.writer().processes({init, app, resolver});
  world.socket(kPid, 3, false, true);
  world.socket(kResolver, 3, false, true);
  return world;
}

void answer(Scenario& world, int64_t tid, const std::string& data, uint16_t port = 53) {
  world.recvfrom(tid, 3, static_cast<int64_t>(data.size()), server(53, port),
                 sfkit::testing::ipv4(10, 0, 0, 1, 50000), data);
}

void visit(Scenario& world, const Endpoint& remote, bool ipv6 = false) {
  world.socket(kPid, 9, ipv6, false);
  const Endpoint local =
      ipv6 ? sfkit::testing::ipv6(1, 40000) : sfkit::testing::ipv4(10, 0, 0, 1, 40000);
  world.connect(kPid, 9, local, remote, 0);
  world.close(kPid, 9);
}

struct Names : RecordLog {
  std::vector<std::string> all;
  void network_flow(const NetworkFlow& flow) override {
    if (flow.dport == 443) all.push_back(flow.dip_name.str());
  }
};

// The names of the destinations of the flows to port 443.
std::vector<std::string> names(Scenario& world, ConvertOptions options = {}) {
  const sfkit::testing::TemporaryFile file(world.writer().bytes());
  Names log;
  InputSummary summary;
  const std::atomic<bool> cancel{false};
  EXPECT_TRUE(convert_capture(file.path(), options, log, cancel, summary).is_ok());
  return log.all;
}

using List = std::vector<std::string>;

TEST(DnsNames, AFlowHasTheNameThatWasAskedForBeforeIt) {
  for (const Age age : {Age::k2017, Age::k2026}) {
    Scenario world = world_of(age);
    visit(world, server(1));  // too early
    answer(world, kPid,
           response("www.example.org", 1,
                    {record("www.example.org", 5, encode("edge.example.net")),
                     record("edge.example.net", 1, address(server(1))),
                     record("edge.example.net", 1, address(server(2)))}));
    visit(world, server(1));
    visit(world, server(2));
    visit(world, server(3));
    EXPECT_EQ(names(world), (List{"", "www.example.org", "www.example.org", ""}));
  }
}

TEST(DnsNames, HaveAddressesOfBothVersions) {
  Scenario world = world_of();
  const Endpoint remote = sfkit::testing::ipv6(7, 443);
  answer(world, kPid,
         response("six.example", 28, {record("six.example", 28, address(remote, 16))}));
  visit(world, remote, true);
  EXPECT_EQ(names(world), List{"six.example"});
}

TEST(DnsNames, TheLastAnswerCounts) {
  Scenario world = world_of();
  for (const std::string_view name : {"old.example", "new.example"})
    answer(world, kPid, response(name, 1, {record(name, 1, address(server(1)))}));
  visit(world, server(1));
  EXPECT_EQ(names(world), List{"new.example"});
}

TEST(DnsNames, ComeFromAnyProcessWhateverTheFilter) {
  Scenario world = world_of();
  answer(world, kResolver, response("a.example", 1, {record("a.example", 1, address(server(1)))}));
  visit(world, server(1));
  ConvertOptions options;
  for (const char* filter : {"proc.name = app", "evt.type = connect"}) {
    options.filter = filter;
    EXPECT_EQ(names(world, options), List{"a.example"});
  }
  options = {};
  options.compat = true;
  EXPECT_EQ(names(world, options), List{""});
}

TEST(DnsNames, OtherDataAndQueriesNameNothing) {
  const std::string good = response("a.example", 1, {record("a.example", 1, address(server(1)))});
  std::string query = good;
  query[2] = 1;
  std::string no_address = response("a.example", 1, {record("a.example", 16, "\x04text")});
  for (const std::string& data :
       {query, no_address, good.substr(0, 20), std::string(200, '\xff')}) {
    Scenario world = world_of();
    answer(world, kPid, data);
    visit(world, server(1));
    EXPECT_EQ(names(world), List{""});
  }
  Scenario world = world_of();
  answer(world, kPid, good, 8053);
  visit(world, server(1));
  EXPECT_EQ(names(world), List{""});
}

TEST(DnsNames, OnlyTheNewestAnswersAreKept) {
  Scenario world = world_of();
  const auto add = [&world](std::string_view name, uint8_t from, int messages) {
    for (int message = 0; message < messages; ++message) {
      std::vector<std::string> answers;
      for (int last = 0; last < 250; ++last) {
        const Endpoint one = sfkit::testing::ipv4(from, static_cast<uint8_t>(message),
                                                  static_cast<uint8_t>(last), 1, 443);
        answers.push_back(record(name, 1, address(one)));
      }
      answer(world, kPid, response(name, 1, answers));
    }
  };
  add("first.example", 1, 1);
  visit(world, sfkit::testing::ipv4(1, 0, 0, 1, 443));
  add("many.example", 2, 70);
  visit(world, sfkit::testing::ipv4(1, 0, 0, 1, 443));
  add("more.example", 3, 70);
  visit(world, sfkit::testing::ipv4(1, 0, 0, 1, 443));
  visit(world, sfkit::testing::ipv4(3, 69, 249, 1, 443));
  EXPECT_EQ(names(world), (List{"first.example", "first.example", "", "more.example"}));
}

}  // namespace
}  // namespace sfkit::sysflow
