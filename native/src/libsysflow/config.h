// From the configuration of libSysFlow to that of sfkit::Driver.
#pragma once

#include <sfkit/driver.h>
#include <sfkit/environment.h>
#include <sysflow/sfconfig.h>

#include <string>

namespace sfkit::libsysflow {

// Throws sfexception::SysFlowException for a value that is not permitted, with the field, the value
// and the permitted values. The result has no callback.
DriverConfig driver_config(const SysFlowConfig& config, const EnvironmentSettings& environment);

// Why SF_K8S_API_URL is ignored: its value is no http or https URL. Empty if it is one. With a
// k8sAPIURL in the configuration, driver_config() throws instead.
std::string problem_of_address(const EnvironmentSettings& environment);

// The name for the log: the last part of appName, as programs often set it to argv[0]. Without one,
// the default.
std::string name_of_app(const SysFlowConfig& config);

}  // namespace sfkit::libsysflow
