// Follows the pods of this node, services and namespaces of a cluster on its own threads, so that a
// capture does not wait. src/live/kubernetes/watcher.ts does the same for Node.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "kubernetes/closing.h"
#include "kubernetes/requests.h"
#include "kubernetes/settings.h"

namespace sfkit::kubernetes {

struct Times : RequestTimes {
  // Pause after a failure; each further failure doubles it.
  std::chrono::milliseconds retry{500};
  std::chrono::milliseconds max_retry{30'000};
  // Time after which the API ends a watch.
  std::chrono::seconds watch{290};
};

class Watcher {
 public:
  // Receives the payload of an event for each change, as in captures.
  using Add = std::function<void(const std::string& json)>;
  // Receives each problem once. The capture goes on without the API.
  using Warn = std::function<void(const std::string& message)>;

  // Both functions are called on other threads, one call at a time.
  Watcher(Settings settings, Add add, Warn warn, Times times = {});
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  class Follower;

  void run(const Curl& curl);
  std::string find_node(const Api& api);
  void add(const std::string& json);
  void warn(const std::string& message);

  const Settings settings_;
  const Add add_;
  const Warn warn_;
  const Times times_;
  Closing closing_;
  std::mutex mutex_;  // of the functions and the set
  std::set<std::string> known_problems_;
  std::thread thread_;
};

}  // namespace sfkit::kubernetes
