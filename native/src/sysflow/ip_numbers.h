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
AddressList ip_numbers(const std::vector<IpAddress>& addresses);

// Calls `visit` for each address, and without one for a number that is none. The numbers do not say
// which family they have: from the end, two numbers are an IPv6 address if one of them needs more
// than 32 bits. Writers of 32-bit numbers extend their sign.
void each_address(const AddressList& numbers,
                  const std::function<void(const IpAddress* address, int64_t number)>& visit);

}  // namespace sfkit::sysflow
