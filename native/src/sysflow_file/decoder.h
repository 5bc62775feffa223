// Avro datums of a SysFlow file to records, whatever version of the schema they were written with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sysflow/records.h"
#include "sysflow_file/schema.h"

namespace sfkit::sysflow_file {

// Numbers over all blocks decoded so far.
struct DecodeCounts {
  uint64_t records = 0;         // datums of any kind
  uint64_t network_events = 0;  // NetworkEvent records: defined by the schema, written by nobody
  uint64_t unknown = 0;         // records of types that SysFlow does not have
  int64_t first_time = 0;       // ns; the least start of an event or flow, 0 without
  int64_t last_time = 0;        // ns; the greatest start or end
};

// Fields that the writer's schema lacks get the values of spec/schema-versions.md; fields that this reader
// does not know are skipped by their type.
class Decoder {
 public:
  // Both must outlive the decoder.
  Decoder(const Schema& schema, sysflow::RecordSink& sink) : schema_(schema), sink_(sink) {}

  // Gives up to `count` datums of `block` to the sink. Returns how many were whole; `clean` says that
  // these were all, and that nothing was left behind them.
  uint64_t decode_block(Bytes block, uint64_t count, bool& clean);

  const DecodeCounts& counts() const { return counts_; }

  // Texts that an array of a record may have; in memory an empty one takes 32 times its place in the file.
  static constexpr size_t kMaxTexts = 65536;
  // How many were left out for that.
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
  // Nothing where there is no text; else valid until the next block.
  std::optional<std::string_view> text(const Node& type);
  void text_into(const Node& type, std::string& out);
  void text_into(const Node& type, SharedText& out);
  template <typename Text>
  void optional_text_into(const Node& type, std::optional<Text>& out);
  void texts_into(const Node& type, std::vector<std::string>& out);
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

  // Kept from record to record for the capacity of their strings.
  sysflow::Process process_;
  std::vector<std::string> variables_;
  sysflow::File file_;
  sysflow::ProcessEvent process_event_;
};

}  // namespace sfkit::sysflow_file
