// Decodes the first line and some headers of an HTTP/1 message from a captured buffer. Everything
// in it is hostile.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace sfkit::events::http {

// Texts are parts of the buffer, empty if missing.
struct Message {
  bool is_request = false;
  bool is_cut = false;           // the capture lacks the end of the first line
  bool has_all_headers = false;  // the buffer holds the empty line after the headers
  std::string_view version;      // "1.1"; empty if cut
  // Requests.
  std::string_view method;
  std::string_view target;
  std::string_view host;
  std::string_view user_agent;
  // Responses.
  int status = 0;
  std::string_view reason;
  // Both.
  std::string_view content_type;
  int64_t content_length = -1;  // -1: missing
};

// Decodes a message at the start of `data`. `is_cut`: the capture lacks bytes of the buffer. False
// if it is no HTTP/1 message. The preface of HTTP/2 is the request "PRI * HTTP/2.0".
bool decode(Bytes data, bool is_cut, Message& message);

}  // namespace sfkit::events::http
