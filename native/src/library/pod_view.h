// The public view of a pod, with everything that it refers to.
#pragma once

#include <sfkit/records.h>

#include <string_view>
#include <vector>

#include "sysflow/records.h"

namespace sfkit::library {

// The view refers to the other members, so the object must not move.
class PodView {
 public:
  explicit PodView(const sysflow::Pod& record);
  PodView(const PodView&) = delete;
  PodView& operator=(const PodView&) = delete;

 private:
  const sysflow::Pod record_;
  const std::vector<Label> labels_;
  const std::vector<Label> selectors_;
  const std::vector<IpAddress> node_addresses_;
  const std::vector<IpAddress> addresses_;
  // By service.
  std::vector<std::vector<ServicePort>> ports_;
  std::vector<std::vector<IpAddress>> service_addresses_;
  std::vector<Service> services_;

 public:
  const Pod view;
};

}  // namespace sfkit::library
