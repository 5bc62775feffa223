// A .sf file for each header: where records are rotated, one file follows the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "output/avro_container.h"
#include "sysflow/records.h"

namespace sfkit::output {

class AvroFiles : public sysflow::RecordSink {
 public:
  // Takes the next bytes of file `number`, which counts from 0, and of which `begins` is as in Header; false:
  // nobody wants more.
  using Consumer = std::function<bool(uint32_t number, int64_t begins, std::vector<uint8_t> bytes)>;

  AvroFiles(Consumer consumer, int level) : consumer_(std::move(consumer)), level_(level) {}

  void header(const sysflow::Header& record) override {
    if (current_) {
      end_current();
      ++number_;
    }
    begins_ = record.begins;
    begin();
    current_->header(record);
  }
  void container(const sysflow::Container& record) override { current().container(record); }
  void process(const sysflow::Process& record) override { current().process(record); }
  void file(const sysflow::File& record) override { current().file(record); }
  void process_event(const sysflow::ProcessEvent& record) override { current().process_event(record); }
  void network_flow(const sysflow::NetworkFlow& record) override { current().network_flow(record); }
  void file_flow(const sysflow::FileFlow& record) override { current().file_flow(record); }
  void file_event(const sysflow::FileEvent& record) override { current().file_event(record); }
  void process_flow(const sysflow::ProcessFlow& record) override { current().process_flow(record); }
  void pod(const sysflow::Pod& record) override { current().pod(record); }
  void k8s_event(const sysflow::K8sEvent& record) override { current().k8s_event(record); }
  void flush() override {
    if (current_) current_->flush();
  }
  void finish() override {
    if (current_) end_current();
  }

  uint64_t skipped_ipv6_flows() const { return skipped_; }

 private:
  void begin() {
    current_ = std::make_unique<AvroContainer>(
        [this, number = number_, begins = begins_](std::vector<uint8_t> bytes) {
          return consumer_(number, begins, std::move(bytes));
        },
        level_);
  }
  // Of a damaged input the header may be missing.
  AvroContainer& current() {
    if (!current_) begin();
    return *current_;
  }
  void end_current() {
    current_->finish();
    skipped_ += current_->skipped_ipv6_flows();
  }

  Consumer consumer_;
  int level_;
  std::unique_ptr<AvroContainer> current_;
  uint32_t number_ = 0;
  int64_t begins_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace sfkit::output
