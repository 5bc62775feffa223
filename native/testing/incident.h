// fixtures/incident.scap: something bad happens, for rules to find; its story is in fixtures/README.md.
#pragma once

#include <vector>

#include "testing/webserver.h"

namespace sfkit::testing {

std::vector<Fixture> incident_captures();

}  // namespace sfkit::testing
