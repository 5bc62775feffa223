// Converts events of the other byte order.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace sfkit::scap {

// Swaps the numbers in a value of parameter `index` in place. Skips numbers that the value is too
// short for, and parameters that the table does not know.
void swap_parameter(uint16_t code, uint32_t index, uint8_t* value, size_t size);

// Swaps every number in an event's payload (length array, then values); returns a view of
// `scratch`. `count` is the number of parameters; the caller has checked that their lengths fit.
// Values of unknown parameters stay as they are.
Bytes swap_payload(uint16_t code, uint32_t count, Bytes payload, std::vector<uint8_t>& scratch);

}  // namespace sfkit::scap
