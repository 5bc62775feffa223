// What is known of each container (spec: scap-state, section 14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/shared_text.h"

namespace sfkit::state {

// Runtime kinds as files number them.
inline constexpr int32_t kContainerDocker = 0;

// Longer texts of a container are cut, further members of its description left out.
inline constexpr size_t kMaxContainerText = 4096;
inline constexpr size_t kMaxDescription = size_t{64} << 10;

struct ContainerInfo {
  SharedText id;        // short form; "" for the host
  std::string cgroups;  // of a thread in it, as captures write them; "" when none was seen
  bool known = false;   // metadata has been seen
  std::string name;
  std::string image;          // with tag
  std::string image_as_told;  // by the runtime, with or without
  std::string imageid;
  int32_t type = kContainerDocker;
  bool privileged = false;
  uint64_t version = 0;  // changes with the metadata; no two descriptions have the same
  size_t met = 0;        // how many were before
  // The members of the capture's JSON that fields show (fields/container_fields.cpp), as a JSON object; ""
  // when the capture has none. As text it takes a fraction of the memory of a tree.
  std::string description;
};

// An object of labels in the description, as JSON with texts as values; "" if there is none.
std::string labels_of(const ContainerInfo& info, std::string_view member);

class ContainerTable {
 public:
  ContainerTable() { clear(); }

  // Index of the container `id`, made when it is new; 0 for "". `type`: what it is until it is described.
  uint32_t intern(std::string_view id, int32_t type = kContainerDocker);
  // Keeps the cgroups that led to the container.
  void set_cgroups(uint32_t index, std::string_view cgroups) { containers_[index].cgroups = cgroups; }
  const ContainerInfo& at(uint32_t index) const { return containers_[index]; }
  bool knows(std::string_view id) const { return index_.contains(id); }
  // Whether the capture has more of the container than its id.
  bool describes(std::string_view id) const {
    const auto found = index_.find(id);
    return found != index_.end() && containers_[found->second].known;
  }
  size_t size() const { return containers_.size(); }
  // How many were met, the host not counted.
  size_t met() const { return met_; }

  // Whether there are so many that forget() should be called.
  bool is_crowded() const { return index_.size() >= most_; }
  // Forgets those that are not in use, by index, and were not met lately; their indexes are given to others.
  // Returns which those are.
  std::vector<uint32_t> forget(const std::vector<bool>& in_use);
  // Changes when containers were forgotten.
  uint32_t generation() const { return generation_; }

  // Takes the JSON of a container event and returns the container's index; 0 when it cannot be used.
  // Of a description only what is in use is kept, and no more than kMaxDescription bytes.
  // `compat`: the tag is put after the image even where the image ends in it, or there is none.
  uint32_t add_json(std::string_view json, bool compat = false);
  // The early form, with four plain values.
  uint32_t add(std::string_view id, int32_t type, std::string_view name, std::string_view image,
               bool compat = false);

  void clear();

 private:
  static constexpr size_t kMany = 4096;
  static constexpr size_t kLately = 256;  // those met last

  std::vector<ContainerInfo> containers_;
  std::vector<uint32_t> free_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> index_;
  size_t met_ = 0;
  size_t most_ = kMany;
  uint32_t generation_ = 0;
  uint64_t versions_ = 0;
};

}  // namespace sfkit::state
