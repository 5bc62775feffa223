// Emits each SysFlow record as one Avro datum, in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/byte_buffer.h"
#include "output/avro_encoder.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Datum i is bytes[ends[i - 1] .. ends[i]].
struct DatumBatch {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> ends;
};

class DatumSink : public sysflow::RecordSink {
 public:
  // Receives the next batch. Return false to stop.
  using Consumer = std::function<bool(DatumBatch)>;

  explicit DatumSink(Consumer consumer) : consumer_(std::move(consumer)) {}

  void header(const sysflow::Header& record) override { add(record); }
  void container(const sysflow::Container& record) override { add(record); }
  void process(const sysflow::Process& record) override { add(record); }
  void file(const sysflow::File& record) override { add(record); }
  void process_event(const sysflow::ProcessEvent& record) override { add(record); }
  // IPv6 flows use the private branch kIpv6Branch.
  void network_flow(const sysflow::NetworkFlow& record) override {
    if (record.ipv6) {
      encoder_.encode_ipv6(record);
    } else {
      encoder_.encode(record);
    }
    end();
  }
  void file_flow(const sysflow::FileFlow& record) override { add(record); }
  void file_event(const sysflow::FileEvent& record) override { add(record); }
  void process_flow(const sysflow::ProcessFlow& record) override { add(record); }
  void network_event(const sysflow::NetworkEvent& record) override { add(record); }
  void pod(const sysflow::Pod& record) override { add(record); }
  void k8s_event(const sysflow::K8sEvent& record) override { add(record); }
  // Private branches for ended entities let consumers that keep entities remove them.
  void process_gone(const sysflow::Oid& oid) override {
    encoder_.encode_gone(oid);
    end();
  }
  void files_forgotten() override {
    encoder_.encode_files_forgotten();
    end();
  }
  void container_gone(std::string_view id) override {
    encoder_.encode_container_gone(id);
    end();
  }
  void pod_gone(std::string_view id) override {
    encoder_.encode_pod_gone(id);
    end();
  }
  void flush() override {
    if (!ends_.empty() && !stopped_) {
      const Bytes bytes = buffer_.bytes();
      stopped_ = !consumer_({{bytes.data(), bytes.data() + bytes.size()}, std::move(ends_)});
    }
    buffer_.clear();
    ends_.clear();
  }
  void finish() override { flush(); }

 private:
  static constexpr size_t kBatchBytes = size_t{64} << 10;
  static constexpr size_t kBatchDatums = 512;

  template <typename Record>
  void add(const Record& record) {
    encoder_.encode(record);
    end();
  }
  void end() {
    ends_.push_back(static_cast<uint32_t>(buffer_.size()));
    if (buffer_.size() >= kBatchBytes || ends_.size() >= kBatchDatums) flush();
  }

  Consumer consumer_;
  ByteBuffer buffer_;
  AvroEncoder encoder_{buffer_};
  std::vector<uint32_t> ends_;
  bool stopped_ = false;
};

}  // namespace sfkit::output
