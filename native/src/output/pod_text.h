// Lists and maps of a pod as texts of JSON, for columns.
#pragma once

#include <string>
#include <vector>

#include "sysflow/records.h"

namespace sfkit::output {

// Appends an object; nothing for an empty list.
void append_labels(std::string& out, const sysflow::Labels& labels);

// Appends an array of texts; nothing for an empty list. A number that is no address stays a number.
void append_addresses(std::string& out, const sysflow::AddressList& addresses);

// Appends an array of objects with the names of the SysFlow schema; nothing for an empty list.
void append_services(std::string& out, const std::vector<sysflow::Service>& services);

}  // namespace sfkit::output
