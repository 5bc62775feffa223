#include "runtimes/docker.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/json.h"
#include "runtimes/http.h"

namespace sfkit::runtimes {
namespace {

// Nanoseconds of processor time per second, for each microsecond of a period of 100 ms.
constexpr int64_t kNanoCpusPerQuota = 10'000;
constexpr int kFound = 200;
constexpr int kNotFound = 404;

using json::Value;

// Answers are untrusted: any part can be missing or of another kind.
const Value kNothing;

const Value& member(const Value& object, std::string_view name) {
  const Value* const found = object.find(name);
  return found == nullptr ? kNothing : *found;
}

std::string text(const Value& value) {
  return std::string(value.as_string());
}

int64_t whole(const Value& value) {
  constexpr double kLimit = 9e18;
  const double number = value.as_double();
  return value.as_int(std::abs(number) < kLimit ? static_cast<int64_t>(number) : 0);
}

Labels labels_of(const Value& value) {
  Labels labels;
  for (const auto& [name, label] : value.members()) {
    if (is_label(label.as_string())) labels[name] = label.as_string();
  }
  return labels;
}

std::vector<ImageName> images_of(const Value& names) {
  std::vector<ImageName> images;
  for (const Value& name : names.items()) images.push_back(split_image(name.as_string()));
  return images;
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "-_.!~*'()";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kPlain.find(c) != std::string_view::npos;
    if (is_plain) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

// The JSON of a path; nullopt for 404.
Result<std::optional<Value>> get(const std::string& socket, const std::string& path,
                                 const Patience& patience) {
  const Result<HttpAnswer> answer = http_get(socket, path, patience);
  if (!answer.is_ok()) return answer.status();
  if (answer.value().status == kNotFound) return std::optional<Value>();
  if (answer.value().status != kFound) {
    return Status(ErrorCode::kUnreadable,
                  path + ": status " + std::to_string(answer.value().status));
  }
  Result<Value> parsed = json::parse(answer.value().body);
  if (!parsed.is_ok()) return parsed.status();
  return std::optional(std::move(parsed.value()));
}

// The part that docker and podman have in common.
Description common(const std::string& id, const Value& container) {
  const Value& host = member(container, "HostConfig");
  const Value& network = member(container, "NetworkSettings");
  Description found;
  found.id = id;
  found.full_id = text(member(container, "Id"));
  found.name = text(member(container, "Name"));
  if (found.name.starts_with('/')) found.name.erase(0, 1);
  found.privileged = member(host, "Privileged").as_bool();
  found.labels = labels_of(member(member(container, "Config"), "Labels"));
  found.created_time = seconds_of(member(container, "Created").as_string());
  found.host_pid = member(host, "PidMode").as_string() == "host";
  found.host_network = member(host, "NetworkMode").as_string() == "host";
  found.host_ipc = member(host, "IpcMode").as_string() == "host";
  found.ip = text(member(network, "IPAddress"));
  for (const auto& [name, entry] : member(network, "Networks").members()) {
    if (found.ip.empty()) found.ip = text(member(entry, "IPAddress"));
  }
  found.user = text(member(member(container, "Config"), "User"));
  found.mounts.emplace();
  for (const Value& mount : member(container, "Mounts").items()) {
    found.mounts->push_back({text(member(mount, "Source")), text(member(mount, "Destination")),
                             text(member(mount, "Mode")), text(member(mount, "Propagation")),
                             member(mount, "RW").as_bool()});
  }
  const auto or_usual = [](int64_t value, int64_t usual) { return value == 0 ? usual : value; };
  found.limits = Limits{whole(member(host, "Memory")), whole(member(host, "MemorySwap")),
                        or_usual(whole(member(host, "CpuShares")), kUsualShares),
                        std::max(whole(member(host, "CpuQuota")),
                                 whole(member(host, "NanoCpus")) / kNanoCpusPerQuota),
                        or_usual(whole(member(host, "CpuPeriod")), kUsualPeriod)};
  return found;
}

}  // namespace

Answer ask_docker(const std::string& socket, const std::string& id, const Patience& patience) {
  const auto answer = get(socket, "/containers/" + id + "/json", patience);
  if (!answer.is_ok()) return answer.status();
  if (!answer.value()) return std::optional<Description>();
  const Value& container = *answer.value();
  const std::string image_id = text(member(container, "Image"));
  // Other names of the image; optional.
  const auto image = get(socket, "/images/" + url_encoded(image_id) + "/json", patience);
  const Value& names = image.is_ok() && image.value() ? *image.value() : kNothing;
  const std::vector<ImageName> digests = images_of(member(names, "RepoDigests"));
  const std::vector<ImageName> tags = images_of(member(names, "RepoTags"));
  const std::string typed_name = text(member(member(container, "Config"), "Image"));
  const ImageName typed = split_image(typed_name);
  const bool is_id = without_algorithm(image_id).starts_with(without_algorithm(typed_name));

  Description found = common(id, container);
  found.type = kDocker;
  found.image = typed_name;
  found.imageid = without_algorithm(image_id);
  found.imagerepo = typed.repo;
  if (is_id || typed.repo.empty()) {
    found.imagerepo = !digests.empty() ? digests[0].repo : !tags.empty() ? tags[0].repo : "";
  }
  const auto same_repo = [&found](const ImageName& name) { return name.repo == found.imagerepo; };
  found.imagetag = typed.tag;
  if (is_id || typed.tag.empty()) {
    const auto tag = std::find_if(tags.begin(), tags.end(), same_repo);
    found.imagetag = tag == tags.end() ? "" : tag->tag;
  }
  found.imagedigest = typed.digest;
  if (typed.digest.empty() && !digests.empty()) {
    const auto digest = std::find_if(digests.begin(), digests.end(), same_repo);
    found.imagedigest = digest == digests.end() ? digests[0].digest : digest->digest;
  }
  const auto kind = found.labels.find("io.kubernetes.docker.type");
  found.is_pod_sandbox = (kind != found.labels.end() && kind->second == "podsandbox") ||
                         found.name.starts_with("k8s_POD");
  return std::optional(std::move(found));
}

Answer ask_podman(const std::string& socket, const std::string& id, const Patience& patience) {
  const auto answer = get(socket, "/v4.0.0/libpod/containers/" + id + "/json", patience);
  if (!answer.is_ok()) return answer.status();
  if (!answer.value()) return std::optional<Description>();
  const Value& container = *answer.value();
  Description found = common(id, container);
  found.type = kPodman;
  found.image = text(member(container, "ImageName"));
  const ImageName image = split_image(found.image);
  found.imageid = without_algorithm(member(container, "Image").as_string());
  found.imagerepo = image.repo;
  found.imagetag = image.tag;
  found.imagedigest = text(member(container, "ImageDigest"));
  if (found.imagedigest.empty()) found.imagedigest = image.digest;
  found.is_pod_sandbox = member(container, "IsInfra").as_bool();
  found.pod_sandbox_id = text(member(container, "Pod"));
  return std::optional(std::move(found));
}

}  // namespace sfkit::runtimes
