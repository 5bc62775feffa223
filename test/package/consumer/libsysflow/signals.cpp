// A capture of the running kernel, or of a file, that SIGTERM ends. Writes a line when the first
// record arrives and another after run(). Arguments: a capture and "raise", to send itself the
// signal at the first record; or nothing.
#include <csignal>
#include <functional>
#include <iostream>

#include <sysflow/sysflowlibs.hpp>

namespace {
std::function<void()> shutdown_handler;
void signal_handler(int /*signal*/) { shutdown_handler(); }
}  // namespace

int main(int argc, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  if (argc > 1) config->scapInputPath = argv[1];
  const bool raises = argc > 2;
  int records = 0;
  config->callback = [&](sysflow::SFHeader*, sysflow::Container*, sysflow::Process*,
                         sysflow::File*, sysflow::File*, sysflow::SysFlow*) {
    if (records++ > 0) return;
    std::cout << "first record" << std::endl;
    if (raises) std::raise(SIGTERM);
  };
  sysflowlibscpp::SysFlowDriver* driver = new sysflowlibscpp::SysFlowDriver(config);
  shutdown_handler = [&]() -> void { driver->exit(); };
  std::signal(SIGINT, signal_handler);
  std::signal(SIGTERM, signal_handler);
  std::cout << "version " << driver->getVersion() << std::endl;
  const int result = driver->run();
  std::cout << "run returned " << result << " after " << records << " records" << std::endl;
  delete driver;
  delete config;
}
