// Writes .sf files: one, or one per header if rotation starts the next file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "output/avro_container.h"
#include "sysflow/records.h"

namespace sfkit::output {

// One file: its number, counted from 0, and the rest from its header.
struct FileStart {
  uint32_t number = 0;
  int64_t start_seconds = 0;
  std::string name;
};

class AvroFiles : public sysflow::RecordSink {
 public:
  // Receives the next bytes of a file. Return false to stop.
  using Consumer = std::function<bool(const FileStart& file, std::vector<uint8_t> bytes)>;

  // `splits`: each header starts a file; otherwise all records are in one.
  AvroFiles(Consumer consumer, Codec codec, bool splits)
      : consumer_(std::move(consumer)), codec_(codec), splits_(splits) {}

  void header(const sysflow::Header& record) override {
    if (current_ && !splits_) {
      current_->header(record);
      return;
    }
    if (current_) {
      end_current();
      ++start_.number;
    }
    start_.start_seconds = record.start_seconds;
    start_.name = record.filename;
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
        [this, start = start_](std::vector<uint8_t> bytes) {
          return consumer_(start, std::move(bytes));
        },
        codec_);
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
  Codec codec_;
  bool splits_;
  std::unique_ptr<AvroContainer> current_;
  FileStart start_;
  uint64_t skipped_ = 0;
};

}  // namespace sfkit::output
