#include "library/record_gate.h"

#include <utility>

namespace sfkit::library {

RecordGate::RecordGate(sysflow::RecordSink& next, const output::FileSink* files,
                       int64_t stats_seconds, Report report, std::atomic<bool>& stop)
    : ForwardingSink(&next),
      files_(files),
      stats_seconds_(stats_seconds),
      report_(std::move(report)),
      stop_(stop),
      report_at_(Clock::now() + std::chrono::seconds(stats_seconds)) {}

void RecordGate::header(const sysflow::Header& record) {
  if (has_header_ && stats_seconds_ > 0) report_(Statistics::Reason::kRotation);
  has_header_ = true;
  ++records_;
  ForwardingSink::header(record);
}

void RecordGate::look() {
  if (files_ != nullptr && files_->has_failed()) stop_.store(true, std::memory_order_relaxed);
  if (stats_seconds_ <= 0 || Clock::now() < report_at_) return;
  report_at_ = Clock::now() + std::chrono::seconds(stats_seconds_);
  report_(Statistics::Reason::kInterval);
}

void RecordGate::flush() {
  look();
  ForwardingSink::flush();
}

void RecordGate::finish() {
  if (stats_seconds_ > 0) report_(Statistics::Reason::kEnd);
  ForwardingSink::finish();
}

}  // namespace sfkit::library
