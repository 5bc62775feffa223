// The table `cpu`: time on the CPU per thread and second, from switch events and from the counters
// in procinfo events.
#pragma once

#include <atomic>
#include <cstdint>
#include <unordered_map>

#include "base/hash.h"
#include "events/field_rows.h"
#include "filter/feed.h"

namespace sfkit::events {

class CpuTime : public filter::Feed {
 public:
  CpuTime(FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(nullptr, false, cancel), rows_(rows) {}

  // Writes the remaining rows; false if the consumer rejects them.
  bool finish();

 protected:
  bool take(const scap::EventView& event, bool shown) override;

 private:
  using Wanted = FieldRows::Wanted;

  // Maximum threads with unwritten time.
  static constexpr size_t kMaxThreads = 1u << 16;

  // What runs on a CPU since its last switch event.
  struct Running {
    int64_t tid = -1;
    uint64_t since = 0;
  };
  // Time of a thread that is not written yet.
  struct Second {
    uint64_t second = 0;
    uint64_t time = 0;  // ns
  };
  struct Ticks {
    uint64_t user = 0;
    uint64_t system = 0;
  };
  struct Row {
    uint64_t second = 0;
    int64_t tid = -1;
    uint64_t time = 0;
    bool is_sample = false;
    uint64_t user = 0;
    uint64_t system = 0;
  };

  bool switch_to(const state::Context& context);
  bool sample(const state::Context& context);
  bool add(const state::Context& context, uint64_t second, uint64_t time);
  // Writes the time of the thread that has not been written, and forgets the thread.
  bool end(const state::Context& context, int64_t tid);
  bool write(const state::Context& context, const Row& row);
  bool write_all();

  FieldRows& rows_;
  std::unordered_map<uint64_t, Running, NumberHash> cpus_;
  std::unordered_map<uint64_t, Second, NumberHash> seconds_;  // by tid
  std::unordered_map<uint64_t, Ticks, NumberHash> ticks_;     // by tid
};

}  // namespace sfkit::events
