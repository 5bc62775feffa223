// The library for C++ programs: a configuration, a callback, run(). What SysFlowDriver is for Node.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/status.h"
#include "base/summary.h"
#include "live/source.h"
#include "sysflow/convert.h"
#include "sysflow/records.h"

namespace sfkit {

// An event or a flow; one pointer is set, valid during the call.
using Activity =
    std::variant<const sysflow::ProcessEvent*, const sysflow::NetworkFlow*, const sysflow::FileFlow*,
                 const sysflow::FileEvent*, const sysflow::ProcessFlow*>;

// What a record refers to; null where the capture does not tell. Pointers are valid during the call.
struct Joined {
  const sysflow::Header* header = nullptr;
  const sysflow::Container* container = nullptr;
  const sysflow::Process* process = nullptr;
  const sysflow::File* file1 = nullptr;  // of file flows and file events
  const sysflow::File* file2 = nullptr;  // the second of link, symlink and rename
};

// Called for every event and flow in their order, before run() returns. Returns false to end the run.
using Callback = std::function<bool(const Joined& joined, const Activity& record)>;

// What is not named here has the meaning and default of ConvertOptions.
struct DriverConfig {
  std::string scap_input_path;  // capture to read; "-" is standard input; "" for the running kernel
  std::string file_path;        // .sf file to write; "" for none
  Callback callback;            // may be empty
  sysflow::ConvertOptions options;
  live::LiveOptions
      live;  // of the running kernel, which is captured until exit(); Linux on x86-64, with rights
};

class Driver {
 public:
  explicit Driver(DriverConfig config);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Reads the capture to its end, or to exit(), which a running kernel needs. Not ok for a wrong filter, a
  // capture that cannot be read, an output that cannot be written; damage inside the capture is in summary().
  // Blocks; call it once.
  Status run();
  // Ends the run where it is; may be called from the callback or from another thread.
  void exit() { stop_.store(true, std::memory_order_relaxed); }
  // What was read and left out; of the run that returned.
  const InputSummary& summary() const { return summary_; }

 private:
  class Sink;

  Status capture(sysflow::RecordSink& sink);

  DriverConfig config_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> cancel_{false};
  InputSummary summary_;
};

}  // namespace sfkit
