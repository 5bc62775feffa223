// libSysFlow: SysFlow records of a capture, or of the running kernel, for a callback.
#pragma once

#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "sfconfig.h"
#include "sysflowexception.h"

namespace sysflowlibscpp {

// A configuration with all defaults. The caller deletes it.
__attribute__((visibility("default"))) SysFlowConfig* InitializeSysFlowConfig();

// One run. Except for exit(), use it on one thread.
class __attribute__((visibility("default"))) SysFlowDriver {
 public:
  // Copies the configuration and applies the environment variables. Throws a SysFlowException for a
  // wrong configuration, and if the running kernel is to be captured and cannot be.
  explicit SysFlowDriver(SysFlowConfig* conf);
  virtual ~SysFlowDriver();
  SysFlowDriver(const SysFlowDriver&) = delete;
  SysFlowDriver& operator=(const SysFlowDriver&) = delete;

  // Blocks until the end of the capture, or until exit(). All calls of the callback come before it
  // returns 0. Throws a SysFlowException, or what the callback threw; records before the failure
  // are delivered. Call it once.
  int run();
  // Ends the run; what was read is still delivered. Callable from signal handlers, from the
  // callback and from other threads.
  void exit();
  // The version of sfkit.
  std::string getVersion();

 private:
  class Implementation;
  std::unique_ptr<Implementation> m_implementation;
};

}  // namespace sysflowlibscpp
