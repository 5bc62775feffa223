// The state of a capture at some event, as the lists at the start of a section would tell it.
#pragma once

#include <cstdint>
#include <vector>

#include "scap/metadata.h"
#include "state/engine.h"

namespace sfkit::state {

// The threads by number, without those that only an event named. Text points into `engine`.
std::vector<scap::ThreadEntry> list_threads(const Engine& engine);

// The descriptors of a thread's own table, by number.
std::vector<scap::FdEntry> list_descriptors(const Thread& thread);

}  // namespace sfkit::state
