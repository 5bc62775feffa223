#include "output/avro_container.h"

#include <utility>

namespace sfkit::output {

AvroContainer::AvroContainer(Consumer consumer, Codec codec)
    : writer_(std::move(consumer), codec) {}

void AvroContainer::network_flow(const sysflow::NetworkFlow& record) {
  if (record.ipv6) {
    ++skipped_ipv6_flows_;
  } else {
    add(record);
  }
}

void AvroContainer::close_block() {
  if (!writer_.add_block(pending_, pending_count_)) stopped_ = true;
  pending_.clear();
  pending_count_ = 0;
}

void AvroContainer::flush() {
  if (pending_count_ == 0 || stopped_) return;
  close_block();
  if (!stopped_) writer_.flush();
}

void AvroContainer::finish() {
  if (pending_count_ != 0) close_block();
  writer_.finish();
}

}  // namespace sfkit::output
