// Prints what happened in a capture: a line for each event and flow. Build it as docs/library.md says.
#include <base/escape.h>
#include <driver.h>

#include <cstdio>
#include <string>
#include <type_traits>
#include <variant>

namespace {

const char* name_of(const sfkit::Activity& record) {
  constexpr const char* kNames[] = {"ProcessEvent", "NetworkFlow", "FileFlow", "FileEvent", "ProcessFlow"};
  return kNames[record.index()];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: consumer CAPTURE [FILTER]\n");
    return 2;
  }
  sfkit::DriverConfig config;
  config.scap_input_path = argv[1];
  if (argc > 2) config.options.filter = argv[2];
  config.callback = [](const sfkit::Joined& joined, const sfkit::Activity& record) {
    // Captured text may be made to steer a terminal.
    std::string line = name_of(record);
    if (joined.process != nullptr) sfkit::append_escaped(line += ' ', joined.process->exe);
    if (joined.file1 != nullptr) sfkit::append_escaped(line += ' ', joined.file1->path);
    std::printf("%s\n", line.c_str());
    return true;
  };
  sfkit::Driver driver(std::move(config));
  if (const sfkit::Status status = driver.run(); !status.is_ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::fprintf(stderr, "%llu events read\n", static_cast<unsigned long long>(driver.summary().events));
  // What a damaged capture still holds was given to the callback.
  for (const sfkit::Damage& damage : driver.summary().damage) {
    std::fprintf(stderr, "damaged at byte %llu: %s\n", static_cast<unsigned long long>(damage.offset),
                 damage.message.c_str());
  }
  return driver.summary().damage.empty() ? 0 : 3;
}
