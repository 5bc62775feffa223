#include "library/record_gate.h"

#include <ctime>
#include <utility>

namespace sfkit::library {

RecordGate::RecordGate(sysflow::RecordSink& next, output::FileSink* files,
                       const sysflow::TableSizes& sizes, GateSettings settings, Report report,
                       std::atomic<bool>& stop)
    : ForwardingSink(&next),
      files_(files),
      sizes_(sizes),
      settings_(settings),
      report_(std::move(report)),
      stop_(stop),
      report_at_(Clock::now() + std::chrono::seconds(settings.stats_seconds)) {}

void RecordGate::header(const sysflow::Header& record) {
  if (pending_) release();
  if (has_header_ && settings_.stats_seconds > 0) report_(Statistics::Reason::kRotation);
  has_header_ = true;
  pending_ = record;
}

void RecordGate::release() {
  sysflow::Header header = *std::exchange(pending_, std::nullopt);
  if (files_ != nullptr) {
    int64_t second = header.start_seconds;
    if (second == 0) second = sizes_.start_seconds.load(std::memory_order_relaxed);
    if (second == 0 && settings_.is_live) second = std::time(nullptr);
    std::string name = files_->begin(second);
    if (settings_.names_file) header.filename = std::move(name);
    if (files_->has_failed()) stop_.store(true, std::memory_order_relaxed);
  }
  ++records_;
  ForwardingSink::header(header);
}

void RecordGate::look() {
  if (files_ != nullptr && files_->has_failed()) stop_.store(true, std::memory_order_relaxed);
  if (settings_.stats_seconds <= 0 || Clock::now() < report_at_) return;
  report_at_ = Clock::now() + std::chrono::seconds(settings_.stats_seconds);
  report_(Statistics::Reason::kInterval);
}

void RecordGate::flush() {
  if (pending_) release();
  look();
  ForwardingSink::flush();
}

void RecordGate::finish() {
  if (pending_) release();
  if (settings_.stats_seconds > 0) report_(Statistics::Reason::kEnd);
  ForwardingSink::finish();
}

}  // namespace sfkit::library
