// How to reach the Kubernetes API. src/live/kubernetes/settings.ts does the same for Node.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace sfkit::kubernetes {

struct Options {
  // Address of the API. Empty: in a pod, that of its cluster.
  std::string url;
  // Files to authenticate with: a bearer token, or certificates of authorities, or
  // CERT:KEY[#PASSWORD][:CA]. Empty: in a pod, its service account.
  std::string cert;
  // The node whose pods are followed. Empty: NODE_NAME, else the node of this pod or machine.
  std::string node;
  // The value of a variable, or null. Empty: std::getenv.
  std::function<const char*(const char* name)> variable;
  // Directory of the service account.
  std::string account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

struct Pod {
  std::string namespace_;
  std::string name;
};

// Empty texts are not given. Files are read again for each request, because tokens expire.
struct Settings {
  std::string url;  // without a / at the end
  std::string token_file;
  std::string ca_file;
  std::string client_cert;
  std::string client_key;
  std::string passphrase;
  std::string node;
  std::optional<Pod> self;  // this pod, whose node is asked for if `node` is missing
  std::string machine;      // name of the machine, which most nodes have
};

// nullopt if there is no API to ask: no address is given and this is no pod. Fails with
// kInvalidArgument for an unusable address or file.
Result<std::optional<Settings>> find_settings(const Options& options);

// The text without white space at its start and end, as tokens are stored in files.
std::string_view without_space(std::string_view text);

// Whether the text is an http or https URL.
bool is_web_address(std::string_view text);

}  // namespace sfkit::kubernetes
