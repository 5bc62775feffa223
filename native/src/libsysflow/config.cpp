#include "libsysflow/config.h"

#include <bit>
#include <string>
#include <string_view>

#include "filter/filter.h"
#include "kubernetes/settings.h"
#include "libsysflow/errors.h"
#include "live_limits.gen.h"

namespace sfkit::libsysflow {
namespace {

constexpr int64_t kMaxRotateSeconds = 1 << 30;
constexpr int64_t kMaxRuntimeTimeout = 3600;
constexpr uint64_t kPage = 4096;
constexpr size_t kMaxSocketPath = 107;
constexpr size_t kMaxShown = 60;
constexpr int64_t kStatisticsInterval = 30;
// The default of rotateInterval. A capture is rotated only on request.
constexpr int kDefaultRotateSeconds = 300;
constexpr const char* kDefaultAppName = "sysflowlibs";

[[noreturn]] void refuse(const std::string& message) {
  throw sfexception::SysFlowException("configuration: " + message, sfexception::LibsError);
}

[[noreturn]] void refuse(const char* field, const std::string& value, const std::string& allowed) {
  refuse("field '" + std::string(field) + "' is " + value + "; it must be " + allowed);
}

std::string quoted(const std::string& text) {
  return "'" + escape(text.size() > kMaxShown ? text.substr(0, kMaxShown) + "..." : text) + "'";
}

void check_number(const char* field, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return;
  refuse(field, std::to_string(value),
         "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
}

void check_text(const char* field, const std::string& value) {
  if (value.find('\0') != std::string::npos)
    refuse(field, quoted(value), "text without NUL characters");
}

void check_fields(const SysFlowConfig& config) {
  check_text("scapInputPath", config.scapInputPath);
  check_text("filePath", config.filePath);
  check_text("socketPath", config.socketPath);
  if (config.socketPath.size() > kMaxSocketPath) {
    refuse("socketPath", quoted(config.socketPath),
           "the path of a unix socket, at most " + std::to_string(kMaxSocketPath) + " bytes long");
  }
  check_number("rotateInterval", config.rotateInterval, 0, kMaxRotateSeconds);
  check_text("exporterID", config.exporterID);
  check_text("nodeIP", config.nodeIP);
  check_text("falcoFilter", config.falcoFilter);
  check_number("fileReadMode", config.fileReadMode, 0, 2);
  check_number("collectionMode", config.collectionMode, SFFlowMode, SFNoFilesMode);
  check_text("appName", config.appName);
  check_number("driverType", config.driverType, EBPF, NO_DRIVER);
  check_number("samplingRatio", config.samplingRatio, live::kMinSamplingRatio,
               live::kMaxSamplingRatio);
  const uint64_t bytes = config.singleBufferDimension;
  if (bytes > live::kMaxRingBytes || bytes % kPage != 0) {
    refuse("singleBufferDimension", std::to_string(bytes),
           "0 for the default, or a multiple of " + std::to_string(kPage) + " up to " +
               std::to_string(live::kMaxRingBytes) + " bytes");
  }
  check_number("cpuBuffers", config.cpuBuffers, live::kMinCpusPerRing, live::kMaxCpusPerRing);
  check_text("criPath", config.criPath);
  check_text("k8sAPIURL", config.k8sAPIURL);
  if (!config.k8sAPIURL.empty() && !kubernetes::is_web_address(config.k8sAPIURL))
    refuse("k8sAPIURL", quoted(config.k8sAPIURL), "an http or https URL");
  check_text("k8sAPICert", config.k8sAPICert);
  check_number("criTO", config.criTO, 0, kMaxRuntimeTimeout);
}

// Rules that concern several fields.
void check_together(const SysFlowConfig& config) {
  if (!config.scapInputPath.empty() && config.driverType != NO_DRIVER) {
    refuse(
        "field 'scapInputPath' is given and 'driverType' is not NO_DRIVER; with a capture, "
        "'driverType' must be NO_DRIVER");
  }
  if (config.enableConsumerMode && config.collectionMode == SFNoFilesMode) {
    refuse(
        "field 'enableConsumerMode' is true and 'collectionMode' is SFNoFilesMode; they contradict "
        "each other");
  }
  if (config.filePath.empty() && config.socketPath.empty() && !config.callback)
    refuse("no output: give 'callback', 'filePath' or 'socketPath'");
}

FileTracking file_tracking(const SysFlowConfig& config) {
  if (config.enableConsumerMode) return FileTracking::kOpens;
  switch (config.collectionMode) {
    case SFConsumerMode: return FileTracking::kOpens;
    case SFNoFilesMode: return FileTracking::kNone;
    default: return FileTracking::kFlows;
  }
}

LiveConfig live_config(const SysFlowConfig& config) {
  LiveConfig live;
  live.all_calls = !config.dropMode;
  live.sampling_ratio = static_cast<uint32_t>(config.samplingRatio);
  // The kernel needs a power of two.
  if (config.singleBufferDimension != 0)
    live.ring_bytes = std::bit_ceil(static_cast<uint32_t>(config.singleBufferDimension));
  live.cpus_per_ring = static_cast<uint32_t>(config.cpuBuffers);
  live.cri_socket = config.criPath;
  live.runtime_timeout_seconds = config.criTO;
  live.k8s_api_url = config.k8sAPIURL;
  live.k8s_api_cert = config.k8sAPICert;
  return live;
}

// The address and files, as run() will read them.
void check_kubernetes(const LiveConfig& live) {
  kubernetes::Options options;
  options.url = live.k8s_api_url;
  options.cert = live.k8s_api_cert;
  if (const auto found = kubernetes::find_settings(options); !found.is_ok())
    throw exception_of(sfexception::LibsError, found.status().message());
}

}  // namespace

std::string problem_of_address(const EnvironmentSettings& environment) {
  const auto& url = environment.k8s_api_url;
  if (!url || kubernetes::is_web_address(*url)) return {};
  return "SF_K8S_API_URL=" + quoted(*url) + " in the environment: expected an http or https URL";
}

DriverConfig driver_config(const SysFlowConfig& config, const EnvironmentSettings& environment) {
  check_fields(config);
  check_together(config);
  DriverConfig result;
  result.input_path = config.scapInputPath;
  result.output_path = config.filePath;
  result.socket_path = config.socketPath;
  result.exporter = config.exporterID;
  result.node_ip = config.nodeIP;
  result.filter = config.falcoFilter;
  result.file_reads = static_cast<FileReads>(config.fileReadMode);
  result.file_tracking = file_tracking(config);
  result.files_only = config.fileOnly;
  result.process_flows = config.enableProcessFlow;
  result.containers_only = config.filterContainers;
  const bool rotates =
      config.scapInputPath.empty() || config.rotateInterval != kDefaultRotateSeconds;
  result.rotate_seconds = rotates ? config.rotateInterval : 0;
  result.stats_seconds = config.enableStats ? kStatisticsInterval : 0;
  result.live = live_config(config);
  if (const std::string problem = problem_of_address(environment);
      !problem.empty() && !config.k8sAPIURL.empty())
    throw exception_of(sfexception::LibsError, problem);
  apply_environment(environment, result);
  if (result.input_path.empty()) check_kubernetes(result.live);
  if (!result.filter.empty()) {
    if (const auto filter = filter::Filter::compile(result.filter); !filter.is_ok())
      throw exception_of(sfexception::LibsError, filter.status().message());
  }
  return result;
}

std::string name_of_app(const SysFlowConfig& config) {
  const std::string name = config.appName.substr(config.appName.rfind('/') + 1);
  return name.empty() ? kDefaultAppName : name;
}

}  // namespace sfkit::libsysflow
