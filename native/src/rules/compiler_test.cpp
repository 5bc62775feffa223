#include "rules/compiler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfkit::rules {
namespace {

Definitions rule(std::string condition, std::string output = "o") {
  Definitions definitions;
  definitions.rules.push_back({std::move(condition), std::move(output), false, true});
  return definitions;
}

void add_macro(Definitions& definitions, std::string name, std::string condition) {
  const auto place = static_cast<uint32_t>(definitions.macros.size());
  definitions.macros.push_back({std::move(name), std::move(condition), place, place});
}

// Diagnostics, one per line.
std::string diagnostics_of(const Compilation& made) {
  std::string text;
  for (const Diagnostic& diagnostic : made.diagnostics) {
    text += std::string(name_of(diagnostic.remark)) + " " + std::to_string(diagnostic.at) + "\n";
  }
  return text;
}

TEST(RuleCompiler, ExpandsMacros) {
  Definitions definitions = rule("opens and not quiet");
  add_macro(definitions, "opens", "evt.type in (open, openat)");
  add_macro(definitions, "quiet", "proc.name = a or fd.name = b");
  const Compilation made = compile(definitions);
  ASSERT_TRUE(made.is_ok) << diagnostics_of(made);
  EXPECT_EQ(made.rules[0].condition,
            "(evt.type in (open, openat) and not (proc.name = a or fd.name = b))");
  EXPECT_TRUE(made.macros[0].used);
  EXPECT_TRUE(made.rules[0].can_match);
}

TEST(RuleCompiler, RejectsUndefinedMacros) {
  Definitions definitions = rule("evt.type = open and nothing");
  EXPECT_EQ(diagnostics_of(compile(definitions)), "macro 20\n");
  // A macro sees only earlier ones.
  definitions = rule("a");
  add_macro(definitions, "a", "evt.type = open and b");
  add_macro(definitions, "b", "proc.name = x");
  EXPECT_EQ(diagnostics_of(compile(definitions)), "macro 20\n");
}

TEST(RuleCompiler, LimitsMacroExpansion) {
  Definitions definitions = rule("m40");
  add_macro(definitions, "m0", "evt.type = open");
  for (int i = 1; i <= 40; ++i) {
    const std::string before = "m" + std::to_string(i - 1);
    add_macro(definitions, "m" + std::to_string(i), before + " or " + before);
  }
  const Compilation made = compile(definitions);
  EXPECT_FALSE(made.is_ok);
  ASSERT_EQ(made.diagnostics.size(), 1U);
  EXPECT_NE(made.diagnostics[0].message.find("too many checks"), std::string::npos);
}

TEST(RuleCompiler, LimitsNesting) {
  std::string condition = "evt.type = open";
  for (int i = 0; i < 100'000; ++i) condition = "(" + std::move(condition);
  const Compilation made = compile(rule(condition));
  EXPECT_FALSE(made.is_ok);
  EXPECT_EQ(made.diagnostics.size(), 1U);
  Definitions definitions = rule("m1000");
  add_macro(definitions, "m0", "evt.type = open");
  for (int i = 1; i <= 3000; ++i)
    add_macro(definitions, "m" + std::to_string(i), "not m" + std::to_string(i - 1));
  EXPECT_FALSE(compile(definitions).is_ok);
}

TEST(RuleCompiler, ListsUnavailableFields) {
  const Compilation made =
      compile(rule("evt.type = connect and fd.sip.name = a and container.name = b"));
  ASSERT_TRUE(made.is_ok);
  EXPECT_EQ(made.rules[0].unavailable_fields, std::vector<std::string>{"fd.sip.name"});
  EXPECT_EQ(made.rules[0].container_fields, std::vector<std::string>{"container.name"});
  EXPECT_FALSE(compile(rule("evt.type in ()")).rules[0].can_match);
}

TEST(RuleCompiler, WarnsAboutConditionsOnEveryEvent) {
  EXPECT_EQ(diagnostics_of(compile(rule("proc.name = a"))), "eventTypes 0\n");
  EXPECT_EQ(diagnostics_of(compile(rule("evt.type = open"))), "");
  Definitions quiet = rule("proc.name = a");
  quiet.rules[0].warn_event_types = false;
  EXPECT_EQ(diagnostics_of(compile(quiet)), "");
}

// Which events the condition can match, by its checks on event types: none, few or many.
std::string matching_events(const std::string& condition) {
  const Compilation made = compile(rule(condition));
  if (!made.is_ok) return "wrong";
  if (made.diagnostics.empty()) return "few";
  return made.diagnostics.front().message.starts_with("no event") ? "none" : "many";
}

TEST(RuleCompiler, FindsTheEventTypesThatAConditionCanMatch) {
  EXPECT_EQ(matching_events("evt.type in (open, openat) or evt.type = close"), "few");
  EXPECT_EQ(matching_events("evt.type = open and proc.name = a"), "few");
  EXPECT_EQ(matching_events("evt.type = open or proc.name = a"), "many");
  EXPECT_EQ(matching_events("evt.type != open"), "many");
  EXPECT_EQ(matching_events("not evt.type = open"), "many");
  EXPECT_EQ(matching_events("not evt.type != open"), "few");
  EXPECT_EQ(matching_events("not (evt.type != open and evt.type != close)"), "few");
  EXPECT_EQ(matching_events("not (not evt.type = open or evt.type = close)"), "few");
  EXPECT_EQ(matching_events("evt.type = open and evt.type = close"), "none");
  EXPECT_EQ(matching_events("evt.type exists"), "many");
  EXPECT_EQ(matching_events("not evt.type exists"), "none");
  EXPECT_EQ(matching_events("evt.type in ()"), "none");
  // All calls without a specific event share the generic one.
  EXPECT_EQ(matching_events("evt.type = sethostname"), "few");
  EXPECT_EQ(matching_events("evt.type = sethostname and evt.type = acct"), "few");
  EXPECT_EQ(matching_events("evt.type = sethostname and evt.type = open"), "none");
}

TEST(RuleCompiler, SkipsRulesWithUnknownFieldsOnRequest) {
  Definitions definitions = rule("evt.type = open and foo.bar = 1");
  EXPECT_EQ(diagnostics_of(compile(definitions)), "condition 20\n");
  definitions.rules[0].skip_unknown = true;
  const Compilation made = compile(definitions);
  EXPECT_TRUE(made.is_ok);
  EXPECT_FALSE(made.rules[0].is_taken);
  EXPECT_EQ(diagnostics_of(made), "skipped 20\n");
}

TEST(RuleCompiler, ReadsOutputs) {
  EXPECT_TRUE(
      compile(rule("evt.type = open", "%proc.name. %20evt.type %toupper(proc.name)%evt.arg[0]"))
          .is_ok);
  EXPECT_EQ(diagnostics_of(compile(rule("evt.type = open", "at 100% of it"))), "output 6\n");
  EXPECT_EQ(diagnostics_of(compile(rule("evt.type = open", "%"))), "output 0\n");
  EXPECT_EQ(diagnostics_of(compile(rule("evt.type = open", "%evt.dir"))), "deprecatedOutput 1\n");
}

}  // namespace
}  // namespace sfkit::rules
