// Rules after loading: lists are expanded, macros are not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sfkit::rules {

struct MacroDefinition {
  std::string name;
  std::string condition;
  uint32_t place = 0;  // index among all definitions
  uint32_t sees = 0;   // sees only macros with a smaller index
};

struct RuleDefinition {
  std::string condition;
  std::string output;
  bool skip_unknown = false;     // an unknown field or event type drops the rule without an error
  bool warn_event_types = true;  // warn if the condition matches very many event types, or none
};

struct Definitions {
  std::vector<MacroDefinition> macros;  // names are unique
  std::vector<RuleDefinition> rules;    // in file order
};

}  // namespace sfkit::rules
