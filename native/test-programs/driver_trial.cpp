// Runs the driver for C++ as a program of libSysFlow does, so that tests can compare it with the
// driver for Node. Follows the environment variables. Prints the names of complete files.
// Usage: sfkit_driver_trial INPUT [output=PATH] [socket=PATH] [rotate=SECONDS] [filter=FILTER]
//                           [mode=flow|opens|none] [cri=SOCKET] [record=PATH] [k8s=URL]
//                           [k8scert=FILES]
// With "settings" as INPUT, it prints what the environment asks for, as JSON. With "live", it
// captures the running kernel until SIGTERM.
#include <sfkit/checks.h>
#include <sfkit/driver.h>
#include <sfkit/environment.h>
#include <sfkit/log.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

void print_settings(const sfkit::EnvironmentSettings& settings) {
  std::string text = "{";
  const auto add = [&text](const char* name, const std::string& value) {
    text += (text.size() == 1 ? "\"" : ",\"") + std::string(name) + "\":" + value;
  };
  const auto add_flag = [&add](const char* name, const std::optional<bool>& value) {
    if (value) add(name, *value ? "true" : "false");
  };
  const auto add_text = [&add](const char* name, const std::optional<std::string>& value) {
    if (value) add(name, '"' + *value + '"');
  };
  add_flag("enableStats", settings.stats);
  add_flag("dropMode", settings.drop_mode);
  add_flag("fileOnly", settings.files_only);
  add_flag("enableProcessFlow", settings.process_flows);
  if (settings.file_reads) add("fileReadMode", std::to_string(*settings.file_reads));
  add_text("nodeIP", settings.node_ip);
  add_flag("debugMode", settings.debug);
  add_text("k8sAPIURL", settings.k8s_api_url);
  add_text("k8sAPICert", settings.k8s_api_certificate);
  add_text("hostRoot", settings.host_root);
  add_text("bpfProbe", settings.bpf_probe);
  std::string warnings;
  for (const std::string& text : settings.warnings)
    warnings += (warnings.empty() ? "\"" : ",\"") + text + '"';
  add("warnings", '[' + warnings + ']');
  std::puts((text + "}").c_str());
}

std::atomic<sfkit::Driver*> running{nullptr};

void end_run(int) {
  if (sfkit::Driver* const driver = running.load()) driver->exit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const sfkit::EnvironmentSettings settings = sfkit::read_environment();
  if (std::string_view(argv[1]) == "settings") {
    print_settings(settings);
    return 0;
  }
  sfkit::DriverConfig config;
  if (std::string_view(argv[1]) != "live") config.input_path = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view option = argv[i];
    const size_t equal = option.find('=');
    if (equal == std::string_view::npos) return 2;
    const std::string_view name = option.substr(0, equal);
    const std::string value(option.substr(equal + 1));
    if (name == "output") config.output_path = value;
    if (name == "socket") config.socket_path = value;
    if (name == "rotate") config.rotate_seconds = std::atoll(value.c_str());
    if (name == "filter") config.filter = value;
    if (name == "cri") config.live.cri_socket = value;
    if (name == "k8s") config.live.k8s_api_url = value;
    if (name == "k8scert") config.live.k8s_api_cert = value;
    if (name == "record") config.live.record_path = value;
    if (name == "mode" && value == "opens") config.file_tracking = sfkit::FileTracking::kOpens;
    if (name == "mode" && value == "none") config.file_tracking = sfkit::FileTracking::kNone;
  }
  sfkit::apply_environment(settings, config);
  config.log = sfkit::Log(sfkit::log_settings("sysflowlibs", settings.debug.value_or(false)));
  for (const std::string& text : settings.warnings)
    config.log({sfkit::LogSeverity::kWarning, 0, "driver", text});
  const bool is_live = config.input_path.empty();
  sfkit::Driver driver(std::move(config));
  running = &driver;
  std::signal(SIGTERM, end_run);
  const sfkit::Status status = driver.run();
  running = nullptr;
  if (!status.is_ok()) {
    std::fprintf(stderr, "%s: %s\n",
                 sfkit::driver_error_name(sfkit::driver_error_of(status, is_live)),
                 sfkit::escape(status.message()).c_str());
    return 1;
  }
  for (const std::string& file : driver.summary().files) std::puts(file.c_str());
  return 0;
}
