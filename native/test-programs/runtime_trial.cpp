// Asks container runtimes about a container, so that tests can compare the answers with those that
// Node gets. Prints the event that describes it, or nothing.
// Usage: sfkit_runtime_trial ID CGROUPS SECONDS [docker=PATH] [podman=PATH] [cri=PATH]
//                            [users=DIRECTORY]
// With "sockets" as the only argument, it prints the usual sockets.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "runtimes/watcher.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "sockets") {
    const sfkit::runtimes::RuntimeSockets usual = sfkit::runtimes::usual_sockets("");
    for (const auto& paths : {usual.docker, usual.podman, usual.cri})
      for (const std::string& path : paths) std::puts(path.c_str());
    std::puts(usual.users.c_str());
    return 0;
  }
  if (argc < 4) return 2;
  const std::string id = argv[1];
  sfkit::runtimes::WatcherOptions options;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(std::atof(argv[3]) * 1000));
  for (int i = 4; i < argc; ++i) {
    const std::string_view option = argv[i];
    const std::string value(option.substr(option.find('=') + 1));
    if (option.starts_with("docker=")) options.sockets.docker.push_back(value);
    if (option.starts_with("podman=")) options.sockets.podman.push_back(value);
    if (option.starts_with("cri=")) options.sockets.cri.push_back(value);
    if (option.starts_with("users=")) options.sockets.users = value;
  }
  std::mutex mutex;
  std::string found;
  {
    sfkit::runtimes::ContainerWatcher watcher(std::move(options), [&](const std::string& json) {
      const std::lock_guard lock(mutex);
      if (json.find("\"id\":\"" + id + "\"") != std::string::npos) found = json;
    });
    watcher.add(id, argv[2]);
    for (;;) {
      {
        const std::lock_guard lock(mutex);
        if (!found.empty()) break;
      }
      if (watcher.waiting() == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  if (!found.empty()) std::puts(found.c_str());
  return 0;
}
