// A capture of the running kernel as a reader's input. Needs Linux on x86-64; open() fails on other
// systems.
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
  // Starts recording. The input has all events from here on.
  static Result<std::shared_ptr<LiveSource>> open(const LiveOptions& options);
  // Loads and unloads the probe, with minimal buffers. Returns what works, or the error that
  // prevents capturing.
  static Result<std::string> try_probe(ProbeOptions options);

  virtual ~LiveSource() = default;

  // The capture as bytes; call it once. Its stop() ends the capture and keeps earlier events.
  virtual std::unique_ptr<scap::Input> input() = 0;
  // Thread-safe. Ends the input immediately.
  virtual void cancel() = 0;
  // Thread-safe. Adds an event that describes a container (JSON as in captures).
  virtual void describe_container(std::string_view json) = 0;
  // Thread-safe. Adds an event of the Kubernetes API (JSON as in captures).
  virtual void add_kubernetes_event(std::string_view json) = 0;
  virtual LiveCounts counts() const = 0;
  // Why the recorded file is incomplete; empty if it is complete. Final after the end of the input.
  virtual std::string recording_failure() const = 0;
  // Why privileges were not dropped; empty if they were, or were to be kept.
  virtual std::string privileges_failure() const = 0;
};

}  // namespace sfkit::live
