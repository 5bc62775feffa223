// Writes the .sf file: an Avro object container of SysFlow records (sysflow-semantics, section 1).
#pragma once

#include <cstdint>

#include "base/byte_buffer.h"
#include "output/avro_encoder.h"
#include "output/block_writer.h"
#include "sysflow/records.h"

namespace sfkit::output {

// The level of the library, as the collector uses it.
inline constexpr int kDefaultDeflateLevel = -1;

// The same records give the same bytes: the sync marker is made from the schema and the first block.
class AvroContainer : public sysflow::RecordSink {
 public:
  // Takes the next bytes of the file, on a thread of the container. False: nobody wants more; nothing is
  // written from then on.
  using Consumer = BlockWriter::Consumer;

  // `level`: 0 (fast) to 9 (small), or kDefaultDeflateLevel.
  explicit AvroContainer(Consumer consumer, int level = kDefaultDeflateLevel);

  void header(const sysflow::Header& record) override { add(record); }
  void container(const sysflow::Container& record) override { add(record); }
  void process(const sysflow::Process& record) override { add(record); }
  void file(const sysflow::File& record) override { add(record); }
  void process_event(const sysflow::ProcessEvent& record) override { add(record); }
  // IPv6 flows have no place in the schema: they are left out and counted.
  void network_flow(const sysflow::NetworkFlow& record) override;
  void file_flow(const sysflow::FileFlow& record) override { add(record); }
  void file_event(const sysflow::FileEvent& record) override { add(record); }
  void process_flow(const sysflow::ProcessFlow& record) override { add(record); }
  void pod(const sysflow::Pod& record) override { add(record); }
  void k8s_event(const sysflow::K8sEvent& record) override { add(record); }
  // Ends the block, however small it is.
  void flush() override;
  // Writes what is pending and returns when the consumer has it; a file without records is a whole file
  // still.
  void finish() override;

  uint64_t skipped_ipv6_flows() const { return skipped_ipv6_flows_; }

 private:
  template <typename Record>
  void add(const Record& record) {
    if (gone_) return;
    if (pending_.size() >= kBlockSize) close_block();
    encoder_.encode(record);
    ++pending_count_;
  }

  void close_block();

  static constexpr size_t kBlockSize = 80000;

  BlockWriter writer_;
  ByteBuffer pending_;  // datums of the block under construction
  AvroEncoder encoder_{pending_};
  int64_t pending_count_ = 0;
  bool gone_ = false;
  uint64_t skipped_ipv6_flows_ = 0;
};

}  // namespace sfkit::output
