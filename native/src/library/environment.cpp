#include <sfkit/config.h>
#include <sfkit/environment.h>

#include <string>
#include <utility>

#include "kubernetes/settings.h"
#include "library/variables.h"
#include "variables.gen.h"

namespace sfkit {
namespace {

constexpr int64_t kStatsSeconds = 30;
constexpr size_t kMaxShown = 60;

// A value for messages.
std::string shown(const std::string& text) {
  return escape(text.size() > kMaxShown ? text.substr(0, kMaxShown) + "..." : text);
}

}  // namespace

EnvironmentSettings read_environment(const EnvironmentLookup& lookup) {
  const library::Variables variables(lookup);
  EnvironmentSettings settings;
  const auto wrong = [&](const char* name, const char* expected, const char* effect) {
    settings.warnings.push_back(std::string(name) + "='" + shown(variables.text(name)) +
                                "' in the environment: expected " + expected + "; " + effect);
  };
  for (const auto& [name, setting, only_on] : library::kSwitches) {
    if (variables.find(name) == nullptr) continue;
    const std::optional<bool> value = library::switch_of(variables.text(name));
    if (!value) wrong(name, library::kSwitchWords, "it counts as off");
    if (value.value_or(false) || !only_on) settings.*setting = value.value_or(false);
  }
  for (const auto& [name, setting, max, expected] : library::kNumbers) {
    const std::string text = variables.text(name);
    if (text.size() == 1 && text[0] >= '0' && text[0] <= '0' + max)
      settings.*setting = text[0] - '0';
    else if (!text.empty())
      wrong(name, expected, "it is ignored");
  }
  for (const auto& [name, setting, only_filled] : library::kTexts) {
    if (variables.find(name) == nullptr) continue;
    std::string text = variables.text(name);
    if (!text.empty() || !only_filled) settings.*setting = std::move(text);
  }
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
