// Describes the subject of a finding: what the event was about.
#pragma once

#include <string>

#include "fields/fields.h"

namespace sfkit::rules {

// Appends members of a JSON object, each after a comma: the process with its ancestors, the file or
// connection, the container. Unknown values are omitted.
void append_subject(std::string& out, fields::FieldReader& reader, state::Engine& engine);

}  // namespace sfkit::rules
