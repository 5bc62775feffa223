// Follows a Kubernetes API, so that tests can compare the events with those that Node makes. Prints
// each as a line "event JSON", and each problem as "problem TEXT", until standard input ends.
// Usage: sfkit_kubernetes_trial [url=URL] [cert=FILES] [node=NAME] [account=DIRECTORY]
//                               [answer=MS] [silence=MS] [retry=MS] [maxRetry=MS]
// With "settings" as the first argument, it prints the settings as JSON instead.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/escape.h"
#include "kubernetes/watcher.h"

namespace {

namespace kubernetes = sfkit::kubernetes;

void print_settings(const kubernetes::Settings& settings) {
  std::string text = "{\"url\":";
  sfkit::append_json_string(text, settings.url);
  const auto add = [&text](const char* name, const std::string& value) {
    if (value.empty()) return;
    text += std::string(",\"") + name + "\":";
    sfkit::append_json_string(text, value);
  };
  add("tokenFile", settings.token_file);
  add("ca", settings.ca_file);
  add("clientCert", settings.client_cert);
  add("clientKey", settings.client_key);
  add("passphrase", settings.passphrase);
  add("node", settings.node);
  add("machine", settings.machine);
  if (settings.self) {
    add("namespace", settings.self->namespace_);
    add("pod", settings.self->name);
  }
  std::puts((text + "}").c_str());
}

void print_line(const char* start, const std::string& text) {
  std::printf("%s %s\n", start, text.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  kubernetes::Options options;
  kubernetes::Times times;
  bool only_settings = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const std::string_view name = option.substr(0, option.find('='));
    const std::string value(option.substr(std::min(name.size() + 1, option.size())));
    const std::chrono::milliseconds time(std::atoll(value.c_str()));
    if (name == "settings") only_settings = true;
    if (name == "url") options.url = value;
    if (name == "cert") options.cert = value;
    if (name == "node") options.node = value;
    if (name == "account") options.account = value;
    if (name == "answer") times.answer = time;
    if (name == "silence") times.silence = time;
    if (name == "retry") times.retry = time;
    if (name == "maxRetry") times.max_retry = time;
  }
  auto settings = kubernetes::find_settings(options);
  if (!settings.is_ok()) {
    print_line("error", settings.status().message());
    return 1;
  }
  if (!settings.value()) {
    print_line("error", "no API");
    return 1;
  }
  if (only_settings) {
    print_settings(*settings.value());
    return 0;
  }
  const kubernetes::Watcher watcher(
      std::move(*settings.value()), [](const std::string& json) { print_line("event", json); },
      [](const std::string& message) { print_line("problem", message); }, times);
  while (std::getchar() != EOF) {
  }
  return 0;
}
