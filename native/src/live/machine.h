// Describes this machine with the lists at the start of a capture: machine, interfaces, users,
// groups, threads and descriptors. Reads /proc; skips processes that end before they are read.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::live {

// The blocks of a capture before the first event. Times in ns since 1970: `boot_time` of the
// machine, `start` of the capture. After `cancelled`, skips the remaining processes. `host_root`:
// as in LiveOptions.
std::vector<uint8_t> describe_machine(uint64_t boot_time, uint64_t start,
                                      const std::atomic<bool>& cancelled,
                                      const std::string& host_root = {});

}  // namespace sfkit::live
