// Values of environment variables.
#pragma once

#include <sfkit/environment.h>

#include <optional>
#include <string>
#include <string_view>

namespace sfkit::library {

class Variables {
 public:
  // An empty function stands for std::getenv.
  explicit Variables(EnvironmentLookup lookup);

  // Null if the variable is not set.
  const char* find(const char* name) const { return lookup_(name); }
  // "" if the variable is not set.
  std::string text(const char* name) const;
  // The text, unless it is missing or empty.
  std::optional<std::string> filled(const char* name) const;
  // Whether the value switches on; a wrong one does not. nullopt if the variable is not set.
  std::optional<bool> flag(const char* name) const;

 private:
  EnvironmentLookup lookup_;
};

// The value of a switch, such as "Yes"; nullopt for another text.
std::optional<bool> switch_of(std::string text);

// The number at the start of a text, as in "2nd"; nullopt if there is none.
std::optional<int> leading_number(std::string_view text);

std::string_view trimmed(std::string_view text);

}  // namespace sfkit::library
