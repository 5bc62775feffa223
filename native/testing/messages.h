// A capture of DNS and HTTP, described in fixtures/README.md.
#pragma once

#include <vector>

#include "testing/webserver.h"

namespace sfkit::testing {

std::vector<Fixture> message_captures();

}  // namespace sfkit::testing
