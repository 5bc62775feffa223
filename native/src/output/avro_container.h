// Writes .sf files: Avro object containers of SysFlow records (sysflow-semantics, section 1).
#pragma once

#include <cstdint>

#include "base/byte_buffer.h"
#include "output/avro_encoder.h"
#include "output/block_writer.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Deterministic: the sync marker is derived from the schema and the first block. What deflated
// blocks look like depends on the library that compresses them.
class AvroContainer : public sysflow::RecordSink {
 public:
  // Receives the next bytes of the file, on the container's thread. Return false to stop; nothing
  // is written after that.
  using Consumer = BlockWriter::Consumer;

  explicit AvroContainer(Consumer consumer, Codec codec = Codec::kDeflate);

  void header(const sysflow::Header& record) override { add(record); }
  void container(const sysflow::Container& record) override { add(record); }
  void process(const sysflow::Process& record) override { add(record); }
  void file(const sysflow::File& record) override { add(record); }
  void process_event(const sysflow::ProcessEvent& record) override { add(record); }
  // The schema has no IPv6 flows: they are skipped and counted.
  void network_flow(const sysflow::NetworkFlow& record) override;
  void file_flow(const sysflow::FileFlow& record) override { add(record); }
  void file_event(const sysflow::FileEvent& record) override { add(record); }
  void process_flow(const sysflow::ProcessFlow& record) override { add(record); }
  void network_event(const sysflow::NetworkEvent& record) override { add(record); }
  void pod(const sysflow::Pod& record) override { add(record); }
  void k8s_event(const sysflow::K8sEvent& record) override { add(record); }
  // Ends the block, whatever its size.
  void flush() override;
  // Writes pending records and returns when the consumer has received them. A file without records
  // is still valid.
  void finish() override;

  uint64_t skipped_ipv6_flows() const { return skipped_ipv6_flows_; }

 private:
  template <typename Record>
  void add(const Record& record) {
    if (stopped_) return;
    if (pending_.size() >= kBlockSize) close_block();
    encoder_.encode(record);
    ++pending_count_;
  }

  void close_block();

  // Smaller blocks compress worse: nothing in one refers to another.
  static constexpr size_t kBlockSize = size_t{256} << 10;

  BlockWriter writer_;
  ByteBuffer pending_;  // datums of the current block
  AvroEncoder encoder_{pending_};
  int64_t pending_count_ = 0;
  bool stopped_ = false;
  uint64_t skipped_ipv6_flows_ = 0;
};

}  // namespace sfkit::output
