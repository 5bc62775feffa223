#include "testing/seeds.h"

#include <atomic>
#include <random>
#include <utility>

#include "output/avro_container.h"
#include "scap/event.h"
#include "sysflow/convert.h"
#include "testing/gzip.h"
#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

using scap::FdEntry;
using scap::FdType;
using scap::ParamInfo;
using scap::ParamType;
using scap::ThreadEntry;
namespace value = scap::value;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
constexpr int64_t kShell = 100;
constexpr int64_t kChild = 101;

std::string bytes_of(std::initializer_list<int> numbers) {
  std::string bytes;
  for (const int number : numbers) bytes += static_cast<char>(number);
  return bytes;
}

// A plausible value of the parameter's type.
std::string sample(const ParamInfo& info, size_t turn) {
  switch (info.type) {
    case ParamType::kCharbuf:
    case ParamType::kFspath:
    case ParamType::kFsrelpath: return value::text(turn % 2 == 0 ? "/tmp/a" : "b");
    case ParamType::kBytebuf: return value::list({"one", "two"});
    case ParamType::kSockaddr: return bytes_of({2, 127, 0, 0, 1}) + value::u16(80);
    case ParamType::kSocktuple:
      return bytes_of({2, 127, 0, 0, 1}) + value::u16(4000) + bytes_of({127, 0, 0, 1}) +
             value::u16(80);
    case ParamType::kFdlist: return value::u16(1) + value::i64(3) + value::u16(0x41);
    case ParamType::kDyn: return value::u8(0) + value::u64(7);
    case ParamType::kIpv4addr: return bytes_of({10, 0, 0, 1});
    case ParamType::kIpv6addr: return std::string(15, '\0') + '\1';
    default: break;
  }
  switch (info.size) {
    case 1: return value::u8(1);
    case 2: return value::u16(2);
    case 4: return value::u32(4);
    case 8:
      return value::i64(info.type == ParamType::kPid ? kShell : static_cast<int64_t>(turn % 5));
    default: return std::string(info.size, '\1');
  }
}

ThreadEntry thread_entry(int64_t tid, std::string_view comm) {
  ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = tid;
  entry.ptid = 1;
  entry.sid = entry.vpgid = entry.pgid = kShell;
  entry.comm = comm;
  entry.exe = "/bin/sh";
  entry.exepath = "/usr/bin/dash";
  entry.args = std::string_view("-c\0ls\0", 6);
  entry.env = std::string_view("HOME=/root\0", 11);
  entry.cwd = "/root";
  entry.root = "/";
  entry.cgroups = std::string_view(
      "cpu=/docker/4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7\0", 77);
  entry.fdlimit = 1024;
  entry.loginuid = 1000;
  return entry;
}

std::vector<FdEntry> every_kind_of_descriptor() {
  std::vector<FdEntry> entries;
  for (uint8_t kind = 1; kind <= static_cast<uint8_t>(FdType::kPidfd); ++kind) {
    FdEntry entry;
    entry.fd = kind;
    entry.type = static_cast<FdType>(kind);
    entry.inode = 1000 + kind;
    entry.name = "/some/name";
    entry.source[0] = entry.destination[0] = 10;
    entry.source_port = 4000;
    entry.destination_port = 80;
    entry.l4 = scap::L4::kTcp;
    entries.push_back(entry);
  }
  return entries;
}

void write_lists(scap::CaptureWriter& out) {
  out.begin();
  scap::MachineInfo machine;
  machine.cpus = 2;
  machine.hostname = "seed-host";
  machine.boot_time = kStart - 1'000'000'000;
  out.machine(machine);
  scap::InterfaceEntry ipv4;
  ipv4.address = {10, 0, 0, 1};
  ipv4.netmask = {255, 255, 255, 0};
  ipv4.name = "eth0";
  scap::InterfaceEntry ipv6;
  ipv6.ipv6 = true;
  ipv6.address[15] = 1;
  ipv6.name = "lo";
  out.interfaces({ipv4, ipv6});
  out.users({{0, 0, "root", "/root", "/bin/sh"}}, {{0, "root"}});
  out.processes({thread_entry(kShell, "sh"), thread_entry(kChild, "ls")});
  out.descriptors(kShell, every_kind_of_descriptor());
}

std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::vector<uint8_t> bytes_from(std::string_view text) {
  return {text.begin(), text.end()};
}

ProcessFacts facts(int64_t pid, int64_t ptid, std::string_view comm) {
  ProcessFacts process;
  process.exe = "/bin/" + std::string(comm);
  process.comm = comm;
  process.args = {"-x", "a b"};
  process.env = {"HOME=/root"};
  process.tid = process.pid = process.vtid = process.vpid = pid;
  process.ptid = ptid;
  return process;
}

// A process that does a little of everything, written as by an age's software.
std::vector<uint8_t> story(Age age) {
  Scenario world(age);
  scap::CaptureWriter& out = world.writer();
  out.begin();
  out.users({{0, 0, "root", "/root", "/bin/sh"}}, {{0, "root"}});
  out.processes({thread_entry(kShell, "sh")});
  out.descriptors(kShell, {});
  const ProcessFacts shell = facts(kShell, 1, "sh");
  const ProcessFacts child = facts(kChild, kShell, "sh");
  world.fork(shell, child);
  world.exec(facts(kChild, kShell, "cp"), 0);
  world.openat(kChild, 3, -100, "etc/hosts", 1);
  world.read(kChild, 3, 80);
  world.open(kChild, 4, "/tmp/copy", 6);
  world.write(kChild, 4, 80);
  world.close(kChild, 3);
  world.mkdir(kChild, "/tmp/d");
  world.rename(kChild, "/tmp/copy", "/tmp/d/copy");
  world.link(kChild, "/tmp/d/copy", "/tmp/l");
  world.unlink(kChild, "/tmp/l");
  world.socket(kChild, 5, false, false);
  world.connect(kChild, 5, ipv4(10, 0, 0, 1, 4000), ipv4(10, 0, 0, 2, 80), 0);
  world.sendto(kChild, 5, 10, ipv4(10, 0, 0, 1, 4000), ipv4(10, 0, 0, 2, 80));
  world.recvfrom(kChild, 5, 20, ipv4(10, 0, 0, 2, 80), ipv4(10, 0, 0, 1, 4000));
  world.socket(kChild, 6, true, true);
  world.bind(kChild, 6, ipv6(1, 53));
  world.recvfrom(kChild, 6, 20, ipv6(2, 5000), ipv6(1, 53));
  world.dup2(kChild, 4, 1);
  world.chdir(kChild, "/tmp");
  world.setuid(kChild, 33);
  world.exit(kChild, 0);
  return out.bytes();
}

// Overwrites bytes from `at` on.
std::vector<uint8_t> with(std::vector<uint8_t> bytes, size_t at,
                          std::initializer_list<uint8_t> change) {
  for (const uint8_t byte : change) bytes.at(at++) = byte;
  return bytes;
}

}  // namespace

std::vector<uint8_t> event_forms(uint16_t first, uint16_t last, scap::WriterLayout layout) {
  scap::CaptureWriter out(layout);
  write_lists(out);
  uint64_t ts = kStart;
  for (uint16_t code = first; code < last && code < scap::kEventCount; ++code) {
    const scap::EventInfo& info = scap::kEvents[code];
    std::vector<std::string> params;
    for (uint8_t i = 0; i < info.nparams; ++i)
      params.push_back(sample(scap::kParams[info.first_param + i], i + code));
    const auto write = [&](size_t count) {
      out.event(ts += 1000, kShell, 0, code,
                {params.begin(), params.begin() + static_cast<ptrdiff_t>(count)});
    };
    for (uint8_t i = 0; i < info.older_counts; ++i) write(scap::kOlderCounts[info.first_count + i]);
    write(info.nparams);
  }
  return out.bytes();
}

std::vector<Fixture> valid_captures() {
  std::vector<Fixture> captures;
  constexpr uint16_t kCodesOfOne = 57;
  for (uint16_t first = 0; first < scap::kEventCount; first += kCodesOfOne) {
    const auto last = static_cast<uint16_t>(first + kCodesOfOne);
    captures.push_back({"events-" + std::to_string(first) + ".scap", event_forms(first, last, {})});
  }
  for (int version = 1; version <= 9; ++version) {
    const bool current = version == 9;
    const scap::WriterLayout layout{
        .process_list = version, .sized_records = current, .counted_params = current};
    captures.push_back({"lists-" + std::to_string(version) + ".scap", event_forms(2, 8, layout)});
  }
  captures.push_back({"big-endian.scap", event_forms(0, 64, {.order = ByteOrder::kSwapped})});
  captures.push_back({"story-2017.scap", story(Age::k2017)});
  captures.push_back({"story-2023.scap", story(Age::k2023)});
  captures.push_back({"story-2026.scap", story(Age::k2026)});
  captures.push_back(
      {"sections.scap", bytes_from(text_of(story(Age::k2017)) + text_of(story(Age::k2026)))});
  return captures;
}

std::vector<Fixture> other_captures() {
  std::vector<Fixture> captures;
  const std::string text = text_of(story(Age::k2026));
  const std::string old = text_of(story(Age::k2017));
  const std::string packed = gzip(text);
  captures.push_back({"gzip.scap", bytes_from(packed)});
  captures.push_back({"gzip-members.scap", bytes_from(gzip(text) + gzip("") + gzip(old))});
  captures.push_back(
      {"gzip-flushed.scap", bytes_from(gzip(text, {text.size() / 3, 2 * text.size() / 3}))});
  captures.push_back({"gzip-cut.scap", bytes_from(packed.substr(0, packed.size() / 2))});
  captures.push_back({"gzip-padded.scap", bytes_from(packed + std::string(64, '\0'))});

  const std::vector<uint8_t> whole = bytes_from(text);
  captures.push_back({"garbage-after.scap", bytes_from(text + std::string(40, 'x') + old)});
  captures.push_back({"cut-in-event.scap", bytes_from(text.substr(0, text.size() - 7))});
  captures.push_back({"zeros-after.scap", bytes_from(text + std::string(64, '\0'))});
  // The length of the first block after the section header (28 bytes).
  captures.push_back({"length-zero.scap", with(whole, 32, {0, 0, 0, 0})});
  captures.push_back({"length-huge.scap", with(whole, 32, {0xfc, 0xff, 0xff, 0xff})});

  // Found by fuzzing. The file ends inside a block header: damage was reported past the end.
  captures.push_back({"found-cut-in-head.scap", bytes_from(text + text.substr(0, 5))});
  // The first header has an impossible length: blocks were read before a section started.
  captures.push_back({"found-first-header-length.scap", with(whole, 4, {0x1c, 0, 0, 4})});
  // Descriptor -2^63 has no error number.
  scap::CaptureWriter negative;
  write_lists(negative);
  negative.event(kStart, kShell, 0, scap::ev::SYSCALL_CLOSE_X,
                 {value::i64(0), value::i64(INT64_MIN)});
  captures.push_back({"found-smallest-descriptor.scap", negative.bytes()});
  return captures;
}

std::vector<Fixture> sysflow_files() {
  std::vector<Fixture> files;
  for (const auto& [name, compat] :
       {std::pair("story.sf", false), std::pair("story-compat.sf", true)}) {
    std::vector<uint8_t> bytes;
    output::AvroContainer file([&bytes](const std::vector<uint8_t>& part) {
      bytes.insert(bytes.end(), part.begin(), part.end());
      return true;
    });
    const std::vector<uint8_t> capture = story(Age::k2026);
    auto input = scap::Input::over(Bytes(capture.data(), capture.size()));
    sysflow::ConvertOptions options;
    options.compat = compat;
    const std::atomic<bool> cancel{false};
    InputSummary summary;
    (void)sysflow::convert_capture(*input.value(), name, options, file, cancel, summary);
    files.push_back({name, std::move(bytes)});
  }
  return files;
}

std::vector<Fixture> story_choices() {
  std::vector<Fixture> files;
  std::minstd_rand random(11);
  constexpr size_t kSizes[] = {60, 200, 600, 1500, 3000, 6000};
  for (const size_t size : kSizes) {
    Fixture& file = files.emplace_back();
    file.name = "story-" + std::to_string(size) + ".bin";
    for (size_t i = 0; i < size; ++i) file.bytes.push_back(static_cast<uint8_t>(random() >> 8));
  }
  return files;
}

}  // namespace sfkit::testing
