// Evaluates filters on a capture:
//   sfkit_filter_trial CAPTURE < FILTERS          for each filter the number of events and their
//   hash sfkit_filter_trial CAPTURE NUMBER < FILTERS   the events that pass the filter of this
//   number
// Each filter ends with NUL. Events are those that rules see (rules/event_codes.h). An event is
// "time thread name", with the name from the table, not the call's. The hash is FNV-1a (64 bits) of
// the lines. An invalid filter is reported on standard error and passes nothing.

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fields/event_name.h"
#include "fields/fields.h"
#include "filter/filter_set.h"
#include "rules/event_codes.h"
#include "scap/blocks.h"
#include "state/feed.h"

namespace {

using namespace sfkit;

const std::atomic<bool> kNever{false};
// The recorded answers of the reference use this offset basis; the usual one has one digit more.
constexpr uint64_t kHashStart = 1469598103934665603;

class Trial : public state::Feed {
 public:
  Trial(filter::FilterSet& filters, int64_t wanted)
      : state::Feed(false, kNever),
        filters_(filters),
        wanted_(wanted),
        reader_(engine()),
        results_(filters.size()) {
    reader_.show_enter_parameters();
  }

  void print() const {
    for (const Result& result : results_)
      std::printf("%" PRIu64 " %016" PRIx64 "\n", result.count, result.hash);
  }

 protected:
  bool take(const scap::EventView& event, bool shown) override {
    reader_.next_event(event);
    reader_.set_origin(times().origin());
    const bool is_asked =
        !beginning_.holds(event.code) && shown && rules::is_seen_by_rules(event.code);
    engine().apply_all(event, [&](const state::Context& context) {
      if (!is_asked) return;
      reader_.set_context(context);
      filters_.each_passing(reader_, [&](uint32_t number) {
        add(number, event);
        return true;
      });
    });
    return true;
  }

 private:
  struct Result {
    uint64_t count = 0;
    uint64_t hash = kHashStart;
  };

  void add(uint32_t number, const scap::EventView& event) {
    const std::string line = std::to_string(event.ts) + " " + std::to_string(event.tid) + " " +
                             std::string(fields::event_name(event.code)) + "\n";
    Result& result = results_[number];
    ++result.count;
    for (const char c : line) result.hash = (result.hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    if (number == wanted_) std::printf("%" PRIu64 " %s", event.number, line.c_str());
  }

  filter::FilterSet& filters_;
  rules::StateEvents beginning_;
  int64_t wanted_;
  fields::FieldReader reader_;
  std::vector<Result> results_;
};

std::vector<std::string> read_filters() {
  std::vector<std::string> filters;
  std::string text;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c != '\0') {
      text += static_cast<char>(c);
    } else {
      filters.push_back(std::move(text));
      text.clear();
    }
  }
  return filters;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: sfkit_filter_trial CAPTURE [NUMBER] < FILTERS\n");
    return 2;
  }
  filter::FilterSet filters;
  for (const std::string& text : read_filters()) {
    auto filter = filter::Filter::compile(text);
    if (!filter.is_ok())
      std::fprintf(stderr, "filter %zu: %s\n", filters.size(), filter.status().message().c_str());
    filters.add(filter.is_ok() ? *filter.value() : *filter::Filter::compile("evt.num = 0").value());
  }
  std::fprintf(stderr, "%zu filters, %zu conditions\n", filters.size(),
               filters.distinct_conditions());
  auto input = scap::Input::open(argv[1]);
  if (!input.is_ok()) {
    std::fprintf(stderr, "%s\n", input.status().message().c_str());
    return 1;
  }
  auto trial = std::make_unique<Trial>(filters, argc == 3 ? std::atoll(argv[2]) : -1);
  scap::ReadStats stats;
  const Status status = scap::read_capture(*input.value(), argv[1], *trial, stats);
  if (!status.is_ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  if (argc == 2) trial->print();
  return 0;
}
