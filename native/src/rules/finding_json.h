// What an event was about, for people who see that a rule matched it.
#pragma once

#include <string>

#include "fields/fields.h"

namespace sfkit::rules {

// Appends members of a JSON object, each with a comma before it: the process with its ancestors, the file or
// connection, the container; what is not known is left out.
void append_subject(std::string& out, fields::FieldReader& reader, state::Engine& engine);

}  // namespace sfkit::rules
