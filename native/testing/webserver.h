// The captures in fixtures/; their story is told in fixtures/README.md.
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
