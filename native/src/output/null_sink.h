// Discards all records, for runs that only need statistics.
#pragma once

#include "sysflow/records.h"

namespace sfkit::output {

class NullSink : public sysflow::RecordSink {
 public:
  void header(const sysflow::Header&) override {}
  void container(const sysflow::Container&) override {}
  void process(const sysflow::Process&) override {}
  void file(const sysflow::File&) override {}
  void process_event(const sysflow::ProcessEvent&) override {}
  void network_flow(const sysflow::NetworkFlow&) override {}
  void file_flow(const sysflow::FileFlow&) override {}
  void file_event(const sysflow::FileEvent&) override {}
  void process_flow(const sysflow::ProcessFlow&) override {}
};

}  // namespace sfkit::output
