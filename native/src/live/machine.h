// The state of this machine as the lists at the start of a capture: machine, interfaces, users and groups,
// threads and their descriptors. Read from /proc, where things come and go meanwhile: what is gone is left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::live {

// The blocks of a capture up to the first event. `boot_time`: epoch time of the boot, ns.
std::vector<uint8_t> describe_machine(uint64_t boot_time);

}  // namespace sfkit::live
