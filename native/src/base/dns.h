// Decodes DNS messages (RFC 1035) from captured buffers. Everything in them is hostile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sfkit::dns {

// Record types of addresses.
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAaaa = 28;

struct Record {
  bool is_question = false;
  bool has_type = false;    // false: the capture lacks the end of the name
  bool has_answer = false;  // false for questions, and if the capture lacks the data
  uint16_t type = 0;
  uint32_t ttl = 0;    // of answers, in seconds
  std::string name;    // presentation format without the last dot; "." for the root
  std::string answer;  // address, name or text
  Bytes data;          // the same as in the message
};

enum class Transport : uint8_t {
  kUnicast,    // one question a message
  kMulticast,  // several questions, and known answers in queries
};

// Reused from message to message.
class Message {
 public:
  uint16_t id = 0;
  bool is_response = false;
  bool is_cut = false;  // the capture lacks some of the questions and answers
  uint8_t rcode = 0;

  size_t size() const { return size_; }
  const Record& operator[](size_t index) const { return records_[index]; }

  // Decodes the questions and answers of one message. `data`: its captured bytes; `size`: its
  // original size. False if it is no plausible message or the capture lacks the first name. A
  // record has at least 5 bytes.
  bool decode(Bytes data, size_t size, Transport transport);

 private:
  enum class Outcome : uint8_t { kDone, kCut, kBad };

  Outcome question(size_t& position, Transport transport);
  Outcome answer(size_t& position, Transport transport);
  Outcome read_name(size_t& position, std::string& out) const;
  Outcome read_data(size_t position, size_t end, Record& record) const;
  // The outcome for bytes that are missing.
  Outcome missing() const { return data_.size() < message_size_ ? Outcome::kCut : Outcome::kBad; }
  uint16_t number(size_t position) const {
    return static_cast<uint16_t>(data_[position] << 8 | data_[position + 1]);
  }
  uint32_t long_number(size_t position) const {
    return uint32_t{number(position)} << 16 | number(position + 2);
  }
  Record& add();

  Bytes data_;
  size_t message_size_ = 0;
  std::vector<Record> records_;  // those after size_ only keep their memory
  size_t size_ = 0;
};

// Ports of DNS, and of multicast DNS and LLMNR.
constexpr uint16_t kPort = 53;
constexpr uint16_t kMulticastPort = 5353;
constexpr uint16_t kLlmnrPort = 5355;

constexpr bool is_port(uint16_t port) {
  return port == kPort || port == kMulticastPort || port == kLlmnrPort;
}

// Takes the next message from the bytes of a TCP stream, in which each message follows its length.
// Returns the message's captured bytes and sets `size` to its original size; empty at the end.
// `stream_size`: the original size of `stream`.
Bytes next_in_stream(Bytes& stream, size_t& stream_size, size_t& size);

// Decodes the messages in the data of one call on a DNS socket into `message`, one after the other,
// and calls take() for each until it returns false. Returns false if it did. `is_stream`: TCP.
template <typename Take>
bool each_message(Message& message, Bytes data, size_t size, bool is_stream, Transport transport,
                  Take take) {
  bool has_messages = false;
  if (is_stream) {
    Bytes stream = data;
    size_t stream_size = size;
    size_t message_size = 0;
    for (Bytes next = next_in_stream(stream, stream_size, message_size);
         !next.empty() && message.decode(next, message_size, transport);
         next = next_in_stream(stream, stream_size, message_size)) {
      has_messages = true;
      if (!take()) return false;
    }
  }
  // Programs may read the length and the message with two calls.
  if (has_messages || !message.decode(data, size, transport)) return true;
  return take();
}

// Appends the name of a record type, such as AAAA; TYPEn if it has none.
void append_type(std::string& out, uint16_t type);
// Appends the name of a response code, such as NXDOMAIN; RCODEn if it has none.
void append_rcode(std::string& out, uint8_t rcode);

}  // namespace sfkit::dns
