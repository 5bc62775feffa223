// fixtures/incident.scap: an intrusion that rules should find, described in fixtures/README.md.
#pragma once

#include <vector>

#include "testing/webserver.h"

namespace sfkit::testing {

std::vector<Fixture> incident_captures();

}  // namespace sfkit::testing
