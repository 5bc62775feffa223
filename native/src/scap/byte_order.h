// Events of machines of the other byte order, made readable.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace sfkit::scap {

// Turns the numbers in a value of parameter `index` around, in place; the same either way. Does nothing to
// values that are too short to hold them, and to parameters that the table does not know.
void swap_parameter(uint16_t code, uint32_t index, uint8_t* value, size_t size);

// The payload of an event (length array, then values) with every number turned around; a view of `scratch`.
// `count` is the number of parameters, whose lengths must have been found to fit. Values of parameters that
// the table does not know stay as they are.
Bytes swap_payload(uint16_t code, uint32_t count, Bytes payload, std::vector<uint8_t>& scratch);

}  // namespace sfkit::scap
