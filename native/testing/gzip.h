// gzip data for tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::testing {

// One member that holds `text`, with a full flush before each of the places `flushes`.
std::string gzip(std::string_view text, const std::vector<size_t>& flushes = {});

}  // namespace sfkit::testing
