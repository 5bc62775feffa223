// The captures in fixtures/, described in fixtures/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::testing {

struct Fixture {
  std::string name;
  std::vector<uint8_t> bytes;
};

std::vector<Fixture> webserver_captures();

}  // namespace sfkit::testing
