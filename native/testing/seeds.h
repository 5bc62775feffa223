// Small captures and SysFlow files of every shape, sound and broken: what the fuzzers start from, and what
// tests cut and compare. They lie in fixtures/seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scap/writer.h"
#include "testing/webserver.h"

namespace sfkit::testing {

// Plain and sound, a few thousand bytes each.
std::vector<Fixture> sound_captures();
// gzip in its forms, and captures with damage, among them what fuzzers found.
std::vector<Fixture> other_captures();
std::vector<Fixture> sysflow_files();
// What hostile stories are made from.
std::vector<Fixture> story_choices();

// Every event of the codes from `first` to before `last`, in each number of parameters it ever had, with
// values of the right size. `layout` says how it is written.
std::vector<uint8_t> event_forms(uint16_t first, uint16_t last, scap::WriterLayout layout);

}  // namespace sfkit::testing
