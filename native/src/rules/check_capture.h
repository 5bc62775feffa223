// A capture judged by rules.
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
};

// What a capture says of its containers.
struct ContainersSeen {
  uint64_t containers = 0;
  uint64_t undescribed = 0;  // of which nothing but the id is known
};

// Gives whole lines of JSON to `give`, a few hundred thousand bytes at a time, until it returns false: a line
// for each finding, the last one with totals (RuleMatcher::append_totals). Not ok when the input is no
// capture or a rule does not compile; damage is in the summary.
Status check_capture(scap::Input& input, const std::string& name, const CheckOptions& options,
                     const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel,
                     InputSummary& summary, ContainersSeen& containers);

}  // namespace sfkit::rules
