// A capture of the running kernel, as an input of the reader. Linux on x86-64; elsewhere open() says so.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "live/options.h"
#include "scap/input.h"

namespace sfkit::live {

class LiveSource {
 public:
  // Begins to record: what happens from here on is in the input.
  static Result<std::shared_ptr<LiveSource>> open(const LiveOptions& options);
  // Loads the probe, with the smallest buffers, and lets it go again: what would keep a capture from working.
  // The text tells what works.
  static Result<std::string> try_probe(ProbeOptions options);

  virtual ~LiveSource() = default;

  // The bytes of a capture; its stop() ends it with all that happened. Once.
  virtual std::unique_ptr<scap::Input> input() = 0;
  // For any thread: ends the input at once.
  virtual void cancel() = 0;
  // For any thread: puts an event into the capture that tells about a container (JSON as in captures).
  virtual void describe_container(std::string_view json) = 0;
  virtual LiveCounts counts() const = 0;
  // Why the file that is written at the same time is not whole; empty if it is. Final after the input's end.
  virtual std::string recording_failure() const = 0;
  // Why privileges that it was to drop are still held; empty if it holds none, or was to keep them.
  virtual std::string privileges_failure() const = 0;
};

}  // namespace sfkit::live
