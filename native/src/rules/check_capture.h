// Checks a capture against rules.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "rules/definitions.h"
#include "rules/matcher.h"
#include "scap/input.h"

namespace sfkit::rules {

struct CheckOptions {
  Definitions rules;
  MatchOptions match;
  uint64_t max_memory = 0;  // see state::Feed::limit_memory()
};

// What a capture has about its containers.
struct ContainersSeen {
  uint64_t containers = 0;
  uint64_t undescribed = 0;  // only the id is known
};

// Passes complete lines of JSON to `give`, in batches of a few hundred KB, until it returns false:
// a line for each finding, then one with totals (RuleMatcher::append_totals). Fails if the input is
// not a capture or a rule does not compile; damage is in the summary.
Status check_capture(scap::Input& input, const std::string& name, const CheckOptions& options,
                     const std::function<bool(std::vector<uint8_t>)>& give,
                     const std::atomic<bool>& cancel, InputSummary& summary,
                     ContainersSeen& containers);

}  // namespace sfkit::rules
