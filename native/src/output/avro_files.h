// Writes one .sf file per header: rotation starts the next file.
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
  // Receives the next bytes of file `number`, counted from 0. `start_seconds` comes from the file's
  // header. Return false to stop.
  using Consumer =
      std::function<bool(uint32_t number, int64_t start_seconds, std::vector<uint8_t> bytes)>;

  AvroFiles(Consumer consumer, int level) : consumer_(std::move(consumer)), level_(level) {}

  void header(const sysflow::Header& record) override {
    if (current_) {
      end_current();
      ++number_;
    }
    start_seconds_ = record.start_seconds;
    open();
    current_->header(record);
  }
  void container(const sysflow::Container& record) override { current().container(record); }
  void process(const sysflow::Process& record) override { current().process(record); }
  void file(const sysflow::File& record) override { current().file(record); }
  void process_event(const sysflow::ProcessEvent& record) override {
    current().process_event(record);
  }
  void network_flow(const sysflow::NetworkFlow& record) override { current().network_flow(record); }
  void file_flow(const sysflow::FileFlow& record) override { current().file_flow(record); }
  void file_event(const sysflow::FileEvent& record) override { current().file_event(record); }
  void process_flow(const sysflow::ProcessFlow& record) override { current().process_flow(record); }
  void network_event(const sysflow::NetworkEvent& record) override {
    current().network_event(record);
  }
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
  void open() {
    current_ = std::make_unique<AvroContainer>(
        [this, number = number_, start_seconds = start_seconds_](std::vector<uint8_t> bytes) {
          return consumer_(number, start_seconds, std::move(bytes));
        },
        level_);
  }
  // The header can be missing in damaged input.
  AvroContainer& current() {
    if (!current_) open();
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
  int64_t start_seconds_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace sfkit::output
