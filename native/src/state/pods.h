// The pods and services of a capture: from the labels of containers, and from events with objects
// of the Kubernetes API (spec: scap-format, code 260).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/ip_text.h"
#include "base/json.h"
#include "base/memory_count.h"
#include "state/containers.h"

namespace sfkit::state {

// Sorted by name.
using Labels = std::vector<std::pair<std::string, std::string>>;

struct PodInfo {
  std::string uid;
  std::string name;
  std::string namespace_;
  std::string node_name;
  std::string static_uid;  // that the kubelet gave it, if it comes from a file of the node
  Labels labels;
  std::vector<IpAddress> host_addresses;
  std::vector<IpAddress> addresses;
  int64_t restarts = 0;
  // From the API, which knows more than the runtimes.
  bool is_listed = false;
  std::vector<std::string> containers;  // short ids; only of listed pods
  size_t bytes = 0;                     // share of PodTable::kMaxBytes
  uint64_t version = 0;                 // increases with every change; unique
};

struct ServicePortInfo {
  int32_t port = 0;
  int32_t target_port = 0;  // 0 if the service names it
  int32_t node_port = 0;
  std::string protocol;
  bool operator==(const ServicePortInfo&) const = default;
};

struct ServiceInfo {
  std::string uid;
  std::string name;
  std::string namespace_;
  Labels selector;  // selects the pods with these labels; if empty, none
  std::vector<ServicePortInfo> ports;
  std::vector<IpAddress> addresses;
  size_t bytes = 0;

  bool selects(const PodInfo& pod) const;
};

// What one event of the Kubernetes API said.
struct KubernetesChange {
  std::string_view kind;          // as in SysFlow, without prefix: PODS, SERVICES, ..., UNKNOWN
  std::string_view action;        // ADDED, MODIFIED, DELETED, ERROR, NONEXISTENT, UNKNOWN
  std::vector<std::string> pods;  // uids of pods that changed
  std::vector<std::string> containers;  // ids of containers that are now in another pod
};

class PodTable {
 public:
  // Maximum memory for objects of the API; further ones are ignored.
  static constexpr size_t kMaxBytes = size_t{64} << 20;
  // Maximum services in a record of a pod.
  static constexpr size_t kMaxServices = 256;

  // Takes an event of the API. Valid until the next call.
  const KubernetesChange& apply(std::string_view json);
  // Learns the pod of a container that a runtime described.
  void describe(const ContainerInfo& container);

  // The uid of the container's pod, "" if unknown. Valid until the next change.
  std::string_view pod_of(const ContainerInfo& container, const ContainerTable& containers) const;
  // nullptr if only the uid is known.
  const PodInfo* find(std::string_view uid) const;
  std::vector<const ServiceInfo*> services_of(const PodInfo& pod);
  // Pays for writing a changed pod again. Returns whether the events so far are long enough: a
  // short event must not cause unlimited output.
  bool afford(size_t bytes) { return spend(bytes); }

  // Changes with every pod, service and membership of a container.
  uint64_t version() const { return version_; }
  // Lowers the limit of kMaxBytes.
  void limit(uint64_t bytes) { max_bytes_ = std::min<uint64_t>(kMaxBytes, bytes); }
  // Objects past that limit, and changes that spend() did not permit.
  uint64_t left_out() const { return left_out_; }

  // Whether the caller should call forget().
  bool is_crowded() const {
    return pods_.size() >= forget_threshold_ || bytes_ >= forget_at_bytes_;
  }
  // Forgets pods that the API does not list and that none of the containers is in.
  void forget(const ContainerTable& containers);
  // Changes whenever pods are forgotten.
  uint32_t generation() const { return generation_; }
  void clear();

 private:
  static constexpr size_t kMinForgetThreshold = 1024;
  static constexpr size_t kMinForgetBytes = size_t{8} << 20;
  // Work is paid with the bytes of events, so that it stays linear in the input. One service
  // compared with one pod costs kCostOfCompare.
  static constexpr uint64_t kFreeWork = uint64_t{16} << 20;
  static constexpr uint64_t kWorkPerByte = 64;
  static constexpr uint64_t kCostOfCompare = 16;

  struct Namespace {
    std::map<std::string, const PodInfo*> pods;  // listed ones
    std::map<std::string, ServiceInfo> services;
    bool is_empty() const { return pods.empty() && services.empty(); }
  };

  bool spend(uint64_t cost);
  bool reserve(size_t old_bytes, size_t new_bytes);
  void touch(PodInfo& pod) { pod.version = version_ = ++versions_; }
  void take_pod(const json::Value& item, bool deleted);
  void take_service(const json::Value& item, bool deleted);
  void fill(PodInfo& pod, const json::Value& item);
  void set_containers(PodInfo& pod, std::vector<std::string> containers);
  void unlist(PodInfo& pod);
  void leave_namespace(const PodInfo& pod);
  void remove_service(const std::string& place_name, const std::string& uid);
  void mark_selected(const Namespace& place, const ServiceInfo& service);

  std::unordered_map<std::string, PodInfo, TextHash, std::equal_to<>> pods_;
  std::map<std::string, Namespace, std::less<>> namespaces_;
  // Uids of pods, by short id of a container.
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> by_container_;
  // Uids of pods, by the static uid.
  std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> by_static_uid_;
  KubernetesChange change_;
  size_t bytes_ = 0;
  size_t max_bytes_ = kMaxBytes;
  CountedBytes cost_;  // always `bytes_`
  uint64_t work_ = kFreeWork;
  uint64_t left_out_ = 0;
  uint64_t versions_ = 0;
  uint64_t version_ = 0;
  size_t forget_threshold_ = kMinForgetThreshold;
  size_t forget_at_bytes_ = kMinForgetBytes;
  uint32_t generation_ = 0;
};

}  // namespace sfkit::state
