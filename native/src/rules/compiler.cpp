#include "rules/compiler.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "filter/syntax.h"
#include "rules/event_codes.h"

namespace sfkit::rules {
namespace {

using fields::Field;
using filter::Argument;
using filter::Check;
using filter::Dialect;
using filter::Node;
using filter::Operand;
using filter::Operator;
using filter::Problem;

// Limits on checks and values in one expanded condition, and in all conditions. Nested macros can
// make a condition exponentially larger.
constexpr size_t kMaxSize = 200'000;
constexpr size_t kMaxTotalSize = 1'000'000;
constexpr size_t kMaxDepth = 2000;
// Above this number, Falco warns.
constexpr size_t kManyEventTypes = 100;

constexpr std::string_view kContainerInfo = "%container.info";
// In the order in which Falco searches an output: before longer names with the same prefix.
constexpr std::string_view kDeprecatedFields[] = {"evt.dir",           "evt.latency",
                                                  "evt.latency.s",     "evt.latency.ns",
                                                  "evt.latency.human", "evt.wait_latency"};

std::unique_ptr<Node> clone(const Node& node) {
  auto copy = std::make_unique<Node>();
  copy->kind = node.kind;
  copy->check = node.check;
  copy->macro = node.macro;
  copy->at = node.at;
  copy->source = node.source;
  for (const auto& child : node.children) copy->children.push_back(clone(*child));
  return copy;
}

void set_source(Node& node, uint32_t source) {
  node.source = source;
  for (const auto& child : node.children) set_source(*child, source);
}

size_t size_of(const Node& node) {
  size_t size = 1 + node.check.values.size();
  for (const auto& child : node.children) size += size_of(*child);
  return size;
}

template <typename Visit>
void each_field(const Operand& operand, Visit& visit);

template <typename Visit>
void each_field(const Argument& argument, Visit& visit) {
  if (argument.kind == Argument::Kind::kOperand) each_field(argument.operand, visit);
  for (const Argument& item : argument.items) each_field(item, visit);
}

template <typename Visit>
void each_field(const Operand& operand, Visit& visit) {
  if (operand.call == nullptr) return visit(operand.field);
  for (const Argument& argument : operand.call->arguments) each_field(argument, visit);
}

template <typename Visit>
void each_check(const Node& node, Visit& visit) {
  if (node.kind == Node::Kind::kCheck) visit(node.check);
  for (const auto& child : node.children) each_check(*child, visit);
}

template <typename Visit>
void each_field(const Node& node, Visit visit) {
  const auto visit_check = [&visit](const Check& check) {
    each_field(check.left, visit);
    if (check.right) each_field(*check.right, visit);
  };
  each_check(node, visit_check);
}

std::string_view base_name(std::string_view field) {
  return field.substr(0, field.find('['));
}

bool needs_description(const fields::FieldRef& field) {
  if (field.is_unavailable) return false;
  switch (field.field) {
    case Field::kContainerId:
    case Field::kContainerStartTs:
    case Field::kContainerDuration: return false;
    default: return field.name.starts_with("container.") || field.name.starts_with("k8s.");
  }
}

class Compiler {
 public:
  explicit Compiler(const Definitions& definitions) : definitions_(definitions) {}

  Compilation compile() {
    result_.is_ok = parse_macros() && resolve_macros() && compile_rules();
    for (size_t i = 0; i < macros_.size(); ++i) {
      if (macros_[i] != nullptr) result_.macros[i].condition = filter::text_of(*macros_[i]);
    }
    return std::move(result_);
  }

 private:
  // Source index of a rule's own text; macro i has index i + 1.
  static constexpr uint32_t kOwnText = 0;

  bool parse_macros() {
    result_.macros.resize(definitions_.macros.size());
    for (uint32_t i = 0; i < definitions_.macros.size(); ++i) {
      const MacroDefinition& macro = definitions_.macros[i];
      Problem problem;
      problem.source = i + 1;
      auto tree = filter::parse(macro.condition, Dialect::kRules, problem);
      if (tree == nullptr) return fail(Remark::kSyntax, true, i, problem);
      set_source(*tree, i + 1);
      macros_.push_back(std::move(tree));
      by_name_.emplace(macro.name, i);
    }
    return true;
  }

  bool resolve_macros() {
    for (uint32_t i = 0; i < macros_.size(); ++i) {
      Problem problem;
      if (!expand(macros_[i], definitions_.macros[i].sees, problem))
        return fail(Remark::kUndefinedMacro, true, i, problem);
    }
    return true;
  }

  bool compile_rules() {
    for (uint32_t i = 0; i < definitions_.rules.size(); ++i) {
      result_.rules.emplace_back();
      if (!compile_output(i) || !compile_rule(i)) return false;
    }
    return true;
  }

  // Replaces macro names by their trees.
  bool expand(std::unique_ptr<Node>& tree, uint32_t sees, Problem& problem) {
    size_ = size_of(*tree);
    path_.clear();
    if (!expand(tree, sees, 0, problem)) return false;
    total_ += size_;
    if (total_ <= kMaxTotalSize) return true;
    problem.message = "the rules have too many checks and values after macro expansion";
    return false;
  }

  bool expand(std::unique_ptr<Node>& node, uint32_t sees, size_t depth, Problem& problem) {
    const auto fail_here = [&](std::string message) {
      problem.at = node->at;
      problem.source = node->source;
      problem.message = std::move(message);
      return false;
    };
    if (depth > kMaxDepth) return fail_here("macros and parentheses are nested too deeply");
    if (node->kind != Node::Kind::kMacro) {
      return std::ranges::all_of(node->children, [&](std::unique_ptr<Node>& child) {
        return expand(child, sees, depth + 1, problem);
      });
    }
    const auto found = by_name_.find(node->macro);
    if (found == by_name_.end() || definitions_.macros[found->second].place >= sees) {
      return fail_here(
          "macro '" + node->macro + "' is not defined" +
          (found == by_name_.end() ? "" : " before this one; macros see those above them"));
    }
    const uint32_t macro = found->second;
    if (std::ranges::find(path_, macro) != path_.end()) {
      return fail_here("macro '" + node->macro + "' refers to itself");
    }
    size_ += size_of(*macros_[macro]);
    if (size_ > kMaxSize)
      return fail_here("the condition has too many checks after macro expansion");
    result_.macros[macro].used = true;
    auto filled = clone(*macros_[macro]);
    path_.push_back(macro);
    if (!expand(filled, sees, depth + 1, problem)) return false;
    path_.pop_back();
    node = std::move(filled);
    return true;
  }

  // False if compilation ends. Skipped rules have no output.
  bool compile_output(uint32_t i) {
    const RuleDefinition& rule = definitions_.rules[i];
    std::string text = rule.output;
    if (text.find(kContainerInfo) != std::string::npos) {
      warn(Remark::kContainerInfo, i, "%container.info is always empty; remove it");
      for (size_t at = 0; (at = text.find(kContainerInfo, at)) != std::string::npos;)
        text.erase(at, kContainerInfo.size());
    }
    Problem problem;
    auto output = OutputTemplate::parse(text, problem);
    if (!output) {
      if (!problem.is_unknown || !rule.skip_unknown) {
        add(Remark::kOutput, false, i, problem, true);
        return false;
      }
      add(Remark::kSkipped, false, i, problem, true);
      left_out_ = true;
      return true;
    }
    left_out_ = false;
    result_.rules[i].output = std::move(*output);
    for (const std::string_view name : kDeprecatedFields) {
      const size_t at = text.find(name);
      if (at == std::string::npos) continue;
      problem.at = at;
      problem.message = "the output shows " + std::string(name) + ", which is deprecated";
      add(Remark::kDeprecatedOutput, false, i, problem, true);
    }
    return true;
  }

  bool compile_rule(uint32_t i) {
    if (left_out_) return true;
    const RuleDefinition& rule = definitions_.rules[i];
    Problem problem;
    auto tree = filter::parse(rule.condition, Dialect::kRules, problem);
    if (tree == nullptr) return fail(Remark::kSyntax, false, i, problem);
    set_source(*tree, kOwnText);
    if (!expand(tree, UINT32_MAX, problem)) return fail(Remark::kUndefinedMacro, false, i, problem);
    CompiledRule& made = result_.rules[i];
    made.condition = filter::text_of(*tree);
    warn_of_fields(*tree, i);

    std::vector<Problem> warnings;
    made.filter = filter::Filter::compile(*tree, Dialect::kRules, problem, &warnings);
    if (made.filter == nullptr) {
      if (!problem.is_unknown || !rule.skip_unknown)
        return fail(Remark::kCondition, false, i, problem);
      add(Remark::kSkipped, false, i, problem);
      return true;
    }
    for (const Problem& warning : warnings) add(Remark::kSuspectValue, false, i, warning);
    if (const Check* check = unclear_event_type(*tree)) {
      problem.at = check->left.at;
      problem.message = "event types must be compared with values, without a transformer";
      return fail(Remark::kCondition, false, i, problem);
    }
    const size_t count = event_codes_of(*tree).count();
    if (rule.warn_event_types && (count == 0 || count > kManyEventTypes)) {
      warn(Remark::kManyEventTypes, i,
           count == 0
               ? "no event can match the condition"
               : "the condition names no event type, or very many; it is evaluated for each event");
    }
    made.is_taken = true;
    describe(*tree, made);
    return true;
  }

  // Warnings that Falco reports before it resolves fields.
  void warn_of_fields(const Node& tree, uint32_t i) {
    std::set<std::string_view> deprecated;
    each_field(tree, [&](const fields::FieldRef& field) {
      const auto* known = std::ranges::find(kDeprecatedFields, base_name(field.name));
      if (known != std::end(kDeprecatedFields)) deprecated.insert(*known);
    });
    for (const std::string_view name : deprecated) {
      warn(Remark::kDeprecatedField, i,
           name == "evt.dir" ? "evt.dir is deprecated: rules only see exit events, so = < always "
                               "holds and = > never does; remove the check"
                             : std::string(name) + " is deprecated");
    }
    bool is_unsafe = false;
    const auto visit = [&is_unsafe](const Check& check) {
      const bool has_operator = check.op == Operator::kEqual || check.op == Operator::kNotEqual ||
                                check.op == Operator::kIn || check.op == Operator::kIntersects ||
                                check.op == Operator::kPmatch;
      const std::string& name = check.left.field.name;
      is_unsafe |=
          has_operator && check.left.call == nullptr &&
          (name.starts_with("ka.") || name.starts_with("jevt.")) &&
          std::ranges::find(check.values, "<NA>", &filter::Literal::text) != check.values.end();
    };
    each_check(tree, visit);
    if (is_unsafe) warn(Remark::kUnsafeComparison, i, "a missing value is not <NA>; use exists");
  }

  static void describe(const Node& tree, CompiledRule& rule) {
    std::set<std::string> unavailable;
    std::set<std::string> of_containers;
    each_field(tree, [&](const fields::FieldRef& field) {
      if (field.is_unavailable) unavailable.insert(field.name);
      if (needs_description(field)) of_containers.insert(field.name);
    });
    rule.unavailable_fields.assign(unavailable.begin(), unavailable.end());
    rule.container_fields.assign(of_containers.begin(), of_containers.end());
    for (uint16_t code = 0; code < scap::kEventCount && !rule.can_match; ++code)
      rule.can_match = is_seen_by_rules(code) && rule.filter->may_pass(code);
  }

  void add(Remark remark, bool of_macro, uint32_t index, const Problem& problem,
           bool of_output = false) {
    Diagnostic& made = result_.diagnostics.emplace_back();
    made.of_output = of_output;
    made.remark = remark;
    made.of_macro = of_macro;
    made.index = index;
    made.in_macro = problem.source != kOwnText;
    made.macro = made.in_macro ? problem.source - 1 : 0;
    made.at = problem.at;
    made.message = problem.message;
  }
  bool fail(Remark remark, bool of_macro, uint32_t index, const Problem& problem) {
    add(remark, of_macro, index, problem);
    return false;
  }
  void warn(Remark remark, uint32_t index, std::string message) {
    Problem problem;
    problem.message = std::move(message);
    add(remark, false, index, problem);
  }

  const Definitions& definitions_;
  Compilation result_;
  std::vector<std::unique_ptr<Node>> macros_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> by_name_;
  std::vector<uint32_t> path_;  // macros in expansion, outermost first
  size_t size_ = 0;             // of the current tree
  size_t total_ = 0;            // of previous trees
  bool left_out_ = false;       // whether the current rule is dropped
};

}  // namespace

std::string_view name_of(Remark remark) {
  switch (remark) {
    case Remark::kSyntax: return "syntax";
    case Remark::kUndefinedMacro: return "macro";
    case Remark::kCondition: return "condition";
    case Remark::kOutput: return "output";
    case Remark::kSkipped: return "skipped";
    case Remark::kSuspectValue: return "value";
    case Remark::kDeprecatedField: return "deprecatedField";
    case Remark::kDeprecatedOutput: return "deprecatedOutput";
    case Remark::kContainerInfo: return "containerInfo";
    case Remark::kUnsafeComparison: return "unsafeComparison";
    case Remark::kManyEventTypes: return "eventTypes";
  }
  return {};
}

Compilation compile(const Definitions& definitions) {
  return Compiler(definitions).compile();
}

}  // namespace sfkit::rules
