#include "events/http.h"

#include <algorithm>
#include <charconv>

namespace sfkit::events::http {
namespace {

constexpr size_t kMaxMethod = 24;
constexpr std::string_view kProtocol = "HTTP/";
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n";

constexpr std::string_view kMethods[] = {
    "GET",      "POST",  "HEAD", "PUT",  "DELETE", "OPTIONS", "CONNECT",   "TRACE",  "PATCH",
    "PROPFIND", "MKCOL", "COPY", "MOVE", "LOCK",   "UNLOCK",  "PROPPATCH", "REPORT", "SEARCH",
};

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool is_method(std::string_view text) {
  return !text.empty() && text.size() <= kMaxMethod && text.front() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
}

bool is_known_method(std::string_view text) {
  return std::find(std::begin(kMethods), std::end(kMethods), text) != std::end(kMethods);
}

// Some programs send UTF-8 as it is.
bool is_target(std::string_view method, std::string_view target) {
  const bool is_printable = std::all_of(target.begin(), target.end(),
                                        [](char c) { return c < 0 || (c > ' ' && c != '\x7f'); });
  if (target.empty() || !is_printable) return false;
  if (target.front() == '/' || target == "*") return true;
  if (method == "CONNECT") return target.find(':') != std::string_view::npos;
  return target.starts_with("http://") || target.starts_with("https://");
}

// The same of a target without its end.
bool is_cut_target(std::string_view method, std::string_view target) {
  return is_target(method, target) && target != "*";
}

// "HTTP/1.1" or "HTTP/1.0".
bool is_protocol(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/1.") && is_digit(text[7]);
}

bool is_printable_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || c < 0 || (c >= ' ' && c != '\x7f'); });
}

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}

bool is_named(std::string_view name, std::string_view expected) {
  return std::equal(name.begin(), name.end(), expected.begin(), expected.end(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes a complete line without its end; false if there is none.
bool take_line(std::string_view& text, std::string_view& line) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  text.remove_prefix(end + 1);
  return true;
}

bool request_line(std::string_view line, bool is_cut, Message& message) {
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos || !is_method(line.substr(0, method_end))) return false;
  message.is_request = true;
  message.method = line.substr(0, method_end);
  line.remove_prefix(method_end + 1);
  const size_t target_end = line.find(' ');
  message.target = line.substr(0, target_end);
  const std::string_view protocol =
      target_end == std::string_view::npos ? std::string_view() : line.substr(target_end + 1);
  if (is_protocol(protocol)) {
    message.version = protocol.substr(kProtocol.size());
    message.is_cut = false;
    return is_target(message.method, message.target);
  }
  if (!is_cut) return false;
  // The method must vouch for what the rest of the line no longer shows.
  if (!is_known_method(message.method)) return false;
  if (target_end == std::string_view::npos) return is_cut_target(message.method, message.target);
  constexpr std::string_view kStart = "HTTP/1.";
  return is_target(message.method, message.target) && kStart.starts_with(protocol);
}

bool status_line(std::string_view line, Message& message) {
  // "HTTP/1.1 200"; the reason may be missing.
  constexpr size_t kStatus = 9;
  if (line.size() < kStatus + 3 || !is_protocol(line.substr(0, 8)) || line[8] != ' ') return false;
  const std::string_view status = line.substr(kStatus, 3);
  if (!std::all_of(status.begin(), status.end(), is_digit) || status.front() == '0') return false;
  std::string_view reason = line.substr(kStatus + 3);
  if (!reason.empty() && reason.front() != ' ') return false;
  if (!is_printable_line(reason)) return false;
  message.version = line.substr(kProtocol.size(), 3);
  message.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  message.reason = trimmed(reason);
  return true;
}

void header(std::string_view line, Message& message) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  // The first of several counts.
  const auto set = [&](std::string_view& member, std::string_view expected) {
    if (member.empty() && is_named(name, expected)) member = value;
  };
  if (message.is_request) {
    set(message.host, "host");
    set(message.user_agent, "user-agent");
  }
  set(message.content_type, "content-type");
  if (message.content_length < 0 && is_named(name, "content-length")) {
    int64_t length = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error == std::errc() && end == value.data() + value.size()) message.content_length = length;
  }
}

}  // namespace

bool decode(Bytes data, bool is_cut, Message& message) {
  message = {};
  std::string_view text = data.text();
  // Most buffers are something else.
  if (text.empty() || text.front() < 'A' || text.front() > 'Z') return false;
  if (text.starts_with(kPreface)) {
    message.is_request = true;
    message.has_all_headers = true;
    message.method = text.substr(0, 3);
    message.target = text.substr(4, 1);
    message.version = text.substr(11, 3);
    return true;
  }
  std::string_view line;
  if (!take_line(text, line)) {
    if (!is_cut) return false;
    line = text;
    if (line.ends_with('\r')) line.remove_suffix(1);
    message.is_cut = true;
    text = {};
  }
  const bool is_status = line.starts_with(kProtocol);
  if (is_status ? !status_line(line, message) : !request_line(line, message.is_cut, message))
    return false;
  while (take_line(text, line)) {
    if (line.empty()) {
      message.has_all_headers = true;
      break;
    }
    header(line, message);
  }
  return true;
}

}  // namespace sfkit::events::http
