// Runs one part of the engine on a capture; prints its time and memory. Also for callgrind.
// engine_benchmark read|state|info|count|filter|records|avro|columns FILE
// engine_benchmark build
// read: blocks and events only; state: also threads and descriptors; info: what `sfkit info`
// counts; count: the number of events; filter: of those of one type; records: also SysFlow records;
// avro: a .sf file; columns: batches of the table of all events and flows. The output is discarded.
// build: prints the compiler, and the library that compresses.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "events/capture_info.h"
#include "events/listing.h"
#include "output/avro_container.h"
#include "output/column_sink.h"
#include "output/deflater.h"
#include "output/null_sink.h"
#include "scap/blocks.h"
#include "scap/input.h"
#include "state/feed.h"
#include "sysflow/convert.h"

namespace {

using namespace sfkit;

constexpr std::string_view kModes[] = {"read",   "state",   "info", "count",
                                       "filter", "records", "avro", "columns"};

#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

class CountEvents : public scap::CaptureVisitor {
 public:
  void section() override {}
  void machine(const scap::MachineInfo&) override {}
  void thread(const scap::ThreadEntry&) override {}
  void descriptor(int64_t, const scap::FdEntry&) override {}
  void user(const scap::UserEntry&) override {}
  void group(const scap::GroupEntry&) override {}
  void interface(const scap::InterfaceEntry&) override {}
  void lists_complete() override {}
  bool event(const scap::EventView& event) override {
    if (event.ts > last_) last_ = event.ts;
    return true;
  }

 private:
  uint64_t last_ = 0;
};

class FollowState : public state::Feed {
 public:
  using Feed::Feed;
  bool events(scap::EventRun& run) override {
    return take_all(run, [this](const scap::EventView& event, bool) { return apply(event); });
  }

 protected:
  bool take(const scap::EventView& event, bool) override { return apply(event); }

 private:
  bool apply(const scap::EventView& event) {
    engine().apply(event, [](const state::Context&) {});
    return true;
  }
};

Status read(const std::string& path, scap::CaptureVisitor& visitor, uint64_t& events,
            uint64_t& bytes) {
  auto input = scap::Input::open(path);
  if (!input.is_ok()) return input.status();
  scap::ReadStats stats;
  Status status = scap::read_capture(*input.value(), path, visitor, stats);
  events = stats.events;
  bytes = input.value()->offset();
  return status;
}

Status run(const std::string& mode, const std::string& path, uint64_t& events, uint64_t& bytes) {
  const std::atomic<bool> cancel{false};
  if (mode == "read") {
    CountEvents visitor;
    return read(path, visitor, events, bytes);
  }
  if (mode == "state") {
    FollowState visitor(/*compat=*/false, cancel);
    return read(path, visitor, events, bytes);
  }
  InputSummary summary;
  Status status;
  if (mode == "info" || mode == "count" || mode == "filter") {
    auto input = scap::Input::open(path);
    if (!input.is_ok()) return input.status();
    if (mode == "info") {
      events::CaptureInfo info;
      status = events::inspect_capture(*input.value(), path, {}, cancel, summary, info);
    } else {
      events::ListOptions options;
      options.format = events::ListOptions::Format::kNone;
      if (mode == "filter") options.filter = "evt.type = unlink";
      uint64_t shown = 0;
      const auto give = [](std::vector<uint8_t>) { return true; };
      status = events::list_events(*input.value(), path, options, give, cancel, summary, shown);
    }
  } else if (mode == "avro") {
    output::AvroContainer file([&](std::vector<uint8_t>) { return true; });
    status = sysflow::convert_capture(path, {}, file, cancel, summary);
  } else if (mode == "columns") {
    constexpr uint32_t kBatchRows = 8192;
    output::ColumnSink columns({output::Table::kSysflow}, kBatchRows,
                               [](output::ColumnBatch) { return true; });
    status = sysflow::convert_capture(path, {}, columns, cancel, summary);
  } else {
    output::NullSink nobody;
    status = sysflow::convert_capture(path, {}, nobody, cancel, summary);
  }
  events = summary.events;
  bytes = summary.bytes;
  return status;
}

double peak_megabytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  long kilobytes = usage.ru_maxrss;
  // On Linux, rusage includes the memory of the program that started this one.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (std::sscanf(line.c_str(), "VmHWM: %ld", &kilobytes) == 1) break;
  return static_cast<double>(kilobytes) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "build") {
    std::printf("%s, %s\n", kCompiler, output::Deflater::library_name());
    return 0;
  }
  const std::string mode = argc == 3 ? argv[1] : "";
  const auto is_mode = [&](std::string_view name) { return mode == name; };
  if (std::none_of(std::begin(kModes), std::end(kModes), is_mode)) {
    std::fprintf(stderr,
                 "usage: engine_benchmark MODE FILE\n"
                 "       engine_benchmark build\n");
    return 2;
  }
  uint64_t events = 0;
  uint64_t bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  const Status status = run(mode, argv[2], events, bytes);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!status.is_ok()) {
    std::fprintf(stderr, "engine_benchmark: %s\n", status.message().c_str());
    return 1;
  }
  std::printf("{\"events\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"peakMegabytes\":%.1f}\n",
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(bytes),
              seconds.count(), peak_megabytes());
  return 0;
}
