#include "kubernetes/watcher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "kubernetes/objects.h"

namespace sfkit::kubernetes {
namespace {

using json::Value;

// Objects in a page of a list.
constexpr size_t kPageSize = 100;
// Maximum objects of a kind, and bytes of their items; further ones are ignored.
constexpr size_t kMaxObjects = 20'000;
constexpr size_t kMaxObjectBytes = size_t{64} << 20;
// Further messages are left out.
constexpr size_t kMaxProblems = 100;
constexpr int kHttpNotFound = 404;
constexpr int kHttpGone = 410;
const char* const kNoJson = "the answer is no JSON";

// What the API says about one object.
struct Object {
  std::string uid;
  std::string version;
  std::string item;
};

const Value* find_in(const Value& object, std::string_view section, std::string_view name) {
  const Value* const part = object.find(section);
  return part == nullptr ? nullptr : part->find(name);
}

Object read_object(const Resource& resource, const Value& found) {
  return {std::string(text_of(find_in(found, "metadata", "uid"))),
          std::string(text_of(find_in(found, "metadata", "resourceVersion"))),
          item_of(resource, found)};
}

}  // namespace

// Lists the objects of a resource, then watches them.
class Watcher::Follower {
 public:
  Follower(const Resource& resource, const std::string& node, const Api& api, Watcher& watcher)
      : resource_(resource), node_(node), api_(api), watcher_(watcher) {}

  // Tries to list once; follow() tries again.
  void begin() { attempt(&Follower::list); }

  // Returns when the watcher is closed.
  void follow() {
    const Closing& closing = watcher_.closing_;
    const std::chrono::milliseconds retry = watcher_.times_.retry;
    while (!closing.is_closed()) {
      if (failures_ > 0) pause();
      if (!version_) attempt(&Follower::list);
      if (!version_ || closing.is_closed()) continue;
      const Clock::time_point started = Clock::now();
      attempt(&Follower::watch);
      // A server that ends each watch at once must not be asked all the time.
      if (failures_ == 0 && Clock::now() - started < retry) closing.sleep(retry);
    }
  }

 private:
  struct Known {
    std::string version;
    std::string item;
    uint64_t number = 0;  // in the order of their first appearance
  };
  using Objects = std::unordered_map<std::string, Known, TextHash, std::equal_to<>>;

  void warn(const std::string& message) {
    watcher_.warn(std::string(resource_.path) + ": " + message);
  }

  void attempt(Outcome (Follower::*work)()) {
    const Outcome failure = (this->*work)();
    if (!failure) {
      failures_ = 0;
      return;
    }
    if (watcher_.closing_.is_closed()) return;
    if (failure->status == kHttpGone) {
      // The version is too old for a watch, so the objects are listed again. A second 410 in a row
      // must not loop.
      failures_ += version_ ? 0 : 1;
      version_.reset();
      return;
    }
    ++failures_;
    warn(failure->message + "; trying again");
  }

  void pause() {
    constexpr unsigned kMaxDoublings = 16;
    const Times& times = watcher_.times_;
    const std::chrono::milliseconds longest = std::min(
        times.max_retry, times.retry * (int64_t{1} << std::min(failures_ - 1, kMaxDoublings)));
    // Not all sensors of a cluster at the same moment.
    const double part = std::uniform_real_distribution<>(0.5, 1)(random_);
    watcher_.closing_.sleep(std::chrono::ceil<std::chrono::milliseconds>(longest * part));
  }

  std::string path(const std::string& query) const {
    std::string path = std::string(resource_.path) + "?" + query;
    if (resource_.of_node) path += "&fieldSelector=" + percent_encoded("spec.nodeName=" + node_);
    return path;
  }

  // Calls `take` for an object in raw text. Returns false if the text has too many values.
  template <typename Take>
  bool with_object(std::string_view text, Take&& take) {
    const auto parsed = json::parse(text);
    if (!parsed.is_ok()) {
      warn("skipped an object that is too long");
      return false;
    }
    take(parsed.value());
    return true;
  }

  Outcome list() {
    std::deque<std::pair<std::string, Known>> found;
    size_t bytes = 0;
    bool is_cut = false;
    std::string version;
    std::string next;
    do {
      std::string query = "limit=" + std::to_string(kPageSize);
      if (!next.empty()) query += "&continue=" + percent_encoded(next);
      std::string body;
      if (Outcome failure = api_.get(path(query), body)) return failure;
      std::string_view metadata;
      std::string_view items;
      const Status status =
          json::each_member(body, [&](std::string_view name, std::string_view value) {
            if (name == "metadata") metadata = value;
            if (name == "items") items = value;
          });
      if (!status.is_ok()) return Failure{kNoJson};
      const auto facts = json::parse(metadata);
      version = facts.is_ok() ? text_of(facts.value().find("resourceVersion")) : "";
      next = facts.is_ok() ? text_of(facts.value().find("continue")) : "";
      // A list without items has none.
      const Status ignored = json::each_item(items, [&](std::string_view text) {
        with_object(text, [&](const Value& value) {
          Object object = read_object(resource_, value);
          if (object.uid.empty()) return;
          is_cut =
              is_cut || found.size() >= kMaxObjects || bytes + object.item.size() > kMaxObjectBytes;
          if (is_cut) return;
          bytes += object.item.size();
          found.emplace_back(std::move(object.uid),
                             Known{std::move(object.version), std::move(object.item)});
        });
      });
      static_cast<void>(ignored);
    } while (!next.empty() && !is_cut);
    if (is_cut) warn("too many objects; ignoring the rest");
    if (resource_.of_node && found.empty()) {
      watcher_.warn("no pods on node " + node_ +
                    "; if that is not this node, name it with NODE_NAME");
    }
    replace(std::move(found));
    version_ = version;
    return std::nullopt;
  }

  // Reports what changed between two lists.
  void replace(std::deque<std::pair<std::string, Known>> found) {
    Objects before = std::exchange(objects_, {});
    std::vector<std::string_view> added;
    std::vector<std::string_view> modified;
    bytes_ = 0;
    for (auto& [uid, known] : found) {
      const auto old = before.find(uid);
      const bool is_new = old == before.end();
      const bool has_changed = !is_new && old->second.version != known.version;
      known.number = is_new ? ++numbers_ : old->second.number;
      if (!is_new) before.erase(old);
      const auto [place, is_first] = objects_.try_emplace(uid, std::move(known));
      if (!is_first) continue;
      bytes_ += place->second.item.size();
      if (is_new) added.push_back(place->second.item);
      if (has_changed) modified.push_back(place->second.item);
    }
    std::vector<const Known*> gone;
    for (const auto& [uid, known] : before) gone.push_back(&known);
    std::sort(gone.begin(), gone.end(),
              [](const Known* a, const Known* b) { return a->number < b->number; });
    std::vector<std::string_view> deleted;
    for (const Known* const known : gone) deleted.push_back(known->item);
    report("DELETED", deleted);
    report("ADDED", added);
    report("MODIFIED", modified);
  }

  void report(std::string_view action, const std::vector<std::string_view>& items) {
    each_payload(action, resource_, items, [this](const std::string& json) { watcher_.add(json); });
  }

  Outcome watch() {
    const std::string query =
        "watch=1&allowWatchBookmarks=true&resourceVersion=" + percent_encoded(*version_) +
        "&timeoutSeconds=" + std::to_string(watcher_.times_.watch.count());
    return api_.watch(
        path(query), [this](std::string_view line) { return take_line(line); },
        [this] { warn("skipped an object that is too long"); });
  }

  Outcome take_line(std::string_view line) {
    std::string_view type;
    std::string_view object;
    const Status status =
        json::each_member(line, [&](std::string_view name, std::string_view value) {
          if (name == "type") type = value;
          if (name == "object") object = value;
        });
    if (!status.is_ok()) {
      // Other values say nothing.
      return json::parse(line).is_ok() ? Outcome() : Failure{kNoJson};
    }
    const auto kind = json::parse(type);
    if (!kind.is_ok()) return std::nullopt;
    Outcome failure;
    if (object.empty()) object = "null";
    with_object(object,
                [&](const Value& value) { failure = take(kind.value().as_string(), value); });
    return failure;
  }

  Outcome take(std::string_view type, const Value& found) {
    if (type == "ERROR") {
      const int64_t code = number_of(found.find("code"));
      const bool is_gone = code == kHttpGone;
      return Failure{"the watch failed with status " + std::to_string(code),
                     is_gone ? kHttpGone : 0};
    }
    Object object = read_object(resource_, found);
    if (type == "ADDED" || type == "MODIFIED") {
      if (!keep(object)) return std::nullopt;
      report(type, {object.item});
    } else if (type == "DELETED") {
      if (const auto old = objects_.find(object.uid); old != objects_.end()) {
        bytes_ -= old->second.item.size();
        objects_.erase(old);
        report(type, {object.item});
      }
    } else if (type != "BOOKMARK") {
      return std::nullopt;
    }
    // After a reconnection, the watch continues here.
    if (!object.version.empty()) version_ = object.version;
    failures_ = 0;
    return std::nullopt;
  }

  // Returns false if the object is known, or one too many.
  bool keep(const Object& object) {
    if (object.uid.empty()) return false;
    const auto old = objects_.find(object.uid);
    const bool is_new = old == objects_.end();
    if (!is_new && old->second.version == object.version) return false;
    const size_t bytes = bytes_ - (is_new ? 0 : old->second.item.size()) + object.item.size();
    if (bytes > kMaxObjectBytes || (is_new && objects_.size() >= kMaxObjects)) return false;
    bytes_ = bytes;
    Known& known = is_new ? objects_[object.uid] : old->second;
    if (is_new) known.number = ++numbers_;
    known.version = object.version;
    known.item = object.item;
    return true;
  }

  const Resource& resource_;
  const std::string node_;
  const Api& api_;
  Watcher& watcher_;
  Objects objects_;  // by uid
  size_t bytes_ = 0;
  uint64_t numbers_ = 0;
  // Version of the list from which to watch; nullopt before the first list.
  std::optional<std::string> version_;
  unsigned failures_ = 0;
  std::minstd_rand random_{std::random_device()()};
};

Watcher::Watcher(Settings settings, Add add, Warn warn, Times times)
    : settings_(std::move(settings)), add_(std::move(add)), warn_(std::move(warn)), times_(times) {
  const Result<Curl>& curl = Curl::get();
  if (!curl.is_ok()) {
    this->warn("the API is not used, because " + curl.status().message());
    return;
  }
  thread_ = std::thread([this, &curl] { run(curl.value()); });
}

Watcher::~Watcher() {
  closing_.close();
  if (thread_.joinable()) thread_.join();
}

void Watcher::run(const Curl& curl) {
  // Signals are for the program's own threads, and writing to a closed connection must not end it.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const Api api(curl, settings_, times_, closing_);
  const std::string node = find_node(api);
  std::deque<Follower> followers;
  // The first lists come one after another: a pod needs its services.
  for (const Resource& resource : all_resources())
    followers.emplace_back(resource, node, api, *this).begin();
  std::vector<std::thread> threads;
  for (Follower& follower : followers) threads.emplace_back([&follower] { follower.follow(); });
  for (std::thread& thread : threads) thread.join();
}

std::string Watcher::find_node(const Api& api) {
  if (!settings_.node.empty()) return settings_.node;
  const std::string& machine = settings_.machine;
  if (!settings_.self) return machine;
  const std::string path = "/api/v1/namespaces/" + percent_encoded(settings_.self->namespace_) +
                           "/pods/" + percent_encoded(settings_.self->name);
  std::string body;
  Outcome failure = api.get(path, body);
  if (!failure) {
    const auto pod = json::parse(body);
    if (pod.is_ok()) {
      const std::string_view node = text_of(find_in(pod.value(), "spec", "nodeName"));
      return node.empty() ? machine : std::string(node);
    }
    failure = Failure{kNoJson};
  }
  // In the network of the node, a pod has the name of the node.
  if (failure->status != kHttpNotFound)
    warn(failure->message + "; assuming that the node is " + machine);
  return machine;
}

void Watcher::add(const std::string& json) {
  const std::lock_guard lock(mutex_);
  if (!closing_.is_closed()) add_(json);
}

void Watcher::warn(const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (closing_.is_closed() || known_problems_.size() >= kMaxProblems) return;
  if (known_problems_.insert(message).second) warn_("Kubernetes: " + message);
}

}  // namespace sfkit::kubernetes
