// Writes a capture with a chosen number of live objects, for benchmarks.
// make_load threads|descriptors|flows|ignored ALIVE EVENTS FILE
// threads: processes with one open file each; descriptors: open files of one process; flows: TCP
// connections, 1,000 to a process. Each event reads one of them, in an order without locality.
// ignored: threads as above, and each event is a futex call, which changes no state.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "scap/writer.h"
#include "testing/scenario.h"

namespace {

using namespace sfkit;
using namespace scap::value;

constexpr int64_t kFirstProcess = 1000;
constexpr int64_t kFirstDescriptor = 3;
constexpr size_t kListed = 1000;         // per block of a list
constexpr uint64_t kStride = 1'000'003;  // a prime: visits each object before any of them again

// How the live objects are spread over processes.
struct Layout {
  uint64_t processes;
  uint64_t descriptors;  // of each process
  scap::FdType type;
};

class Output {
 public:
  explicit Output(const char* path) : file_(std::fopen(path, "wb")) {}
  ~Output() { close(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const std::vector<uint8_t>& bytes) {
    is_good_ = is_good_ && file_ != nullptr &&
               std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
  }
  // Returns whether everything was written.
  bool close() {
    if (file_ != nullptr && std::fclose(file_) != 0) is_good_ = false;
    file_ = nullptr;
    return is_good_;
  }

 private:
  std::FILE* file_;
  bool is_good_ = true;
};

scap::ThreadEntry process(int64_t pid) {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = pid;
  entry.ptid = entry.sid = entry.vpgid = entry.pgid = 1;
  entry.comm = "load";
  entry.exe = entry.exepath = "/bin/load";
  entry.cwd = entry.root = "/";
  entry.fdlimit = 1024;
  return entry;
}

scap::FdEntry descriptor(const Layout& layout, uint64_t process, uint64_t index,
                         std::string_view path) {
  scap::FdEntry entry;
  entry.fd = kFirstDescriptor + static_cast<int64_t>(index);
  entry.type = layout.type;
  if (layout.type == scap::FdType::kFile) {
    entry.name = path;
    return entry;
  }
  // Each process talks to a server of its own.
  entry.l4 = scap::L4::kTcp;
  entry.source = {10, 0, 0, 1};
  entry.destination = {10, 1, static_cast<uint8_t>(process >> 8), static_cast<uint8_t>(process)};
  entry.source_port = static_cast<uint16_t>(10'000 + index);
  entry.destination_port = 443;
  return entry;
}

void write_lists(const Layout& layout, testing::Scenario& scenario, Output& output) {
  scap::CaptureWriter& writer = scenario.writer();
  writer.begin();
  scap::MachineInfo machine;
  machine.cpus = 2;
  machine.hostname = "load";
  writer.machine(machine);
  std::vector<scap::ThreadEntry> processes = {process(1)};
  for (uint64_t i = 0; i < layout.processes; ++i) {
    processes.push_back(process(kFirstProcess + static_cast<int64_t>(i)));
    if (processes.size() < kListed && i + 1 < layout.processes) continue;
    writer.processes(processes);
    output.write(writer.take());
    processes.clear();
  }
  std::array<std::string, kListed> paths;
  for (uint64_t i = 0; i < layout.processes; ++i) {
    for (uint64_t first = 0; first < layout.descriptors; first += kListed) {
      std::vector<scap::FdEntry> entries;
      for (uint64_t j = first; j < layout.descriptors && entries.size() < kListed; ++j) {
        std::string& path = paths[entries.size()];
        path = "/data/" + std::to_string(i) + "/" + std::to_string(j);
        entries.push_back(descriptor(layout, i, j, path));
      }
      writer.descriptors(kFirstProcess + static_cast<int64_t>(i), entries);
      output.write(writer.take());
    }
  }
}

void write_events(const Layout& layout, bool is_ignored, uint64_t events,
                  testing::Scenario& scenario, Output& output) {
  const uint64_t alive = layout.processes * layout.descriptors;
  for (uint64_t i = 0; i < events; ++i) {
    const uint64_t object = i * kStride % alive;
    const int64_t tid = kFirstProcess + static_cast<int64_t>(object / layout.descriptors);
    const int64_t fd = kFirstDescriptor + static_cast<int64_t>(object % layout.descriptors);
    if (is_ignored) {
      scenario.event(tid, scap::ev::SYSCALL_FUTEX_X, {i64(0), u64(0x7000), u16(0), u64(1)});
    } else {
      scenario.read(tid, fd, 100);
    }
    if (i % kListed == 0) output.write(scenario.writer().take());
  }
  output.write(scenario.writer().take());
}

// Returns false for an unknown kind.
bool choose(std::string_view kind, uint64_t alive, Layout& layout) {
  constexpr uint64_t kFlowsOfProcess = 1000;
  if (kind == "threads" || kind == "ignored") {
    layout = {alive, 1, scap::FdType::kFile};
  } else if (kind == "descriptors") {
    layout = {1, alive, scap::FdType::kFile};
  } else if (kind == "flows") {
    layout = {(alive + kFlowsOfProcess - 1) / kFlowsOfProcess, kFlowsOfProcess,
              scap::FdType::kIpv4};
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 5 ? argv[1] : "";
  const uint64_t alive = argc == 5 ? std::strtoull(argv[2], nullptr, 10) : 0;
  Layout layout{};
  if (alive == 0 || !choose(kind, alive, layout)) {
    std::fprintf(stderr, "usage: make_load threads|descriptors|flows|ignored ALIVE EVENTS FILE\n");
    return 2;
  }
  Output output(argv[4]);
  testing::Scenario scenario(testing::Age::k2026);
  write_lists(layout, scenario, output);
  write_events(layout, kind == "ignored", std::strtoull(argv[3], nullptr, 10), scenario, output);
  if (output.close()) return 0;
  std::fprintf(stderr, "make_load: cannot write %s\n", argv[4]);
  return 1;
}
