// Dispatches fields to their sources, and reads fields with several values.

#include <algorithm>
#include <array>

#include "event_names.gen.h"
#include "fields/fields.h"

namespace sfkit::fields {
namespace {

enum class Source : uint8_t { kEvent, kProcess, kContainer, kDescriptor, kPath };

constexpr Source source_of(std::string_view name) {
  for (const std::string_view prefix : {"thread.", "proc.", "user.", "group."}) {
    if (name.starts_with(prefix)) return Source::kProcess;
  }
  for (const std::string_view prefix : {"container.", "k8s."}) {
    if (name.starts_with(prefix)) return Source::kContainer;
  }
  if (name.starts_with("fd.") || name.starts_with("fdlist.")) return Source::kDescriptor;
  if (name.starts_with("fs.path.") || name == "evt.abspath") return Source::kPath;
  return Source::kEvent;
}

constexpr auto kSources = [] {
  std::array<Source, std::size(kFields)> sources{};
  for (const FieldInfo& info : kFields)
    sources[static_cast<size_t>(info.field)] = source_of(info.name);
  return sources;
}();

}  // namespace

FieldValue FieldReader::get(const FieldRef& field) {
  switch (kSources[static_cast<size_t>(field.field)]) {
    case Source::kEvent: return event_field(field);
    case Source::kProcess: return process_field(field);
    case Source::kContainer: return container_field(field);
    case Source::kDescriptor: return descriptor_field(field);
    case Source::kPath:
      return field.field == Field::kEvtAbspath ? absolute_path(field) : path_field(field.field);
  }
  return {};
}

void FieldReader::begin_values(const FieldRef& field) {
  step_ = 0;
  ancestor_ = context_->thread == nullptr ? nullptr : context_->thread->leader();
  kinds_ = 0;
  if (field.field != Field::kFdTypes || context_->thread == nullptr) return;
  if (const state::DescriptorTable* table = context_->thread->table()) {
    table->for_each([this](int64_t, const state::Descriptor& descriptor, bool) {
      kinds_ |= 1u << static_cast<uint32_t>(descriptor.type);
    });
  }
}

FieldValue FieldReader::next_value(const FieldRef& field) {
  if (field.several == Several::kAny) {
    if (ancestor_ == nullptr || ++step_ > kMaxAncestors) return {};
    ancestor_ = engine_.parent_of(*ancestor_);
    return ancestor_ == nullptr ? FieldValue() : process_value(field.field, *ancestor_);
  }
  if (field.several == Several::kAll) {
    while (kinds_ != 0) {
      const auto type = static_cast<state::FdType>(__builtin_ctz(kinds_));
      kinds_ &= kinds_ - 1;
      if (const std::string_view name = type_name(type); !name.empty()) return FieldValue::of(name);
    }
    return {};
  }
  if (context_->shown_slot == nullptr) return {};
  const state::Descriptor& descriptor = *context_->shown_slot->descriptor;
  const bool server = descriptor.is_ip_server();
  if (!server && !descriptor.is_ip_socket()) return {};
  if (step_ == (server ? 1 : 2)) return {};
  const bool source = step_++ == 0;
  if (field.type == FieldType::kPort)
    return FieldValue::of(uint64_t{source ? descriptor.sport : descriptor.dport});
  const bool ipv6 =
      descriptor.type == state::FdType::kIpv6 || descriptor.type == state::FdType::kIpv6Server;
  return FieldValue::of_ip(source ? descriptor.sip.data() : descriptor.dip.data(), ipv6);
}

std::string_view service_name(uint16_t port) {
  const auto* found = std::ranges::lower_bound(scap::kServices, port, {}, &scap::Service::port);
  return found != std::end(scap::kServices) && found->port == port ? found->name
                                                                   : std::string_view();
}

int service_port(std::string_view name) {
  const auto* found = std::ranges::find(scap::kServices, name, &scap::Service::name);
  return found == std::end(scap::kServices) ? -1 : found->port;
}

}  // namespace sfkit::fields
