// Lists of a pod as texts of JSON, for columns.
#pragma once

#include <string>
#include <vector>

#include "sysflow/records.h"

namespace sfkit::output {

// Appends an array of texts; nothing for an empty list.
void append_addresses(std::string& out, const sysflow::IpNumbers& numbers);

// Appends an array of objects with the names of the SysFlow schema; nothing for an empty list.
void append_services(std::string& out, const std::vector<sysflow::Service>& services);

}  // namespace sfkit::output
