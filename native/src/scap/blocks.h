// Block framing (spec: scap-format, section 2); calls a visitor for metadata records and events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/summary.h"
#include "scap/event.h"
#include "scap/event_run.h"
#include "scap/input.h"
#include "scap/metadata.h"

namespace sfkit::scap {

namespace block {
inline constexpr uint32_t kSectionHeader = 0x0A0D0D0A;
inline constexpr uint32_t kMachineInfo = 0x201;
inline constexpr uint32_t kMachineInfoOld = 0x8002ABCD;
inline constexpr uint32_t kProcessList1 = 0x202;
inline constexpr uint32_t kProcessList2 = 0x207;
inline constexpr uint32_t kProcessList3 = 0x209;
inline constexpr uint32_t kProcessList4 = 0x210;
inline constexpr uint32_t kProcessList5 = 0x211;
inline constexpr uint32_t kProcessList6 = 0x212;
inline constexpr uint32_t kProcessList7 = 0x213;
inline constexpr uint32_t kProcessList8 = 0x214;
inline constexpr uint32_t kProcessList9 = 0x215;
inline constexpr uint32_t kProcessList1Old = 0x8000ABCD;
inline constexpr uint32_t kProcessList2Old = 0x8013ABCD;
inline constexpr uint32_t kProcessList3Old = 0x8014ABCD;
inline constexpr uint32_t kFdList1 = 0x203;
inline constexpr uint32_t kFdList1Old = 0x8001ABCD;
inline constexpr uint32_t kFdList2 = 0x218;
inline constexpr uint32_t kEvent1 = 0x204;
inline constexpr uint32_t kEvent1Old = 0x8010ABCD;
inline constexpr uint32_t kEventFlags1 = 0x208;
inline constexpr uint32_t kInterfaceList1 = 0x205;
inline constexpr uint32_t kInterfaceList1Old = 0x8011ABCD;
inline constexpr uint32_t kInterfaceList2 = 0x219;
inline constexpr uint32_t kUserList1 = 0x206;
inline constexpr uint32_t kUserList1Old = 0x8012ABCD;
inline constexpr uint32_t kUserList2 = 0x220;
}  // namespace block

// Maps the unofficial block types of before 2014 to today's; other types stay.
uint32_t official_type(uint32_t type);
// 1 to 9 for process lists, 0 for other blocks.
int process_list_version(uint32_t type);

inline constexpr uint32_t kStateOnlyFlag = 1;  // block flag: updates state, not shown

struct ReadStats {
  uint64_t events = 0;          // event blocks read
  uint64_t unknown_events = 0;  // event codes that are not in the table
  uint64_t unknown_blocks = 0;
  uint64_t sections = 0;
  // Of the first section:
  uint16_t major = 0;
  uint16_t minor = 0;
  ByteOrder order = ByteOrder::kNative;
  uint64_t version1_events = 0;  // in blocks without a parameter count
  uint64_t with_options = 0;     // blocks with options, for example comments
  std::vector<Damage> damage;    // at most 1000
  uint64_t more_damage = 0;
};

// Receives what the reader finds, in file order. Views of bytes are valid during the call.
class CaptureVisitor {
 public:
  virtual ~CaptureVisitor() = default;
  // Discard the state of earlier sections.
  virtual void section() = 0;
  virtual void machine(const MachineInfo& machine) = 0;
  virtual void thread(const ThreadEntry& entry) = 0;
  virtual void descriptor(int64_t tid, const FdEntry& entry) = 0;
  // A list of users and groups (or interfaces) follows; it replaces the previous one.
  virtual void users_begin() {}
  virtual void interfaces_begin() {}
  virtual void user(const UserEntry& entry) = 0;
  virtual void group(const GroupEntry& entry) = 0;
  virtual void interface(const InterfaceEntry& entry) = 0;
  // The raw bytes of a list block (machine, interfaces, users, threads or descriptors). Its records
  // follow, then list_end(). `whole`: all records fit.
  virtual void list_begin([[maybe_unused]] uint32_t type, [[maybe_unused]] Bytes body,
                          [[maybe_unused]] ByteOrder order) {}
  virtual void list_end([[maybe_unused]] bool whole) {}
  // An event whose code this version of sfkit does not know.
  virtual void unknown_event([[maybe_unused]] uint32_t type, [[maybe_unused]] Bytes body,
                             [[maybe_unused]] ByteOrder order) {}
  // All threads and descriptors before the next event were delivered. Called again after lists
  // between events.
  virtual void lists_complete() = 0;
  // Returns false to stop reading.
  virtual bool event(const EventView& event) = 0;
  // Events in the buffer; event() receives the others. Views of their bytes are valid during this
  // call. Override it to save a virtual call per event.
  virtual bool events(EventRun& run) {
    return run.for_each([this](const EventView& view) { return event(view); });
  }
};

// Reads `input` to its end. Fails only if the input is not a capture. Damage is recorded in
// `stats`; everything before it reaches the visitor.
Status read_capture(Input& input, const std::string& name, CaptureVisitor& visitor,
                    ReadStats& stats);

}  // namespace sfkit::scap
