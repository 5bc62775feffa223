// The table `calls`: system calls, counted by the columns that a statement names.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "events/field_rows.h"
#include "filter/feed.h"

namespace sfkit::events {

class Calls : public filter::Feed {
 public:
  // Limits on the combinations in memory. At the limit, write() writes their rows and counting
  // starts again.
  static constexpr size_t kMaxKeys = 1u << 16;
  static constexpr size_t kMaxKeyBytes = 32u << 20;

  Calls(std::unique_ptr<filter::Filter> filter, FieldRows& rows, const std::atomic<bool>& cancel);

  // Writes the remaining rows; false if the consumer rejects them.
  bool finish() { return write() && rows_.flush(); }

 protected:
  bool take(const scap::EventView& event, bool shown) override;

 private:
  using Wanted = FieldRows::Wanted;

  struct Count {
    std::string key;
    int64_t calls = 0;
    int64_t failed = 0;
    int64_t bytes_read = 0;
    int64_t bytes_written = 0;
    int64_t latency = 0;
    int64_t max_latency = -1;  // -1: no call had an enter event
    int64_t first = 0;
    int64_t last = 0;
  };

  bool add(const state::Context& context);
  Count& find();
  bool write();
  // Appends the value of a column that is part of the key.
  void append_key(const Wanted& wanted, const state::Context& context, bool failed);
  // Takes the next value from a key and puts it into the row.
  bool put_key(const Wanted& wanted, std::string_view& key);
  bool put_measure(const Wanted& wanted, const Count& count);
  int64_t bytes_of(const fields::FieldRef& field);

  FieldRows& rows_;
  fields::FieldRef failed_;
  fields::FieldRef bytes_read_;
  fields::FieldRef bytes_written_;
  fields::FieldRef latency_;
  bool wants_bytes_ = false;
  bool wants_latency_ = false;
  std::string key_;
  std::string address_;
  size_t key_bytes_ = 0;
  // In the order of the first call. A deque keeps the keys in place.
  std::deque<Count> counts_;
  std::unordered_map<std::string_view, Count*, TextHash> places_;
};

}  // namespace sfkit::events
