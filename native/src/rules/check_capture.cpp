#include "rules/check_capture.h"

#include <memory>
#include <utility>

#include "rules/event_codes.h"
#include "scap/blocks.h"
#include "scap/event.h"
#include "state/feed.h"

namespace sfkit::rules {
namespace {

constexpr size_t kBatchSize = size_t{256} << 10;

class Checker : public state::Feed {
 public:
  Checker(const Compilation& rules, const MatchOptions& options,
          const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel)
      : Feed(false, cancel), give_(give), reader_(engine()), matcher_(rules, options) {
    reader_.show_enter_parameters();
  }

  void section() override {
    count_containers();
    Feed::section();
  }

  // Delivers pending lines and the totals.
  void finish() {
    count_containers();
    matcher_.append_totals(out_);
    flush();
  }

  const ContainersSeen& containers() const { return containers_; }
  // How often the recorder started to drop events.
  uint64_t drops() const { return drops_; }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    reader_.next_event(event);
    if (event.code == scap::ev::DROP_E) ++drops_;
    const bool is_asked = !state_events_.holds(event.code) && shown;
    // Enter events are kept for their exit events, whose conditions may need them.
    if (!matcher_.may_match(event.code) && !matcher_.may_match(event.code | 1)) {
      engine().apply(event, [](const state::Context&) {});
      return true;
    }
    reader_.set_origin(times().origin());
    engine().apply_all(event, [&](const state::Context& context) {
      if (!is_asked || !matcher_.may_match(event.code)) return;
      reader_.set_context(context);
      matcher_.match(reader_, out_);
    });
    return out_.size() < kBatchSize || flush();
  }

 private:
  bool flush() {
    std::vector<uint8_t> bytes(out_.begin(), out_.end());
    out_.clear();
    return give_(std::move(bytes));
  }

  void count_containers() {
    const state::ContainerTable& table = engine().containers();
    for (uint32_t i = 1; i < table.size(); ++i) {
      if (table.at(i).id.empty()) continue;
      ++containers_.containers;
      if (!table.at(i).known) ++containers_.undescribed;
    }
  }

  const std::function<bool(std::vector<uint8_t>)>& give_;
  fields::FieldReader reader_;
  RuleMatcher matcher_;
  StateEvents state_events_;
  ContainersSeen containers_;
  uint64_t drops_ = 0;
  std::string out_;
};

}  // namespace

Status check_capture(scap::Input& input, const std::string& name, const CheckOptions& options,
                     const std::function<bool(std::vector<uint8_t>)>& give,
                     const std::atomic<bool>& cancel, InputSummary& summary,
                     ContainersSeen& containers) {
  const Compilation rules = compile(options.rules);
  if (!rules.is_ok)
    return {ErrorCode::kInvalidArgument, "a rule: " + rules.diagnostics.back().message};
  Checker checker(rules, options.match, give, cancel);
  checker.limit_memory(options.max_memory);
  scap::ReadStats stats;
  if (Status status = scap::read_capture(input, name, checker, stats); !status.is_ok())
    return status;
  if (cancel.load()) return {ErrorCode::kCancelled, name + ": reading was cancelled"};
  checker.finish();
  containers = checker.containers();
  checker.describe(summary, input, stats);
  summary.add_skipped(Reason::kRecorderDrops, checker.drops());
  return Status::ok();
}

}  // namespace sfkit::rules
