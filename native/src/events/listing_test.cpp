#include "events/listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>

#include "scap/writer.h"
#include "testing/hostile_story.h"

namespace sfkit::events {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;  // 2023-11-14T22:13:20Z

scap::ThreadEntry shell() {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = 10;
  entry.ptid = 1;
  entry.comm = "sh";
  entry.exe = "-sh";
  entry.cwd = "/home/ana";
  entry.uid = 1000;
  return entry;
}

// A capture with a running shell, and the events that a test adds.
class Capture {
 public:
  Capture() : Capture(std::vector<scap::ThreadEntry>{}) {}
  explicit Capture(const scap::ThreadEntry& further)
      : Capture(std::vector<scap::ThreadEntry>{further}) {}
  explicit Capture(std::vector<scap::ThreadEntry> more) {
    out_.begin();
    out_.users({{1000, 1000, "ana", "", ""}}, {});
    more.insert(more.begin(), shell());
    out_.processes(more);
  }
  Capture& event(uint16_t code, const std::vector<std::string>& params, int64_t tid = 10) {
    out_.event(kStart + 1'000'000'000 * count_++, tid, 1, code, params);
    return *this;
  }
  Capture& open(int64_t result, std::string_view path, uint32_t flags = 1) {
    return event(ev::SYSCALL_OPENAT_2_X,
                 {value::i64(result), value::i64(-100), value::text(path), value::u32(flags),
                  value::u32(0644), value::u32(0), value::u64(0)});
  }

  Bytes bytes() const { return {out_.bytes().data(), out_.bytes().size()}; }
  std::string list(ListOptions options = {}, uint64_t* shown = nullptr) const {
    std::string text;
    const std::atomic<bool> cancel{false};
    InputSummary summary;
    uint64_t count = 0;
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    const Status status = list_events(
        *input.value(), "test", options,
        [&text](const std::vector<uint8_t>& part) {
          text.append(part.begin(), part.end());
          return true;
        },
        cancel, summary, count);
    EXPECT_TRUE(status.is_ok()) << status.message();
    if (shown != nullptr) *shown = count;
    return text;
  }
  std::string line(std::string_view shape) const {
    ListOptions options;
    options.line = shape;
    return list(options);
  }

 private:
  scap::CaptureWriter out_;
  uint64_t count_ = 0;
};

TEST(ListEvents, ShowsIdsBeyond32Bits) {
  constexpr int64_t kBig = 0x100000001;
  Capture capture;
  const auto clone = [&capture](int64_t tid, int64_t pid, int64_t ptid) {
    capture.event(ev::SYSCALL_CLONE_20_X, {value::i64(0),   value::text("a"), "",
                                           value::i64(tid), value::i64(pid),  value::i64(ptid),
                                           value::text(""), value::i64(0),    value::u64(0),
                                           value::u64(0),   value::u32(0),    value::u32(0),
                                           value::u32(0),   value::text("a"), "",
                                           value::u32(0),   value::u32(0),    value::u32(0),
                                           value::i64(tid), value::i64(pid),  value::u64(0)},
                  tid);
  };
  clone(kBig, kBig, 10);
  clone(kBig + 1, kBig + 1, kBig);
  capture.event(ev::SYSCALL_SETSID_X, {value::i64(kBig + 1)}, kBig + 1);
  ListOptions options;
  options.line =
      "%proc.pid %proc.ppid %proc.vpid %thread.vtid %proc.apid[1] %proc.sid %proc.vpgid %proc.pgid";
  options.from = {Bound::Kind::kNumber, 3};
  EXPECT_EQ(
      capture.list(options),
      "4294967298 4294967297 4294967298 4294967298 4294967297 4294967298 4294967298 4294967298\n");
}

TEST(ListEvents, TreatsAnUnknownThreadAsAProcess) {
  Capture capture;
  capture.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)}, 77);
  EXPECT_EQ(capture.line("%proc.pid %proc.apid[0] %proc.vpid %proc.is_sid_leader"),
            "77 77 <NA> <NA>\n");
}

TEST(ListEvents, ShowsGroupsAndMemoryOfTheProcess) {
  scap::ThreadEntry second = shell();
  second.tid = second.vtid = 11;
  second.flags = 0x2000;
  Capture with_thread(second);
  with_thread.event(ev::SYSCALL_SETPGID_X, {value::i64(0), value::i64(0), value::i64(0)}, 11);
  with_thread.event(
      ev::SCHEDSWITCH_6_E,
      {value::i64(1), value::u64(7), value::u64(8), value::u32(900), value::u32(80), value::u32(7)},
      11);
  with_thread.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)}, 10);
  ListOptions options;
  options.line =
      "%proc.vpgid %proc.is_vpgid_leader %proc.vmsize %proc.vmrss %proc.vmswap %thread.vmsize "
      "%thread.pfmajor";
  options.from = {Bound::Kind::kNumber, 3};
  EXPECT_EQ(with_thread.list(options), "10 true 900 80 7 900 0\n");
}

TEST(ListEvents, PrintsTheUsualLine) {
  Capture capture;
  capture.open(3, "notes").event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)});
  EXPECT_EQ(capture.list(),
            "1 22:13:20.000000000 1 sh (10) < openat fd=3(<f>/home/ana/notes) dirfd=-100(AT_FDCWD) "
            "name=notes(/home/ana/notes) flags=1(O_RDONLY) mode=0644 dev=0 ino=0\n"
            "2 22:13:21.000000000 1 sh (10) < close res=0 fd=3(<f>/home/ana/notes)\n");
}

TEST(ListEvents, NamesErrorsAndWhatACallTriedToOpen) {
  Capture capture;
  capture.open(-2, "missing");
  EXPECT_EQ(
      capture.line("%evt.res %evt.rawres %evt.failed %fd.num %fd.typechar %fd.name %evt.arg.fd"),
      "ENOENT -2 true -1 f /home/ana/missing ENOENT\n");
}

TEST(ListEvents, MarksMissingValues) {
  Capture capture;
  capture.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(9)}, 77);
  EXPECT_EQ(capture.line("*%proc.name %fd.name %container.id %evt.arg.path"),
            "<NA> <NA> host <NA>\n");
}

TEST(ListEvents, FallsBackToArgumentsOfTheEnterEvent) {
  Capture capture;
  capture.event(ev::SYSCALL_KILL_E, {value::i64(10), value::u8(15)})
      .event(ev::SYSCALL_KILL_X, {value::i64(0)});
  EXPECT_EQ(capture.line("%evt.dir%evt.arg.pid %evt.arg.sig %evt.rawarg.sig"),
            ">sh SIGTERM 15\n<sh SIGTERM 15\n");
}

TEST(ListEvents, EscapesTerminalControls) {
  Capture capture;
  capture.open(3, "/tmp/\x1b[31m\n\xff\xc2\x9b\xe2\x80\xaex");
  EXPECT_EQ(capture.line("%fd.name"), "/tmp/\\x1b[31m\\x0a\\xff\\x9b\\u202ex\n");
}

TEST(ListEvents, PrintsJsonWithRawAndDecodedValues) {
  Capture capture;
  capture.open(3, "/tmp/\"a\xff", 4097)
      .event(ev::SYSCALL_READ_X, {value::i64(2), "\x01z", value::i64(3), value::u32(2)});
  ListOptions options;
  options.format = ListOptions::Format::kJson;
  const std::string text = capture.list(options);
  const auto has = [&text](std::string_view part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(R"json("args":{"fd":{"raw":3,"text":"3(<f>/tmp/\"a)json")) << text;
  EXPECT_TRUE(has(R"json("name":{"raw":{"base64":"L3RtcC8iYf8A"},"text":"/tmp/\"a)json")) << text;
  EXPECT_TRUE(has(R"json("flags":{"raw":4097,"text":"4097(O_RDONLY|O_CLOEXEC)"})json")) << text;
  EXPECT_TRUE(has(R"json("data":{"raw":{"base64":"AXo="},"text":".z"})json")) << text;
  options.line = "%evt.num %proc.name %container.id";
  EXPECT_EQ(capture.list(options),
            "{\"evt.num\":1,\"proc.name\":\"sh\",\"container.id\":\"host\"}\n"
            "{\"evt.num\":2,\"proc.name\":\"sh\",\"container.id\":\"host\"}\n");
}

TEST(ListEvents, ListsARangeWithTheStateBeforeIt) {
  Capture capture;
  capture.open(3, "/a").open(4, "/b").event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)});
  capture.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(4)});
  const auto numbers = [&capture](Bound from, Bound to) {
    ListOptions options;
    options.line = "%evt.num:%fd.name";
    options.from = from;
    options.to = to;
    uint64_t shown = 0;
    const std::string text = capture.list(options, &shown);
    EXPECT_EQ(shown, static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')));
    return text;
  };
  using Kind = Bound::Kind;
  EXPECT_EQ(numbers({Kind::kNumber, 2}, {Kind::kNumber, 3}), "2:/b\n3:/a\n");
  EXPECT_EQ(numbers({Kind::kRelative, 2'000'000'000}, {}), "3:/a\n4:/b\n");
  EXPECT_EQ(numbers({}, {Kind::kTime, kStart}), "1:/a\n");
  EXPECT_EQ(numbers({Kind::kTime, kStart + 1}, {Kind::kRelative, 1'000'000'000}), "2:/b\n");
}

// Counts events, which mostly needs no state, and lists them. Returns the number of lines.
uint64_t expect_same_count(Bytes capture, const std::string& filter, ListOptions options = {}) {
  const auto run = [&](ListOptions::Format format, size_t& lines) {
    options.filter = filter;
    options.format = format;
    options.line = "%evt.num";
    const std::atomic<bool> cancel{false};
    InputSummary summary;
    uint64_t shown = 0;
    auto input = scap::Input::over(capture);
    const auto give = [&lines](const std::vector<uint8_t>& part) {
      lines += static_cast<size_t>(std::count(part.begin(), part.end(), uint8_t{'\n'}));
      return true;
    };
    EXPECT_TRUE(list_events(*input.value(), "test", options, give, cancel, summary, shown).is_ok());
    return std::tuple(shown, summary.events, summary.last_time, summary.skipped);
  };
  size_t lines = 0;
  size_t none = 0;
  const auto listed = run(ListOptions::Format::kText, lines);
  const auto counted = run(ListOptions::Format::kNone, none);
  EXPECT_EQ(std::get<0>(listed), lines);
  EXPECT_EQ(none, 0u);
  EXPECT_EQ(std::get<0>(counted), std::get<0>(listed)) << filter;
  EXPECT_EQ(std::get<1>(counted), std::get<1>(listed)) << filter;
  EXPECT_EQ(std::get<2>(counted), std::get<2>(listed)) << filter;
  EXPECT_EQ(std::get<3>(counted).size(), std::get<3>(listed).size()) << filter;
  const size_t reasons = std::min(std::get<3>(counted).size(), std::get<3>(listed).size());
  for (size_t i = 0; i < reasons; ++i)
    EXPECT_EQ(std::get<3>(counted)[i].count, std::get<3>(listed)[i].count) << filter;
  return lines;
}

TEST(ListEvents, CountsWhatItLists) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<uint8_t> choices(2000);
    for (uint8_t& choice : choices) choice = static_cast<uint8_t>(random());
    const std::vector<uint8_t> story =
        testing::hostile_story(Bytes(choices.data(), choices.size()));
    const Bytes bytes(story.data(), story.size());
    for (const char* const filter :
         {"", "evt.type = open", "evt.type in (clone, execve, read)", "evt.dir = >",
          "not evt.type = close", "evt.type = read or proc.name exists", "evt.cpu = 1"}) {
      expect_same_count(bytes, filter);
      ListOptions part;
      part.from = {Bound::Kind::kNumber, 100};
      part.to = {Bound::Kind::kNumber, 700};
      expect_same_count(bytes, filter, part);
    }
  }
}

TEST(ListEvents, CountsCallsThatOnlyTheirEnterEventNames) {
  const auto u16 = [](uint16_t number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  constexpr uint16_t kFutex = 202;  // on x86-64
  uint64_t named = 0;
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    Capture capture;
    for (int i = 0; i < 200; ++i) {
      const int64_t tid = 10 + random() % 3;
      // Some events are lost, so that enter and exit events do not always follow each other.
      switch (random() % 6) {
        case 0: capture.event(ev::GENERIC_E, {u16(0), u16(kFutex)}, tid); break;
        case 1:
          capture.event(
              ev::GENERIC_X,
              random() % 4 == 0 ? std::vector<std::string>{} : std::vector<std::string>{u16(0)},
              tid);
          break;
        case 2: capture.event(ev::SYSCALL_CLOSE_E, {value::i64(3)}, tid); break;
        case 3: capture.event(ev::SYSCALL_CLOSE_X, {value::i64(0), value::i64(3)}, tid); break;
        case 4: capture.event(ev::SYSCALL_FCHMOD_X, {value::i64(0)}, tid); break;
        default: capture.event(ev::GENERIC_E, {u16(0), u16(kFutex + 1)}, tid);
      }
    }
    named += expect_same_count(capture.bytes(), "evt.type = futex");
    expect_same_count(capture.bytes(), "evt.type in (futex, close) and evt.dir = <");
  }
  EXPECT_GT(named, 1000u);
}

TEST(ListEvents, DistinguishesSpecialDescriptorNumbers) {
  Capture capture;
  capture.open(3, "/a");
  capture.event(ev::SYSCALL_FCNTL_X, {value::i64(3), value::i64(3), value::u8(4), value::u64(0)});
  capture.event(ev::SYSCALL_FCNTL_X, {value::i64(5), value::i64(3), value::u8(1), value::u64(0)});
  ListOptions options;
  options.line = "%evt.arg[0] %fd.num";
  options.from = {Bound::Kind::kNumber, 2};
  EXPECT_EQ(capture.list(options), "3 3\n<f>/a 5\n");
}

TEST(LineTemplate, ReportsThePositionAndASuggestion) {
  const auto message = [](std::string_view text) {
    return LineTemplate::parse(text).status().message();
  };
  EXPECT_EQ(message("%evt.num %evt.typ"),
            "template, character 10: unknown field 'evt.typ'; did you mean 'evt.type'?");
  EXPECT_EQ(message("%evt.arg.flagz"),
            "template, character 1: no event has a parameter named 'flagz'; did you mean 'flags'?");
  EXPECT_EQ(message("%evt.arg"),
            "template, character 1: field 'evt.arg' needs the name of a parameter, as in "
            "evt.arg.name, or "
            "its place, "
            "as in evt.arg[0]");
  EXPECT_EQ(
      message("%"),
      "template, character 1: a lone %: write %% for a percent sign, or a field name after it");
  EXPECT_EQ(message("%evt.datetime.x"),
            "template, character 1: unknown field 'evt.datetime.x'; did you mean "
            "'evt.datetime.s'?");
  EXPECT_EQ(message("%fd.name[0]"),
            "template, character 1: unknown field 'fd.name[0]'; did you mean 'fd.name'?");
  EXPECT_TRUE(LineTemplate::parse("100%% %evt.num.\\t\\n\\\\").is_ok());
}

TEST(LineTemplate, SupportsEscapesAndTextAfterFields) {
  Capture capture;
  capture.open(3, "/a");
  EXPECT_EQ(capture.line("100%%\\t%evt.num.\\\\"), "100%\t1.\\\n");
}

}  // namespace
}  // namespace sfkit::events
