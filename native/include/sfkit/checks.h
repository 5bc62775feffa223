// Checks before a live capture, and the error codes of libSysFlow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sfkit/environment.h>
#include <sfkit/status.h>

namespace sfkit {

// In the order of libSysFlow.
enum class DriverError : uint8_t {
  kLibsError,          // a wrong configuration or filter, an unreadable capture, a failed output
  kProbeAccessDenied,  // a capability is missing, lockdown, or an unreadable probe file
  kProbeNotExist,      // the probe file is missing
  kErrorReadingFileSystem,  // the disk of the probe file fails
  kNameTooLong,             // the path of the probe file is too long
  kProbeCheckError,         // a part of that path is no directory; another check failed
  kProbeNotLoaded,          // the kernel module is not loaded, or the kernel rejects the probe
  kDriverLibsMismatch,      // the probe file has no version
  kEventParsingError,       // the capture is damaged
  kProcResourceNotFound,    // /proc lacks something required
  kOperationNotSupported,   // this version, or this system, does not support it
};

// The code's name in libSysFlow, such as "ProbeNotLoaded".
const char* driver_error_name(DriverError error);

// How a program wants to capture the running kernel.
enum class ProbeKind : uint8_t {
  kOwn,           // the probe of sfkit (CO-RE)
  kEbpfFile,      // an eBPF object file: FALCO_BPF_PROBE, or ~/.falco/falco-bpf.o
  kKernelModule,  // the kernel module falco
};

struct CheckFailure {
  DriverError error = DriverError::kLibsError;
  std::string message;  // what is missing, and what to do
};

// The first missing requirement of a live capture; nullopt if there is none. For kOwn, it also
// loads and unloads the probe. Sfkit captures with its own probe only; the other kinds are checked
// for programs that ask for them.
std::optional<CheckFailure> check_modules(ProbeKind kind, const EnvironmentLookup& lookup = {});

// The code for an error of Driver::run(), which is not kOk. `live`: the run had no input_path.
DriverError driver_error_of(const Status& status, bool live);

}  // namespace sfkit
