#include "filter/filter.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "filter/feed.h"
#include "filter/filter_set.h"
#include "scap/blocks.h"
#include "scap/writer.h"
#include "testing/scenario.h"

namespace sfkit::filter {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kStart = 1'700'000'000 * kSecond;  // 2023-11-14T22:13:20Z
constexpr uint64_t kBoot = kStart - 1000 * kSecond;

scap::ThreadEntry thread(int64_t tid, int64_t ptid, std::string_view comm) {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = tid;
  entry.ptid = ptid;
  entry.comm = entry.exe = comm;
  return entry;
}

std::array<uint8_t, 16> ip(std::initializer_list<uint8_t> bytes) {
  std::array<uint8_t, 16> result{};
  std::copy(bytes.begin(), bytes.end(), result.begin());
  return result;
}

std::string bytes(std::initializer_list<int> numbers) {
  std::string result;
  for (const int number : numbers) result += static_cast<char>(number);
  return result;
}

// One event of each kind that fields distinguish. Comments have the event numbers.
std::vector<uint8_t> capture() {
  scap::CaptureWriter out;
  out.begin();
  scap::MachineInfo machine;
  machine.hostname = "box";
  machine.boot_time = kBoot;
  out.machine(machine);
  scap::InterfaceEntry eth;
  eth.address = ip({10, 0, 0, 5});
  eth.netmask = ip({255, 0, 0, 0});
  eth.name = "eth0";
  out.interfaces({eth});
  out.users({{0, 0, "root", "/root", "/bin/sh"}, {1000, 50, "ana", "/home/ana", "/bin/zsh"}},
            {{50, "staff"}});

  scap::ThreadEntry init = thread(1, 0, "systemd");
  init.exepath = "/lib/systemd/systemd";
  init.args = std::string_view("--system\0", 9);
  init.env = std::string_view("LANG=C\0", 7);
  scap::ThreadEntry shell = thread(10, 1, "bash");
  shell.exe = "-bash";
  shell.exepath = "/bin/bash";
  shell.args = std::string_view("-l\0--norc\0", 10);
  shell.env = std::string_view("HOME=/home/ana\0PATH=/bin\0", 25);
  shell.cwd = "/home/ana";
  shell.sid = shell.vpgid = shell.pgid = 10;
  shell.tty = 34816;
  shell.uid = shell.loginuid = 1000;
  shell.gid = 50;
  shell.fdlimit = 40;
  shell.vmsize_kb = 5000;
  shell.vmrss_kb = 3000;
  shell.vmswap_kb = 7;
  shell.pfmajor = 11;
  shell.pfminor = 12;
  shell.exe_writable = shell.exe_upper_layer = shell.exe_lower_layer = shell.exe_from_memfd = true;
  shell.exe_ino = 555;
  shell.exe_ino_ctime = kBoot + 2 * kSecond;
  shell.exe_ino_mtime = kBoot + kSecond;
  shell.pidns_init_start_ts = kBoot;
  shell.cap_permitted = 1 | 1u << 21;
  shell.cap_effective = 1;
  scap::ThreadEntry server = thread(20, 1, "nginx");
  server.exepath = "/usr/sbin/nginx";
  server.vtid = server.vpid = 1;
  server.cgroups = std::string_view(
      "cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\0", 77);
  server.pidns_init_start_ts = kStart - 5 * kSecond;
  scap::ThreadEntry worker = server;
  worker.tid = 21;
  worker.vtid = 2;
  out.processes({init, shell, server, worker});

  const auto file = [](int64_t fd, scap::FdType type, std::string_view name) {
    scap::FdEntry entry;
    entry.fd = fd;
    entry.type = type;
    entry.name = name;
    return entry;
  };
  scap::FdEntry web = file(7, scap::FdType::kIpv4, "");
  web.source = ip({10, 0, 0, 5});
  web.source_port = 4000;
  web.destination = ip({8, 8, 8, 8});
  web.destination_port = 443;
  web.l4 = scap::L4::kTcp;
  scap::FdEntry listener = file(8, scap::FdType::kIpv6Server, "");
  listener.source_port = 80;
  listener.l4 = scap::L4::kTcp;
  out.descriptors(
      10, {file(0, scap::FdType::kFile, "/dev/pts/0"), file(1, scap::FdType::kFifo, ""),
           file(2, scap::FdType::kFile, "/dev/null"), file(3, scap::FdType::kDirectory, "/etc"),
           file(5, scap::FdType::kUnix, "/dev/log"), web, listener});

  uint64_t count = 0;
  const auto event = [&](int64_t tid, uint16_t code, const std::vector<std::string>& params) {
    out.event(kStart + kSecond / 4 * count++, tid, 2, code, params);
  };
  constexpr std::string_view kContainer =
      R"({"container":{"id":"0123456789ab","full_id":"0123456789abcdef","type":0,"name":"web","image":"hub/nginx:1.2",)"
      R"("imageid":"feed","imagerepo":"hub/nginx","imagetag":"1.2","imagedigest":"sha256:1","privileged":true,)"
      R"("ip":"172.17.0.2","cni_json":"{}","pod_sandbox_id":"aaaaaaaaaaaabbbb",)"
      R"("labels":{"io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"u1",)"
      R"("annotation.a":"b","maintainer":"ana","team":"web"},"host_network":true,)"
      R"("pod_sandbox_labels":{"app":"web","tier":"front"},)"
      R"("Mounts":[{"Source":"/data","Destination":"/srv","Mode":"rw","RW":true,"Propagation":"private"}],)"
      R"("Healthcheck":{"exe":"curl","args":["-f","localhost"]}}})";
  event(-1, ev::CONTAINER_JSON_2_E, {value::text(kContainer)});  // 1
  const std::string at = value::i64(-100);
  event(
      10, ev::SYSCALL_OPENAT_2_X,  // 2: made, to read and write
      {value::i64(4), at, value::text("notes.txt"), value::u32(3 | 4 | 1 << 14 | 1 << 15 | 1 << 16),
       value::u32(0755), value::u32(0x0801), value::u64(77)});
  event(10, ev::SYSCALL_OPENAT_2_X,  // 3: fails
        {value::i64(-2), at, value::text("/etc/shadow"), value::u32(1), value::u32(0),
         value::u32(0), value::u64(0)});
  event(10, ev::SYSCALL_READ_E, {value::i64(4), value::u32(100)});                          // 4
  event(10, ev::SYSCALL_READ_X, {value::i64(5), "hello", value::i64(4), value::u32(100)});  // 5
  event(10, ev::SYSCALL_WRITE_X,
        {value::i64(19), "<13>disk is failing", value::i64(5), value::u32(19)});         // 6
  event(10, ev::SYSCALL_WRITE_X, {value::i64(3), "abc", value::i64(7), value::u32(3)});  // 7
  std::string polled = value::u16(3);
  for (const int64_t fd : {int64_t{4}, int64_t{7}, int64_t{9}})
    polled += value::i64(fd) + value::u16(1);
  event(10, ev::SYSCALL_POLL_X, {value::i64(1), polled, value::i64(0)});  // 8
  event(10, ev::SYSCALL_RENAMEAT2_X,                                      // 9
        {value::i64(0), at, value::text("a"), value::i64(3), value::text("b"), value::u32(0)});
  event(10, ev::SYSCALL_FCHMODAT_X,  // 10
        {value::i64(0), value::i64(3), value::text("passwd"), value::u32(04755)});
  event(10, ev::SYSCALL_SYMLINKAT_X,  // 11
        {value::i64(0), value::text("/etc/passwd"), value::i64(3), value::text("link")});
  event(10, ev::SYSCALL_CLONE_20_X,  // 12
        {value::i64(30),
         value::text("-bash"),
         value::list({"-l"}),
         value::i64(10),
         value::i64(10),
         value::i64(1),
         "",
         value::i64(40),
         value::u64(0),
         value::u64(0),
         value::u32(1),
         value::u32(2),
         value::u32(3),
         value::text("bash"),
         "",
         value::u32(0),
         value::u32(1000),
         value::u32(50),
         value::i64(10),
         value::i64(10)});
  event(30, ev::SYSCALL_EXECVE_19_X,  // 13
        {value::i64(0),
         value::text("cat"),
         value::list({"aGk="}),
         value::i64(30),
         value::i64(30),
         value::i64(10),
         "",
         value::u64(40),
         value::u64(0),
         value::u64(0),
         value::u32(9),
         value::u32(8),
         value::u32(0),
         value::text("cat"),
         "",
         value::list({"A=1"}),
         value::u32(0),
         value::i64(30),
         value::u32(1000),
         value::u32(1),
         value::u64(0),
         value::u64(1),
         value::u64(1),
         value::u64(42),
         value::u64(kStart - kSecond),
         value::u64(kStart),
         value::u32(0),
         value::text("/usr/bin/cat"),
         value::i64(30),
         value::u32(0)});
  event(21, ev::SYSCALL_NANOSLEEP_X, {value::i64(0), value::u64(5)});      // 14: in the container
  event(10, ev::GENERIC_E, {value::u16(3), value::u16(0)});                // 15
  event(10, ev::PROCINFO_E, {value::u64(1), value::u64(2)});               // 16
  event(-1, ev::ASYNCEVENT_E, {value::u32(0), value::text("thing"), ""});  // 17
  event(10, ev::SYSCALL_BRK_4_X,
        {value::u64(4096), value::u32(6000), value::u32(3001), value::u32(8)});  // 18
  event(10, ev::SOCKET_SOCKET_X,
        {value::i64(9), value::u32(2), value::u32(2), value::u32(0)});  // 19
  const std::string tuple = bytes({2, 10, 0, 0, 5, 0x88, 0x13, 10, 9, 9, 9, 53, 0});
  event(10, ev::SOCKET_SENDTO_X,
        {value::i64(4), "ping", value::i64(9), value::u32(4), tuple});                 // 20
  event(10, ev::SYSCALL_READ_X, {value::i64(-9), "", value::i64(77), value::u32(1)});  // 21
  return out.bytes();
}

// Numbers of the events that pass.
class Passing : public Feed {
 public:
  Passing(std::unique_ptr<Filter> filter, const std::atomic<bool>& cancel)
      : Feed(std::move(filter), false, cancel) {}
  std::string numbers;

 protected:
  bool take(const scap::EventView& event, bool) override {
    apply_passing(event, true, [&](const state::Context&) {
      if (!numbers.empty()) numbers += ' ';
      numbers += std::to_string(event.number);
    });
    return true;
  }
};

std::string passing(std::string_view text, const std::vector<uint8_t>& content) {
  auto filter = Filter::compile(text);
  if (!filter.is_ok()) return filter.status().message();
  const std::atomic<bool> cancel{false};
  auto feed = std::make_unique<Passing>(std::move(filter.value()), cancel);
  auto input = scap::Input::over(Bytes(content.data(), content.size()));
  scap::ReadStats stats;
  EXPECT_TRUE(scap::read_capture(*input.value(), "test", *feed, stats).is_ok());
  return feed->numbers;
}

std::string passing(std::string_view text) {
  static const std::vector<uint8_t> content = capture();
  return passing(text, content);
}

struct Row {
  std::string_view filter;
  std::string_view passing;
};

constexpr std::string_view kAll = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21";

// Every field and every operator.
constexpr Row kRows[] = {
#include "filter/filter_rows.inc"
};

class FilterRow : public ::testing::TestWithParam<Row> {};

TEST_P(FilterRow, PassesTheEventsItShould) {
  EXPECT_EQ(passing(GetParam().filter), GetParam().passing) << GetParam().filter;
}

INSTANTIATE_TEST_SUITE_P(Table, FilterRow, ::testing::ValuesIn(kRows),
                         [](const auto& info) { return "Row" + std::to_string(info.index); });

// Numbers of the events that pass each filter of a set.
class PassingSet : public state::Feed {
 public:
  PassingSet(FilterSet& filters, const std::atomic<bool>& cancel)
      : Feed(false, cancel), numbers(filters.size()), filters_(filters), reader_(engine()) {}
  std::vector<std::string> numbers;

 protected:
  bool take(const scap::EventView& event, bool) override {
    reader_.next_event(event);
    reader_.set_origin(times().origin());
    engine().apply_all(event, [&](const state::Context& context) {
      reader_.set_context(context);
      uint32_t before = 0;
      filters_.each_passing(reader_, [&](uint32_t number) {
        EXPECT_GE(number, before) << "in the order of addition";
        before = number;
        if (!numbers[number].empty()) numbers[number] += ' ';
        numbers[number] += std::to_string(event.number);
        return true;
      });
    });
    return true;
  }

 private:
  FilterSet& filters_;
  fields::FieldReader reader_;
};

TEST(FilterSet, PassesTheSameAsEachFilter) {
  // Twice, to use cached results.
  std::vector<std::string> texts;
  for (int round = 0; round < 2; ++round) {
    for (const Row& row : kRows) texts.push_back("(" + std::string(row.filter) + ")");
  }
  for (size_t i = 0; i + 1 < std::size(kRows); ++i)
    texts.push_back(texts[i] + " and not " + texts[i + 1] + " or evt.type = read and " +
                    texts[i / 2]);
  FilterSet filters;
  for (const std::string& text : texts) {
    auto filter = Filter::compile(text);
    filters.add(filter.is_ok() ? *filter.value() : *Filter::compile("evt.num = 0").value());
  }
  EXPECT_LT(filters.distinct_conditions(), texts.size());
  const std::vector<uint8_t> content = capture();
  const std::atomic<bool> cancel{false};
  auto feed = std::make_unique<PassingSet>(filters, cancel);
  auto input = scap::Input::over(Bytes(content.data(), content.size()));
  scap::ReadStats stats;
  ASSERT_TRUE(scap::read_capture(*input.value(), "test", *feed, stats).is_ok());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].find("util.cnt") != std::string::npos) continue;
    const std::string wanted = passing(texts[i], content);
    if (wanted.starts_with("filter,")) continue;
    EXPECT_EQ(feed->numbers[i], wanted) << texts[i];
  }
}

TEST(TextAnswers, AreComputedOncePerText) {
  TextAnswers answers(100, 4);
  int asked = 0;
  const auto holds = [&](std::string_view text, uint32_t condition) {
    answers.look_at(text);
    return answers.holds(condition, [&](std::string_view kept) {
      ++asked;
      return kept.size() % 2 == condition % 2;
    });
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(holds("bash", 99));
    EXPECT_TRUE(holds("bash", 64));
    EXPECT_FALSE(holds("bash", 1));
  }
  EXPECT_EQ(asked, 3);
  // More texts than there is room for, in random order.
  for (size_t i = 0; i < 1000; ++i) {
    const std::string text(i * 7 % 40, 'x');
    EXPECT_EQ(holds(text, 65), text.size() % 2 == 1);
  }
}

TEST(FilterRows, NameEveryFieldAndOperator) {
  std::string all;
  for (const Row& row : kRows) all += std::string(row.filter) + " ";
  const auto is_named = [&all](std::string_view name) {
    for (size_t at = all.find(name); at != std::string::npos; at = all.find(name, at + 1)) {
      const char before = at == 0 ? ' ' : all[at - 1];
      const char after = all[at + name.size()];
      const auto belongs = [](char c) { return c == '.' || c == '_' || (c >= 'a' && c <= 'z'); };
      if (!belongs(before) && !belongs(after)) return true;
    }
    return false;
  };
  for (const fields::FieldInfo& info : fields::kFields) {
    const std::string name(info.name);
    const bool with_argument =
        all.find(name + ".") != std::string::npos && info.argument != fields::ArgumentKind::kNone;
    EXPECT_TRUE(is_named(name) || with_argument) << name;
  }
  for (int i = 0; i <= static_cast<int>(Operator::kExists); ++i) {
    EXPECT_TRUE(is_named(name_of(static_cast<Operator>(i)))) << name_of(static_cast<Operator>(i));
  }
}

TEST(Filter, ExplainsUnavailableFields) {
  EXPECT_EQ(passing("fd.cip.name = a"),
            "filter, character 1: field 'fd.cip.name' cannot be answered: it needs a name server, "
            "and sfkit makes "
            "no requests while it reads a capture\n  fd.cip.name = a\n  ^");
  for (const fields::RefusedField& refused : fields::kRefusedFields) {
    const std::string message = passing(std::string(refused.name) + " = 1");
    EXPECT_NE(message.find("cannot be answered"), std::string::npos) << refused.name;
  }
}

TEST(Filter, KnowsThePartsOfAnImageThatTheCaptureDoesNotName) {
  const auto parts = [](std::string_view image) {
    sfkit::testing::Scenario world(sfkit::testing::Age::k2026);
    world.writer().begin();
    world.container(R"({"container":{"id":"0123456789ab","type":0,"name":"web","image":")" +
                    std::string(image) + R"("}})");
    const std::vector<uint8_t>& content = world.writer().bytes();
    std::string found;
    for (const char* condition : {"repository = reg:5000/nginx", "tag = 1.2", "digest = sha256:ab",
                                  R"(repository = "")", R"(tag = "")"})
      found += passing(std::string("container.image.") + condition, content) + ".";
    return found;
  };
  EXPECT_EQ(parts("reg:5000/nginx:1.2"), "1.1....");
  EXPECT_EQ(parts("reg:5000/nginx"), "1....1.");
  EXPECT_EQ(parts("reg:5000/nginx@sha256:ab"), "1..1..1.");
  EXPECT_EQ(parts("reg:5000/nginx:1.2@sha256:ab"), "1.1.1...");
  EXPECT_EQ(parts("sha256:ab"), "...1.1.");
}

// As in network namespaces, whose addresses are on no list, and between processes of one machine.
TEST(Filter, FindsTheLocalEndWithoutInterfaces) {
  using sfkit::testing::ipv4;
  for (const uint8_t network : {uint8_t{10}, uint8_t{127}}) {
    const auto client = ipv4(network, 9, 1, 1, 4000);
    const auto server = ipv4(network, 9, 1, 2, 80);
    sfkit::testing::Scenario world(sfkit::testing::Age::k2026);
    world.writer().begin();
    scap::ThreadEntry process;
    process.tid = process.pid = 50;
    process.ptid = 1;
    world.writer().processes({process});
    world.socket(50, 3, false, false);
    world.connect(50, 3, client, server, 0);  // 2
    world.accept(50, 4, client, server);      // 3
    const std::vector<uint8_t>& content = world.writer().bytes();
    const std::string remote = network == 10 ? "10.9.1.2" : "127.9.1.2";
    EXPECT_EQ(passing("evt.type = connect and fd.lport = 4000 and fd.rip = " + remote, content),
              "2");
    EXPECT_EQ(passing("evt.type = accept4 and fd.rport = 4000 and fd.lip = " + remote, content),
              "3");
  }
}

TEST(Filter, KnowsWhichEventsNameADescriptor) {
  using sfkit::testing::ipv4;
  const auto here = ipv4(10, 0, 0, 5, 4000);
  const auto there = ipv4(10, 9, 1, 2, 80);
  sfkit::testing::Scenario world(sfkit::testing::Age::k2026);
  world.writer().begin();
  scap::ThreadEntry process;
  process.tid = process.pid = 50;
  process.ptid = 1;
  world.writer().processes({process});
  world.open(50, 3, "/etc/passwd", 1);                   // 1
  world.open(50, -2, "/etc/none", 1);                    // 2
  world.read(50, 3, 4);                                  // 3
  world.socket(50, 4, false, false);                     // 4
  world.connect(50, 4, here, there, -111);               // 5
  world.connect(50, 4, here, there, 0);                  // 6
  world.write(50, 4, 5);                                 // 7
  world.accept(50, 5, there, here);                      // 8
  world.socket(50, 6, false, true);                      // 9
  world.bind(50, 6, here);                               // 10
  world.recvfrom(50, 6, 5, there, here);                 // 11
  world.sendto(50, 6, 5, here, there);                   // 12
  world.connect(50, 6, here, there, 0);                  // a peer that it already talked to
  world.connect(50, 6, here, ipv4(10, 9, 1, 3, 80), 0);  // 14
  const std::vector<uint8_t>& content = world.writer().bytes();
  EXPECT_EQ(passing("fd.name_changed = true", content), "1 6 8 10 11 14");
}

TEST(Filter, KnowsTheDirectoryOfFailedOpens) {
  sfkit::testing::Scenario world(sfkit::testing::Age::k2026);
  world.writer().begin();
  scap::ThreadEntry process;
  process.tid = process.pid = 50;
  process.ptid = 1;
  process.cwd = "/home/ana/";
  world.writer().processes({process});
  world.open(50, -2, "/etc/ssl/none", 1);  // 1
  world.open(50, -2, "notes", 1);          // 2
  world.read(50, 9, 1);                    // an unknown descriptor
  const std::vector<uint8_t>& content = world.writer().bytes();
  EXPECT_EQ(passing("fd.directory = /etc/ssl and fd.filename = none", content), "1");
  EXPECT_EQ(passing("fd.directory = /home/ana", content), "2");
  EXPECT_EQ(passing("fd.directory = /", content), "3");
}

TEST(Filter, KnowsWhichCodesCannotPass) {
  const auto filter = Filter::compile("evt.type = openat and evt.dir = < and proc.name = cat");
  ASSERT_TRUE(filter.is_ok());
  EXPECT_TRUE(filter.value()->may_pass(ev::SYSCALL_OPENAT_2_X));
  EXPECT_FALSE(filter.value()->may_pass(ev::SYSCALL_OPENAT_2_E));
  EXPECT_FALSE(filter.value()->may_pass(ev::SYSCALL_READ_X));
  const auto negated = Filter::compile("not (evt.type = read or proc.name = cat)");
  ASSERT_TRUE(negated.is_ok());
  EXPECT_FALSE(negated.value()->may_pass(ev::SYSCALL_READ_X));
  EXPECT_TRUE(negated.value()->may_pass(ev::SYSCALL_OPENAT_2_X));
  // Calls without their own event type are known only by their number.
  EXPECT_TRUE(filter.value()->may_pass(ev::GENERIC_X));
}

TEST(Filter, KnowsWhichCodesDecideAlone) {
  const auto is_static = [](const char* text) {
    return Filter::compile(text).value()->is_static();
  };
  EXPECT_TRUE(is_static("evt.type = open"));
  EXPECT_TRUE(is_static("evt.type in (open, read) and not evt.dir = > or evt.is_io = true"));
  EXPECT_FALSE(is_static("evt.type = open and proc.name = cat"));
  EXPECT_FALSE(is_static("evt.category = file"));
  EXPECT_FALSE(is_static("evt.num < 5"));

  const auto filter = Filter::compile("evt.type = openat and evt.dir = <");
  EXPECT_EQ(filter.value()->passes(ev::SYSCALL_OPENAT_2_X), kYes);
  EXPECT_EQ(filter.value()->passes(ev::SYSCALL_OPENAT_2_E), kNo);
  EXPECT_EQ(filter.value()->passes(ev::SYSCALL_READ_X), kNo);
  EXPECT_EQ(filter.value()->passes(ev::GENERIC_X), kDepends);
  const auto either = Filter::compile("evt.type = read or proc.name = cat");
  EXPECT_EQ(either.value()->passes(ev::SYSCALL_READ_X), kYes);
  EXPECT_EQ(either.value()->passes(ev::SYSCALL_CLOSE_X), kDepends);
}

}  // namespace
}  // namespace sfkit::filter
