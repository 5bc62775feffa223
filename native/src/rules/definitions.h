// Rules as a loader hands them over: lists are filled into the texts, macros are not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::rules {

struct MacroDefinition {
  std::string name;
  std::string condition;
  uint32_t place = 0;  // among all definitions
  uint32_t sees = 0;   // macros whose place is below this one
};

struct RuleDefinition {
  std::string condition;
  std::string output;
  bool skip_unknown = false;     // an unknown field or event type leaves the rule out and is no error
  bool warn_event_types = true;  // warn where the condition is about very many events, or none
};

struct Definitions {
  std::vector<MacroDefinition> macros;  // names are unique
  std::vector<RuleDefinition> rules;    // in their order
};

}  // namespace sfkit::rules
