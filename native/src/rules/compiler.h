// From definitions to filters and templates, with the reference's errors and warnings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/filter.h"
#include "rules/definitions.h"
#include "rules/output_template.h"

namespace sfkit::rules {

// What is said about a definition. The names are those that the reference's codes come from.
enum class Remark : uint8_t {
  // Errors; the first one ends the compilation.
  kSyntax,          // a condition does not parse
  kUndefinedMacro,  // or macros that refer to each other
  kCondition,       // a field, operator or value does not fit
  kOutput,
  // Warnings.
  kSkipped,           // an error that leaves the rule out
  kSuspectValue,      // a value that is likely meant otherwise
  kDeprecatedField,   // in a condition
  kDeprecatedOutput,  // in an output
  kContainerInfo,     // %container.info, which stands for nothing
  kUnsafeComparison,  // <NA> compared with a field that never has it
  kManyEventTypes,    // or none
};
std::string_view name_of(Remark remark);

struct Diagnostic {
  Remark remark = Remark::kSyntax;
  bool of_macro = false;   // else of a rule
  bool of_output = false;  // not of the condition
  uint32_t index = 0;      // of the macro or rule
  // Where: a place in the text of a macro, or in the rule's own condition or output.
  bool in_macro = false;
  uint32_t macro = 0;
  size_t at = 0;
  std::string message;
};

struct CompiledMacro {
  std::string condition;  // as the reference prints it
  bool used = false;
};

struct CompiledRule {
  bool is_taken = false;  // compiled, and not left out
  std::string condition;  // as the reference prints it
  std::unique_ptr<filter::Filter> filter;
  OutputTemplate output;
  std::vector<std::string> unanswered;  // fields of the condition that nobody can answer
  std::vector<std::string> described;   // and those that need descriptions of containers
  bool can_match = false;               // some event may satisfy it
};

struct Compilation {
  bool is_ok = true;
  std::vector<Diagnostic> diagnostics;
  std::vector<CompiledMacro> macros;  // beside the definitions; incomplete after an error
  std::vector<CompiledRule> rules;
};

Compilation compile(const Definitions& definitions);

}  // namespace sfkit::rules
