// The first of a driver's sinks: it counts records and reports statistics.
#pragma once

#include <sfkit/config.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "output/file_sink.h"
#include "sysflow/forwarding_sink.h"
#include "sysflow/records.h"

namespace sfkit::library {

class RecordGate : public sysflow::ForwardingSink {
 public:
  using Report = std::function<void(Statistics::Reason)>;

  // `files` may be null. `stats_seconds`: between statistics; 0: none. `stop` is set after a
  // failure of the files.
  RecordGate(sysflow::RecordSink& next, const output::FileSink* files, int64_t stats_seconds,
             Report report, std::atomic<bool>& stop);

  void header(const sysflow::Header& record) override;
  void container(const sysflow::Container& record) override {
    begin_record();
    ForwardingSink::container(record);
  }
  void process(const sysflow::Process& record) override {
    begin_record();
    ForwardingSink::process(record);
  }
  void file(const sysflow::File& record) override {
    begin_record();
    ForwardingSink::file(record);
  }
  void process_event(const sysflow::ProcessEvent& record) override {
    begin_record();
    ForwardingSink::process_event(record);
  }
  void network_flow(const sysflow::NetworkFlow& record) override {
    begin_record();
    ForwardingSink::network_flow(record);
  }
  void file_flow(const sysflow::FileFlow& record) override {
    begin_record();
    ForwardingSink::file_flow(record);
  }
  void file_event(const sysflow::FileEvent& record) override {
    begin_record();
    ForwardingSink::file_event(record);
  }
  void process_flow(const sysflow::ProcessFlow& record) override {
    begin_record();
    ForwardingSink::process_flow(record);
  }
  void network_event(const sysflow::NetworkEvent& record) override {
    begin_record();
    ForwardingSink::network_event(record);
  }
  void pod(const sysflow::Pod& record) override {
    begin_record();
    ForwardingSink::pod(record);
  }
  void k8s_event(const sysflow::K8sEvent& record) override {
    begin_record();
    ForwardingSink::k8s_event(record);
  }
  void flush() override;
  void finish() override;

  // Records passed on, including headers.
  uint64_t records() const { return records_; }

 private:
  using Clock = std::chrono::steady_clock;
  // Reading the clock costs more than passing on a record.
  static constexpr uint64_t kRecordsPerLook = 1024;

  void begin_record() {
    if (++records_ % kRecordsPerLook == 0) look();
  }
  void look();

  const output::FileSink* const files_;
  const int64_t stats_seconds_;
  const Report report_;
  std::atomic<bool>& stop_;
  bool has_header_ = false;
  uint64_t records_ = 0;
  Clock::time_point report_at_;
};

}  // namespace sfkit::library
