// Prints what happened in a capture: a line for each event and flow. Build it as docs/cpp.md says.
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
    const std::string process = joined.process == nullptr ? "" : joined.process->exe;
    const std::string file = joined.file1 == nullptr ? "" : joined.file1->path;
    std::printf("%s %s %s\n", name_of(record), process.c_str(), file.c_str());
    return true;
  };
  sfkit::Driver driver(std::move(config));
  if (const sfkit::Status status = driver.run(); !status.is_ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::fprintf(stderr, "%llu events read\n", static_cast<unsigned long long>(driver.summary().events));
  return 0;
}
