// Patterns with wildcards, as shells know them: * any text (slashes included), ? any character, [a-z] one of
// these, [!a-z] none of these, a backslash takes the next character as it is.
#pragma once

#include <string_view>

namespace sfkit {

// Whether the whole of `text` fits. Takes at most |pattern| * |text| steps.
bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace sfkit
