// Encodes SysFlow records as Avro datums (record SysFlow of native/tables/sysflow-schema.json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "record_kinds.gen.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Appends datums to a buffer that it does not own. Text is converted to valid UTF-8 (base/utf8.h).
class AvroEncoder {
 public:
  explicit AvroEncoder(ByteBuffer& out) : out_(out) {}

  // Always writes version 5, that of the schema.
  void encode(const sysflow::Header& record);
  // Container types that the schema lacks become CT_CUSTOM (sysflow-semantics, section 12).
  void encode(const sysflow::Container& record);
  void encode(const sysflow::Process& record);
  void encode(const sysflow::File& record);
  void encode(const sysflow::ProcessEvent& record);
  // IPv4 only: the schema has 32-bit addresses.
  void encode(const sysflow::NetworkFlow& record);
  // Uses the private branch kIpv6Branch.
  void encode_ipv6(const sysflow::NetworkFlow& record);
  void encode_gone(const sysflow::Oid& oid);
  void encode_files_forgotten();
  void encode_container_gone(std::string_view id);
  void encode_pod_gone(std::string_view id);
  void encode(const sysflow::FileFlow& record);
  void encode(const sysflow::FileEvent& record);
  void encode(const sysflow::NetworkEvent& record);
  void encode(const sysflow::ProcessFlow& record);
  void encode(const sysflow::Pod& record);
  void encode(const sysflow::K8sEvent& record);

 private:
  void put_long(int64_t value);
  void put_bool(bool value);
  void put_string(std::string_view text);
  template <typename Text>
  void put_optional(const std::optional<Text>& text);
  void put_environment(const TextList& variables);
  void put_numbers(const sysflow::IpNumbers& numbers);
  // A map, from the text of a JSON object.
  void put_labels(std::string_view labels);
  void put_service(const sysflow::Service& service);

  ByteBuffer& out_;
  std::string scratch_;
  // The last environment and its encoding: processes share that of their parent until they run a
  // program.
  SharedText environment_;
  ByteBuffer environment_bytes_;
};

// The places of a Kubernetes event's kind and action in the enums of the schema. Unknown ones are
// UNKNOWN, the last.
int64_t k8s_kind_number(std::string_view kind);
int64_t k8s_action_number(std::string_view action);

// Appends an Avro int or long: zig-zag, seven bits per byte, at most 10 bytes.
void append_long(ByteBuffer& out, int64_t value);

}  // namespace sfkit::output
