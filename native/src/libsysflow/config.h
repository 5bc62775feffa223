// From the configuration of libSysFlow to that of sfkit::Driver.
#pragma once

#include <sfkit/driver.h>
#include <sfkit/environment.h>
#include <sysflow/sfconfig.h>

namespace sfkit::libsysflow {

// Throws sfexception::SysFlowException for a value that is not permitted, with the field, the value
// and the permitted values. The result has no callback.
DriverConfig driver_config(const SysFlowConfig& config, const EnvironmentSettings& environment);

}  // namespace sfkit::libsysflow
