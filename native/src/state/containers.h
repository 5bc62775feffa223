// Containers: which one a cgroup path belongs to, and what is known of each (spec: scap-state, section 14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sfkit::state {

// Runtime kinds as files number them.
inline constexpr int32_t kContainerDocker = 0;

// Longer texts of a container are cut, further members of its description left out.
inline constexpr size_t kMaxContainerText = 4096;
inline constexpr size_t kMaxDescription = size_t{64} << 10;

struct ContainerInfo {
  std::string id;       // short form; "" for the host
  std::string cgroups;  // of a thread in it, as captures write them; "" when none was seen
  bool known = false;   // metadata has been seen
  std::string name;
  std::string image;          // with tag
  std::string image_as_told;  // by the runtime, with or without
  std::string imageid;
  int32_t type = kContainerDocker;
  bool privileged = false;
  uint64_t version = 0;  // changes with the metadata; no two descriptions have the same
  // The members of the capture's JSON that fields show (fields/container_fields.cpp), as a JSON object; ""
  // when the capture has none. As text it takes a fraction of the memory of a tree.
  std::string description;
};

// The container id in a thread's cgroups (`subsystem=path` strings, each ended by NUL): short form, or ""
// on the host. The view is into `cgroups`.
std::string_view container_id_of(std::string_view cgroups);

class ContainerTable {
 public:
  ContainerTable() { clear(); }

  // Index of the container `id`, made when it is new; 0 for "".
  uint32_t intern(std::string_view id);
  // Keeps the cgroups that led to the container.
  void set_cgroups(uint32_t index, std::string_view cgroups) { containers_[index].cgroups = cgroups; }
  const ContainerInfo& at(uint32_t index) const { return containers_[index]; }
  size_t size() const { return containers_.size(); }

  // Takes the JSON of a container event and returns the container's index; 0 when it cannot be used.
  // Of a description only what is in use is kept, and no more than kMaxDescription bytes.
  // `compat`: the tag is put behind the image even where the image ends in it.
  uint32_t add_json(std::string_view json, bool compat = false);
  // The early form, with four plain values.
  uint32_t add(std::string_view id, int32_t type, std::string_view name, std::string_view image);

  void clear();

 private:
  std::vector<ContainerInfo> containers_;
  std::unordered_map<std::string, uint32_t> index_;
  uint64_t versions_ = 0;
};

}  // namespace sfkit::state
