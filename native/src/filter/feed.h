// A feed that filters events; all events update the state.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "fields/fields.h"
#include "filter/filter.h"
#include "state/feed.h"

namespace sfkit::filter {

// Compiles a filter; null for "".
inline Result<std::unique_ptr<Filter>> compile_optional(const std::string& text) {
  if (text.empty()) return std::unique_ptr<Filter>();
  return Filter::compile(text);
}

class Feed : public state::Feed {
 public:
  // Without a filter all events pass.
  Feed(std::unique_ptr<Filter> filter, bool compat, const std::atomic<bool>& cancel)
      : state::Feed(compat, cancel), filter_(std::move(filter)), reader_(engine()) {
    for (uint16_t code = 0; code < scap::kEventCount; ++code)
      passes_[code] = filter_ == nullptr ? kYes : filter_->passes(code);
    follows_names_ = std::ranges::find(passes_, kDepends) != passes_.end();
  }

  // Evaluated events that did not pass.
  uint64_t left_out() const { return left_out_; }

 protected:
  bool has_filter() const { return filter_ != nullptr; }
  fields::FieldReader& reader() { return reader_; }

  // Applies the event like Engine::apply_all(). If it is wanted and passes, calls `visit(const
  // Context&, uint32_t op)`; reader() then has the event. `each(const Context&, step)` calls
  // `step(const Context&, uint32_t op)` for each part of the event that is filtered separately.
  // `leave(const Context&)` is called if the event is wanted but no part passes.
  template <typename Each, typename Visit, typename Leave>
  void apply_passing(const scap::EventView& event, bool wanted, Each each, Visit visit,
                     Leave leave) {
    reader_.next_event(event);
    if (cannot_pass(event.code)) {
      if (wanted) ++left_out_;
      engine().apply(event, [&](const state::Context& context) {
        if (wanted) leave(context);
      });
      return;
    }
    reader_.set_origin(times().origin());
    engine().apply_all(event, [&](const state::Context& context) {
      if (!wanted) return;
      bool any = false;
      each(context, [&](const state::Context& part, uint32_t op) {
        reader_.set_context(part);
        if (filter_ != nullptr && !filter_->passes(reader_)) return;
        any = true;
        visit(part, op);
      });
      if (any) return;
      ++left_out_;
      leave(context);
    });
  }

  // Evaluates the filter once for a whole event: `visit(const Context&)`.
  template <typename Visit>
  void apply_passing(const scap::EventView& event, bool wanted, Visit visit) {
    apply_passing(
        event, wanted, [](const state::Context& context, const auto& step) { step(context, 0); },
        [&visit](const state::Context& context, uint32_t) { visit(context); },
        [](const state::Context&) {});
  }

  // Whether events can be counted without following what processes do.
  bool counts_alone() const { return filter_ == nullptr || filter_->is_static(); }

  // apply_passing() for consumers that only count, if counts_alone(): whether the event passes.
  // `needs_threads`: they also ask for containers.
  bool count_passing(const scap::EventView& event, bool wanted, bool needs_threads) {
    const uint8_t known = passes_[event.code];
    if (known == kDepends) return count_by_name(event, wanted);
    if (needs_threads || follows_names_) engine().apply_threads(event);
    return count_if(known == kYes, wanted);
  }

  // Whether the event cannot pass, nor its exit event. An enter event is kept for its exit, whose
  // condition may need it.
  bool cannot_pass(uint16_t code) const {
    return filter_ != nullptr && !filter_->may_pass(code) && !filter_->may_pass(code | 1);
  }

 private:
  bool count_if(bool passes, bool wanted) {
    if (wanted && !passes) ++left_out_;
    return wanted && passes;
  }

  // The name can be in the enter event.
  bool count_by_name(const scap::EventView& event, bool wanted) {
    bool passes = false;
    engine().apply_all(event, [&](const state::Context& context) {
      reader_.set_context(context);
      passes = filter_->passes(reader_);
    });
    return count_if(passes, wanted);
  }

  std::unique_ptr<Filter> filter_;
  fields::FieldReader reader_;
  std::array<uint8_t, scap::kEventCount> passes_;  // Known, by code
  bool follows_names_ = false;                     // some codes leave it open
  uint64_t left_out_ = 0;
};

}  // namespace sfkit::filter
