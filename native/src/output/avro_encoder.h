// SysFlow records as Avro binary: datums of the record SysFlow of native/tables/sysflow-schema.json.
#pragma once

#include <string>

#include "base/byte_buffer.h"
#include "record_kinds.gen.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Appends datums to a buffer that it does not own. Text that is not UTF-8 is made so (base/utf8.h).
class AvroEncoder {
 public:
  explicit AvroEncoder(ByteBuffer& out) : out_(out) {}

  // The version written is always that of the schema, 5, whatever the record says.
  void encode(const sysflow::Header& record);
  // Types without a symbol in the schema are written as CT_CUSTOM (sysflow-semantics, section 12).
  void encode(const sysflow::Container& record);
  void encode(const sysflow::Process& record);
  void encode(const sysflow::File& record);
  void encode(const sysflow::ProcessEvent& record);
  // Only IPv4: the schema has 32 bits for an address.
  void encode(const sysflow::NetworkFlow& record);
  // For readers of our own: as a branch behind those of the schema, kIpv6Branch, with addresses of 16 bytes.
  void encode_ipv6(const sysflow::NetworkFlow& record);
  void encode_gone(const sysflow::Oid& oid);
  void encode_files_forgotten();
  void encode_container_gone(std::string_view id);
  void encode(const sysflow::FileFlow& record);
  void encode(const sysflow::FileEvent& record);
  void encode(const sysflow::ProcessFlow& record);
  // Addresses, labels, selectors and services, which the record does not hold, are written empty.
  void encode(const sysflow::Pod& record);
  void encode(const sysflow::K8sEvent& record);

 private:
  void put_long(int64_t value);
  void put_bool(bool value);
  void put_string(std::string_view text);
  template <typename Text>
  void put_optional(const std::optional<Text>& text);
  void put_environment(const TextList& variables);

  ByteBuffer& out_;
  std::string scratch_;
  // The last long environment, encoded: children have that of their parent.
  SharedText environment_;
  ByteBuffer environment_bytes_;
};

// Appends a number the way Avro writes int and long: zig-zag, seven bits a byte. At most 10 bytes.
void append_long(ByteBuffer& out, int64_t value);

}  // namespace sfkit::output
