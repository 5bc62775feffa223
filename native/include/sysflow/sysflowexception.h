// The errors of libSysFlow.
#pragma once

#include <stdexcept>
#include <string>

namespace sfexception {

enum SysFlowError {
  LibsError,          // a wrong configuration or filter, an unreadable capture, a failed output
  ProbeAccessDenied,  // a capability is missing, lockdown, or an unreadable probe file
  ProbeNotExist,      // the probe file is missing
  ErrorReadingFileSystem,  // the disk of the probe file fails
  NameTooLong,             // the path of the probe file is too long
  ProbeCheckError,         // a part of that path is no directory; another check failed
  ProbeNotLoaded,          // the kernel module is not loaded, or the kernel rejects the probe
  DriverLibsMismatch,      // the probe file has no version
  EventParsingError,       // the capture is damaged; the callback got everything readable
  ProcResourceNotFound,    // /proc lacks something required
  OperationNotSupported    // this version, or this system, does not support it
};

// Thrown by the constructor of SysFlowDriver and by run(). what() is for people.
class __attribute__((visibility("default"))) SysFlowException : public std::runtime_error {
 public:
  SysFlowException(std::string message) : SysFlowException(message, LibsError) {}
  SysFlowException(std::string message, SysFlowError code)
      : std::runtime_error(message), m_code(code) {}

  SysFlowError getErrorCode() const { return m_code; }

 private:
  SysFlowError m_code;
};

}  // namespace sfexception

// libSysFlow's documentation writes these names without their namespace.
using namespace sfexception;
