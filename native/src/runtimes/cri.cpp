#include "runtimes/cri.h"

#include <utility>
#include <vector>

#include "base/json.h"
#include "runtimes/grpc.h"
#include "runtimes/protobuf.h"

namespace sfkit::runtimes {
namespace {

constexpr std::string_view kVersion = "/runtime.v1.RuntimeService/Version";
constexpr std::string_view kContainerStatus = "/runtime.v1.RuntimeService/ContainerStatus";
constexpr std::string_view kPodSandboxStatus = "/runtime.v1.RuntimeService/PodSandboxStatus";
constexpr int64_t kNanoseconds = 1'000'000'000;
// NamespaceMode
constexpr int64_t kOfNode = 2;
constexpr const char* kPropagations[] = {"private", "rslave", "rshared"};
// A request has its length in one byte.
constexpr size_t kMaxId = 100;

// The fields of runtime.v1 that sfkit uses. Each function takes the bytes of a message.

struct Entry {
  std::string_view key, value;
};

Entry map_entry(std::string_view message) {
  Entry entry;
  ProtoField field;
  for (ProtoReader reader(message); reader.next(field);) {
    if (field.number == 1) entry.key = field.bytes;
    if (field.number == 2) entry.value = field.bytes;
  }
  return entry;
}

void add_label(Labels& labels, std::string_view message) {
  const Entry entry = map_entry(message);
  if (is_label(entry.value)) labels[std::string(entry.key)] = entry.value;
}

// The bytes of the last field `number`.
std::string_view part(std::string_view message, uint32_t number) {
  std::string_view found;
  ProtoField field;
  for (ProtoReader reader(message); reader.next(field);) {
    if (field.number == number && field.is_bytes) found = field.bytes;
  }
  return found;
}

Mount mount_of(std::string_view message) {
  Mount mount;
  mount.writable = true;
  int64_t propagation = 0;
  ProtoField field;
  for (ProtoReader reader(message); reader.next(field);) {
    switch (field.number) {
      case 1: mount.destination = field.bytes; break;
      case 2: mount.source = field.bytes; break;
      case 3: mount.writable = field.value == 0; break;
      case 5: propagation = static_cast<int64_t>(field.value); break;
      default: break;
    }
  }
  mount.propagation = propagation >= 0 && propagation < 3
                          ? kPropagations[static_cast<size_t>(propagation)]
                          : "unknown";
  return mount;
}

Limits limits_of(std::string_view resources) {
  Limits limits;
  ProtoField field;
  for (ProtoReader reader(part(resources, 1)); reader.next(field);) {
    const auto value = static_cast<int64_t>(field.value);
    switch (field.number) {
      case 1: limits.cpu_period = value; break;
      case 2: limits.cpu_quota = value; break;
      case 3: limits.cpu_shares = value; break;
      case 4: limits.memory = value; break;
      default: break;
    }
  }
  if (limits.cpu_shares == 0) limits.cpu_shares = kUsualShares;
  if (limits.cpu_period == 0) limits.cpu_period = kUsualPeriod;
  return limits;
}

struct Sandbox {
  std::string id, name, uid, namespace_, ip;
  int64_t created = 0;
  Labels labels;
  bool host_network = false, host_pid = false, host_ipc = false;
};

Sandbox sandbox_of(std::string_view status) {
  Sandbox sandbox;
  ProtoField field;
  for (ProtoReader reader(status); reader.next(field);) {
    switch (field.number) {
      case 1: sandbox.id = field.bytes; break;
      case 2:
        sandbox.name = part(field.bytes, 1);
        sandbox.uid = part(field.bytes, 2);
        sandbox.namespace_ = part(field.bytes, 3);
        break;
      case 4: sandbox.created = static_cast<int64_t>(field.value); break;
      case 5: sandbox.ip = part(field.bytes, 1); break;
      case 6: {
        ProtoField option;
        for (ProtoReader options(part(part(field.bytes, 1), 2)); options.next(option);) {
          const bool is_of_node = static_cast<int64_t>(option.value) == kOfNode;
          if (option.number == 1) sandbox.host_network = is_of_node;
          if (option.number == 2) sandbox.host_pid = is_of_node;
          if (option.number == 3) sandbox.host_ipc = is_of_node;
        }
        break;
      }
      case 7: add_label(sandbox.labels, field.bytes); break;
      default: break;
    }
  }
  return sandbox;
}

int64_t seconds(int64_t nanoseconds) {
  return nanoseconds / kNanoseconds - (nanoseconds % kNanoseconds < 0 ? 1 : 0);
}

void describe_pod(const Sandbox& sandbox, Description& found) {
  const std::pair<const char*, const std::string&> names[] = {
      {"io.kubernetes.sandbox.id", sandbox.id},
      {"io.kubernetes.pod.name", sandbox.name},
      {"io.kubernetes.pod.namespace", sandbox.namespace_},
      {"io.kubernetes.pod.uid", sandbox.uid},
  };
  for (const auto& [label, value] : names) {
    if (!value.empty()) found.labels[label] = value;
  }
  found.pod_sandbox_id = sandbox.id;
  found.pod_sandbox_labels = sandbox.labels;
  found.ip = sandbox.ip;
  found.host_network = sandbox.host_network;
  found.host_pid = sandbox.host_pid;
  found.host_ipc = sandbox.host_ipc;
}

// Details of a runtime, as JSON. Any part can be missing or of another kind.
class Details {
 public:
  explicit Details(std::string_view answer) {
    std::string_view info;
    ProtoField field;
    for (ProtoReader reader(answer); reader.next(field);) {
      if (field.number != 2) continue;
      const Entry entry = map_entry(field.bytes);
      if (entry.key == "info") info = entry.value;
    }
    if (auto parsed = json::parse(info); parsed.is_ok()) root_ = std::move(parsed.value());
  }

  const json::Value& at(std::initializer_list<std::string_view> path) const {
    static const json::Value kNothing;
    const json::Value* value = &root_;
    for (const std::string_view name : path) {
      value = value->find(name);
      if (value == nullptr) return kNothing;
    }
    return *value;
  }
  std::string_view text(std::initializer_list<std::string_view> path) const {
    return at(path).as_string();
  }

 private:
  json::Value root_;
};

std::string first_filled(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (!text.empty()) return std::string(text);
  }
  return {};
}

void describe_container(std::string_view status, const Details& details, Description& found) {
  std::string_view named;
  std::string_view reference;
  std::string_view image_id;
  std::string_view resources;
  found.user = "";
  found.mounts.emplace();
  ProtoField field;
  for (ProtoReader reader(status); reader.next(field);) {
    switch (field.number) {
      case 1: found.full_id = field.bytes; break;
      case 2: found.name = part(field.bytes, 1); break;
      case 4: found.created_time = seconds(static_cast<int64_t>(field.value)); break;
      case 8: named = part(field.bytes, 1); break;
      case 9: reference = field.bytes; break;
      case 12: add_label(found.labels, field.bytes); break;
      case 14: found.mounts->push_back(mount_of(field.bytes)); break;
      case 16: resources = field.bytes; break;
      case 17: image_id = field.bytes; break;
      case 18: {
        ProtoField user;
        for (ProtoReader users(field.bytes); users.next(user);) {
          if (user.number != 1 || !user.is_bytes) continue;
          found.user = "0";
          ProtoField id;
          for (ProtoReader ids(user.bytes); ids.next(id);) {
            if (id.number == 1) found.user = std::to_string(static_cast<int64_t>(id.value));
          }
        }
        break;
      }
      default: break;
    }
  }
  const bool is_id = named.empty() || named.starts_with("sha256:");
  const auto annotation = [&details](std::string_view name) {
    return details.text({"runtimeSpec", "annotations", name});
  };
  found.image = is_id ? first_filled({annotation("io.kubernetes.cri.image-name"),
                                      annotation("io.kubernetes.cri-o.Image"),
                                      annotation("io.kubernetes.cri-o.ImageName"), named})
                      : std::string(named);
  const ImageName image = split_image(found.image);
  const std::string_view configured = details.text({"config", "image", "image"});
  found.imageid = without_algorithm(first_filled(
      {image_id, configured.starts_with("sha256:") ? configured : std::string_view()}));
  found.imagerepo = image.repo;
  found.imagetag = image.tag;
  found.imagedigest =
      reference.starts_with("sha256:") ? std::string(reference) : split_image(reference).digest;
  found.privileged = details.at({"config", "linux", "security_context", "privileged"}).as_bool() ||
                     details.at({"privileged"}).as_bool();
  found.limits = limits_of(resources);
}

int type_of(std::string_view version) {
  const std::string_view name = part(version, 2);
  if (name == "containerd") return kContainerd;
  return name == "cri-o" ? kCrio : kCri;
}

}  // namespace

Answer ask_cri(const std::string& socket, const std::string& id, const Patience& patience) {
  if (id.size() > kMaxId) return std::optional<Description>();
  Result<GrpcConnection> opened = GrpcConnection::open(socket, patience);
  if (!opened.is_ok()) return opened.status();
  GrpcConnection& connection = opened.value();
  const auto version = connection.call(kVersion, {}, patience);
  if (!version.is_ok()) return version.status();
  if (!version.value()) return Status(ErrorCode::kUnreadable, "no version");

  std::string request;
  append_proto_text(request, 1, id);
  append_proto_flag(request, 2, true);
  const auto container = connection.call(kContainerStatus, request, patience);
  if (!container.is_ok()) return container.status();
  const Details details(container.value().value_or(""));
  const std::string sandbox_id = container.value() ? std::string(details.text({"sandboxID"})) : id;
  std::optional<std::string> sandbox_answer;
  if (!sandbox_id.empty() && sandbox_id.size() <= kMaxId) {
    request.clear();
    append_proto_text(request, 1, sandbox_id);
    auto sandbox = connection.call(kPodSandboxStatus, request, patience);
    if (!sandbox.is_ok()) return sandbox.status();
    sandbox_answer = std::move(sandbox.value());
  }
  if (!container.value() && !sandbox_answer) return std::optional<Description>();

  const Sandbox sandbox = sandbox_of(part(sandbox_answer.value_or(""), 1));
  Description found;
  found.id = id;
  found.type = type_of(*version.value());
  if (container.value()) {
    describe_container(part(*container.value(), 1), details, found);
  } else {
    // Only a pause program runs in it.
    found.full_id = sandbox.id;
    found.name = sandbox.name;
    found.is_pod_sandbox = true;
    found.labels = sandbox.labels;
    found.created_time = seconds(sandbox.created);
  }
  describe_pod(sandbox, found);
  return std::optional(std::move(found));
}

}  // namespace sfkit::runtimes
