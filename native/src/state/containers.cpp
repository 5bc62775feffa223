#include "state/containers.h"

#include <algorithm>

#include "base/escape.h"
#include "base/json.h"
#include "state/cgroups.h"

namespace sfkit::state {
namespace {

constexpr size_t kMaxContainerJson = size_t{1} << 20;  // bytes
constexpr std::string_view kPodUidLabel = "io.kubernetes.pod.uid";

// Some runtimes include the tag in the image, or a digest, which is more specific than the tag.
std::string join_image(std::string_view image, std::string_view tag, bool compat) {
  std::string text(image);
  const bool has_tag = !tag.empty() && image.size() > tag.size() &&
                       image.substr(image.size() - tag.size()) == tag &&
                       image[image.size() - tag.size() - 1] == ':';
  const bool needs_tag =
      !has_tag && !tag.empty() && !image.empty() && image.find('@') == std::string_view::npos;
  if (!needs_tag && !compat) return text;
  text += ':';
  text += tag;
  return text;
}

// Description members that fields show.
constexpr std::string_view kShownMembers[] = {"full_id",
                                              "imagerepo",
                                              "imagetag",
                                              "imagedigest",
                                              "ip",
                                              "cni_json",
                                              "pod_sandbox_id",
                                              "Mounts",
                                              "Healthcheck",
                                              "LivenessProbe",
                                              "ReadinessProbe",
                                              "labels",
                                              "pod_sandbox_labels",
                                              "is_pod_sandbox",
                                              "host_pid",
                                              "host_network",
                                              "host_ipc"};

bool is_shown(std::string_view member) {
  return std::find(std::begin(kShownMembers), std::end(kShownMembers), member) !=
         std::end(kShownMembers);
}

// The text of a JSON string, "" for other values.
std::string text_of(std::string_view json) {
  if (!json.starts_with('"')) return {};
  const auto parsed = json::parse(json);
  std::string text(parsed.is_ok() ? parsed.value().as_string() : std::string_view());
  if (text.size() > kMaxContainerText) text.resize(kMaxContainerText);
  return text;
}

// A JSON number or boolean.
json::Value scalar_of(std::string_view json) {
  if (json.starts_with('{') || json.starts_with('[')) return {};
  auto parsed = json::parse(json);
  return parsed.is_ok() ? std::move(parsed.value()) : json::Value();
}

// A label of a JSON object of labels, "" if it is missing.
std::string label_of(std::string_view labels, std::string_view name) {
  std::string found;
  const Status status =
      json::each_member(labels, [&](std::string_view key, std::string_view value) {
        if (key == name) found = text_of(value);
      });
  return status.is_ok() ? found : std::string();
}

// Adds a member to the text of a JSON object. The name must need no escapes.
void add_member(std::string& object, std::string_view name, std::string_view value) {
  if (object.size() + name.size() + value.size() + 5 > kMaxDescription) return;
  object += object.empty() ? "{\"" : ",\"";
  object.append(name).append("\":").append(value);
}

}  // namespace

std::string labels_of(const ContainerInfo& info, std::string_view member) {
  std::string labels;
  const auto take = [&](std::string_view name, std::string_view value) {
    if (name != member) return;
    const auto parsed = json::parse(value);
    if (!parsed.is_ok() || parsed.value().members().empty()) return;
    labels = "{";
    for (const auto& [key, label] : parsed.value().members()) {
      if (!label.is_string()) continue;
      if (labels.size() > 1) labels += ',';
      append_json_string(labels, key);
      labels += ':';
      append_json_string(labels, label.as_string());
    }
    labels += '}';
  };
  if (info.description.empty() || !json::each_member(info.description, take).is_ok()) return {};
  return labels;
}

uint32_t ContainerTable::intern(std::string_view id, int32_t type) {
  if (id.empty()) return 0;
  if (const auto found = index_.find(id); found != index_.end()) return found->second;
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(containers_.size());
    containers_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  containers_[index].id = id;
  containers_[index].type = type;
  containers_[index].sequence = seen_++;
  index_.emplace(id, index);
  return index;
}

std::vector<uint32_t> ContainerTable::forget(const std::vector<bool>& in_use) {
  std::vector<uint32_t> forgotten;
  for (uint32_t index = 1; index < containers_.size(); ++index) {
    ContainerInfo& info = containers_[index];
    if (info.id.empty() || in_use[index] || info.sequence + kRecent >= seen_) continue;
    index_.erase(index_.find(info.id.view()));
    info = ContainerInfo();
    forgotten.push_back(index);
  }
  free_.insert(free_.end(), forgotten.begin(), forgotten.end());
  // If most are in use, the next attempt waits until the table has doubled.
  forget_threshold_ = std::max(kMinForgetThreshold, 2 * index_.size());
  if (!forgotten.empty()) ++generation_;
  return forgotten;
}

uint32_t ContainerTable::add_json(std::string_view json, bool compat) {
  if (json.size() > kMaxContainerJson) return 0;
  std::string_view container = json.substr(0, json.find('\0'));
  std::string_view inner;
  const auto find_inner = [&inner](std::string_view name, std::string_view value) {
    if (name == "container") inner = value;
  };
  if (!json::each_member(container, find_inner).is_ok()) return 0;
  if (!inner.empty()) container = inner;

  std::string id, name, image, tag, imageid, description, sandbox, pod_uid, sandbox_pod_uid;
  int64_t type = kContainerDocker;
  bool privileged = false;
  const Status status =
      json::each_member(container, [&](std::string_view key, std::string_view value) {
        if (key == "id") id = text_of(value);
        if (key == "name") name = text_of(value);
        if (key == "image") image = text_of(value);
        if (key == "imagetag") tag = text_of(value);
        if (key == "imageid") imageid = text_of(value);
        if (key == "type") type = scalar_of(value).as_int(kContainerDocker);
        if (key == "privileged") privileged = scalar_of(value).as_bool(false);
        if (key == "pod_sandbox_id") sandbox = text_of(value);
        if (key == "labels") pod_uid = label_of(value, kPodUidLabel);
        if (key == "pod_sandbox_labels") sandbox_pod_uid = label_of(value, kPodUidLabel);
        if (is_shown(key)) add_member(description, key, value);
      });
  if (!status.is_ok() || id.empty()) return 0;
  if (!description.empty()) description += '}';
  const uint32_t index = intern(id);
  ContainerInfo& info = containers_[index];
  info.known = true;
  info.name = std::move(name);
  info.image = join_image(image, tag, compat);
  info.raw_image = std::move(image);
  info.imageid = std::move(imageid);
  info.type = static_cast<int32_t>(type);
  info.privileged = privileged;
  info.pod_uid = pod_uid.empty() ? std::move(sandbox_pod_uid) : std::move(pod_uid);
  info.pod_sandbox = sandbox.substr(0, kShortId);
  description.shrink_to_fit();
  info.description = std::move(description);
  info.version = ++versions_;
  info.count_texts();
  return index;
}

uint32_t ContainerTable::add(std::string_view id, int32_t type, std::string_view name,
                             std::string_view image, bool compat) {
  if (id.empty()) return 0;
  const uint32_t index = intern(id);
  ContainerInfo& info = containers_[index];
  info.known = true;
  info.name = name;
  info.raw_image = image;
  info.image = join_image(image, "", compat);
  info.type = type;
  info.version = ++versions_;
  info.count_texts();
  return index;
}

void ContainerTable::clear() {
  if (containers_.size() > 1) ++generation_;
  containers_.clear();
  free_.clear();
  index_.clear();
  seen_ = 0;
  containers_.emplace_back();
}

}  // namespace sfkit::state
