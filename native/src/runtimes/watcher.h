// Asks the runtimes of this machine about containers, on its own threads, so that a capture does
// not wait. src/live/runtimes/watcher.ts does the same for Node.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtimes/connection.h"
#include "runtimes/docker.h"

namespace sfkit::runtimes {

// Socket paths by kind of runtime.
struct RuntimeSockets {
  std::vector<std::string> docker = {};
  std::vector<std::string> podman = {};
  std::vector<std::string> cri = {};
  // Directory with one subdirectory per user id, which has the socket of that user's podman.
  std::string users = {};
};

// The usual sockets, below the directory `root`.
RuntimeSockets usual_sockets(const std::string& root);

struct WatcherOptions {
  RuntimeSockets sockets;
  // Time to ask about a container; 0: one attempt only.
  std::chrono::milliseconds timeout{30'000};
};

class ContainerWatcher {
 public:
  // Receives the payload of the event that describes a container, on one of the threads. Not called
  // for a container that no runtime knows.
  using Describe = std::function<void(const std::string& json)>;

  ContainerWatcher(WatcherOptions options, Describe describe);
  // Gives up all requests.
  ~ContainerWatcher();
  ContainerWatcher(const ContainerWatcher&) = delete;
  ContainerWatcher& operator=(const ContainerWatcher&) = delete;

  // Asks about a container, without waiting. `cgroups`: NUL-terminated subsystem=path strings.
  void add(std::string_view id, std::string_view cgroups);
  // Containers that wait for an answer.
  size_t waiting() const;

 private:
  struct Request {
    std::string id;
    std::string cgroups;
    Clock::time_point until;
    size_t attempts = 0;
  };
  using Ask = Answer (*)(const std::string& socket, const std::string& id, const Patience&);
  struct Runtime {
    std::string socket;
    Ask ask;
  };

  bool asks_once() const { return options_.timeout.count() == 0; }
  void run();
  // Asks each runtime once; `was_busy` says that one had too many requests already.
  std::optional<Description> ask(const Request& request, bool& was_busy);
  // Queues the next attempt, if there is time for one. Needs the lock.
  void ask_again(Request request, bool was_busy);
  std::vector<Runtime> runtimes_for(std::string_view cgroups) const;
  bool may_ask(const std::string& socket, bool& was_busy);
  void end_asking(const std::string& socket, bool was_silent);

  const WatcherOptions options_;
  const Describe describe_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Request> queue_;  // by the time of the next attempt
  size_t running_ = 0;                               // requests that a thread works on
  // Requests to each socket that are running, and when a silent runtime is asked again.
  struct Load {
    size_t running = 0;
    Clock::time_point silent_until{};
  };
  std::map<std::string, Load> loads_;
  std::atomic<bool> closed_{false};
  std::vector<std::thread> threads_;
};

}  // namespace sfkit::runtimes
