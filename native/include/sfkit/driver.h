// Reads a capture, or the running kernel, and delivers SysFlow records to a callback or a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sfkit/config.h>
#include <sfkit/records.h>
#include <sfkit/status.h>

namespace sfkit {

// A damaged part of the input. The run continues after it.
struct DamagedPart {
  std::string kind;            // a stable id, such as "truncated" or "bad-length"
  uint64_t offset = 0;         // bytes from the start of the decompressed input
  uint64_t skipped_bytes = 0;  // lost because of the damage
  std::string message;         // for the user
};

struct ReasonCount {
  std::string reason;  // for the user
  uint64_t count = 0;
};

// Statistics of a run.
struct Summary {
  std::string format;       // "scap"
  std::string compression;  // "gzip", or "none"
  uint64_t events = 0;      // read from the input
  uint64_t bytes = 0;       // of the decompressed input
  int64_t first_time = 0;   // of the events, in ns since 1970; 0 without events
  int64_t last_time = 0;
  std::vector<DamagedPart> damage;   // at most 1000
  std::vector<ReasonCount> skipped;  // missing from the records
  std::vector<ReasonCount> notes;    // converted to another form, but not missing
  std::vector<std::string> files;    // names of the SysFlow files that are complete
  uint64_t records = 0;              // delivered, including headers
  uint64_t socket_sent = 0;          // messages to the socket
  uint64_t socket_dropped = 0;       // records that no reader took in time
  uint64_t socket_dropped_ipv6 = 0;  // IPv6 flows, which messages cannot represent
};

// One run over one input. Not copyable. Except for exit(), use it on one thread.
class Driver {
 public:
  // Does nothing yet; run() checks the configuration.
  explicit Driver(DriverConfig config);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Reads the input to its end, or until exit(), the callback or live.max_events ends the run; a
  // live capture has no other end. Blocks. Call it once. Errors:
  //   kInvalidArgument                    a bad filter or option
  //   kNotFound, kNotAFile, kUnreadable   the input cannot be opened or read
  //   kEmpty, kBadFormat, kNotSupported   the input is not a capture
  //   kUnwritable                         the output file, or the recording, cannot be written
  // Damage inside a capture is not an error: see summary(). An output file is written completely
  // or not at all; what a live capture leaves unfinished stays as NAME.part.
  Status run();

  // Ends the run at the next event; pending flows are still delivered. Callable from the callback,
  // from a signal handler, or from any thread while the driver exists. If called before run(),
  // run() ends at once.
  void exit();

  // Statistics of the finished run; empty before run() has returned. Owned by the driver.
  const Summary& summary() const;

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

}  // namespace sfkit
