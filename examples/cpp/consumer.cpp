// Prints what happened in a capture: a line for each event and flow. docs/library.md says how to build it.
#include <sfkit/driver.h>

#include <cstdio>
#include <string>
#include <utility>

namespace {

const char* name_of(const sfkit::Activity& record) {
  constexpr const char* kNames[] = {"ProcessEvent", "NetworkFlow", "FileFlow",
                                    "FileEvent",    "ProcessFlow", "NetworkEvent"};
  return kNames[record.index()];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: consumer CAPTURE [FILTER]\n");
    return 2;
  }
  sfkit::DriverConfig config;
  config.input_path = argv[1];
  if (argc > 2) config.filter = argv[2];
  config.callback = [](const sfkit::Joined& joined, const sfkit::Activity& record) {
    std::string line = name_of(record);
    // Captured text can contain terminal control sequences.
    if (joined.process != nullptr) line += ' ' + sfkit::escape(joined.process->exe);
    if (joined.file1 != nullptr) line += ' ' + sfkit::escape(joined.file1->path);
    std::printf("%s\n", line.c_str());
    return true;
  };
  sfkit::Driver driver(std::move(config));
  if (const sfkit::Status status = driver.run(); !status.is_ok()) {
    std::fprintf(stderr, "%s\n", sfkit::escape(status.message()).c_str());
    return 1;
  }
  const sfkit::Summary& summary = driver.summary();
  std::fprintf(stderr, "%llu events read\n", static_cast<unsigned long long>(summary.events));
  // The callback got everything readable, even if the capture is damaged.
  for (const sfkit::DamagedPart& damage : summary.damage) {
    std::fprintf(stderr, "damaged at byte %llu: %s\n", static_cast<unsigned long long>(damage.offset),
                 sfkit::escape(damage.message).c_str());
  }
  return summary.damage.empty() ? 0 : 3;
}
