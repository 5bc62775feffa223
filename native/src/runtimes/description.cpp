#include "runtimes/description.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/escape.h"

namespace sfkit::runtimes {
namespace {

// In UTF-16 units, as in Node.
constexpr size_t kMaxLabel = 100;

class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  std::string& key(std::string_view name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  void add(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
  void add_number(std::string_view name, int64_t value) { key(name) += std::to_string(value); }
  void add_flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void add_labels(std::string_view name, const Labels& labels) {
    Object object(key(name));
    for (const auto& [label, value] : labels) object.add(label, value);
  }

 private:
  std::string& out_;
  bool is_first_ = true;
};

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + count, value);
  if (error != std::errc() || end != begin + count || *begin == '-') return std::nullopt;
  return value;
}

}  // namespace

std::string container_event(const Description& description) {
  std::string text;
  {
    Object event(text);
    Object container(event.key("container"));
    container.add("id", description.id);
    container.add("full_id", description.full_id);
    container.add_number("type", description.type);
    container.add("name", description.name);
    container.add("image", description.image);
    container.add("imageid", description.imageid);
    container.add("imagerepo", description.imagerepo);
    container.add("imagetag", description.imagetag);
    container.add("imagedigest", description.imagedigest);
    container.add_flag("privileged", description.privileged);
    container.add_flag("is_pod_sandbox", description.is_pod_sandbox);
    container.add_labels("labels", description.labels);
    container.add_number("created_time", description.created_time);
    container.add_flag("host_pid", description.host_pid);
    container.add_flag("host_network", description.host_network);
    container.add_flag("host_ipc", description.host_ipc);
    container.add("ip", description.ip);
    if (description.user) container.add("User", *description.user);
    if (description.mounts) {
      std::string& out = container.key("Mounts");
      out += '[';
      for (size_t i = 0; i < description.mounts->size(); ++i) {
        if (i != 0) out += ',';
        const Mount& mount = (*description.mounts)[i];
        Object object(out);
        object.add("Source", mount.source);
        object.add("Destination", mount.destination);
        object.add("Mode", mount.mode);
        object.add_flag("RW", mount.writable);
        object.add("Propagation", mount.propagation);
      }
      out += ']';
    }
    if (description.pod_sandbox_id) container.add("pod_sandbox_id", *description.pod_sandbox_id);
    if (description.pod_sandbox_labels)
      container.add_labels("pod_sandbox_labels", *description.pod_sandbox_labels);
    if (description.limits) {
      const Limits& limits = *description.limits;
      container.add_number("memory_limit", limits.memory);
      if (limits.swap) container.add_number("swap_limit", *limits.swap);
      container.add_number("cpu_shares", limits.cpu_shares);
      container.add_number("cpu_quota", limits.cpu_quota);
      container.add_number("cpu_period", limits.cpu_period);
    }
  }
  return text;
}

ImageName split_image(std::string_view name) {
  const size_t at = name.find('@');
  const std::string_view named = name.substr(0, at);
  ImageName split;
  if (at != std::string_view::npos) {
    const std::string_view rest = name.substr(at + 1);
    split.digest = rest.substr(0, rest.find('@'));
  }
  const size_t slash = named.rfind('/');
  const size_t colon = named.rfind(':');
  const bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  split.repo = has_tag ? named.substr(0, colon) : named;
  if (has_tag) split.tag = named.substr(colon + 1);
  return split;
}

std::string_view without_algorithm(std::string_view id) {
  constexpr std::string_view kPrefix = "sha256:";
  return id.starts_with(kPrefix) ? id.substr(kPrefix.size()) : id;
}

bool is_label(std::string_view value) {
  size_t units = 0;
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xc0) != 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units <= kMaxLabel;
}

int64_t seconds_of(std::string_view time) {
  const auto year = digits(time, 0, 4);
  const auto month = digits(time, 5, 2);
  const auto day = digits(time, 8, 2);
  const auto hour = digits(time, 11, 2);
  const auto minute = digits(time, 14, 2);
  const auto second = digits(time, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return 0;
  if (time[4] != '-' || time[7] != '-' || time[10] != 'T' || time[13] != ':' || time[16] != ':')
    return 0;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 24 || *minute > 59 || *second > 59) return 0;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t local = ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
  size_t zone = 19;
  if (zone < time.size() && time[zone] == '.') {
    zone = time.find_first_not_of("0123456789", zone + 1);
    if (zone == std::string_view::npos) return 0;
  }
  if (time.substr(std::min(zone, time.size())) == "Z") return local;
  const auto zone_hours = digits(time, zone + 1, 2);
  const auto zone_minutes = digits(time, zone + 4, 2);
  if (!zone_hours || !zone_minutes || time.size() != zone + 6 || time[zone + 3] != ':') return 0;
  const int64_t offset = (*zone_hours * 60 + *zone_minutes) * 60;
  if (time[zone] == '+') return local - offset;
  return time[zone] == '-' ? local + offset : 0;
}

}  // namespace sfkit::runtimes
