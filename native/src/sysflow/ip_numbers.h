// The addresses of pods and services as SysFlow files have them: arrays of 64-bit numbers
// (sysflow-semantics, section 2). An IPv4 address takes one, an IPv6 address two.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/ip_text.h"
#include "sysflow/records.h"

namespace sfkit::sysflow {

// The numbers of some addresses. Puts IPv4 addresses first, so that readers can separate them.
IpNumbers ip_numbers(const std::vector<IpAddress>& addresses);

// Calls `visit` for each address. The numbers do not say which family they have: from the end, two
// numbers are an IPv6 address if one of them needs more than 32 bits.
void each_address(const IpNumbers& numbers, const std::function<void(const IpAddress&)>& visit);

}  // namespace sfkit::sysflow
