// Fields of the thread's container and of its pod. The container's labels describe the pod.

#include <algorithm>
#include <string>
#include <string_view>

#include "base/glob.h"
#include "base/numbers.h"
#include "fields/fields.h"
#include "record_kinds.gen.h"
#include "state/values.h"

namespace sfkit::fields {
namespace {

using json::Value;
using state::ContainerInfo;

constexpr std::string_view kHost = "host";
constexpr size_t kShortId = 12;
// Limit of cached texts. Parsed, a description takes up to sixty times the memory of its text.
constexpr size_t kMaxDescriptionBytes = size_t{2} << 20;

std::string_view text_of(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value == nullptr ? std::string_view() : value->as_string();
}

const Value* label(const Value& description, std::string_view labels, std::string_view name) {
  const Value* all = description.find(labels);
  return all == nullptr ? nullptr : all->find(name);
}

FieldValue label_text(const Value& description, std::string_view name) {
  const Value* found = label(description, "labels", name);
  return found == nullptr ? FieldValue() : FieldValue::of_text(found->as_string());
}

std::string_view short_id(std::string_view id) {
  return id.substr(0, kShortId);
}

FieldValue flag(std::string_view key, const ContainerInfo& container, const Value& description) {
  if (!container.known) return {};
  const Value* value = description.find(key);
  return FieldValue::of(value != nullptr && value->as_bool(false));
}

// Whether the field is an empty text, not missing, on the host and in described containers without
// it.
bool has_text_always(Field field) {
  switch (field) {
    case Field::kContainerImage:
    case Field::kContainerImageId:
    case Field::kContainerImageRepository:
    case Field::kContainerImageTag:
    case Field::kContainerImageDigest:
    case Field::kContainerMounts:
    case Field::kContainerIp:
    case Field::kContainerCniJson:
    case Field::kContainerLabels:
    case Field::kK8sPodIp:
    case Field::kK8sPodCniJson:
    case Field::kK8sPodSandboxId:
    case Field::kK8sPodFullSandboxId:
    case Field::kK8sPodLabels: return true;
    default: return false;
  }
}

void append_label(const Value::Member& member, std::string& out) {
  if (!out.empty()) out += ", ";
  out += member.first;
  out += ':';
  out += member.second.as_string();
}

// The parts of REPOSITORY[:TAG][@DIGEST]. An unnamed image has a digest only.
struct ImageParts {
  std::string_view repository;
  std::string_view tag;
  std::string_view digest;
};

ImageParts parts_of(std::string_view image) {
  ImageParts parts;
  const size_t at = image.find('@');
  if (at != std::string_view::npos) parts.digest = image.substr(at + 1);
  const std::string_view name = image.substr(0, at);
  if (name.starts_with("sha256:")) return parts;
  const size_t slash = name.rfind('/');
  const size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  parts.repository = name.substr(0, colon);
  if (colon != std::string_view::npos) parts.tag = name.substr(colon + 1);
  return parts;
}

}  // namespace

const Value& FieldReader::description_of(uint32_t index, const ContainerInfo& container) {
  static const Value kNone;
  if (container.description.empty()) return kNone;
  Description& known = descriptions_[index];
  if (known.version == container.version) return known.value;
  described_bytes_ += container.description.size();
  if (described_bytes_ > kMaxDescriptionBytes) {
    descriptions_.clear();
    described_bytes_ = container.description.size();
  }
  auto parsed = json::parse(container.description);
  Description& made = descriptions_[index];
  made = {container.version, parsed.is_ok() ? std::move(parsed.value()) : Value()};
  return made.value;
}

FieldValue FieldReader::container_field(const FieldRef& field) {
  const uint32_t index =
      context_->thread != nullptr ? context_->thread->container : context_->container;
  if (context_->thread == nullptr && index == 0) return {};
  const ContainerInfo& container = engine_.containers().at(index);
  if (index == 0) {
    switch (field.field) {
      case Field::kContainerId:
      case Field::kContainerFullId:
      case Field::kContainerName:
      case Field::kContainerType: return FieldValue::of(kHost);
      case Field::kContainerPrivileged:
      case Field::kContainerHostPid:
      case Field::kContainerHostNetwork:
      case Field::kContainerHostIpc: return FieldValue::of(false);
      default:
        return has_text_always(field.field) ? FieldValue::of(std::string_view()) : FieldValue();
    }
  }
  const Value& description = description_of(index, container);
  const FieldValue value = container_value(field, container, description);
  const bool is_empty = container.known && value.is_missing() && has_text_always(field.field);
  return is_empty ? FieldValue::of(std::string_view()) : value;
}

FieldValue FieldReader::container_value(const FieldRef& field, const ContainerInfo& container,
                                        const Value& description) {
  // The image as described, without the tag that SysFlow appends.
  const std::string_view image = container.raw_image;
  switch (field.field) {
    case Field::kContainerId: return FieldValue::of_text(container.id);
    case Field::kContainerFullId: return FieldValue::of_text(text_of(description, "full_id"));
    case Field::kContainerName: return FieldValue::of_text(container.name);
    case Field::kContainerImage: return FieldValue::of_text(image);
    case Field::kContainerImageId: return FieldValue::of_text(container.imageid);
    case Field::kContainerImageRepository: {
      const std::string_view repository = text_of(description, "imagerepo");
      if (!repository.empty()) return FieldValue::of(repository);
      return FieldValue::of_text(parts_of(image).repository);
    }
    case Field::kContainerImageTag: {
      if (const std::string_view tag = text_of(description, "imagetag"); !tag.empty())
        return FieldValue::of(tag);
      return FieldValue::of_text(parts_of(image).tag);
    }
    case Field::kContainerImageDigest: {
      const std::string_view digest = text_of(description, "imagedigest");
      return FieldValue::of_text(digest.empty() ? parts_of(image).digest : digest);
    }
    case Field::kContainerType:
      if (!container.known) return {};
      return container.type >= 0 &&
                     container.type < static_cast<int32_t>(std::size(kContainerKindNames))
                 ? FieldValue::of(kContainerKindNames[container.type])
                 : FieldValue();
    case Field::kContainerPrivileged:
      return container.known ? FieldValue::of(container.privileged) : FieldValue();
    case Field::kContainerHostPid: return flag("host_pid", container, description);
    case Field::kContainerHostNetwork: return flag("host_network", container, description);
    case Field::kContainerHostIpc: return flag("host_ipc", container, description);
    case Field::kContainerLabel: {
      const Value* found = label(description, "labels", field.argument);
      return found == nullptr ? FieldValue() : FieldValue::of(found->as_string());
    }
    case Field::kContainerLabels: return container_labels(description);
    case Field::kContainerMounts:
    case Field::kContainerMount:
    case Field::kContainerMountSource:
    case Field::kContainerMountDest:
    case Field::kContainerMountMode:
    case Field::kContainerMountRdwr:
    case Field::kContainerMountPropagation: return mount(field, description);
    case Field::kContainerHealthcheck: return health_probe("Healthcheck", description);
    case Field::kContainerLivenessProbe: return health_probe("LivenessProbe", description);
    case Field::kContainerReadinessProbe: return health_probe("ReadinessProbe", description);
    case Field::kContainerStartTs:
    case Field::kContainerDuration: {
      const uint64_t start = context_->thread == nullptr ? 0 : context_->thread->pidns_start_ts;
      if (start == 0) return {};
      const uint64_t now = context_->event->ts;
      return FieldValue::of(field.field == Field::kContainerStartTs ? start
                            : now > start                           ? now - start
                                                                    : 0);
    }
    case Field::kContainerIp:
    case Field::kK8sPodIp: return FieldValue::of_text(text_of(description, "ip"));
    case Field::kContainerCniJson:
    case Field::kK8sPodCniJson: return FieldValue::of_text(text_of(description, "cni_json"));
    case Field::kK8sNsName: return label_text(description, "io.kubernetes.pod.namespace");
    case Field::kK8sPodName: return label_text(description, "io.kubernetes.pod.name");
    case Field::kK8sPodId:
    case Field::kK8sPodUid: return label_text(description, "io.kubernetes.pod.uid");
    case Field::kK8sPodSandboxId:
      return FieldValue::of_text(short_id(text_of(description, "pod_sandbox_id")));
    case Field::kK8sPodFullSandboxId:
      return FieldValue::of_text(text_of(description, "pod_sandbox_id"));
    default: return pod_labels(field, description);
  }
}

FieldValue FieldReader::pod_labels(const FieldRef& field, const Value& description) {
  // Only containers of pods have pod labels.
  const bool of_pod = label(description, "labels", "io.kubernetes.pod.name") != nullptr;
  if (!of_pod) return {};
  const bool is_sandbox = [&] {
    const Value* value = description.find("is_pod_sandbox");
    return value != nullptr && value->as_bool(false);
  }();
  const std::string_view key = is_sandbox ? "labels" : "pod_sandbox_labels";
  if (field.field == Field::kK8sPodLabel) {
    const Value* found = label(description, key, field.argument);
    return found == nullptr ? FieldValue() : FieldValue::of(found->as_string());
  }
  text_.clear();
  if (const Value* all = description.find(key)) {
    for (const Value::Member& member : all->members()) append_label(member, text_);
  }
  return FieldValue::of_text(text_);
}

FieldValue FieldReader::container_labels(const Value& description) {
  text_.clear();
  if (const Value* all = description.find("labels")) {
    for (const Value::Member& member : all->members()) {
      const std::string_view name = member.first;
      if (!name.starts_with("annotation.") && !name.starts_with("io.kubernetes."))
        append_label(member, text_);
    }
  }
  return FieldValue::of_text(text_);
}

FieldValue FieldReader::mount(const FieldRef& field, const Value& description) {
  const Value* mounts = description.find("Mounts");
  if (mounts == nullptr) return {};
  const auto append = [this](const Value& entry) {
    text_ += text_of(entry, "Source");
    text_ += ':';
    text_ += text_of(entry, "Destination");
    text_ += ':';
    text_ += text_of(entry, "Mode");
    const Value* writable = entry.find("RW");
    text_ += writable != nullptr && writable->as_bool(false) ? ":true:" : ":false:";
    text_ += text_of(entry, "Propagation");
  };
  text_.clear();
  if (field.field == Field::kContainerMounts) {
    for (const Value& entry : mounts->items()) {
      if (!text_.empty()) text_ += ',';
      append(entry);
    }
    return FieldValue::of_text(text_);
  }
  const Value* found = nullptr;
  const std::string_view key =
      field.field == Field::kContainerMountSource ? "Destination" : "Source";
  for (size_t i = 0; i < mounts->items().size(); ++i) {
    const Value& entry = mounts->items()[i];
    const bool fits = field.index_argument >= 0 ? static_cast<int>(i) == field.index_argument
                                                : glob_matches(field.argument, text_of(entry, key));
    if (!fits) continue;
    found = &entry;
    break;
  }
  if (found == nullptr) return {};
  switch (field.field) {
    case Field::kContainerMountSource: return FieldValue::of(text_of(*found, "Source"));
    case Field::kContainerMountDest: return FieldValue::of(text_of(*found, "Destination"));
    case Field::kContainerMountMode: return FieldValue::of(text_of(*found, "Mode"));
    case Field::kContainerMountPropagation: return FieldValue::of(text_of(*found, "Propagation"));
    case Field::kContainerMountRdwr: {
      const Value* writable = found->find("RW");
      return FieldValue::of(
          writable != nullptr && writable->as_bool(false) ? std::string_view("true") : "false");
    }
    default: append(*found); return FieldValue::of(text_);
  }
}

FieldValue FieldReader::health_probe(std::string_view key, const Value& description) {
  const Value* found = description.find(key);
  if (found == nullptr) return FieldValue::of(std::string_view("N/A"));
  const std::string_view exe = text_of(*found, "exe");
  if (exe.empty()) return FieldValue::of(std::string_view("NONE"));
  text_ = exe;
  if (const Value* arguments = found->find("args")) {
    for (const Value& argument : arguments->items()) {
      text_ += ' ';
      text_ += argument.as_string();
    }
  }
  return FieldValue::of(text_);
}

}  // namespace sfkit::fields
