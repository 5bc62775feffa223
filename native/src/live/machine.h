// The state of this machine as the lists at the start of a capture: machine, interfaces, users and groups,
// threads and their descriptors. Read from /proc, where things come and go meanwhile: what is gone is left
// out.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::live {

// The blocks of a capture up to the first event, ns since 1970: `boot_time` of the machine, `start` of the
// capture. Once `cancelled`, processes that were not looked at yet are left out.
std::vector<uint8_t> describe_machine(uint64_t boot_time, uint64_t start, const std::atomic<bool>& cancelled);

}  // namespace sfkit::live
