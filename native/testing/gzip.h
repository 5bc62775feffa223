// gzip data for tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sfkit::testing {

// One member with `text` and a full flush before each offset in `flushes`.
std::string gzip(std::string_view text, const std::vector<size_t>& flushes = {});

}  // namespace sfkit::testing
