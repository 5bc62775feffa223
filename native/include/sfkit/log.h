// Messages of a driver, and a log that follows the variables of glog.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sfkit/environment.h>

namespace sfkit {

enum class LogSeverity : uint8_t { kInfo, kWarning, kError };

// Valid only during the call of a hook.
struct LogMessage {
  LogSeverity severity = LogSeverity::kInfo;
  // 0: of general interest. Verbose messages: 1 occasional, 2 frequent.
  int verbosity = 0;
  std::string_view module;  // "driver" or "socket"
  std::string_view text;    // can have captured text: see escape()
};

// Called for one message at a time, on any thread of the driver. Must not throw.
using LogHook = std::function<void(const LogMessage& message)>;

struct LogSettings {
  std::string name = "sysflowlibs";  // in each line, and of the files
  bool to_stderr = false;            // everything to standard error, nothing to files
  int stderr_threshold = 2;          // lowest severity for standard error; 3: none
  int min_severity = 0;              // lower severities are dropped
  std::string directory;             // of NAME.INFO, NAME.WARNING and NAME.ERROR; empty: no files
  int verbosity = 0;                 // highest verbosity of messages
  std::string modules;               // the same by module: "driver=2,sock*=1"
};

// The settings that GLOG_logtostderr, GLOG_stderrthreshold, GLOG_minloglevel, GLOG_log_dir, GLOG_v
// and GLOG_vmodule ask for. `debug`: everything goes to standard error, up to verbosity 2.
LogSettings log_settings(std::string name, bool debug, const EnvironmentLookup& lookup = {});

// Writes messages to standard error and to files. A file has its severity and higher ones. Copies
// share the files. Thread-safe; usable as a LogHook.
class Log {
 public:
  // Without a usable directory it says so on standard error and writes no files.
  explicit Log(LogSettings settings);
  void operator()(const LogMessage& message) const;

 private:
  class Writer;
  std::shared_ptr<Writer> writer_;
};

}  // namespace sfkit
