// Lists the current state in the form of the lists at the start of a section.
#pragma once

#include <cstdint>
#include <vector>

#include "scap/metadata.h"
#include "state/engine.h"

namespace sfkit::state {

// The threads in order of tid, without placeholders. The entries point into `engine`.
std::vector<scap::ThreadEntry> list_threads(const Engine& engine);

// The descriptors of a process in order; empty for threads other than its leader.
std::vector<scap::FdEntry> list_descriptors(const Thread& thread);

}  // namespace sfkit::state
