#include "library/variables.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "variables.gen.h"

namespace sfkit::library {

Variables::Variables(EnvironmentLookup lookup) : lookup_(std::move(lookup)) {
  if (!lookup_) lookup_ = [](const char* name) -> const char* { return std::getenv(name); };
}

std::string Variables::text(const char* name) const {
  const char* const value = find(name);
  return value == nullptr ? "" : value;
}

std::optional<std::string> Variables::filled(const char* name) const {
  std::string value = text(name);
  return value.empty() ? std::nullopt : std::optional(std::move(value));
}

std::optional<bool> Variables::flag(const char* name) const {
  const char* const value = find(name);
  if (value == nullptr) return std::nullopt;
  return switch_of(value).value_or(false);
}

std::optional<bool> switch_of(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), to_lower);
  const auto is_word = [&text](const char* word) { return text == word; };
  if (std::any_of(std::begin(kSwitchOn), std::end(kSwitchOn), is_word)) return true;
  if (std::any_of(std::begin(kSwitchOff), std::end(kSwitchOff), is_word)) return false;
  return std::nullopt;
}

std::optional<int> leading_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return text.front() == '-' ? INT_MIN : INT_MAX;
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace sfkit::library
