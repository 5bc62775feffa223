// Compiles Falco rules to filters and templates, with Falco's errors and warnings.
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

// Kinds of diagnostics, with the names of Falco's codes.
enum class Remark : uint8_t {
  // Errors; the first one ends compilation.
  kSyntax,          // a condition has a syntax error
  kUndefinedMacro,  // also macros that refer to each other
  kCondition,       // a wrong field, operator or value
  kOutput,
  // Warnings.
  kSkipped,           // an error that only drops the rule
  kSuspectValue,      // a likely mistake in a value
  kDeprecatedField,   // in a condition
  kDeprecatedOutput,  // in an output
  kContainerInfo,     // %container.info is empty
  kUnsafeComparison,  // <NA> compared with a field that never has this value
  kManyEventTypes,    // very many, or none
};
std::string_view name_of(Remark remark);

struct Diagnostic {
  Remark remark = Remark::kSyntax;
  bool of_macro = false;   // else in a rule
  bool of_output = false;  // else in the condition
  uint32_t index = 0;      // of the macro or rule
  // The position: in the text of a macro, or in the rule's own condition or output.
  bool in_macro = false;
  uint32_t macro = 0;
  size_t at = 0;
  std::string message;
};

struct CompiledMacro {
  std::string condition;  // as Falco prints it
  bool used = false;
};

struct CompiledRule {
  bool is_taken = false;  // compiled and not dropped
  std::string condition;  // as Falco prints it
  std::unique_ptr<filter::Filter> filter;
  OutputTemplate output;
  std::vector<std::string>
      unavailable_fields;  // fields of the condition that captures cannot answer
  std::vector<std::string>
      container_fields;    // fields of the condition that need container descriptions
  bool can_match = false;  // some event can satisfy it
};

struct Compilation {
  bool is_ok = true;
  std::vector<Diagnostic> diagnostics;
  std::vector<CompiledMacro> macros;  // parallel to the definitions; incomplete after an error
  std::vector<CompiledRule> rules;
};

Compilation compile(const Definitions& definitions);

}  // namespace sfkit::rules
