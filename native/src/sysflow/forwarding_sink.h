// Base class for sinks that use some records and pass on all of them.
#pragma once

#include "sysflow/records.h"

namespace sfkit::sysflow {

// Passes everything on to `next`, which must outlive the sink; nullptr discards it. A derived sink
// overrides the functions it needs and calls the base function to pass the record on.
class ForwardingSink : public RecordSink {
 public:
  explicit ForwardingSink(RecordSink* next) : next_(next) {}

  void header(const Header& record) override { forward(&RecordSink::header, record); }
  void container(const Container& record) override { forward(&RecordSink::container, record); }
  void process(const Process& record) override { forward(&RecordSink::process, record); }
  void file(const File& record) override { forward(&RecordSink::file, record); }
  void process_event(const ProcessEvent& record) override {
    forward(&RecordSink::process_event, record);
  }
  void network_flow(const NetworkFlow& record) override {
    forward(&RecordSink::network_flow, record);
  }
  void file_flow(const FileFlow& record) override { forward(&RecordSink::file_flow, record); }
  void file_event(const FileEvent& record) override { forward(&RecordSink::file_event, record); }
  void process_flow(const ProcessFlow& record) override {
    forward(&RecordSink::process_flow, record);
  }
  void network_event(const NetworkEvent& record) override {
    forward(&RecordSink::network_event, record);
  }
  void pod(const Pod& record) override { forward(&RecordSink::pod, record); }
  void k8s_event(const K8sEvent& record) override { forward(&RecordSink::k8s_event, record); }
  bool takes_facts() const override { return true; }
  void process_facts(const Oid& oid, const ProcessFacts& facts) override {
    forward(&RecordSink::process_facts, oid, facts);
  }
  void process_gone(const Oid& oid) override { forward(&RecordSink::process_gone, oid); }
  void files_forgotten() override { forward(&RecordSink::files_forgotten); }
  void container_gone(std::string_view id) override { forward(&RecordSink::container_gone, id); }
  void pod_gone(std::string_view id) override { forward(&RecordSink::pod_gone, id); }
  void flush() override { forward(&RecordSink::flush); }
  void finish() override { forward(&RecordSink::finish); }

 private:
  template <typename Take, typename... Records>
  void forward(Take take, const Records&... records) {
    if (next_ != nullptr) (next_->*take)(records...);
  }

  RecordSink* next_;
};

}  // namespace sfkit::sysflow
