#include "kubernetes/settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/ascii.h"

namespace sfkit::kubernetes {
namespace {

// Maximum bytes of a token or certificate file.
constexpr size_t kMaxFile = size_t{1} << 20;

Status refusal(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

bool exists(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0;
}

Result<std::string> read_content(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content(kMaxFile + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  // A directory can be opened, but not read.
  if (!file.eof() && content.size() <= kMaxFile) {
    const int error = errno;
    return refusal(path +
                   ": cannot read it: " + (error == 0 ? "unknown error" : std::strerror(error)));
  }
  if (content.size() > kMaxFile) return refusal(path + ": too long for a token or certificate");
  return content;
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  std::string lower(name.data());
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return lower;
}

bool is_port(std::string_view text) {
  constexpr unsigned kMaxPort = 65'535;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= kMaxPort;
}

// The host is a name, an IPv4 address, or an IPv6 address in brackets.
bool is_place(std::string_view host_and_port) {
  std::string_view host = host_and_port;
  std::string_view port;
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  if (const size_t colon = host.find(':', bracket); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (!port.empty() && !is_port(port)) return false;
  }
  const bool is_ipv6 = bracket > 0;
  if (is_ipv6 && host.size() != bracket + 1) return false;
  if (is_ipv6) host = host.substr(1, host.size() - 2);
  return !host.empty() && std::all_of(host.begin(), host.end(), [is_ipv6](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || (is_ipv6 && c == ':');
  });
}

struct Address {
  std::string base;  // without user, query, fragment and the / at the end
  bool is_plain = false;
  bool has_user = false;
};

std::optional<Address> parse_address(std::string_view text) {
  Address address;
  std::string scheme(text.substr(0, std::min(text.find(':'), text.size())));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), to_lower);
  if (scheme != "http" && scheme != "https") return std::nullopt;
  address.is_plain = scheme == "http";
  std::string_view rest = text.substr(scheme.size());
  if (!rest.starts_with("://")) return std::nullopt;
  rest.remove_prefix(3);
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return std::nullopt;
  rest = rest.substr(0, rest.find_first_of("?#"));
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view place = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  if (const size_t at = place.rfind('@'); at != std::string_view::npos) {
    address.has_user = true;
    place.remove_prefix(at + 1);
  }
  if (!is_place(place)) return std::nullopt;
  if (path.ends_with('/')) path.remove_suffix(1);
  address.base = scheme + "://" + std::string(place) + std::string(path);
  return address;
}

// The parts of TOKEN, CA or CERT:KEY[#PASSWORD][:CA].
Status set_files(Settings& settings, std::string_view text) {
  const auto next = [](std::string_view& rest, char separator) {
    const size_t end = std::min(rest.find(separator), rest.size());
    std::string part(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
  };
  const bool is_one = text.find(':') == std::string_view::npos;
  const std::string first = next(text, ':');
  const auto content = read_content(first);
  if (!content.is_ok()) return content.status();
  if (is_one) {
    if (content.value().find("-----BEGIN") == std::string::npos) {
      settings.token_file = first;
    } else if (content.value().find("PRIVATE KEY-----") == std::string::npos) {
      settings.ca_file = first;
    } else {
      settings.client_cert = settings.client_key = first;
    }
    return Status::ok();
  }
  std::string second = next(text, ':');
  std::string_view key = second;
  settings.client_cert = first;
  settings.client_key = next(key, '#');
  settings.passphrase = next(key, '#');
  settings.ca_file = next(text, ':');
  if (const auto file = read_content(settings.client_key); !file.is_ok()) return file.status();
  if (settings.ca_file.empty()) return Status::ok();
  const auto authorities = read_content(settings.ca_file);
  return authorities.status();
}

}  // namespace

std::string_view without_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool is_web_address(std::string_view text) {
  return parse_address(text).has_value();
}

Result<std::optional<Settings>> find_settings(const Options& options) {
  const auto variable = [&options](const char* name) -> const char* {
    return options.variable ? options.variable(name) : std::getenv(name);
  };
  const auto text_of = [&variable](const char* name, const char* fallback = "") {
    const char* const value = variable(name);
    return std::string(value == nullptr ? fallback : value);
  };
  const std::string token_file = options.account + "/token";
  const bool in_pod = variable("KUBERNETES_SERVICE_HOST") != nullptr && exists(token_file);
  std::string url = options.url;
  if (url.empty() && in_pod) {
    const std::string host = text_of("KUBERNETES_SERVICE_HOST");
    const bool is_ipv6 = host.find(':') != std::string::npos;
    url = "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" +
          text_of("KUBERNETES_SERVICE_PORT", "443");
  }
  if (url.empty()) return std::optional<Settings>();
  const std::optional<Address> address = parse_address(url);
  // The text may hold a password, so the message does not repeat it.
  if (!address || address->has_user) {
    return refusal(
        "address of the Kubernetes API: expected an http or https URL without a password");
  }
  Settings settings;
  settings.url = address->base;
  settings.machine = machine_name();
  settings.node = options.node.empty() ? text_of("NODE_NAME") : options.node;
  // A token must not cross the network in plain text.
  if (address->is_plain) {
    if (!options.cert.empty())
      return refusal("files for the Kubernetes API: they need an https URL");
    return std::optional(settings);
  }
  if (!options.cert.empty()) {
    if (Status status = set_files(settings, options.cert); !status.is_ok()) return status;
    return std::optional(settings);
  }
  if (!in_pod) return std::optional(settings);
  settings.token_file = token_file;
  const std::string ca_file = options.account + "/ca.crt";
  if (exists(ca_file)) settings.ca_file = ca_file;
  if (const std::string file = options.account + "/namespace"; exists(file)) {
    const auto content = read_content(file);
    if (!content.is_ok()) return content.status();
    settings.self = {std::string(without_space(content.value())),
                     text_of("HOSTNAME", settings.machine.c_str())};
  }
  return std::optional(settings);
}

}  // namespace sfkit::kubernetes
