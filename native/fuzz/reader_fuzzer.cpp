// The block reader alone; reads every parameter of every event.
#include <cstdint>

#include "fuzz/check.h"
#include "scap/blocks.h"
#include "scap/input.h"

namespace {

using namespace sfkit;

class TouchEverything : public scap::CaptureVisitor {
 public:
  void section() override {}
  void machine(const scap::MachineInfo& machine) override { touch(Bytes(machine.hostname)); }
  void thread(const scap::ThreadEntry& entry) override {
    for (const std::string_view text : {entry.comm, entry.exe, entry.exepath, entry.args, entry.cwd,
                                        entry.env, entry.cgroups, entry.root}) {
      touch(Bytes(text));
    }
  }
  void descriptor(int64_t, const scap::FdEntry& entry) override { touch(Bytes(entry.name)); }
  void user(const scap::UserEntry& entry) override {
    for (const std::string_view text : {entry.name, entry.home, entry.shell}) touch(Bytes(text));
  }
  void group(const scap::GroupEntry& entry) override { touch(Bytes(entry.name)); }
  void interface(const scap::InterfaceEntry& entry) override { touch(Bytes(entry.name)); }
  void lists_complete() override {}
  bool event(const scap::EventView& event) override {
    ++seen_;
    fuzz::check(event.size() <= event.info().nparams);
    for (uint32_t i = 0; i < event.size(); ++i) touch(event.param(i));
    return true;
  }

  uint64_t seen() const { return seen_; }

 private:
  void touch(Bytes bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) sum_ += bytes.data()[i];
  }

  uint64_t sum_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  auto input = scap::Input::over(Bytes(data, size));
  TouchEverything visitor;
  scap::ReadStats stats;
  if (!scap::read_capture(*input.value(), "fuzz", visitor, stats).is_ok()) return 0;
  fuzz::check(visitor.seen() <= stats.events);
  uint64_t last = 0;
  for (const Damage& note : stats.damage) {
    fuzz::check(note.offset >= last && note.offset + note.skipped_bytes <= input.value()->offset());
    last = note.offset;
  }
  return 0;
}
