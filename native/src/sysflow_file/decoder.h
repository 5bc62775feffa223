// Decodes Avro datums of a SysFlow file into records, for any version of the schema.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sysflow/records.h"
#include "sysflow_file/schema.h"

namespace sfkit::sysflow_file {

// Totals of all decoded blocks.
struct DecodeCounts {
  uint64_t records = 0;    // datums of all kinds
  uint64_t unknown = 0;    // records of types that are not in SysFlow
  int64_t first_time = 0;  // ns; earliest start of an event or flow, 0 without one
  int64_t last_time = 0;   // ns; latest start or end
};

// Fields missing from the writer's schema get the defaults of spec/schema-versions.md. Unknown
// fields are skipped by type.
class Decoder {
 public:
  // `schema` and `sink` must outlive the decoder.
  Decoder(const Schema& schema, sysflow::RecordSink& sink) : schema_(schema), sink_(sink) {}

  // Passes up to `count` datums of `block` to the sink and returns how many were complete. `clean`:
  // all were complete, and no bytes are left.
  uint64_t decode_block(Bytes block, uint64_t count, bool& clean);

  const DecodeCounts& counts() const { return counts_; }

  // Maximum texts of an array; an empty one takes 32 times more memory than file space.
  static constexpr size_t kMaxTexts = 65536;
  // Bytes of a pod's labels, selectors, addresses and services, with kItemBytes for each of them;
  // further ones are left out and counted likewise.
  static constexpr size_t kMaxPodBytes = size_t{64} << 10;
  static constexpr size_t kItemBytes = 64;
  // Texts and items dropped because of these limits.
  uint64_t cut_texts() const { return cut_texts_; }

 private:
  using Fields = std::vector<Node::Field>;

  bool fine() const { return !bad_ && !in_.failed(); }
  bool spend();
  const Node& node(uint32_t place) const { return schema_.nodes[place]; }

  int64_t read_long();
  Bytes read_bytes();
  const Node* resolve_union(const Node& type);
  template <typename Item>
  void each_item(Item&& item);
  void skip(const Node& type, int depth);

  bool number(const Node& type, int64_t& out);
  template <typename T>
  void number_into(const Node& type, T& out);
  void boolean_into(const Node& type, bool& out);
  // Nullopt if there is no text; else valid until the next block.
  std::optional<std::string_view> text(const Node& type);
  void text_into(const Node& type, std::string& out);
  void text_into(const Node& type, SharedText& out);
  template <typename Text>
  void optional_text_into(const Node& type, std::optional<Text>& out);
  void texts_into(const Node& type, std::vector<std::string>& out);
  // Whether another item with so much text fits into the pod; counts it otherwise.
  bool take_pod_bytes(size_t bytes);
  template <typename Item>
  void items_into(const Node& type, std::vector<Item>& out,
                  void (Decoder::*decode)(const Node&, Item&));
  void pod_text_into(const Node& type, std::string& out);
  void labels_into(const Node& type, std::string& out);
  void addresses_into(const Node& type, sysflow::IpNumbers& out);
  void service_into(const Node& type, sysflow::Service& out);
  void port_into(const Node& type, sysflow::ServicePort& out);
  std::string_view symbol(const Node& type);
  bool oid_into(const Node& type, sysflow::Oid& out);
  bool foid_into(const Node& type, sysflow::Foid& out);
  void state_into(const Node& type, sysflow::ObjectState& out);
  void address_into(const Node& type, sysflow::Address& out);

  void datum();
  void record(const Node& type);
  void header(const Fields& fields);
  void container(const Fields& fields);
  void process(const Fields& fields);
  void file(const Fields& fields);
  void process_event(const Fields& fields);
  void network_flow(const Fields& fields);
  void file_flow(const Fields& fields);
  void file_event(const Fields& fields);
  void network_event(const Fields& fields);
  void process_flow(const Fields& fields);
  void pod(const Fields& fields);
  void k8s_event(const Fields& fields);
  bool counter(Slot slot, const Node& type, sysflow::Counters& out);
  void seen(int64_t from, int64_t to);

  const Schema& schema_;
  sysflow::RecordSink& sink_;
  DecodeCounts counts_;
  Cursor in_{Bytes()};
  uint64_t cut_texts_ = 0;
  bool bad_ = false;
  uint64_t budget_ = 0;
  size_t pod_room_ = 0;  // of the current pod

  // Reused, so that their strings keep their capacity.
  sysflow::Process process_;
  std::vector<std::string> variables_;
  sysflow::File file_;
  sysflow::ProcessEvent process_event_;
};

}  // namespace sfkit::sysflow_file
