// Measures the cost of hostile captures:
//   sfkit_hostile_trial list                 lists the kinds, one JSON object per line
//   sfkit_hostile_trial write KIND N FILE    makes a capture of a kind and size
//   sfkit_hostile_trial engine KIND N SECONDS [BYTES]
//       runs each conversion of it in its own process, one JSON object per line; a conversion that
//       exceeds SECONDS of CPU is stopped and ends the trial; BYTES is the limit of --max-memory
//   sfkit_hostile_trial command SECONDS PROGRAM ARGUMENTS...
//       runs a program, discards its output and prints its cost
// CPU is in seconds, memory the growth of the resident set in MB.

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "events/capture_info.h"
#include "events/listing.h"
#include "output/avro_container.h"
#include "output/column_sink.h"
#include "output/null_sink.h"
#include "recover.h"
#include "sysflow/convert.h"
#include "testing/hostile_kinds.h"

namespace {

using namespace sfkit;

const std::atomic<bool> kNever{false};
uint64_t max_memory = 0;

void convert(Bytes bytes, bool compat, sysflow::RecordSink& sink) {
  sysflow::ConvertOptions options;
  if (compat) {
    options.compat = true;
  } else {
    options.file_read_mode = 0;
    options.file_only = false;
  }
  options.max_memory = max_memory;
  InputSummary summary;
  auto input = scap::Input::over(bytes);
  (void)sysflow::convert_capture(*input.value(), "trial", options, sink, kNever, summary);
}

void to_compat_records(Bytes bytes) {
  output::NullSink nobody;
  convert(bytes, true, nobody);
}

void to_avro(Bytes bytes) {
  output::AvroContainer file([](const std::vector<uint8_t>&) { return true; });
  convert(bytes, false, file);
}

void to_columns(Bytes bytes) {
  std::vector<output::Table> tables;
  for (size_t table = 0; table < output::kTableCount; ++table)
    tables.push_back(static_cast<output::Table>(table));
  constexpr uint32_t kBatchRows = 1024;
  output::ColumnSink columns(tables, kBatchRows, [](const output::ColumnBatch&) { return true; });
  convert(bytes, false, columns);
}

void to_lines(Bytes bytes) {
  const auto drop = [](const std::vector<uint8_t>&) { return true; };
  InputSummary summary;
  uint64_t shown = 0;
  auto input = scap::Input::over(bytes);
  events::ListOptions options;
  options.max_memory = max_memory;
  (void)events::list_events(*input.value(), "trial", options, drop, kNever, summary, shown);
}

void to_info(Bytes bytes) {
  InputSummary summary;
  events::CaptureInfo info;
  auto input = scap::Input::over(bytes);
  (void)events::inspect_capture(*input.value(), "trial", {"", max_memory}, kNever, summary, info);
}

void to_capture(Bytes bytes) {
  const auto drop = [](const std::vector<uint8_t>&) { return true; };
  InputSummary summary;
  uint64_t written = 0;
  auto input = scap::Input::over(bytes);
  (void)recover_capture(*input.value(), "trial", drop, kNever, summary, written);
}

struct Way {
  const char* name;
  void (*run)(Bytes bytes);
};
constexpr Way kWays[] = {
    {"compat", to_compat_records}, {"avro", to_avro}, {"columns", to_columns},
    {"events", to_lines},          {"info", to_info}, {"recover", to_capture},
};

double seconds_of(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A value in kB of /proc/self/status, in MB.
double memory_of_this_process(std::string_view name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  }
  return 0;
}

void limit_cpu(double seconds) {
  const auto whole = static_cast<rlim_t>(std::max(1.0, seconds));
  const rlimit limit{whole, whole};
  (void)setrlimit(RLIMIT_CPU, &limit);
}

void report(const char* way, double cpu, double memory, bool stopped) {
  std::printf("{\"way\":\"%s\",\"cpu\":%.4f,\"memory\":%.1f,\"stopped\":%s}\n", way, cpu, memory,
              stopped ? "true" : "false");
  std::fflush(stdout);
}

// Runs in a child process, so that one conversion does not affect the next. False if it was
// stopped.
bool try_way(const Way& way, Bytes bytes, double seconds) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    limit_cpu(seconds);
    // Runaway memory ends in std::bad_alloc instead of exhausting the machine.
    constexpr rlim_t kMaxMemory = rlim_t{2} << 30;
    const rlimit limit{kMaxMemory, kMaxMemory};
    (void)setrlimit(RLIMIT_AS, &limit);
    const double before = memory_of_this_process("VmRSS");
    way.run(bytes);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    report(way.name, seconds_of(usage), memory_of_this_process("VmHWM") - before, false);
    std::_Exit(0);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const bool done = WIFEXITED(status);
  if (!done) {
    const bool slow =
        WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL);
    report(way.name, seconds_of(usage), static_cast<double>(usage.ru_maxrss) / 1024, true);
    if (!slow) {
      std::fprintf(stderr, "sfkit_hostile_trial: %s ended by signal %d\n", way.name,
                   WTERMSIG(status));
    }
  }
  return done;
}

int run_command(double seconds, char** words) {
  const pid_t child = fork();
  if (child == 0) {
    limit_cpu(seconds);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(words[0], words);
    std::_Exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  report("command", seconds_of(usage), static_cast<double>(usage.ru_maxrss) / 1024,
         !WIFEXITED(status));
  return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? 1 : 0;
}

int usage_error() {
  std::fprintf(
      stderr,
      "usage: sfkit_hostile_trial list | write KIND N FILE | engine KIND N SECONDS [BYTES] | "
      "command SECONDS PROGRAM ARGUMENTS...\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "list") {
    for (const auto& kind : testing::hostile_kinds()) {
      std::printf("{\"name\":\"%s\",\"what\":\"%s\",\"size\":%u,\"flat\":%s}\n", kind.name,
                  kind.what, kind.size,
                  kind.memory == testing::HostileKind::Memory::kFlat ? "true" : "false");
    }
    return 0;
  }
  if (verb == "command" && argc > 3) return run_command(std::strtod(argv[2], nullptr), argv + 3);
  if (argc == 6 && verb == "engine") {
    max_memory = std::strtoull(argv[5], nullptr, 10);
    --argc;
  }
  if (argc != 5 || (verb != "write" && verb != "engine")) return usage_error();
  const auto& kinds = testing::hostile_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& one) {
    return one.name == std::string_view(argv[2]);
  });
  const auto size = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (kind == kinds.end() || size == 0) return usage_error();
  const std::vector<uint8_t> capture = kind->make(size);
  if (verb == "write") {
    std::FILE* file = std::fopen(argv[4], "wb");
    if (file == nullptr) return 1;
    const bool written = std::fwrite(capture.data(), 1, capture.size(), file) == capture.size();
    return std::fclose(file) == 0 && written ? 0 : 1;
  }
  std::printf("{\"bytes\":%zu}\n", capture.size());
  malloc_trim(0);
  const double seconds = std::strtod(argv[4], nullptr);
  for (const Way& way : kWays) {
    if (!try_way(way, Bytes(capture.data(), capture.size()), seconds)) break;
  }
  return 0;
}
