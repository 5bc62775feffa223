#include "runtimes/watcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtimes/cri.h"

namespace sfkit::runtimes {
namespace {

using std::chrono::milliseconds;

// A runtime may know a container only after its first process runs.
constexpr std::array<milliseconds, 5> kPauses = {milliseconds(125), milliseconds(250),
                                                 milliseconds(500), milliseconds(1000),
                                                 milliseconds(2000)};
constexpr milliseconds kMaxRequest{5000};
constexpr size_t kThreads = 8;
// Of one socket, so that a silent runtime leaves threads for the others.
constexpr size_t kMaxRunning = 3;
// How soon a runtime that was silent is asked again.
constexpr milliseconds kSilence{2000};
// Further containers are skipped.
constexpr size_t kMaxWaiting = 1024;

bool is_there(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0;
}

// Other ids never come from a runtime, and must not become part of a URL.
bool is_id(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

// The user whose slice the control groups are in; empty if they are in none.
std::string_view user_of(std::string_view cgroups) {
  constexpr std::string_view kBefore = "=/user.slice/user-";
  constexpr std::string_view kAfter = ".slice/";
  for (size_t at = cgroups.find(kBefore); at != std::string_view::npos;
       at = cgroups.find(kBefore, at + 1)) {
    const std::string_view rest = cgroups.substr(at + kBefore.size());
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits > 0 && rest.substr(digits).starts_with(kAfter)) return rest.substr(0, digits);
  }
  return {};
}

}  // namespace

RuntimeSockets usual_sockets(const std::string& root) {
  const auto below = [&root](std::initializer_list<const char*> paths) {
    std::vector<std::string> all;
    for (const char* path : paths) all.push_back(root + path);
    return all;
  };
  return {below({"/var/run/docker.sock"}), below({"/run/podman/podman.sock"}),
          below({"/run/containerd/containerd.sock", "/run/crio/crio.sock",
                 "/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock",
                 "/run/host-containerd/containerd.sock", "/run/cri-dockerd.sock"}),
          root + "/run/user"};
}

ContainerWatcher::ContainerWatcher(WatcherOptions options, Describe describe)
    : options_(std::move(options)), describe_(std::move(describe)) {}

ContainerWatcher::~ContainerWatcher() {
  {
    const std::lock_guard lock(mutex_);
    closed_.store(true);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ContainerWatcher::add(std::string_view id, std::string_view cgroups) {
  if (!is_id(id)) return;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMaxWaiting) return;
    const Clock::time_point now = Clock::now();
    queue_.emplace(now, Request{std::string(id), std::string(cgroups), now + options_.timeout, 0});
    if (threads_.size() < kThreads && running_ + queue_.size() > threads_.size())
      threads_.emplace_back([this] { run(); });
  }
  changed_.notify_all();
}

size_t ContainerWatcher::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + running_;
}

void ContainerWatcher::run() {
  std::unique_lock lock(mutex_);
  while (!closed_.load()) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point next = queue_.begin()->first;
    if (Clock::now() < next) {
      changed_.wait_until(lock, next);
      continue;
    }
    Request request = std::move(queue_.extract(queue_.begin()).mapped());
    ++running_;
    lock.unlock();
    bool was_busy = false;
    const std::optional<Description> found = ask(request, was_busy);
    if (found && !closed_.load()) describe_(container_event(*found));
    lock.lock();
    --running_;
    if (!found) ask_again(std::move(request), was_busy);
    changed_.notify_all();
  }
}

void ContainerWatcher::ask_again(Request request, bool was_busy) {
  // A request that had no chance yet keeps its short pause, and gets one: a busy runtime answers,
  // or becomes a silent one, which is not busy.
  const size_t attempt = was_busy ? request.attempts : request.attempts++;
  const Clock::time_point next = Clock::now() + kPauses[std::min(attempt, kPauses.size() - 1)];
  if (next < request.until || (was_busy && asks_once())) queue_.emplace(next, std::move(request));
}

std::optional<Description> ContainerWatcher::ask(const Request& request, bool& was_busy) {
  // A first attempt always has some time.
  const Clock::time_point until = asks_once() ? Clock::now() + kPauses.back() : request.until;
  for (const Runtime& runtime : runtimes_for(request.cgroups)) {
    if (closed_.load() || Clock::now() >= until) return std::nullopt;
    if (!may_ask(runtime.socket, was_busy)) continue;
    const Patience patience{std::min(until, Clock::now() + kMaxRequest), &closed_};
    Answer answer = runtime.ask(runtime.socket, request.id, patience);
    end_asking(runtime.socket, !answer.is_ok() && patience.is_over());
    if (answer.is_ok() && answer.value()) return std::move(answer.value());
  }
  return std::nullopt;
}

bool ContainerWatcher::may_ask(const std::string& socket, bool& was_busy) {
  const std::lock_guard lock(mutex_);
  Load& load = loads_[socket];
  if (Clock::now() < load.silent_until) return false;
  if (load.running >= kMaxRunning) {
    was_busy = true;
    return false;
  }
  ++load.running;
  return true;
}

void ContainerWatcher::end_asking(const std::string& socket, bool was_silent) {
  const std::lock_guard lock(mutex_);
  Load& load = loads_[socket];
  --load.running;
  if (was_silent) load.silent_until = Clock::now() + kSilence;
}

// The most likely ones first; only existing sockets.
std::vector<ContainerWatcher::Runtime> ContainerWatcher::runtimes_for(
    std::string_view cgroups) const {
  std::vector<Runtime> all;
  const auto add = [&all](const std::vector<std::string>& sockets, Ask ask) {
    for (const std::string& socket : sockets) {
      if (is_there(socket)) all.push_back({socket, ask});
    }
  };
  const RuntimeSockets& sockets = options_.sockets;
  // A user's podman is only asked about that user's containers, and only if the machine's runtimes
  // do not know them.
  const auto add_own = [&] {
    const std::string_view user = user_of(cgroups);
    if (!user.empty())
      add({sockets.users + "/" + std::string(user) + "/podman/podman.sock"}, ask_podman);
  };
  if (has_any(cgroups, {"/libpod-"})) {
    add(sockets.podman, ask_podman);
    add(sockets.docker, ask_docker);
    add_own();
  } else if (has_any(cgroups, {"cri-containerd", "crio-", "kubepods"})) {
    add(sockets.cri, ask_cri);
    add(sockets.docker, ask_docker);
  } else if (has_any(cgroups, {"docker-", "docker/"})) {
    add(sockets.docker, ask_docker);
    add(sockets.cri, ask_cri);
  } else {
    add(sockets.docker, ask_docker);
    add(sockets.cri, ask_cri);
    add(sockets.podman, ask_podman);
    add_own();
  }
  return all;
}

}  // namespace sfkit::runtimes
