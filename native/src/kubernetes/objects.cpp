#include "kubernetes/objects.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/escape.h"
#include "base/utf8.h"

namespace sfkit::kubernetes {
namespace {

using json::Value;

// Longer texts are cut, in UTF-16 units as in Node. Names and values of labels in Kubernetes are
// shorter.
constexpr size_t kMaxUnits = 1024;
constexpr size_t kMaxEntries = 128;
constexpr size_t kMaxItemLabels = 1024;
// The annotation with the uid that the kubelet gives to a pod from a file of the node.
constexpr std::string_view kStaticUid = "kubernetes.io/config.hash";
// Members to drop from an item that is too long, the least important first.
constexpr std::array<std::string_view, 5> kExpendable = {"containers", "initContainerStatuses",
                                                         "ports", "containerStatuses", "labels"};
constexpr std::array<std::string_view, 3> kIdentity = {"namespace", "name", "uid"};

std::string_view short_text(std::string_view text) {
  size_t units = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Character next = decode_utf8(text.substr(at));
    // Outside the basic plane, a character is two units.
    units += next.code > 0xFFFF ? 2 : 1;
    if (units > kMaxUnits) return text.substr(0, at);
    at += std::max<size_t>(next.size, 1);
  }
  return text;
}

const Value* find(const Value* object, std::string_view name) {
  return object == nullptr ? nullptr : object->find(name);
}

// Writes an object or array with commas between its parts.
class Writer {
 public:
  Writer(std::string& out, char open, char close) : out_(out), close_(close) { out_ += open; }
  ~Writer() { out_ += close_; }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::string& next() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    return out_;
  }
  std::string& member(std::string_view name) {
    append_json_string(next(), name);
    return out_ += ':';
  }
  void text(std::string_view name, const Value* value) {
    append_json_string(member(name), short_text(text_of(value)));
  }
  void number(std::string_view name, const Value* value) {
    member(name) += std::to_string(number_of(value));
  }

 private:
  std::string& out_;
  const char close_;
  bool is_first_ = true;
};

void append_labels(std::string& out, const Value* value) {
  Writer labels(out, '{', '}');
  if (value == nullptr) return;
  size_t count = 0;
  for (const auto& [name, label] : value->members()) {
    if (++count > kMaxItemLabels) break;
    append_json_string(labels.member(short_text(name)), short_text(text_of(&label)));
  }
}

template <typename Append>
void append_list(std::string& out, const Value* value, Append&& append) {
  Writer list(out, '[', ']');
  if (value == nullptr) return;
  size_t count = 0;
  for (const Value& item : value->items()) {
    if (++count > kMaxEntries) break;
    append(list.next(), item);
  }
}

// Members of an item, each as "name":value. They have the names that captures have used since
// 2016.
class Members {
 public:
  explicit Members(std::vector<std::string>& members) : members_(members) {}

  std::string& add(std::string_view name) {
    std::string& member = members_.emplace_back();
    append_json_string(member, name);
    return member += ':';
  }
  void text(std::string_view name, const Value* value) {
    append_json_string(add(name), short_text(text_of(value)));
  }
  template <typename Append>
  void list(std::string_view name, const Value* value, Append&& append) {
    append_list(add(name), value, append);
  }

 private:
  std::vector<std::string>& members_;
};

void add_common(std::vector<std::string>& members, const Value& found) {
  const Value* const metadata = found.find("metadata");
  Members item(members);
  if (const Value* const place = find(metadata, "namespace"); place != nullptr)
    item.text("namespace", place);
  item.text("name", find(metadata, "name"));
  item.text("uid", find(metadata, "uid"));
  item.text("timestamp", find(metadata, "creationTimestamp"));
  append_labels(item.add("labels"), find(metadata, "labels"));
}

void append_text(std::string& out, const Value& value) {
  append_json_string(out, short_text(text_of(&value)));
}

void append_port(std::string& out, const Value& value) {
  Writer port(out, '{', '}');
  const Value* const target = value.find("targetPort");
  port.text("name", value.find("name"));
  port.text("protocol", value.find("protocol"));
  port.number("port", value.find("port"));
  if (target != nullptr && target->is_number()) {
    port.number("targetPort", target);
  } else {
    port.text("targetPort", target);
  }
  port.number("nodePort", value.find("nodePort"));
}

void add_service(std::vector<std::string>& members, const Value& found) {
  const Value* const spec = found.find("spec");
  add_common(members, found);
  Members item(members);
  item.text("clusterIP", find(spec, "clusterIP"));
  item.list("clusterIPs", find(spec, "clusterIPs"), append_text);
  item.list("ports", find(spec, "ports"), append_port);
  append_labels(item.add("selector"), find(spec, "selector"));
}

void append_ip(std::string& out, const Value& value) {
  Writer(out, '{', '}').text("ip", value.find("ip"));
}

void append_container(std::string& out, const Value& value) {
  Writer container(out, '{', '}');
  container.text("name", value.find("name"));
  container.text("image", value.find("image"));
}

void append_status(std::string& out, const Value& value) {
  Writer status(out, '{', '}');
  status.text("name", value.find("name"));
  status.text("containerID", value.find("containerID"));
  status.text("image", value.find("image"));
  status.text("imageID", value.find("imageID"));
  const Value* const ready = value.find("ready");
  status.member("ready") += ready != nullptr && ready->as_bool() ? "true" : "false";
  status.number("restartCount", value.find("restartCount"));
  const Value* const ended = find(value.find("lastState"), "terminated");
  const Value* const id = find(ended, "containerID");
  if (id == nullptr) return;
  Writer last(status.member("lastState"), '{', '}');
  Writer terminated(last.member("terminated"), '{', '}');
  terminated.text("containerID", id);
  terminated.number("exitCode", find(ended, "exitCode"));
  terminated.text("reason", find(ended, "reason"));
}

void add_pod(std::vector<std::string>& members, const Value& found) {
  const Value* const spec = found.find("spec");
  const Value* const status = found.find("status");
  const Value* const hash = find(find(found.find("metadata"), "annotations"), kStaticUid);
  add_common(members, found);
  Members item(members);
  item.text("nodeName", find(spec, "nodeName"));
  item.text("hostIP", find(status, "hostIP"));
  item.list("hostIPs", find(status, "hostIPs"), append_ip);
  item.text("podIP", find(status, "podIP"));
  item.list("podIPs", find(status, "podIPs"), append_ip);
  item.text("phase", find(status, "phase"));
  item.list("containers", find(spec, "containers"), append_container);
  for (const char* const name :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"})
    item.list(name, find(status, name), append_status);
  if (!text_of(hash).empty()) item.text("staticUid", hash);
}

constexpr std::array<Resource, 3> kResources = {{
    {"Namespace", "/api/v1/namespaces", false, add_common},
    {"Service", "/api/v1/services", false, add_service},
    {"Pod", "/api/v1/pods", true, add_pod},
}};

bool is_member(std::string_view member, std::string_view name) {
  return member.substr(0, name.size() + 3) == '"' + std::string(name) + "\":";
}

size_t joined_size(const std::vector<std::string>& members) {
  size_t size = 1 + std::max<size_t>(members.size(), 1);
  for (const std::string& member : members) size += member.size();
  return size;
}

}  // namespace

std::span<const Resource> all_resources() {
  return kResources;
}

std::string item_of(const Resource& resource, const Value& found) {
  std::vector<std::string> members;
  resource.add_members(members, found);
  for (const std::string_view name : kExpendable) {
    if (joined_size(members) <= kMaxPayload) break;
    std::erase_if(members, [name](const auto& member) { return is_member(member, name); });
  }
  if (joined_size(members) > kMaxPayload) {
    std::erase_if(members, [](const auto& member) {
      return std::none_of(kIdentity.begin(), kIdentity.end(),
                          [&](std::string_view name) { return is_member(member, name); });
    });
  }
  std::string item;
  Writer object(item, '{', '}');
  for (const std::string& member : members) object.next() += member;
  return item;
}

void each_payload(std::string_view action, const Resource& resource,
                  std::span<const std::string_view> items,
                  const std::function<void(const std::string& json)>& add) {
  const std::string start = R"({"type":")" + std::string(action) +
                            R"(","apiVersion":"v1","kind":")" + std::string(resource.kind) +
                            R"(","items":[)";
  std::string payload;
  size_t size = 0;
  const auto finish = [&] {
    if (size > 0) add(payload + "]}");
    payload = start;
    size = 0;
  };
  finish();
  for (const std::string_view item : items) {
    if (size + item.size() + 1 > kMaxPayload) finish();
    if (size > 0) payload += ',';
    payload += item;
    size += item.size() + 1;
  }
  finish();
}

std::string_view text_of(const Value* value) {
  return value == nullptr ? std::string_view() : value->as_string();
}

int64_t number_of(const Value* value) {
  if (value == nullptr) return 0;
  if (!value->is_string()) return value->as_int();
  const std::string_view text = value->as_string();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace sfkit::kubernetes
