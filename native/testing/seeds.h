// Small valid and damaged captures and SysFlow files: seeds for the fuzzers and inputs for tests,
// stored in fixtures/seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scap/writer.h"
#include "testing/webserver.h"

namespace sfkit::testing {

// Uncompressed and valid, a few KB each.
std::vector<Fixture> valid_captures();
// gzip variants and damaged captures, including those that fuzzers found.
std::vector<Fixture> other_captures();
std::vector<Fixture> sysflow_files();
// Bytes for hostile_story().
std::vector<Fixture> story_choices();

// One event for each code in [first, last) and each parameter count it has had, with values of the
// right size, in the given layout.
std::vector<uint8_t> event_forms(uint16_t first, uint16_t last, scap::WriterLayout layout);

}  // namespace sfkit::testing
