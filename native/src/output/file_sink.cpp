#include "output/file_sink.h"

#include <utility>

namespace sfkit::output {

Status FileSink::start() {
  if (is_directory()) {
    if (Status status = make_directory(settings_.path); !status.is_ok()) return status;
  } else if (!settings_.rotates) {
    open(OutputFile::open(settings_.path, settings_.options));
  }
  return status_;
}

std::string FileSink::begin(int64_t second) {
  if (!status_.is_ok()) return {};
  // start() has opened the only file.
  if (is_directory() || settings_.rotates) {
    close();
    const std::string number = std::to_string(second);
    const std::string wanted = settings_.path + (is_directory() ? "" : ".") + number;
    if (status_.is_ok()) open(OutputFile::open_new(wanted, settings_.options));
  }
  return file_ ? file_->name() : std::string();
}

bool FileSink::open(Result<std::unique_ptr<OutputFile>> opened) {
  if (!opened.is_ok()) {
    fail(opened.status());
    return false;
  }
  file_ = std::move(opened.value());
  container_ = std::make_unique<AvroContainer>([this](const std::vector<uint8_t>& bytes) {
    if (file_->write({bytes.data(), bytes.size()})) return true;
    failed_.store(true, std::memory_order_relaxed);
    return false;
  });
  return true;
}

void FileSink::close() {
  if (!container_) return;
  if (!finished_) container_->finish();
  skipped_ += container_->skipped_ipv6_flows();
  container_.reset();
  if (const Status status = file_->commit(); status.is_ok()) {
    written_.push_back(file_->name());
  } else {
    fail(status);
  }
  file_.reset();
}

Status FileSink::commit() {
  close();
  return status_;
}

void FileSink::fail(const Status& status) {
  failed_.store(true, std::memory_order_relaxed);
  if (status_.is_ok()) status_ = status;
}

}  // namespace sfkit::output
