// Decodes DNS messages (RFC 1035) from captured buffers. Everything in them is hostile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sfkit::events::dns {

struct Record {
  bool is_question = false;
  bool has_type = false;    // false: the capture lacks the end of the name
  bool has_answer = false;  // false for questions, and if the capture lacks the data
  uint16_t type = 0;
  uint32_t ttl = 0;    // of answers, in seconds
  std::string name;    // presentation format without the last dot; "." for the root
  std::string answer;  // address, name or text
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

// Takes the next message from the bytes of a TCP stream, in which each message follows its length.
// Returns the message's captured bytes and sets `size` to its original size; empty at the end.
// `stream_size`: the original size of `stream`.
Bytes next_in_stream(Bytes& stream, size_t& stream_size, size_t& size);

// Appends the name of a record type, such as AAAA; TYPEn if it has none.
void append_type(std::string& out, uint16_t type);
// Appends the name of a response code, such as NXDOMAIN; RCODEn if it has none.
void append_rcode(std::string& out, uint8_t rcode);

}  // namespace sfkit::events::dns
