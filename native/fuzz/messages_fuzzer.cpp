// Decodes the bytes as DNS messages and as HTTP, whole and cut, and checks the bounds of the
// results.
#include <cstdint>

#include "base/dns.h"
#include "events/http.h"
#include "fuzz/check.h"

namespace {

using namespace sfkit;

constexpr size_t kMissing = 100;  // bytes that a capture lacks
constexpr size_t kMinRecord = 5;
constexpr size_t kMaxName = 4 * 255;

void decode_dns(Bytes bytes) {
  dns::Message message;
  for (const auto transport : {dns::Transport::kUnicast, dns::Transport::kMulticast}) {
    for (const size_t missing : {size_t{0}, kMissing}) {
      fuzz::check(message.decode(bytes, bytes.size() + missing, transport) ==
                  (message.size() != 0));
      fuzz::check(message.size() * kMinRecord <= bytes.size());
      fuzz::check(missing != 0 || !message.is_cut);
      for (size_t i = 0; i < message.size(); ++i) {
        fuzz::check(!message[i].name.empty() && message[i].name.size() <= kMaxName);
        fuzz::check(message[i].answer.size() <= 4 * (bytes.size() + kMaxName));
      }
    }
  }
  Bytes stream = bytes;
  size_t stream_size = bytes.size();
  size_t size = 0;
  size_t steps = 0;
  while (!dns::next_in_stream(stream, stream_size, size).empty()) ++steps;
  fuzz::check(steps * 3 <= bytes.size());
}

void decode_http(Bytes bytes) {
  events::http::Message message;
  for (const bool is_cut : {false, true}) {
    if (!events::http::decode(bytes, is_cut, message)) continue;
    fuzz::check(is_cut || !message.is_cut);
    fuzz::check(message.is_request ? !message.target.empty()
                                   : message.status >= 100 && message.status <= 999);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  decode_dns(Bytes(data, size));
  decode_http(Bytes(data, size));
  return 0;
}
