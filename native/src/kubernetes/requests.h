// Requests to the Kubernetes API. src/live/kubernetes/requests.ts does the same for Node.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kubernetes/closing.h"
#include "kubernetes/curl.h"
#include "kubernetes/settings.h"

namespace sfkit::kubernetes {

struct Failure {
  std::string message;
  int status = 0;  // of the answer, if that is the failure
};
// nullopt is success.
using Outcome = std::optional<Failure>;

struct RequestTimes {
  // Maximum time for a complete answer, or for the start of a watch.
  std::chrono::milliseconds answer{60'000};
  // Maximum time of a watch without any data.
  std::chrono::milliseconds silence{330'000};
};

// Each call is a connection of its own. Thread-safe.
class Api {
 public:
  Api(const Curl& curl, const Settings& settings, const RequestTimes& times, const Closing& closing)
      : curl_(curl), settings_(settings), times_(times), closing_(closing) {}

  // Sets `body` to the whole answer.
  Outcome get(const std::string& path, std::string& body) const;

  using TakeLine = std::function<Outcome(std::string_view line)>;
  // Calls `take` for each complete line of an answer that does not end soon, until it fails. Lines
  // that are too long are left out: `skipped` is called for each.
  Outcome watch(const std::string& path, const TakeLine& take,
                const std::function<void()>& skipped) const;

 private:
  class Transfer;

  const Curl& curl_;
  const Settings& settings_;
  const RequestTimes& times_;
  const Closing& closing_;
};

// `text` as a part of a path or query.
std::string percent_encoded(std::string_view text);

}  // namespace sfkit::kubernetes
