#include "output/pod_text.h"

#include "base/escape.h"
#include "base/ip_text.h"
#include "base/numbers.h"
#include "sysflow/ip_numbers.h"

namespace sfkit::output {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

void append_member(std::string& out, std::string_view name, int64_t value) {
  append_json_string(out, name);
  out += ':';
  append_number(out, value);
}

template <typename List, typename Append>
void append_array(std::string& out, const List& list, Append&& append) {
  out += '[';
  bool is_first = true;
  for (const auto& item : list) {
    if (!is_first) out += ',';
    is_first = false;
    append(item);
  }
  out += ']';
}

void append_address_array(std::string& out, const sysflow::IpNumbers& numbers) {
  char before = '[';
  sysflow::each_address(numbers, [&](const IpAddress& address) {
    out += before;
    out += '"';
    if (address.ipv6) {
      append_ipv6(out, address.bytes.data());
    } else {
      append_ipv4(out, address.bytes.data());
    }
    out += '"';
    before = ',';
  });
  if (numbers.empty()) out += '[';
  out += ']';
}

void append_port(std::string& out, const sysflow::ServicePort& port) {
  out += '{';
  append_member(out, "port", port.port);
  out += ',';
  append_member(out, "targetPort", port.target_port);
  out += ',';
  append_member(out, "nodePort", port.node_port);
  out += ',';
  append_member(out, "proto", port.proto);
  out += '}';
}

void append_service(std::string& out, const sysflow::Service& service) {
  out += '{';
  append_member(out, "name", service.name);
  out += ',';
  append_member(out, "id", service.id);
  out += ',';
  append_member(out, "namespace", service.namespace_);
  out += R"(,"portList":)";
  append_array(out, service.ports, [&](const auto& port) { append_port(out, port); });
  out += R"(,"clusterIP":)";
  append_address_array(out, service.cluster_ip);
  out += '}';
}

}  // namespace

void append_addresses(std::string& out, const sysflow::IpNumbers& numbers) {
  if (!numbers.empty()) append_address_array(out, numbers);
}

void append_services(std::string& out, const std::vector<sysflow::Service>& services) {
  if (services.empty()) return;
  append_array(out, services, [&](const auto& service) { append_service(out, service); });
}

}  // namespace sfkit::output
