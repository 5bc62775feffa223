#include "runtimes/grpc.h"

#include <utility>

namespace sfkit::runtimes {
namespace {

// RFC 9113
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kResetStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
};
constexpr uint8_t kEndStream = 0x1;
constexpr uint8_t kAcknowledged = 0x1;  // of settings and pings
constexpr uint8_t kEndHeaders = 0x4;
constexpr uint8_t kPadded = 0x8;
constexpr uint16_t kHeaderTableSize = 1;
constexpr uint16_t kEnablePush = 2;
constexpr uint16_t kInitialWindowSize = 4;
constexpr size_t kFrameHead = 9;
constexpr size_t kMaxFrame = 16384;
constexpr size_t kPrefix = 5;  // of a message: compressed or not, length
// All answers of a connection fit, so the windows never need an update.
constexpr uint32_t kStreamWindow = kMaxGrpcMessage + (1u << 16);
constexpr uint32_t kConnectionWindow = 4 * kStreamWindow;
// A server that sends only frames without content is hostile.
constexpr size_t kMaxFrames = 100'000;

Status bad(const char* why) {
  return {ErrorCode::kBadFormat, why};
}

void append_number(std::string& out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift & 0xff);
}

uint32_t read_number(std::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i)
    value = value << 8 | static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)]);
  return value;
}

void append_frame(std::string& out, FrameType type, uint8_t flags, uint32_t stream,
                  std::string_view payload) {
  append_number(out, payload.size(), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  append_number(out, stream, 4);
  out += payload;
}

// A header without compression and index; both texts have less than 127 bytes.
void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += '\0';
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  out += value;
}

}  // namespace

Result<GrpcConnection> GrpcConnection::open(const std::string& socket, const Patience& patience) {
  Result<Connection> connection = Connection::open(socket, patience);
  if (!connection.is_ok()) return connection.status();
  std::string start = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::string settings;
  for (const auto& [name, value] : {std::pair<uint16_t, uint32_t>{kHeaderTableSize, 0},
                                    {kEnablePush, 0},
                                    {kInitialWindowSize, kStreamWindow}}) {
    append_number(settings, name, 2);
    append_number(settings, value, 4);
  }
  append_frame(start, kSettings, 0, 0, settings);
  std::string window;
  append_number(window, kConnectionWindow, 4);
  append_frame(start, kWindowUpdate, 0, 0, window);
  GrpcConnection opened(std::move(connection.value()));
  if (Status status = opened.connection_.send(start, patience); !status.is_ok()) return status;
  return opened;
}

Result<std::optional<std::string>> GrpcConnection::call(std::string_view method,
                                                        std::string_view request,
                                                        const Patience& patience) {
  const uint32_t stream = std::exchange(stream_, stream_ + 2);
  std::string headers;
  append_header(headers, ":method", "POST");
  append_header(headers, ":scheme", "http");
  append_header(headers, ":path", method);
  append_header(headers, ":authority", "localhost");
  append_header(headers, "content-type", "application/grpc");
  append_header(headers, "te", "trailers");
  std::string message(1, '\0');
  append_number(message, request.size(), 4);
  message += request;
  std::string frames;
  append_frame(frames, kHeaders, kEndHeaders, stream, headers);
  append_frame(frames, kData, kEndStream, stream, message);
  if (Status status = connection_.send(frames, patience); !status.is_ok()) return status;

  std::string answer;
  for (size_t count = 0; count < kMaxFrames; ++count) {
    Frame frame;
    if (Status status = receive_frame(frame, patience); !status.is_ok()) return status;
    if (frame.type == kGoAway || frame.type == kPushPromise) return bad("the server hangs up");
    if (frame.stream != stream) {
      if (Status status = handle(frame, patience); !status.is_ok()) return status;
      continue;
    }
    if (frame.type == kResetStream) return bad("the server ends the call");
    if (frame.type == kData) {
      std::string_view data = frame.payload;
      if ((frame.flags & kPadded) != 0) {
        if (data.empty()) return bad("bad padding");
        const size_t padding = static_cast<uint8_t>(data.front());
        data.remove_prefix(1);
        if (padding > data.size()) return bad("bad padding");
        data.remove_suffix(padding);
      }
      answer += data;
      if (answer.size() > kMaxGrpcMessage + kPrefix) return bad("the answer is too long");
    }
    const bool can_end = frame.type == kData || frame.type == kHeaders;
    if (!can_end || (frame.flags & kEndStream) == 0) continue;
    if (answer.empty()) return std::optional<std::string>();
    if (answer.size() < kPrefix || answer[0] != 0 ||
        read_number(answer, 1, 4) != answer.size() - kPrefix)
      return bad("not one uncompressed message");
    return std::optional(answer.substr(kPrefix));
  }
  return bad("too many frames");
}

Status GrpcConnection::receive_frame(Frame& frame, const Patience& patience) {
  buffer_.erase(0, std::exchange(used_, 0));
  const auto need = [this, &patience](size_t size) {
    while (buffer_.size() < size) {
      bool ended = false;
      if (Status status = connection_.receive(buffer_, patience, ended); !status.is_ok())
        return status;
      if (ended) return bad("the server hangs up");
    }
    return Status::ok();
  };
  if (Status status = need(kFrameHead); !status.is_ok()) return status;
  const size_t size = read_number(buffer_, 0, 3);
  if (size > kMaxFrame) return bad("a frame is too long");
  if (Status status = need(kFrameHead + size); !status.is_ok()) return status;
  frame.type = static_cast<uint8_t>(buffer_[3]);
  frame.flags = static_cast<uint8_t>(buffer_[4]);
  frame.stream = read_number(buffer_, 5, 4) & 0x7fffffff;
  frame.payload = std::string_view(buffer_).substr(kFrameHead, size);
  used_ = kFrameHead + size;
  return Status::ok();
}

Status GrpcConnection::handle(const Frame& frame, const Patience& patience) {
  const bool wants_answer = (frame.type == kSettings || frame.type == kPing) && frame.stream == 0 &&
                            (frame.flags & kAcknowledged) == 0;
  if (!wants_answer) return Status::ok();
  std::string answer;
  append_frame(answer, static_cast<FrameType>(frame.type), kAcknowledged, 0,
               frame.type == kPing ? frame.payload : std::string_view());
  return connection_.send(answer, patience);
}

}  // namespace sfkit::runtimes
