// The containers of a capture and their metadata (spec: scap-state, section 14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/memory_count.h"
#include "base/shared_text.h"

namespace sfkit::state {

// Container types as captures number them.
inline constexpr int32_t kContainerDocker = 0;

// Longer texts are truncated; description members past the limit are dropped.
inline constexpr size_t kMaxContainerText = 4096;
inline constexpr size_t kMaxDescription = size_t{64} << 10;

struct ContainerInfo {
  SharedText id;        // short form; "" for the host
  std::string cgroups;  // of one of its threads, as in the capture; "" when none was seen
  bool known = false;   // the capture describes it
  std::string name;
  std::string image;      // with tag
  std::string raw_image;  // from the runtime, with or without tag
  std::string imageid;
  int32_t type = kContainerDocker;
  bool privileged = false;
  uint64_t version = 0;  // increases with every description; unique
  size_t sequence = 0;   // number of containers seen before it
  // JSON object of the members that fields show (fields/container_fields.cpp); "" without any. Text
  // takes a fraction of the memory of a parsed tree.
  std::string description;
  std::string pod_uid;      // from its labels, "" outside Kubernetes
  std::string pod_sandbox;  // short id of the container that holds the pod's namespaces
  CountedBytes texts;
  [[no_unique_address]] Counted<1024> cost;
  // Call this after a change of the texts.
  void count_texts() {
    texts.set(cgroups.size() + name.size() + image.size() + raw_image.size() + description.size());
  }
};

// An object of labels in the description, as JSON with texts as values; "" if there is none.
std::string labels_of(const ContainerInfo& info, std::string_view member);

class ContainerTable {
 public:
  ContainerTable() { clear(); }

  // Returns the index of the container `id`, adding it if needed; 0 for "". `type` holds until the
  // container is described.
  uint32_t intern(std::string_view id, int32_t type = kContainerDocker);
  // Sets the cgroups from which the container was found.
  void set_cgroups(uint32_t index, std::string_view cgroups) {
    containers_[index].cgroups = cgroups;
    containers_[index].count_texts();
  }
  const ContainerInfo& at(uint32_t index) const { return containers_[index]; }
  // The index of the container, 0 if there is none.
  uint32_t index_of(std::string_view id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? 0 : found->second;
  }
  bool knows(std::string_view id) const { return index_.contains(id); }
  // Whether the capture describes the container.
  bool describes(std::string_view id) const {
    const auto found = index_.find(id);
    return found != index_.end() && containers_[found->second].known;
  }
  size_t size() const { return containers_.size(); }
  // Number of containers seen so far, without the host.
  size_t seen() const { return seen_; }

  // Whether the caller should call forget().
  bool is_crowded() const { return index_.size() >= forget_threshold_; }
  // Forgets containers that are neither in use (`in_use`, by index) nor recent. Returns their
  // indexes, which later containers reuse.
  std::vector<uint32_t> forget(const std::vector<bool>& in_use);
  // Changes whenever containers are forgotten.
  uint32_t generation() const { return generation_; }

  // Adds or updates a container from the JSON of a container event. Returns its index, 0 if the
  // JSON is unusable. The description keeps only members in use, at most kMaxDescription bytes.
  // `compat`: append the tag even if the image has one or the tag is empty.
  uint32_t add_json(std::string_view json, bool compat = false);
  // Adds or updates a container from the older event with four plain values.
  uint32_t add(std::string_view id, int32_t type, std::string_view name, std::string_view image,
               bool compat = false);

  void clear();

 private:
  static constexpr size_t kMinForgetThreshold = 4096;
  static constexpr size_t kRecent = 256;  // recent containers are never forgotten

  std::vector<ContainerInfo> containers_;
  std::vector<uint32_t> free_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> index_;
  size_t seen_ = 0;
  size_t forget_threshold_ = kMinForgetThreshold;
  uint32_t generation_ = 0;
  uint64_t versions_ = 0;
};

}  // namespace sfkit::state
