// Shell wildcards: * matches any text (slashes included), ? any character, [a-z] a character of the
// set, [!a-z] one that is not in it; a backslash makes the next character literal.
#pragma once

#include <string_view>

namespace sfkit {

// Whether the whole of `text` matches. Takes at most |pattern| * |text| steps.
bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace sfkit
