#include "testing/hostile_story.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

using namespace scap::value;
namespace ev = scap::ev;

constexpr size_t kMaxBytes = 200'000;
constexpr size_t kMaxTextSize = 4000;
constexpr uint32_t kMaxTimes = 40;
constexpr uint64_t kSecond = 1'000'000'000;

// Reads the fuzzer's bytes; zeros after their end.
class Choices {
 public:
  explicit Choices(Bytes bytes) : bytes_(bytes) {}

  bool at_end() const { return at_ >= bytes_.size(); }
  uint8_t byte() { return at_end() ? 0 : bytes_.data()[at_++]; }
  uint16_t word() {
    const uint8_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  uint32_t below(uint32_t limit) { return byte() % limit; }
  template <typename T, size_t N>
  const T& one_of(const T (&items)[N]) {
    return items[below(N)];
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

class Story {
 public:
  explicit Story(Bytes choices)
      : choose_(choices), world_(static_cast<Age>(choose_.below(3))), out_(world_.writer()) {}

  std::vector<uint8_t> build() {
    out_.begin();
    lists();
    while (!choose_.at_end() && out_.bytes().size() < kMaxBytes) happen();
    return out_.take();
  }

 private:
  // A few numbers that recur, some that break tables, and unknown ones.
  int64_t tid() {
    constexpr int64_t kNumbers[] = {
        1,  2,  100, 101, 102, 103, 104,     105,       106,       107,
        -1, -2, 0,   200, 201, 202, 1 << 16, INT64_MAX, INT64_MIN, int64_t{1} << 32};
    return choose_.one_of(kNumbers);
  }
  int64_t fd() {
    constexpr int64_t kNumbers[] = {0,         1,
                                    2,         3,
                                    4,         5,
                                    6,         7,
                                    8,         9,
                                    10,        1022,
                                    1023,      1024,
                                    1025,      1 << 20,
                                    INT32_MAX, INT64_MAX,
                                    -1,        -2,
                                    -100,      INT64_MIN,
                                    5087,      10174,
                                    15261,     int64_t{1} << 32};
    return choose_.one_of(kNumbers);
  }
  uint32_t id() {
    constexpr uint32_t kNumbers[] = {0, 1, 33, 1000, 5087, 10174, UINT32_MAX, 1u << 31};
    return choose_.one_of(kNumbers);
  }
  int64_t result() {
    constexpr int64_t kNumbers[] = {0, 1, 80, -2, -11, -115, INT64_MAX, INT64_MIN, 1 << 30};
    return choose_.one_of(kNumbers);
  }
  uint32_t flags() {
    constexpr uint32_t kNumbers[] = {0,      1,      2,      3,           4,         0x201,
                                     0x1000, 0x2001, 0x4000, 0x8000'0000, UINT32_MAX};
    return choose_.one_of(kNumbers);
  }
  uint32_t times() { return 1 + choose_.below(kMaxTimes); }

  std::string name() {
    constexpr std::string_view kNames[] = {"",
                                           "/",
                                           "a",
                                           "/tmp/a",
                                           "..",
                                           "/a/../../b",
                                           "./",
                                           "a/b/c",
                                           "/etc/passwd",
                                           "\x1b[31mx\r",
                                           "=1+1",
                                           "\xff\xfe",
                                           "\xe2\x80\xae",
                                           "(NULL)",
                                           "/proc/self/fd/3",
                                           "//x//y/"};
    const uint8_t how = choose_.byte();
    if (how < 200) return std::string(kNames[how % std::size(kNames)]);
    if (how < 230) return "/f" + std::to_string(choose_.word() % 512);
    return "/" + std::string(choose_.word() % kMaxTextSize, static_cast<char>('a' + how % 26));
  }

  std::vector<std::string> names() {
    std::vector<std::string> list;
    const uint32_t count = choose_.below(8);
    for (uint32_t i = 0; i < count; ++i) list.push_back(name());
    if (choose_.below(16) == 0) list.resize(choose_.word() % kMaxTextSize);
    return list;
  }

  std::string cgroup() {
    const uint32_t which = choose_.below(6);
    if (which == 0) return "/";
    if (which == 1) return name();
    return "/docker/" + std::string(64, static_cast<char>('a' + which));
  }

  Endpoint end() {
    const uint16_t port = choose_.word() % 3 == 0 ? 80 : choose_.word();
    if (choose_.below(3) == 0) return ipv6(choose_.byte(), port);
    return ipv4(choose_.below(2) == 0 ? 0 : 10, 0, 0, choose_.byte(), port);
  }

  ProcessFacts process() {
    ProcessFacts facts;
    facts.exe = name();
    facts.comm = name();
    facts.args = names();
    facts.env = names();
    facts.tid = tid();
    facts.pid = choose_.below(2) == 0 ? facts.tid : tid();
    facts.ptid = tid();
    facts.uid = id();
    facts.gid = id();
    facts.vtid = choose_.below(4) == 0 ? tid() : facts.tid;
    facts.vpid = choose_.below(4) == 0 ? tid() : facts.pid;
    facts.cgroup = cgroup();
    facts.tty = choose_.below(2);
    return facts;
  }

  // --- Lists, at the start and between events.
  void lists() {
    const uint32_t which = choose_.below(16);
    if ((which & 1) != 0) process_list();
    if ((which & 2) != 0) descriptor_list();
    if ((which & 4) != 0) user_list();
    if ((which & 8) != 0) interface_list();
  }

  void process_list() {
    std::vector<std::string> texts;
    for (int i = 0; i < 4; ++i) texts.push_back(name());
    const std::string groups = "cpu=" + cgroup() + '\0';
    std::vector<scap::ThreadEntry> entries(1 + choose_.below(12));
    const bool circle = choose_.below(3) == 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      scap::ThreadEntry& entry = entries[i];
      entry.tid = circle ? 100 + static_cast<int64_t>(i) : tid();
      entry.pid = choose_.below(3) == 0 ? tid() : entry.tid;
      entry.ptid = circle ? 100 + static_cast<int64_t>((i + 1) % entries.size()) : tid();
      entry.vtid = entry.tid;
      entry.vpid = entry.pid;
      entry.comm = texts[0];
      entry.exe = entry.exepath = texts[1];
      entry.args = entry.env = texts[2];
      entry.cwd = entry.root = texts[3];
      entry.cgroups = groups;
      entry.flags = flags();
      entry.uid = id();
      entry.gid = id();
    }
    out_.processes(entries);
  }

  void descriptor_list() {
    const std::string text = name();
    std::vector<scap::FdEntry> entries(choose_.below(20));
    for (scap::FdEntry& entry : entries) {
      entry.fd = fd();
      entry.type = static_cast<scap::FdType>(choose_.below(22));
      entry.name = text;
      entry.inode = choose_.word();
      entry.open_flags = flags();
      entry.source[3] = choose_.byte();
      entry.destination[3] = choose_.byte();
      entry.source_port = choose_.word();
      entry.destination_port = choose_.word();
      entry.l4 = static_cast<scap::L4>(choose_.below(6));
    }
    out_.descriptors(tid(), entries);
  }

  void user_list() {
    const std::string text = name();
    std::vector<scap::UserEntry> users(choose_.below(6));
    for (scap::UserEntry& user : users) user = {id(), id(), text, text, text};
    std::vector<scap::GroupEntry> groups(choose_.below(6));
    for (scap::GroupEntry& group : groups) group = {id(), text};
    out_.users(users, groups);
  }

  void interface_list() {
    std::vector<scap::InterfaceEntry> entries(choose_.below(6));
    for (scap::InterfaceEntry& entry : entries) {
      entry.ipv6 = choose_.below(2) == 0;
      entry.address[0] = 10;
      entry.address[3] = choose_.byte();
      entry.netmask.fill(choose_.byte());
      entry.name = "e";
    }
    out_.interfaces(entries);
  }

  void container() {
    constexpr std::string_view kParts[] = {
        "{",     "}",          "[",           "]",           "\"container\":", "\"id\":",
        "\"a\"", ",",          "1e99",        "\"\\ud800\"", "null",           "true",
        ":",     "\"image\":", "\"Mounts\":", "\"labels\":"};
    std::string json;
    if (choose_.below(4) == 0) {
      const uint32_t parts = choose_.byte();
      for (uint32_t i = 0; i < parts; ++i) json += choose_.one_of(kParts);
    } else {
      const std::string id(12, static_cast<char>('a' + choose_.below(6)));
      json = R"({"container":{"id":")" + id + R"(","name":"n","image":")" +
             "i:" + std::to_string(choose_.byte()) + R"(","type":)" +
             std::to_string(choose_.below(20)) + R"(,"x":)" + std::string(choose_.byte(), '[') +
             std::string(choose_.byte(), ']') + "}}";
    }
    world_.container(json);
  }

  void user_event() {
    constexpr uint16_t kCodes[] = {ev::USER_ADDED_E, ev::USER_DELETED_E};
    constexpr uint16_t kGroupCodes[] = {ev::GROUP_ADDED_E, ev::GROUP_DELETED_E};
    const std::string container(choose_.below(2) * 12, static_cast<char>('a' + choose_.below(6)));
    if (choose_.below(2) == 0) {
      world_.event(
          -1, choose_.one_of(kCodes),
          {u32(id()), u32(id()), text(name()), text(name()), text(name()), text(container)});
    } else {
      world_.event(-1, choose_.one_of(kGroupCodes), {u32(id()), text(name()), text(container)});
    }
  }

  // Any event in the tables, with parameters of possibly wrong sizes.
  void any_event() {
    const auto code = static_cast<uint16_t>(choose_.word() % scap::kEventCount);
    const scap::EventInfo& info = scap::kEvents[code];
    std::vector<std::string> params;
    const uint32_t count = choose_.below(4) == 0 ? choose_.below(info.nparams + 3u) : info.nparams;
    for (uint32_t i = 0; i < count; ++i) {
      const bool known = i < info.nparams;
      const uint8_t size = known ? scap::kParams[info.first_param + i].size : 0;
      switch (choose_.below(8)) {
        case 0: params.emplace_back(); break;
        case 1: params.push_back(text(name())); break;
        case 2: params.push_back(u16(choose_.word()) + i64(fd())); break;
        default:
          if (size == 1)
            params.push_back(u8(choose_.byte()));
          else if (size == 2)
            params.push_back(u16(choose_.word()));
          else if (size == 4)
            params.push_back(u32(flags()));
          else if (size == 8)
            params.push_back(i64(fd()));
          else
            params.push_back(text(name()));
      }
    }
    if (code % 2 == 1 && choose_.below(2) == 0 && !params.empty()) params[0] = i64(0);
    world_.event(tid(), code, params);
  }

  // --- Activities, once or several times in a row.
  void happen() {
    const uint8_t what = choose_.byte();
    const int64_t who = tid();
    const uint32_t count = choose_.below(4) == 0 ? times() : 1;
    const int64_t first = fd();
    for (uint32_t i = 0; i < count && out_.bytes().size() < kMaxBytes; ++i)
      once(what, who, first, i);
  }

  void once(uint8_t what, int64_t who, int64_t first, uint32_t i) {
    // Unsigned addition: the largest number wraps around.
    const auto next = [i](int64_t number) {
      return static_cast<int64_t>(static_cast<uint64_t>(number) + i);
    };
    switch (what % 40) {
      case 0: world_.open(who, next(first), name(), flags()); break;
      case 1: world_.openat(who, next(first), fd(), name(), flags()); break;
      case 2: world_.close(who, next(first)); break;
      case 3: world_.read(who, next(first), result()); break;
      case 4: world_.write(who, first, result()); break;
      case 5: world_.sendfile(who, first, fd(), result()); break;
      case 6: world_.mmap(who, first, choose_.word()); break;
      case 7: world_.dup2(who, next(first), next(first) == INT64_MAX ? 0 : next(first) + 1); break;
      case 8: world_.dup2(who, fd(), first); break;
      case 9: world_.chdir(who, name()); break;
      case 10: world_.setuid(who, id()); break;
      case 11: world_.socket(who, next(first), choose_.below(2) == 0, choose_.below(2) == 0); break;
      case 12: world_.bind(who, first, end()); break;
      case 13: world_.connect(who, first, end(), end(), result()); break;
      case 14: world_.accept(who, next(first), end(), end()); break;
      case 15: world_.sendto(who, next(first), result(), end(), end()); break;
      case 16: world_.recvfrom(who, first, result(), end(), end()); break;
      case 17: world_.mkdir(who, name()); break;
      case 18: world_.rmdir(who, name(), result()); break;
      case 19: world_.unlink(who, name()); break;
      case 20: world_.link(who, name(), name()); break;
      case 21: world_.rename(who, name(), name()); break;
      case 22: world_.fork(process(), process()); break;
      case 23: world_.born(process(), flags()); break;
      case 24: world_.spawn_thread(process(), next(who)); break;
      case 25: world_.exec(process(), choose_.below(8) == 0 ? -2 : 0); break;
      case 26: world_.exit(next(who), 0, tid()); break;
      case 27: world_.exit(who, result()); break;
      case 28: container(); break;
      case 29: user_event(); break;
      case 30: lists(); break;
      case 31: world_.wait(choose_.word() * kSecond); break;
      case 32: world_.wait(-(choose_.word() * kSecond)); break;
      case 33: world_.wait(uint64_t{choose_.byte()} << 56); break;
      case 34:
        world_.event(who, ev::SYSCALL_PRCTL_X, {i64(0), u32(36), text(""), i64(choose_.below(2))});
        break;
      case 35:
        world_.event(
            who, ev::SYSCALL_CLOSE_RANGE_X,
            {i64(0), u32(static_cast<uint32_t>(first)), u32(flags()), u32(choose_.below(8))});
        break;
      case 36:
        world_.event(who, ev::SOCKET_SOCKETPAIR_X,
                     {i64(0), i64(next(first)), i64(fd()), u64(i), u64(i), u32(1), u32(1), u32(0)});
        break;
      case 37:
        world_.event(who, ev::SYSCALL_PIPE2_X,
                     {i64(0), i64(next(first)), i64(fd()), u64(i), u32(flags())});
        break;
      case 38:
        if (choose_.below(8) == 0) out_.begin();
        break;
      default: any_event(); break;
    }
  }

  Choices choose_;
  Scenario world_;
  scap::CaptureWriter& out_;
};

}  // namespace

std::vector<uint8_t> hostile_story(Bytes choices) {
  return Story(choices).build();
}

}  // namespace sfkit::testing
