// Prints the name of the error that a configuration gives. Arguments: a driver, EBPF, CORE_EBPF,
// KMOD or NO_DRIVER; whether to check modules; a capture, or nothing for the running kernel; a
// filter. The callback ends the run at the first record.
#include "sysflowlibs.hpp"

#include <cstdio>
#include <cstdlib>

const char* name_of(SysFlowError code) {
  switch (code) {
    case SysFlowError::LibsError: return "LibsError";
    case SysFlowError::ProbeAccessDenied: return "ProbeAccessDenied";
    case SysFlowError::ProbeNotExist: return "ProbeNotExist";
    case SysFlowError::ErrorReadingFileSystem: return "ErrorReadingFileSystem";
    case SysFlowError::NameTooLong: return "NameTooLong";
    case SysFlowError::ProbeCheckError: return "ProbeCheckError";
    case SysFlowError::ProbeNotLoaded: return "ProbeNotLoaded";
    case SysFlowError::DriverLibsMismatch: return "DriverLibsMismatch";
    case SysFlowError::EventParsingError: return "EventParsingError";
    case SysFlowError::ProcResourceNotFound: return "ProcResourceNotFound";
    case SysFlowError::OperationNotSupported: return "OperationNotSupported";
  }
  return "?";
}

int main(int argc, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  const char* names[] = {"EBPF", "CORE_EBPF", "KMOD", "NO_DRIVER"};
  for (int i = 0; i < 4; i++)
    if (!strcmp(argv[1], names[i])) config->driverType = (DriverType)i;
  config->moduleChecks = atoi(argv[2]) != 0;
  config->scapInputPath = argc > 3 ? argv[3] : NULL;
  config->falcoFilter = argc > 4 ? argv[4] : NULL;
  sysflowlibscpp::SysFlowDriver* driver = nullptr;
  config->callback = [&driver](sysflow::SFHeader*, sysflow::Container*, sysflow::Process*,
                               sysflow::File*, sysflow::File*, sysflow::SysFlow*) {
    driver->exit();
  };
  const char* stage = "constructor";
  try {
    driver = new sysflowlibscpp::SysFlowDriver(config);
    stage = "run";
    printf("run returned %d\n", driver->run());
  } catch (sfexception::SysFlowException& ex) {
    printf("%s: %s: %s\n", stage, name_of(ex.getErrorCode()), ex.what());
  } catch (const std::exception& ex) {
    printf("%s: another exception: %s\n", stage, ex.what());
  }
  delete driver;
  delete config;
  return 0;
}
