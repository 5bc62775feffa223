#include "runtimes/http.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/ascii.h"

namespace sfkit::runtimes {
namespace {

constexpr size_t kMaxHead = size_t{64} << 10;
constexpr size_t kMaxChunkLine = 1024;

Status bad(const char* why) {
  return {ErrorCode::kBadFormat, why};
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::optional<size_t> number(std::string_view text, int base) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Head {
  int status = 0;
  std::optional<size_t> length;
  bool is_chunked = false;
};

// `text` ends with the line break of the last header line.
Result<Head> parse_head(std::string_view text) {
  Head head;
  const size_t line_end = text.find('\n');
  const std::string_view first = text.substr(0, line_end);
  // HTTP/1.1 200 OK
  if (!first.starts_with("HTTP/1.") || first.size() < 12) return bad("not an HTTP answer");
  const std::optional<size_t> status = number(first.substr(9, 3), 10);
  if (!status) return bad("not an HTTP answer");
  head.status = static_cast<int>(*status);
  text.remove_prefix(std::min(text.size(), line_end + 1));
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-length")) {
      head.length = number(value, 10);
      if (!head.length || *head.length > kMaxHttpBody) return bad("the answer is too long");
    }
    if (equals_ignoring_case(name, "transfer-encoding")) {
      if (!equals_ignoring_case(value, "chunked")) return bad("unknown transfer encoding");
      head.is_chunked = true;
    }
  }
  return head;
}

// Takes the parts of an answer from the connection.
class Receiver {
 public:
  Receiver(Connection& connection, const Patience& patience)
      : connection_(connection), patience_(patience) {}

  // Up to and without the next `end`, which must come within `limit` bytes.
  Result<std::string> until(std::string_view end, size_t limit) {
    for (;;) {
      const size_t found = buffer_.find(end, at_);
      if (found != std::string::npos) {
        std::string part = buffer_.substr(at_, found - at_);
        at_ = found + end.size();
        return part;
      }
      if (buffer_.size() - at_ > limit) return bad("the answer is too long");
      if (Status status = more(); !status.is_ok()) return status;
    }
  }
  Status exactly(size_t count, std::string& to) {
    while (buffer_.size() - at_ < count) {
      if (Status status = more(); !status.is_ok()) return status;
    }
    to.append(buffer_, at_, count);
    at_ += count;
    return Status::ok();
  }
  Status rest(std::string& to) {
    for (;;) {
      to.append(buffer_, at_);
      buffer_.clear();
      at_ = 0;
      if (to.size() > kMaxHttpBody) return bad("the answer is too long");
      bool ended = false;
      if (Status status = connection_.receive(buffer_, patience_, ended); !status.is_ok())
        return status;
      if (ended) return Status::ok();
    }
  }

 private:
  Status more() {
    buffer_.erase(0, std::exchange(at_, 0));
    bool ended = false;
    if (Status status = connection_.receive(buffer_, patience_, ended); !status.is_ok())
      return status;
    return ended ? bad("the answer ends early") : Status::ok();
  }

  Connection& connection_;
  const Patience& patience_;
  std::string buffer_;
  size_t at_ = 0;  // what is before it was taken
};

Status receive_chunks(Receiver& receiver, std::string& body) {
  for (;;) {
    Result<std::string> line = receiver.until("\n", kMaxChunkLine);
    if (!line.is_ok()) return line.status();
    // Extensions can follow the size.
    const std::string_view text =
        trimmed(std::string_view(line.value()).substr(0, line.value().find(';')));
    const std::optional<size_t> size = number(text, 16);
    if (!size || *size > kMaxHttpBody - body.size()) return bad("the answer is too long");
    // What follows the last chunk is of no interest.
    if (*size == 0) return Status::ok();
    if (Status status = receiver.exactly(*size, body); !status.is_ok()) return status;
    Result<std::string> end = receiver.until("\n", kMaxChunkLine);
    if (!end.is_ok()) return end.status();
  }
}

}  // namespace

Result<HttpAnswer> http_get(const std::string& socket, const std::string& path,
                            const Patience& patience) {
  Result<Connection> connection = Connection::open(socket, patience);
  if (!connection.is_ok()) return connection.status();
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (Status status = connection.value().send(request, patience); !status.is_ok()) return status;
  Receiver receiver(connection.value(), patience);
  Result<std::string> head_text = receiver.until("\r\n\r\n", kMaxHead);
  if (!head_text.is_ok()) return head_text.status();
  const Result<Head> head = parse_head(head_text.value() + "\n");
  if (!head.is_ok()) return head.status();
  HttpAnswer answer;
  answer.status = head.value().status;
  // Neither an interim answer nor another protocol was asked for.
  if (answer.status < 200) return bad("unexpected interim answer");
  Status status;
  if (head.value().is_chunked) {
    status = receive_chunks(receiver, answer.body);
  } else if (head.value().length) {
    status = receiver.exactly(*head.value().length, answer.body);
  } else {
    status = receiver.rest(answer.body);
  }
  if (!status.is_ok()) return status;
  return answer;
}

}  // namespace sfkit::runtimes
