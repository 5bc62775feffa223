#include "kubernetes/requests.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace sfkit::kubernetes {
namespace {

// Maximum bytes of a list's page, and of one object in a watch.
constexpr size_t kMaxPage = size_t{32} << 20;
constexpr size_t kMaxLine = size_t{4} << 20;
constexpr size_t kMaxToken = size_t{64} << 10;
constexpr int kHttpOk = 200;
// How often a transfer looks at its timeouts, at least.
constexpr std::chrono::milliseconds kMaxWait{1000};

// Sets `header` to the header line with the token in the file.
Outcome read_token(const std::string& path, std::string& header) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kMaxToken + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  const std::string_view token = without_space(content);
  // A line break would start another header.
  const bool is_token =
      !token.empty() && content.size() <= kMaxToken &&
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!is_token) return Failure{path + ": this is no bearer token"};
  header = "Authorization: Bearer ";
  header += token;
  return std::nullopt;
}

}  // namespace

// One request.
class Api::Transfer {
 public:
  // Receives a part of the answer; returns false to end the request.
  using Take = std::function<bool(std::string_view part)>;

  Transfer(const Api& api, Take take, bool is_watch)
      : curl_(api.curl_), api_(api), take_(std::move(take)), is_watch_(is_watch) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (multi_ != nullptr && easy_ != nullptr) curl_.multi_remove_handle(multi_, easy_);
    if (easy_ != nullptr) curl_.easy_cleanup(easy_);
    if (multi_ != nullptr) curl_.multi_cleanup(multi_);
    curl_.slist_free_all(headers_);
  }

  Outcome run(const std::string& path) {
    until_ = Clock::now() + api_.times_.answer;
    if (Outcome outcome = start(path)) return outcome;
    bool is_late = false;
    int running = 1;
    while (true) {
      if (curl_.multi_perform(multi_, &running) != kCurlOk) return Failure{"libcurl failed"};
      if (running == 0) break;
      if (api_.closing_.is_closed()) return Failure{"closed"};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Clock::now());
      is_late = left.count() <= 0;
      if (is_late) break;
      CurlWait closing{api_.closing_.fd(), kCurlWaitPollIn, 0};
      curl_.multi_wait(multi_, &closing, closing.fd < 0 ? 0 : 1,
                       static_cast<int>(std::min(left, kMaxWait).count()), nullptr);
    }
    if (is_late) return Failure{"no answer in time"};
    const int status = response_status();
    if (status != 0 && status != kHttpOk) {
      return Failure{"the Kubernetes API answered with status " + std::to_string(status), status};
    }
    if (is_ended_) return std::nullopt;
    return result();
  }

 private:
  template <typename Value>
  void set(int option, Value value) {
    is_set_ = curl_.easy_setopt(easy_, option, value) == kCurlOk && is_set_;
  }
  void set_text(int option, const std::string& text) {
    if (!text.empty()) set(option, text.c_str());
  }
  bool add_header(const std::string& line) {
    void* const longer = curl_.slist_append(headers_, line.c_str());
    if (longer != nullptr) headers_ = longer;
    return longer != nullptr;
  }

  Outcome start(const std::string& path) {
    const Settings& settings = api_.settings_;
    easy_ = curl_.easy_init();
    multi_ = curl_.multi_init();
    if (easy_ == nullptr || multi_ == nullptr) return Failure{"libcurl failed to start"};
    is_set_ = add_header("Accept: application/json");
    if (!settings.token_file.empty()) {
      std::string header;
      if (Outcome outcome = read_token(settings.token_file, header)) return outcome;
      is_set_ = add_header(header) && is_set_;
    }
    const std::string url = settings.url + path;
    set(kCurlErrorBuffer, error_.data());
    set(kCurlUrl, url.c_str());
    set(kCurlHttpHeader, headers_);
    set(kCurlHttpVersion, kCurlHttp11);
    set(kCurlNoSignal, 1L);
    // Variables such as https_proxy do not apply.
    set(kCurlProxy, "");
    if (!settings.ca_file.empty()) {
      set(kCurlCaInfo, settings.ca_file.c_str());
      // Else the authorities of the system would be trusted too.
      set(kCurlCaPath, static_cast<const char*>(nullptr));
    }
    set_text(kCurlSslCert, settings.client_cert);
    set_text(kCurlSslKey, settings.client_key);
    set_text(kCurlKeyPassword, settings.passphrase);
    set(kCurlHeaderFunction, &Transfer::on_header);
    set(kCurlHeaderData, this);
    set(kCurlWriteFunction, &Transfer::on_data);
    set(kCurlWriteData, this);
    if (!is_set_ || curl_.multi_add_handle(multi_, easy_) != kCurlOk)
      return Failure{"libcurl lacks what a request needs"};
    return std::nullopt;
  }

  int response_status() const {
    long status = 0;
    curl_.easy_getinfo(easy_, kCurlResponseCode, &status);
    return static_cast<int>(status);
  }

  Outcome result() const {
    int left = 0;
    while (const CurlMessage* const message = curl_.multi_info_read(multi_, &left)) {
      if (message->kind != kCurlMessageDone) continue;
      const int code = message->data.result;
      if (code == kCurlOk) return std::nullopt;
      return Failure{text_of_error(code)};
    }
    return Failure{"libcurl failed"};
  }

  // Details of other errors, such as times, would make each message another one.
  std::string text_of_error(int code) const {
    const bool has_detail = code == kCurlSslConnectError || code == kCurlSslCertProblem ||
                            code == kCurlPeerFailedVerification || code == kCurlSslCaCertBadFile;
    return has_detail && error_[0] != '\0' ? error_.data() : curl_.easy_strerror(code);
  }

  // Called for each line of the headers, and for the empty line at their end.
  static size_t on_header(char* bytes, size_t size, size_t count, void* transfer) {
    Transfer& self = *static_cast<Transfer*>(transfer);
    if (self.is_watch_ && *bytes == '\r' && self.response_status() == kHttpOk)
      self.until_ = Clock::now() + self.api_.times_.silence;
    return size * count;
  }

  // Returns another number than that of the bytes to end the request.
  static size_t on_data(char* bytes, size_t size, size_t count, void* transfer) {
    Transfer& self = *static_cast<Transfer*>(transfer);
    if (self.response_status() != kHttpOk) return 0;
    if (self.is_watch_) self.until_ = Clock::now() + self.api_.times_.silence;
    if (self.take_({bytes, size * count})) return size * count;
    self.is_ended_ = true;
    return 0;
  }

  const Curl& curl_;
  const Api& api_;
  const Take take_;
  const bool is_watch_;
  void* easy_ = nullptr;
  void* multi_ = nullptr;
  void* headers_ = nullptr;
  std::array<char, kCurlErrorSize> error_{};
  Clock::time_point until_;
  bool is_set_ = true;     // all options so far
  bool is_ended_ = false;  // by take_
};

Outcome Api::get(const std::string& path, std::string& body) const {
  body.clear();
  bool is_long = false;
  const auto take = [&](std::string_view part) {
    is_long = part.size() > kMaxPage - body.size();
    if (!is_long) body += part;
    return !is_long;
  };
  Outcome outcome = Transfer(*this, take, false).run(path);
  if (outcome || !is_long) return outcome;
  return Failure{"the answer of the Kubernetes API is longer than " + std::to_string(kMaxPage) +
                 " bytes"};
}

Outcome Api::watch(const std::string& path, const TakeLine& take,
                   const std::function<void()>& skipped) const {
  std::string line;
  bool is_long = false;
  Outcome failure;
  const auto add = [&](std::string_view part) {
    if (!is_long && part.size() > kMaxLine - line.size()) {
      is_long = true;
      line.clear();
      skipped();
    }
    if (!is_long) line += part;
  };
  const auto take_part = [&](std::string_view part) {
    for (size_t end = part.find('\n'); end != std::string_view::npos; end = part.find('\n')) {
      add(part.substr(0, end));
      part.remove_prefix(end + 1);
      if (!is_long && !line.empty()) failure = take(line);
      if (failure) return false;
      line.clear();
      is_long = false;
    }
    add(part);
    return true;
  };
  Outcome outcome = Transfer(*this, take_part, true).run(path);
  return outcome ? outcome : failure;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4];
    encoded += kHex[byte & 15];
  }
  return encoded;
}

}  // namespace sfkit::kubernetes
