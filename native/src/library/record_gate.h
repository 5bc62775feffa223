// The first of a driver's sinks: it names the files, counts records and reports statistics.
#pragma once

#include <sfkit/config.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "output/file_sink.h"
#include "sysflow/convert.h"
#include "sysflow/forwarding_sink.h"
#include "sysflow/records.h"

namespace sfkit::library {

struct GateSettings {
  bool is_live = false;
  bool names_file = false;    // the header's file name becomes that of the file
  int64_t stats_seconds = 0;  // between statistics; 0: none
};

// A header comes before the first event, whose time is in the name of the first file. So a header
// waits for the next record.
class RecordGate : public sysflow::ForwardingSink {
 public:
  using Report = std::function<void(Statistics::Reason)>;

  // `files` may be null. `stop` is set after a failure of the files.
  RecordGate(sysflow::RecordSink& next, output::FileSink* files, const sysflow::TableSizes& sizes,
             GateSettings settings, Report report, std::atomic<bool>& stop);

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
    if (pending_) release();
    if (++records_ % kRecordsPerLook == 0) look();
  }
  void release();
  void look();

  output::FileSink* const files_;
  const sysflow::TableSizes& sizes_;
  const GateSettings settings_;
  const Report report_;
  std::atomic<bool>& stop_;
  std::optional<sysflow::Header> pending_;
  bool has_header_ = false;
  uint64_t records_ = 0;
  Clock::time_point report_at_;
};

}  // namespace sfkit::library
