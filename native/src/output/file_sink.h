// Writes SysFlow files by name: one, or a new one for each header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "output/avro_container.h"
#include "output/output_file.h"
#include "sysflow/records.h"

namespace sfkit::output {

struct FileSettings {
  std::string path;      // a directory if it ends in /
  bool rotates = false;  // each header starts a file named after its second
  OutputOptions options;
};

// Call start() and begin() before the first record, and begin() before each header.
class FileSink : public sysflow::RecordSink {
 public:
  explicit FileSink(FileSettings settings) : settings_(std::move(settings)) {}

  // Creates what does not depend on the time of the first event.
  Status start();
  // Completes the current file and opens the next one, which starts `second` seconds after 1970.
  // Returns its name; empty after a failure.
  std::string begin(int64_t second);

  void header(const sysflow::Header& record) override { forward(&RecordSink::header, record); }
  void container(const sysflow::Container& record) override {
    forward(&RecordSink::container, record);
  }
  void process(const sysflow::Process& record) override { forward(&RecordSink::process, record); }
  void file(const sysflow::File& record) override { forward(&RecordSink::file, record); }
  void process_event(const sysflow::ProcessEvent& record) override {
    forward(&RecordSink::process_event, record);
  }
  void network_flow(const sysflow::NetworkFlow& record) override {
    forward(&RecordSink::network_flow, record);
  }
  void file_flow(const sysflow::FileFlow& record) override {
    forward(&RecordSink::file_flow, record);
  }
  void file_event(const sysflow::FileEvent& record) override {
    forward(&RecordSink::file_event, record);
  }
  void process_flow(const sysflow::ProcessFlow& record) override {
    forward(&RecordSink::process_flow, record);
  }
  void pod(const sysflow::Pod& record) override { forward(&RecordSink::pod, record); }
  void k8s_event(const sysflow::K8sEvent& record) override {
    forward(&RecordSink::k8s_event, record);
  }
  void flush() override {
    if (container_) container_->flush();
  }
  // Writes what is pending; commit() gives the file its name.
  void finish() override {
    if (container_) container_->finish();
    finished_ = true;
  }

  // Whether an output failed; callable from any thread.
  bool has_failed() const { return failed_.load(std::memory_order_relaxed); }
  // Completes the last file, after finish(). Returns the first failure.
  Status commit();
  // Names of complete files.
  const std::vector<std::string>& written() const { return written_; }
  uint64_t skipped_ipv6_flows() const { return skipped_; }

 private:
  template <typename Record>
  void forward(void (RecordSink::*accept)(const Record&), const Record& record) {
    if (container_) (container_.get()->*accept)(record);
  }
  bool is_directory() const { return settings_.path.ends_with('/'); }
  bool open(Result<std::unique_ptr<OutputFile>> opened);
  void close();
  void fail(const Status& status);

  FileSettings settings_;
  std::unique_ptr<OutputFile> file_;          // outlives the container, whose thread writes to it
  std::unique_ptr<AvroContainer> container_;  // null after a failure
  bool finished_ = false;
  std::atomic<bool> failed_{false};
  Status status_;
  std::vector<std::string> written_;
  uint64_t skipped_ = 0;
};

}  // namespace sfkit::output
