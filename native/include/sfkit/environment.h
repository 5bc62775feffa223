// The environment variables of libSysFlow. Only programs that call these functions follow them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sfkit {

struct DriverConfig;

// Returns the value of a variable, or null. An empty function stands for std::getenv.
using EnvironmentLookup = std::function<const char*(const char* name)>;

// What the variables ask for; nullopt without a variable or a valid value.
struct EnvironmentSettings {
  std::optional<bool> files_only;          // FILE_ONLY
  std::optional<bool> process_flows;       // ENABLE_PROC_FLOW
  std::optional<int> file_reads;           // FILE_READ_MODE: 0, 1, 2, in the order of FileReads
  std::optional<std::string> node_ip;      // NODE_IP; an empty value counts
  std::optional<bool> stats;               // ENABLE_STATS; only true
  std::optional<bool> drop_mode;           // ENABLE_DROP_MODE: the opposite of live.all_calls
  std::optional<bool> debug;               // DRIVER_LOG: see log_settings()
  std::optional<std::string> k8s_api_url;  // SF_K8S_API_URL
  std::optional<std::string> k8s_api_certificate;  // SF_K8S_API_CERT
  std::optional<std::string> host_root;            // HOST_ROOT
  std::optional<std::string> bpf_probe;            // FALCO_BPF_PROBE
  std::vector<std::string> warnings;               // about variables with a wrong value
};

// Booleans are on with 1, true and yes, and off with 0, false and no, in any case. Another value is
// off too, with a warning.
EnvironmentSettings read_environment(const EnvironmentLookup& lookup = {});

// Overrides the fields that `config` has for them. A k8s_api_url that is no http or https URL is
// ignored if `config` has none; else run() fails. `stats` makes it every 30 seconds if
// stats_seconds is 0.
void apply_environment(const EnvironmentSettings& settings, DriverConfig& config);

}  // namespace sfkit
