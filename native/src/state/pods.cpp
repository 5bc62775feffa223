#include "state/pods.h"

#include <algorithm>

#include "state/cgroups.h"

namespace sfkit::state {
namespace {

using json::Value;

constexpr size_t kMaxText = 1024;        // longer than any name in Kubernetes
constexpr size_t kMaxAddresses = 16;     // of a pod or service
constexpr size_t kMaxPorts = 128;        // of a service
constexpr size_t kMaxContainers = 1024;  // of a pod
constexpr size_t kObjectBytes = 512;     // memory of an object without its texts

constexpr std::string_view kNameLabel = "io.kubernetes.pod.name";
constexpr std::string_view kNamespaceLabel = "io.kubernetes.pod.namespace";
// Labels that kubelet and dockershim add for themselves.
constexpr std::string_view kOwnPrefixes[] = {"io.kubernetes.", "annotation."};

constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"Node", "NODES"},
    {"Namespace", "NAMESPACES"},
    {"Pod", "PODS"},
    {"ReplicationController", "REPLICATIONCONTROLLERS"},
    {"Service", "SERVICES"},
    {"Event", "EVENTS"},
    {"EventList", "EVENTS"},
    {"ReplicaSet", "REPLICASETS"},
    {"DaemonSet", "DAEMONSETS"},
    {"Deployment", "DEPLOYMENTS"},
};
constexpr std::string_view kActions[] = {"ADDED", "MODIFIED", "DELETED", "ERROR", "NONEXISTENT"};
constexpr std::string_view kUnknown = "UNKNOWN";

std::string_view kind_of(std::string_view text) {
  for (const auto& [name, kind] : kKinds) {
    if (text == name) return kind;
  }
  return kUnknown;
}

std::string_view action_of(std::string_view text) {
  const auto found = std::find(std::begin(kActions), std::end(kActions), text);
  return found == std::end(kActions) ? kUnknown : *found;
}

std::string cut(std::string_view text) {
  return std::string(text.substr(0, kMaxText));
}

// A member of an object of the API. Captures have such objects in a short form with few members,
// the oldest ones in the form of the API, with sections.
const Value* member(const Value& object, std::string_view section, std::string_view name) {
  const Value* found = object.find(name);
  if (found != nullptr && !found->is_null()) return found;
  const Value* const part = object.find(section);
  return part == nullptr ? nullptr : part->find(name);
}

std::string text(const Value& object, std::string_view section, std::string_view name) {
  const Value* const found = member(object, section, name);
  return found == nullptr ? std::string() : cut(found->as_string());
}

Labels labels(const Value* object) {
  Labels result;
  if (object == nullptr) return result;
  for (const auto& [name, value] : object->members()) {
    if (value.is_string()) result.emplace_back(name, value.as_string());
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Of repeated members, the last counts.
  const auto end = std::unique(result.rbegin(), result.rend(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
  result.erase(result.begin(), end.base());
  return result;
}

const std::string* find_label(const Labels& list, std::string_view name) {
  const auto found =
      std::lower_bound(list.begin(), list.end(), name,
                       [](const auto& entry, std::string_view text) { return entry.first < text; });
  return found == list.end() || found->first != name ? nullptr : &found->second;
}

std::string label_or_empty(const Labels& list, std::string_view name) {
  const std::string* const found = find_label(list, name);
  return found == nullptr ? std::string() : cut(*found);
}

void add_address(std::vector<IpAddress>& to, std::string_view text) {
  if (to.size() >= kMaxAddresses) return;
  if (const auto address = parse_ip(text)) to.push_back(*address);
}

// The addresses in `many`, a list of texts or of objects with `ip`, else the one in `single`.
std::vector<IpAddress> addresses(const Value* many, const Value* single) {
  std::vector<IpAddress> result;
  if (many != nullptr) {
    for (const Value& item : many->items()) {
      const Value* const inner = item.find("ip");
      add_address(result, inner == nullptr ? item.as_string() : inner->as_string());
    }
  }
  if (result.empty() && single != nullptr) add_address(result, single->as_string());
  return result;
}

int32_t port_number(const Value* value) {
  constexpr int64_t kMaxPort = 65535;
  const int64_t number = value == nullptr ? 0 : value->as_int();
  return static_cast<int32_t>(std::clamp<int64_t>(number, 0, kMaxPort));
}

std::vector<ServicePortInfo> ports(const Value* list) {
  std::vector<ServicePortInfo> result;
  if (list == nullptr) return result;
  for (const Value& item : list->items()) {
    if (result.size() >= kMaxPorts) break;
    result.push_back({port_number(item.find("port")), port_number(item.find("targetPort")),
                      port_number(item.find("nodePort")), text(item, "", "protocol")});
  }
  return result;
}

// "containerd://1234..." names the container 1234...
void add_container(std::vector<std::string>& to, const Value* status) {
  const Value* const id = status == nullptr ? nullptr : status->find("containerID");
  if (id == nullptr || to.size() >= kMaxContainers) return;
  std::string_view name = id->as_string();
  if (const size_t scheme = name.find("://"); scheme != std::string_view::npos)
    name.remove_prefix(scheme + 3);
  if (!name.empty()) to.emplace_back(name.substr(0, kShortId));
}

size_t bytes_of(const Labels& list) {
  size_t bytes = 0;
  for (const auto& [name, value] : list) bytes += name.size() + value.size() + 64;
  return bytes;
}

size_t bytes_of(const PodInfo& pod) {
  constexpr size_t kContainerBytes = 160;
  return kObjectBytes + 2 * pod.uid.size() + 3 * pod.static_uid.size() + pod.name.size() +
         2 * pod.namespace_.size() + pod.node_name.size() + bytes_of(pod.labels) +
         kContainerBytes * pod.containers.size();
}

size_t bytes_of(const ServiceInfo& service) {
  return kObjectBytes + 2 * service.uid.size() + service.name.size() +
         2 * service.namespace_.size() + bytes_of(service.selector) +
         service.ports.size() * sizeof(ServicePortInfo);
}

bool same_facts(const PodInfo& a, const PodInfo& b) {
  return a.name == b.name && a.namespace_ == b.namespace_ && a.node_name == b.node_name &&
         a.labels == b.labels && a.restarts == b.restarts && a.is_listed == b.is_listed &&
         a.addresses == b.addresses && a.host_addresses == b.host_addresses;
}

bool same_facts(const ServiceInfo& a, const ServiceInfo& b) {
  return a.name == b.name && a.selector == b.selector && a.addresses == b.addresses &&
         a.ports == b.ports;
}

}  // namespace

bool ServiceInfo::selects(const PodInfo& pod) const {
  if (selector.empty()) return false;
  return std::all_of(selector.begin(), selector.end(), [&pod](const auto& wanted) {
    const std::string* const value = find_label(pod.labels, wanted.first);
    return value != nullptr && *value == wanted.second;
  });
}

bool PodTable::spend(uint64_t cost) {
  if (work_ < cost) {
    ++left_out_;
    return false;
  }
  work_ -= cost;
  return true;
}

// Makes room for an object that replaces one of `old_bytes`.
bool PodTable::reserve(size_t old_bytes, size_t new_bytes) {
  if (bytes_ - old_bytes + new_bytes > max_bytes_) {
    ++left_out_;
    return false;
  }
  bytes_ = bytes_ - old_bytes + new_bytes;
  cost_.set(bytes_);
  return true;
}

const KubernetesChange& PodTable::apply(std::string_view json) {
  change_ = {kUnknown, kUnknown, {}, {}};
  work_ += kWorkPerByte * json.size();
  const auto parsed = json::parse(json);
  if (!parsed.is_ok()) return change_;
  const Value& root = parsed.value();
  const Value* const object = root.find("object");
  const Value* kind = root.find("kind");
  if (kind == nullptr && object != nullptr) kind = object->find("kind");
  if (kind != nullptr) change_.kind = kind_of(kind->as_string());
  if (const Value* const type = root.find("type")) change_.action = action_of(type->as_string());
  const bool deleted = change_.action == "DELETED";
  if (!deleted && change_.action != "ADDED" && change_.action != "MODIFIED") return change_;
  const auto take = [&](const Value& item) {
    if (change_.kind == "PODS") take_pod(item, deleted);
    if (change_.kind == "SERVICES") take_service(item, deleted);
  };
  if (object != nullptr) take(*object);
  if (const Value* const items = root.find("items")) {
    for (const Value& item : items->items()) take(item);
  }
  return change_;
}

void PodTable::take_pod(const Value& item, bool deleted) {
  const std::string uid = text(item, "metadata", "uid");
  if (uid.empty()) return;
  if (deleted) {
    if (const auto found = pods_.find(uid); found != pods_.end() && found->second.is_listed)
      unlist(found->second);
    return;
  }
  const auto [entry, is_new] = pods_.try_emplace(uid);
  PodInfo& pod = entry->second;
  PodInfo filled;
  filled.uid = uid;
  fill(filled, item);
  filled.bytes = bytes_of(filled);
  if (!reserve(pod.bytes, filled.bytes)) {
    if (is_new) pods_.erase(entry);
    return;
  }
  if (pod.is_listed && pod.namespace_ != filled.namespace_) leave_namespace(pod);
  const bool changed = !same_facts(pod, filled);
  if (pod.static_uid != filled.static_uid) {
    by_static_uid_.erase(pod.static_uid);
    if (!filled.static_uid.empty()) by_static_uid_[filled.static_uid] = uid;
    version_ = ++versions_;
  }
  std::vector<std::string> now_in_it = std::move(filled.containers);
  filled.containers = std::move(pod.containers);
  filled.version = pod.version;
  pod = std::move(filled);
  namespaces_[pod.namespace_].pods[uid] = &pod;
  set_containers(pod, std::move(now_in_it));
  if (!changed) return;
  touch(pod);
  change_.pods.push_back(uid);
}

void PodTable::fill(PodInfo& pod, const Value& item) {
  pod.is_listed = true;
  pod.name = text(item, "metadata", "name");
  pod.namespace_ = text(item, "metadata", "namespace");
  pod.node_name = text(item, "spec", "nodeName");
  pod.static_uid = text(item, "", "staticUid");
  pod.labels = labels(member(item, "metadata", "labels"));
  pod.host_addresses =
      addresses(member(item, "status", "hostIPs"), member(item, "status", "hostIP"));
  pod.addresses = addresses(member(item, "status", "podIPs"), member(item, "status", "podIP"));
  for (const std::string_view list :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    const Value* const statuses = member(item, "status", list);
    if (statuses == nullptr) continue;
    for (const Value& status : statuses->items()) {
      add_container(pod.containers, &status);
      // Processes of the previous container may still have flows.
      if (const Value* const last = status.find("lastState"))
        add_container(pod.containers, last->find("terminated"));
      const Value* const restarts = status.find("restartCount");
      if (list == "containerStatuses" && restarts != nullptr)
        pod.restarts += std::clamp<int64_t>(restarts->as_int(), 0, INT32_MAX);
    }
  }
  std::sort(pod.containers.begin(), pod.containers.end());
  pod.containers.erase(std::unique(pod.containers.begin(), pod.containers.end()),
                       pod.containers.end());
}

void PodTable::set_containers(PodInfo& pod, std::vector<std::string> containers) {
  for (const std::string& id : pod.containers) {
    if (std::binary_search(containers.begin(), containers.end(), id)) continue;
    if (const auto found = by_container_.find(id);
        found != by_container_.end() && found->second == pod.uid) {
      by_container_.erase(found);
    }
  }
  for (const std::string& id : containers) {
    std::string& uid = by_container_[id];
    if (uid == pod.uid) continue;
    uid = pod.uid;
    version_ = ++versions_;
    change_.containers.push_back(id);
  }
  pod.containers = std::move(containers);
}

// The pod stays as long as containers refer to it.
void PodTable::unlist(PodInfo& pod) {
  leave_namespace(pod);
  pod.is_listed = false;
}

void PodTable::leave_namespace(const PodInfo& pod) {
  const auto place = namespaces_.find(pod.namespace_);
  if (place == namespaces_.end()) return;
  place->second.pods.erase(pod.uid);
  if (place->second.is_empty()) namespaces_.erase(place);
}

void PodTable::take_service(const Value& item, bool deleted) {
  const std::string uid = text(item, "metadata", "uid");
  const std::string place_name = text(item, "metadata", "namespace");
  if (uid.empty()) return;
  if (deleted) return remove_service(place_name, uid);
  ServiceInfo service;
  service.uid = uid;
  service.name = text(item, "metadata", "name");
  service.namespace_ = place_name;
  service.selector = labels(member(item, "spec", "selector"));
  service.ports = ports(member(item, "spec", "ports"));
  service.addresses =
      addresses(member(item, "spec", "clusterIPs"), member(item, "spec", "clusterIP"));
  service.bytes = bytes_of(service);
  Namespace& place = namespaces_[place_name];
  const auto found = place.services.find(uid);
  if (found != place.services.end() && same_facts(found->second, service)) return;
  if (!reserve(found == place.services.end() ? 0 : found->second.bytes, service.bytes)) {
    if (place.is_empty()) namespaces_.erase(place_name);
    return;
  }
  if (found != place.services.end() && found->second.selector != service.selector)
    mark_selected(place, found->second);
  ServiceInfo& kept = place.services[uid];
  kept = std::move(service);
  mark_selected(place, kept);
}

void PodTable::remove_service(const std::string& place_name, const std::string& uid) {
  const auto place = namespaces_.find(place_name);
  if (place == namespaces_.end()) return;
  const auto found = place->second.services.find(uid);
  if (found == place->second.services.end()) return;
  mark_selected(place->second, found->second);
  bytes_ -= found->second.bytes;
  cost_.set(bytes_);
  place->second.services.erase(found);
  if (place->second.is_empty()) namespaces_.erase(place);
}

// The records of the pods that the service selects change.
void PodTable::mark_selected(const Namespace& place, const ServiceInfo& service) {
  if (service.selector.empty() || !spend(kCostOfCompare * place.pods.size())) return;
  for (const auto& [uid, pod] : place.pods) {
    if (!service.selects(*pod)) continue;
    touch(pods_.find(uid)->second);
    change_.pods.push_back(uid);
  }
}

std::vector<const ServiceInfo*> PodTable::services_of(const PodInfo& pod) {
  std::vector<const ServiceInfo*> result;
  const auto place = namespaces_.find(pod.namespace_);
  if (!pod.is_listed || place == namespaces_.end()) return result;
  if (!spend(kCostOfCompare * place->second.services.size())) return result;
  for (const auto& [uid, service] : place->second.services) {
    if (!service.selects(pod)) continue;
    if (result.size() == kMaxServices) {
      ++left_out_;
      break;
    }
    result.push_back(&service);
  }
  return result;
}

void PodTable::describe(const ContainerInfo& container) {
  if (container.pod_uid.empty()) return;
  work_ += kWorkPerByte * container.description.size();
  const auto parsed = json::parse(container.description);
  if (!parsed.is_ok()) return;
  const Value& description = parsed.value();
  const Value* const is_sandbox = description.find("is_pod_sandbox");
  const bool is_pause = is_sandbox != nullptr && is_sandbox->as_bool();
  const Labels own = labels(description.find("labels"));
  const Labels of_pod = is_pause ? own : labels(description.find("pod_sandbox_labels"));
  const auto label = [&](std::string_view name) {
    std::string value = label_or_empty(own, name);
    return value.empty() ? label_or_empty(of_pod, name) : value;
  };
  PodInfo& pod = pods_[container.pod_uid];
  if (pod.is_listed) return;
  bool changed = pod.uid.empty();
  const auto set = [&changed](auto& to, auto&& value) {
    if (value.empty() || to == value) return;
    to = std::forward<decltype(value)>(value);
    changed = true;
  };
  set(pod.uid, container.pod_uid);
  set(pod.name, label(kNameLabel));
  set(pod.namespace_, label(kNamespaceLabel));
  Labels shown;
  for (const auto& entry : of_pod) {
    const bool is_own = std::any_of(
        std::begin(kOwnPrefixes), std::end(kOwnPrefixes),
        [&entry](std::string_view prefix) { return entry.first.rfind(prefix, 0) == 0; });
    if (!is_own) shown.push_back(entry);
  }
  set(pod.labels, std::move(shown));
  const auto known = addresses(nullptr, description.find("ip"));
  set(pod.addresses, known);
  const Value* const host = description.find("host_network");
  if (host != nullptr && host->as_bool()) set(pod.host_addresses, known);
  if (changed) touch(pod);
}

std::string_view PodTable::pod_of(const ContainerInfo& container,
                                  const ContainerTable& containers) const {
  if (const auto found = by_container_.find(container.id.view()); found != by_container_.end())
    return found->second;
  std::string_view uid = container.pod_uid;
  // The host, at index 0, is in no pod.
  if (uid.empty()) uid = containers.at(containers.index_of(container.pod_sandbox)).pod_uid;
  const auto found = by_static_uid_.find(uid);
  if (found != by_static_uid_.end() && find(found->second) != nullptr) return found->second;
  return uid;
}

const PodInfo* PodTable::find(std::string_view uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

void PodTable::forget(const ContainerTable& containers) {
  std::vector<std::string_view> used;
  for (uint32_t index = 1; index < containers.size(); ++index) {
    const std::string_view uid = pod_of(containers.at(index), containers);
    if (!uid.empty()) used.push_back(uid);
  }
  std::sort(used.begin(), used.end());
  const size_t before = pods_.size();
  for (auto at = pods_.begin(); at != pods_.end();) {
    const PodInfo& pod = at->second;
    if (pod.is_listed || std::binary_search(used.begin(), used.end(), std::string_view(pod.uid))) {
      ++at;
      continue;
    }
    bytes_ -= pod.bytes;
    at = pods_.erase(at);
  }
  const auto is_gone = [this](const auto& entry) { return find(entry.second) == nullptr; };
  std::erase_if(by_container_, is_gone);
  std::erase_if(by_static_uid_, is_gone);
  // If most are in use, the next attempt waits until the table has doubled.
  forget_threshold_ = std::max(kMinForgetThreshold, 2 * pods_.size());
  forget_at_bytes_ = std::max(kMinForgetBytes, 2 * bytes_);
  cost_.set(bytes_);
  if (pods_.size() != before) ++generation_;
}

void PodTable::clear() {
  if (!pods_.empty()) ++generation_;
  pods_.clear();
  namespaces_.clear();
  by_container_.clear();
  by_static_uid_.clear();
  bytes_ = 0;
  cost_.set(bytes_);
  version_ = ++versions_;
}

}  // namespace sfkit::state
