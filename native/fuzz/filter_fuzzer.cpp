// Compiles the bytes as a filter, then reads them as a capture and evaluates every field on its
// events.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fields/fields.h"
#include "filter/feed.h"
#include "fuzz/check.h"
#include "scap/blocks.h"
#include "scap/input.h"

namespace {

using namespace sfkit;

std::vector<fields::FieldRef> every_field() {
  std::vector<fields::FieldRef> refs;
  const auto add = [&refs](const std::string& name) {
    size_t used = 0;
    auto field = fields::parse_field(name, used);
    if (field.is_ok()) refs.push_back(std::move(field.value()));
  };
  for (const fields::FieldInfo& info : fields::kFields) {
    const std::string name(info.name);
    add(name);
    if (info.argument == fields::ArgumentKind::kNone) continue;
    for (const char* argument :
         {"[0]", "[2]", ".name", ".fd", ".src", ".dst", "[cpu]", ".openat", "[/*]"})
      add(name + argument);
  }
  return refs;
}

class EvaluateEveryField : public filter::Feed {
 public:
  explicit EvaluateEveryField(const std::atomic<bool>& cancel) : Feed(nullptr, false, cancel) {}

 protected:
  bool take(const scap::EventView& event, bool) override {
    static const std::vector<fields::FieldRef> kEvery = every_field();
    apply_passing(event, true, [this](const state::Context&) {
      for (const fields::FieldRef& field : kEvery) {
        touch(reader().get(field));
        reader().each(field, [this](const fields::FieldValue& value) {
          touch(value);
          return true;
        });
      }
    });
    return ++events_ < kMaxEvents;
  }

 private:
  static constexpr int kMaxEvents = 200;

  void touch(const fields::FieldValue& value) {
    for (const char character : value.text) sum_ = sum_ + static_cast<unsigned char>(character);
    for (int i = 0; value.ip != nullptr && i < (value.ipv6 ? 16 : 4); ++i)
      sum_ = sum_ + value.ip[i];
  }

  volatile uint64_t sum_ = 0;
  int events_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const auto filter = filter::Filter::compile(bytes.text());
  if (!filter.is_ok()) fuzz::check(!filter.status().message().empty());
  const std::atomic<bool> cancel{false};
  auto feed = std::make_unique<EvaluateEveryField>(cancel);
  auto input = scap::Input::over(bytes);
  if (!input.is_ok()) return 0;
  scap::ReadStats stats;
  (void)scap::read_capture(*input.value(), "input", *feed, stats);
  return 0;
}
