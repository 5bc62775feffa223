#include "library/pod_view.h"

#include "base/json.h"
#include "sysflow/ip_numbers.h"

namespace sfkit::library {
namespace {

std::vector<Label> labels_of(std::string_view json) {
  std::vector<Label> labels;
  const auto object = json::parse(json);
  if (!object.is_ok()) return labels;
  for (const auto& [name, value] : object.value().members())
    labels.push_back({name, std::string(value.as_string())});
  return labels;
}

std::vector<IpAddress> addresses_of(const sysflow::IpNumbers& numbers) {
  std::vector<IpAddress> addresses;
  sysflow::each_address(numbers, [&](const IpAddress& address) { addresses.push_back(address); });
  return addresses;
}

std::vector<ServicePort> ports_of(const sysflow::Service& service) {
  std::vector<ServicePort> ports;
  for (const sysflow::ServicePort& port : service.ports)
    ports.push_back({port.port, port.target_port, port.node_port, port.proto});
  return ports;
}

}  // namespace

PodView::PodView(const sysflow::Pod& record)
    : record_(record),
      labels_(labels_of(record_.labels)),
      selectors_(labels_of(record_.selectors)),
      node_addresses_(addresses_of(record_.host_ip)),
      addresses_(addresses_of(record_.internal_ip)),
      services_([this] {
        std::vector<Service> services;
        for (const sysflow::Service& service : record_.services) {
          // The elements keep their place when the outer lists grow.
          ports_.push_back(ports_of(service));
          service_addresses_.push_back(addresses_of(service.cluster_ip));
          services.push_back({service.id, service.name, service.namespace_, ports_.back(),
                              service_addresses_.back()});
        }
        return services;
      }()),
      view{record_.ts,        record_.id,         record_.name,
           record_.node_name, record_.namespace_, record_.restart_count,
           labels_,           selectors_,         node_addresses_,
           addresses_,        services_} {}

}  // namespace sfkit::library
