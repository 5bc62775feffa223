// Passes records to several sinks.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "sysflow/records.h"

namespace sfkit::sysflow {

// Each sink gets every record before the next one does. The sinks must outlive this one.
class FanOut : public RecordSink {
 public:
  explicit FanOut(std::vector<RecordSink*> sinks) : sinks_(std::move(sinks)) {}

  void header(const Header& record) override { each(&RecordSink::header, record); }
  void container(const Container& record) override { each(&RecordSink::container, record); }
  void process(const Process& record) override { each(&RecordSink::process, record); }
  void file(const File& record) override { each(&RecordSink::file, record); }
  void process_event(const ProcessEvent& record) override {
    each(&RecordSink::process_event, record);
  }
  void network_flow(const NetworkFlow& record) override { each(&RecordSink::network_flow, record); }
  void file_flow(const FileFlow& record) override { each(&RecordSink::file_flow, record); }
  void file_event(const FileEvent& record) override { each(&RecordSink::file_event, record); }
  void process_flow(const ProcessFlow& record) override { each(&RecordSink::process_flow, record); }
  void network_event(const NetworkEvent& record) override {
    each(&RecordSink::network_event, record);
  }
  void pod(const Pod& record) override { each(&RecordSink::pod, record); }
  void k8s_event(const K8sEvent& record) override { each(&RecordSink::k8s_event, record); }
  void process_facts(const Oid& oid, const ProcessFacts& facts) override {
    each(&RecordSink::process_facts, oid, facts);
  }
  bool takes_facts() const override {
    return std::any_of(sinks_.begin(), sinks_.end(),
                       [](const RecordSink* sink) { return sink->takes_facts(); });
  }
  void process_gone(const Oid& oid) override { each(&RecordSink::process_gone, oid); }
  void files_forgotten() override { each(&RecordSink::files_forgotten); }
  void container_gone(std::string_view id) override { each(&RecordSink::container_gone, id); }
  void pod_gone(std::string_view id) override { each(&RecordSink::pod_gone, id); }
  void flush() override { each(&RecordSink::flush); }
  void finish() override { each(&RecordSink::finish); }

 private:
  template <typename Take, typename... Records>
  void each(Take take, const Records&... records) {
    for (RecordSink* sink : sinks_) (sink->*take)(records...);
  }

  std::vector<RecordSink*> sinks_;
};

}  // namespace sfkit::sysflow
