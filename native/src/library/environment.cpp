#include <sfkit/config.h>
#include <sfkit/environment.h>

#include "kubernetes/settings.h"
#include "library/variables.h"

namespace sfkit {
namespace {

constexpr int64_t kStatsSeconds = 30;

}  // namespace

EnvironmentSettings read_environment(const EnvironmentLookup& lookup) {
  const library::Variables variables(lookup);
  EnvironmentSettings settings;
  settings.files_only = variables.flag("FILE_ONLY");
  settings.process_flows = variables.flag("ENABLE_PROC_FLOW");
  const std::string mode = variables.text("FILE_READ_MODE");
  if (mode == "0" || mode == "1" || mode == "2") settings.file_reads = mode[0] - '0';
  if (const char* address = variables.find("NODE_IP"); address != nullptr)
    settings.node_ip = address;
  // Other values leave what the program configured.
  if (variables.flag("ENABLE_STATS").value_or(false)) settings.stats = true;
  settings.drop_mode = variables.flag("ENABLE_DROP_MODE");
  settings.debug = variables.flag("DRIVER_LOG");
  settings.k8s_api_url = variables.filled("SF_K8S_API_URL");
  settings.k8s_api_certificate = variables.filled("SF_K8S_API_CERT");
  settings.host_root = variables.filled("HOST_ROOT");
  settings.bpf_probe = variables.filled("FALCO_BPF_PROBE");
  return settings;
}

void apply_environment(const EnvironmentSettings& settings, DriverConfig& config) {
  if (settings.files_only) config.files_only = *settings.files_only;
  if (settings.process_flows) config.process_flows = *settings.process_flows;
  if (settings.file_reads) config.file_reads = static_cast<FileReads>(*settings.file_reads);
  if (settings.node_ip) config.node_ip = *settings.node_ip;
  if (settings.stats && config.stats_seconds == 0) config.stats_seconds = kStatsSeconds;
  if (settings.drop_mode) config.live.all_calls = !*settings.drop_mode;
  if (settings.k8s_api_url &&
      (kubernetes::is_web_address(*settings.k8s_api_url) || !config.live.k8s_api_url.empty()))
    config.live.k8s_api_url = *settings.k8s_api_url;
  if (settings.k8s_api_certificate) config.live.k8s_api_cert = *settings.k8s_api_certificate;
  if (settings.host_root) config.live.host_root = *settings.host_root;
}

}  // namespace sfkit
