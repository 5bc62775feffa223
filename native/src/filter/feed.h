// A feed that filters events; all events update the state.
#pragma once

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
      : state::Feed(compat, cancel), filter_(std::move(filter)), reader_(engine()) {}

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

  // Whether the event cannot pass, nor its exit event. An enter event is kept for its exit, whose
  // condition may need it.
  bool cannot_pass(uint16_t code) const {
    return filter_ != nullptr && !filter_->may_pass(code) && !filter_->may_pass(code | 1);
  }

 private:
  std::unique_ptr<Filter> filter_;
  fields::FieldReader reader_;
  uint64_t left_out_ = 0;
};

}  // namespace sfkit::filter
