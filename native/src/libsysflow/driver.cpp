#include <sfkit/checks.h>
#include <sfkit/driver.h>
#include <sfkit/environment.h>
#include <sfkit/log.h>
#include <sfkit/version.h>
#include <sysflow/sysflowlibs.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "libsysflow/config.h"
#include "libsysflow/errors.h"
#include "libsysflow/records.h"

namespace sysflowlibscpp {

using sfexception::SysFlowError;
using sfexception::SysFlowException;
using sfkit::ProbeKind;

namespace {

static_assert(static_cast<int>(sfkit::DriverError::kLibsError) == sfexception::LibsError);
static_assert(static_cast<int>(sfkit::DriverError::kProbeNotLoaded) == sfexception::ProbeNotLoaded);
static_assert(static_cast<int>(sfkit::DriverError::kOperationNotSupported) ==
              sfexception::OperationNotSupported);

SysFlowException exception_of(sfkit::DriverError code, const std::string& message) {
  return sfkit::libsysflow::exception_of(static_cast<SysFlowError>(code), message);
}

const char* name_of(DriverType type) {
  return type == EBPF ? "EBPF" : "KMOD";
}

// Checks what a live capture needs. sfkit captures with its own probe, whatever the program asks
// for. But a probe file that the user names must be usable, and if sfkit's probe cannot work, the
// error is about the driver that the program asks for.
void check_driver(const SysFlowConfig& config, const sfkit::EnvironmentSettings& environment) {
  const auto check = [](ProbeKind kind) {
    if (const auto failure = sfkit::check_modules(kind))
      throw exception_of(failure->error, failure->message);
  };
  const bool names_file = environment.bpf_probe && !environment.bpf_probe->empty();
  if (config.driverType == EBPF && names_file) check(ProbeKind::kEbpfFile);
  const auto failure = sfkit::check_modules(ProbeKind::kOwn);
  if (!failure) return;
  if (config.driverType == EBPF) check(ProbeKind::kEbpfFile);
  if (config.driverType == KMOD) check(ProbeKind::kKernelModule);
  throw exception_of(failure->error, failure->message);
}

}  // namespace

class SysFlowDriver::Implementation {
 public:
  explicit Implementation(const SysFlowConfig& config) : Implementation(config, Settings(config)) {}

  int run() {
    if (std::exchange(ran_, true)) {
      throw SysFlowException("run() was already called; create a driver for each run",
                             sfexception::OperationNotSupported);
    }
    const sfkit::Status status = driver_.run();
    if (skipped_ > 0) {
      log(sfkit::LogSeverity::kWarning,
          std::to_string(skipped_) + " network flows of IPv6 skipped: their records have no room");
    }
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if (!status.is_ok())
      throw exception_of(sfkit::driver_error_of(status, input_.empty()), status.message());
    if (const auto& damage = driver_.summary().damage; !damage.empty()) {
      throw exception_of(sfkit::DriverError::kEventParsingError,
                         input_ + ": damaged at byte " + std::to_string(damage[0].offset) + ": " +
                             damage[0].message + "; everything readable was delivered");
    }
    return 0;
  }

  void exit() { driver_.exit(); }

 private:
  struct Settings {
    explicit Settings(const SysFlowConfig& config)
        : environment(sfkit::read_environment()),
          driver(sfkit::libsysflow::driver_config(config, environment)),
          log(sfkit::log_settings(sfkit::libsysflow::name_of_app(config),
                                  environment.debug.value_or(config.debugMode))) {
      if (const std::string problem = sfkit::libsysflow::problem_of_address(environment);
          !problem.empty())
        log({sfkit::LogSeverity::kWarning, 0, "driver", problem + "; it is ignored"});
      if (driver.input_path.empty() && config.moduleChecks) check_driver(config, environment);
    }

    sfkit::EnvironmentSettings environment;
    sfkit::DriverConfig driver;
    sfkit::Log log;
  };

  Implementation(const SysFlowConfig& config, Settings settings)
      : callback_(config.callback),
        input_(config.scapInputPath),
        log_(settings.log),
        driver_(complete(std::move(settings))) {
    if (config.driverType == EBPF || config.driverType == KMOD) {
      log(sfkit::LogSeverity::kWarning, std::string("driverType ") + name_of(config.driverType) +
                                            ": sfkit captures with its own probe instead");
    }
  }

  sfkit::DriverConfig complete(Settings settings) {
    settings.driver.log = log_;
    for (const std::string& text : settings.environment.warnings)
      log(sfkit::LogSeverity::kWarning, text);
    if (callback_) {
      settings.driver.callback = [this](const sfkit::Joined& joined,
                                        const sfkit::Activity& activity) {
        return call(joined, activity);
      };
    }
    return std::move(settings.driver);
  }

  // Returns false to end the run, after the callback threw.
  bool call(const sfkit::Joined& joined, const sfkit::Activity& activity) {
    if (!sfkit::libsysflow::has_room(activity)) {
      ++skipped_;
      return true;
    }
    try {
      const auto [header, container, process, file1, file2, record] =
          records_.convert(joined, activity);
      callback_(header, container, process, file1, file2, record);
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  void log(sfkit::LogSeverity severity, const std::string& text) const {
    log_({severity, 0, "driver", text});
  }

  const SysFlowCallback callback_;
  const std::string input_;
  const sfkit::Log log_;
  sfkit::Driver driver_;
  sfkit::libsysflow::Records records_;
  std::exception_ptr thrown_;
  uint64_t skipped_ = 0;
  bool ran_ = false;
};

SysFlowConfig* InitializeSysFlowConfig() {
  return new SysFlowConfig();
}

SysFlowDriver::SysFlowDriver(SysFlowConfig* conf) {
  if (conf == nullptr)
    throw SysFlowException("no configuration: the pointer is null", sfexception::LibsError);
  m_implementation = std::make_unique<Implementation>(*conf);
}

SysFlowDriver::~SysFlowDriver() = default;

int SysFlowDriver::run() {
  return m_implementation->run();
}

void SysFlowDriver::exit() {
  m_implementation->exit();
}

std::string SysFlowDriver::getVersion() {
  return sfkit::version();
}

}  // namespace sysflowlibscpp
