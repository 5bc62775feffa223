// Writes capture files (spec: scap-format, section 14): in current layouts, or in older ones for
// tests of the reader.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scap/event.h"
#include "scap/metadata.h"

namespace sfkit::scap {

// Layout versions of the written blocks.
struct WriterLayout {
  int process_list = 9;        // 1 to 9
  bool sized_records = true;   // descriptor, interface and user lists of version 2
  bool counted_params = true;  // event blocks of version 2
  ByteOrder order = ByteOrder::kNative;
};

// Encodes values of event parameters; an empty string is a missing value.
namespace value {
std::string i64(int64_t number);
std::string u64(uint64_t number);
std::string i32(int32_t number);
std::string u32(uint32_t number);
std::string u16(uint16_t number);
std::string u8(uint8_t number);
// Text with its NUL.
std::string text(std::string_view content);
// NUL-terminated strings.
std::string list(std::initializer_list<std::string_view> items);
}  // namespace value

// Builds a capture in memory. Blocks are written in call order; call begin() first.
class CaptureWriter {
 public:
  explicit CaptureWriter(WriterLayout layout = {}) : layout_(layout) {}

  void begin();
  void machine(const MachineInfo& machine);
  void interfaces(const std::vector<InterfaceEntry>& entries);
  void users(const std::vector<UserEntry>& users, const std::vector<GroupEntry>& groups);
  void processes(const std::vector<ThreadEntry>& entries);
  void descriptors(int64_t tid, const std::vector<FdEntry>& entries);
  // `params` are in table order; older writers wrote fewer.
  void event(uint64_t ts, int64_t tid, uint16_t cpu, uint16_t code,
             const std::vector<std::string>& params);

  // Copies an event with all its parameters, including unknown ones. Only in the machine's byte
  // order.
  void event(const EventView& event);
  // Writes a block with the given body.
  void block(uint32_t type, Bytes body);

  const std::vector<uint8_t>& bytes() const { return bytes_; }
  // Appends raw bytes.
  void append(const std::vector<uint8_t>& bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  // Truncates the output to `size` bytes.
  void cut(size_t size) { bytes_.resize(size); }
  // Returns the bytes written so far and empties the writer.
  std::vector<uint8_t> take() { return std::exchange(bytes_, {}); }

 private:
  template <typename T>
  void put(T number);
  // Fills in a length field that was reserved before.
  void put_length(size_t at, size_t length);
  void put_bytes(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  // A u16 length, then the text, truncated to `max_size`.
  void put_text(std::string_view text, size_t max_size);
  void put_ip(const std::array<uint8_t, 16>& ip, bool ipv6);
  void put_thread(const ThreadEntry& entry);
  void put_descriptor(const FdEntry& entry);

  size_t begin_block(uint32_t type);
  void end_block(size_t start);
  // A record that starts with its length; `counted`: the length includes itself.
  size_t begin_record();
  void end_record(size_t start, bool counted);

  WriterLayout layout_;
  std::vector<uint8_t> bytes_;
};

}  // namespace sfkit::scap
