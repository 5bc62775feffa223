#include "scap/blocks.h"

#include <algorithm>
#include <cstdio>

#include "base/foreign_file.h"
#include "base/progress.h"
#include "scap/byte_order.h"

namespace sfkit::scap {
namespace {

constexpr size_t kMinBlockSize = kBlockHeader + kBlockTrailer;
constexpr uint32_t kMagic = 0x1A2B3C4D;
constexpr size_t kMajorOffset = 12;  // from the start of the block; the minor version follows
constexpr uint16_t kNewestMajor = 1;
constexpr size_t kMinSectionSize = 28;
constexpr size_t kMaxSectionSize = 65536;    // including options
constexpr uint32_t kLastPcapngBlock = 0x0B;  // highest block type of pcapng
// Blocks are buffered up to these sizes. Memory grows only with bytes that arrived, not with a
// claimed length. (For events: kMaxEventSize.)
// Some writers put all threads of a machine into one list: tens of thousands, each with 4 KB of
// arguments and environment.
constexpr uint32_t kMaxListSize = uint32_t{256} << 20;
constexpr uint32_t kMaxUnknownSize = uint32_t{1} << 20;  // larger ones are skipped in steps
constexpr uint32_t kLastPlausibleType = 0xFFFF;
constexpr size_t kMaxDamage = 1000;  // further damage is only counted
constexpr size_t kEventHeader1 = 22;
// Version-1 events of these codes have a length that is 3 too large (spec: scap-format, section 9).
constexpr uint16_t kOverlong1 = ev::NOTIFICATION_E;
constexpr uint16_t kOverlong2 = ev::INFRASTRUCTURE_EVENT_E;
constexpr uint32_t kOverlongBy = 3;

std::string hex_bytes(Bytes bytes, size_t limit) {
  std::string text;
  for (size_t i = 0; i < std::min(bytes.size(), limit); ++i) {
    char two[4];
    std::snprintf(two, sizeof(two), "%s%02x", i == 0 ? "" : " ", bytes[i]);
    text += two;
  }
  return text;
}

bool is_event_block(uint32_t type) {
  switch (type) {
    case block::kEvent1:
    case block::kEvent1Old:
    case block::kEventFlags1:
    case block::kEvent2:
    case block::kEventFlags2:
    case block::kEvent2Large:
    case block::kEventFlags2Large: return true;
    default: return false;
  }
}

bool is_known(uint32_t type) {
  switch (type) {
    case block::kSectionHeader:
    case block::kMachineInfo:
    case block::kMachineInfoOld:
    case block::kFdList1:
    case block::kFdList1Old:
    case block::kFdList2:
    case block::kInterfaceList1:
    case block::kInterfaceList1Old:
    case block::kInterfaceList2:
    case block::kUserList1:
    case block::kUserList1Old:
    case block::kUserList2: return true;
    default: return is_event_block(type) || process_list_version(type) != 0;
  }
}

// A block that claims more is damage.
uint32_t max_block_size(uint32_t type) {
  if (is_event_block(type)) return kMaxEventSize;
  if (is_known(type)) return kMaxListSize;
  // Only plausible block types may be large blocks of a newer writer; garbage must not hide the
  // rest of the file.
  return type <= kLastPlausibleType ? kMaxListSize : kMaxUnknownSize;
}

// Whether `count` length entries fit exactly and match the sizes in the table.
bool count_fits(uint16_t code, Bytes body, ByteOrder order, uint32_t count) {
  const EventInfo& info = kEvents[code];
  const bool wide = has_wide_lengths(code);
  uint64_t total = uint64_t{wide ? 4u : 2u} * count;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t length =
        wide ? load<uint32_t>(body, i * 4, order) : load<uint16_t>(body, i * 2, order);
    const uint8_t fixed = kParams[info.first_param + i].size;
    if (fixed != 0 && length != 0 && length != fixed) return false;
    total += length;
  }
  return total == body.size();
}

// Whether the length array and its values lie inside the event.
inline bool lengths_fit(Bytes body, ByteOrder order, uint32_t count, uint32_t width) {
  uint64_t total = uint64_t{count} * width;
  if (total > body.size()) return false;
  if (width == 2) {
    for (uint32_t i = 0; i < count; ++i) total += load<uint16_t>(body, i * 2, order);
  } else {
    for (uint32_t i = 0; i < count; ++i) total += load<uint32_t>(body, i * 4, order);
  }
  return total <= body.size();
}

// Version-1 blocks have no parameter count: tries the known counts of the code. Returns -1 if none
// fits.
int find_param_count(uint16_t code, Bytes body, ByteOrder order) {
  const EventInfo& info = kEvents[code];
  if (count_fits(code, body, order, info.nparams)) return info.nparams;
  for (int i = info.older_counts - 1; i >= 0; --i) {
    const uint8_t count = kOlderCounts[info.first_count + i];
    if (count_fits(code, body, order, count)) return count;
  }
  for (int count = info.nparams; count >= 0; --count) {
    if (count_fits(code, body, order, static_cast<uint32_t>(count))) return count;
  }
  return -1;
}

class CaptureReader {
 public:
  CaptureReader(Input& input, const std::string& name, CaptureVisitor& visitor, ReadStats& stats)
      : input_(input), name_(name), visitor_(visitor), stats_(stats) {}

  Status run() {
    if (Status status = check_start(); !status.is_ok()) return status;
    while (read_run() && next_block()) {
    }
    report_progress();
    if (!has_content_ && stats_.damage.empty() && input_.failure().empty()) return no_content();
    if (!lists_complete_) visitor_.lists_complete();
    return Status::ok();
  }

 private:
  static constexpr uint64_t kReportedEvents = 1024;

  void report_progress() const {
    if (progress_ == nullptr) return;
    Progress::set(progress_->events, stats_.events);
    Progress::set(progress_->bytes, input_.offset());
  }

  // Section headers of version 1.0 are the same in captures and in pcapng files, so they alone say
  // nothing.
  Status no_content() const {
    return {ErrorCode::kEmpty,
            name_ +
                ": has a section header and nothing else that a capture has, neither lists nor "
                "events; " +
                (stats_.unknown_blocks == 0
                     ? "it was cut off, or is an empty network capture (pcapng)"
                     : "it may be a network capture (pcapng); open it with Wireshark")};
  }

  Status not_a_capture(const std::string& found) {
    return {ErrorCode::kBadFormat,
            name_ +
                ": not a capture: expected a section header block (0a 0d 0d 0a) or gzip, found " +
                found + "; sfkit reads .scap files of sysdig, Falco and Stratoshark"};
  }

  Status check_start() {
    const Bytes start = input_.peek(kMinSectionSize);
    if (start.empty()) {
      return {ErrorCode::kEmpty,
              name_ + ": is empty" +
                  (input_.failure().empty() ? "" : " (" + input_.failure() + ")") +
                  ", expected a capture file"};
    }
    // The type is a palindrome, so it reads the same in both byte orders.
    if (start.text().starts_with(std::string_view("Obj\x01", 4))) {
      return {ErrorCode::kBadFormat, name_ +
                                         ": is an Avro file, as SysFlow files are, expected a "
                                         "capture; sfkit show and query read those"};
    }
    if (start.load<uint32_t>(0) != block::kSectionHeader) {
      const std::string foreign = describe_foreign_file(name_, start);
      if (foreign.empty()) return not_a_capture(hex_bytes(start, 8));
      return {ErrorCode::kBadFormat, name_ + ": " + foreign};
    }
    if (start.size() < kMinSectionSize)
      return not_a_capture("only " + std::to_string(start.size()) + " bytes of one");
    order_ = order_of_section(start);
    if (const std::string reason = section_fault(start); !reason.empty()) {
      const bool newer = load<uint32_t>(start, kBlockHeader, order_) == kMagic;
      return {newer ? ErrorCode::kNotSupported : ErrorCode::kBadFormat, name_ + ": " + reason};
    }
    return fail_on_pcapng();
  }

  // The byte order that a section's magic implies; unchanged without a valid magic.
  ByteOrder order_of_section(Bytes start) const {
    const auto magic = start.load<uint32_t>(kBlockHeader);
    if (magic == kMagic) return ByteOrder::kNative;
    return magic == swap_bytes(kMagic) ? ByteOrder::kSwapped : order_;
  }

  // Why a section header is unreadable; empty if it is readable. `start` is the start of the block.
  std::string section_fault(Bytes start) const {
    const ByteOrder order = order_of_section(start);
    if (load<uint32_t>(start, kBlockHeader, order) != kMagic) {
      return "not a capture: expected the section magic 4d 3c 2b 1a, found " +
             hex_bytes(start.slice(kBlockHeader), 4);
    }
    if (const auto major = load<uint16_t>(start, kMajorOffset, order); major > kNewestMajor) {
      const auto minor = load<uint16_t>(start, kMajorOffset + sizeof(major), order);
      return "format version " + std::to_string(major) + "." + std::to_string(minor) +
             " is newer than 1.x, which is what this version of sfkit reads";
    }
    return {};
  }

  // pcapng files start with the same block and magic; the following block differs.
  Status fail_on_pcapng() {
    const auto length = load<uint32_t>(input_.peek(kBlockHeader), 4, order_);
    if (length < kMinBlockSize || length > kMaxSectionSize) return Status::ok();
    const Bytes start = input_.peek(length + sizeof(uint32_t));
    const auto next = load<uint32_t>(start, length, order_);
    if (start.size() < length + sizeof(uint32_t) || next == 0 || next > kLastPcapngBlock)
      return Status::ok();
    return {ErrorCode::kBadFormat, name_ +
                                       ": is a network capture (pcapng), expected a capture of "
                                       "system calls; open it with Wireshark"};
  }

  void damage(const char* kind, uint64_t offset, uint64_t skipped, std::string message) {
    if (stats_.damage.size() < kMaxDamage) {
      stats_.damage.push_back({kind, offset, skipped, std::move(message)});
    } else {
      ++stats_.more_damage;
    }
  }

  // Gives the events in the buffer to the visitor; false if it wants no more. Every other block is
  // for next_block(), also the event that ends the lists.
  bool read_run() {
    if (!lists_complete_ || order_ != ByteOrder::kNative) return true;
    EventRun run(input_.peek(kBlockHeader), stats_.events);
    const bool go_on = visitor_.events(run);
    stats_.events = run.events();
    input_.consume(run.consumed());
    report_progress();
    return go_on;
  }

  // Handles the block at the current position; false at the end of readable data, or if the visitor
  // wants no more.
  bool next_block() {
    const Bytes head = input_.peek(kBlockHeader);
    if (head.size() < kBlockHeader) return end_of_input(head.size());
    const auto type = load<uint32_t>(head, 0, order_);
    uint32_t length = load<uint32_t>(head, 4, order_);
    if (type == block::kSectionHeader) {
      // Another section can come from another machine.
      const Bytes start = input_.peek(kMinSectionSize);
      order_ = order_of_section(start);
      length = load<uint32_t>(start, 4, order_);
    }
    const uint32_t limit = max_block_size(type);
    if (length < kMinBlockSize || length > limit) {
      return resynchronize("bad-length", "a block of type " + hex_bytes(input_.peek(4), 4) +
                                             " claims " + std::to_string(length) +
                                             " bytes, expected 12 to " + std::to_string(limit));
    }
    if (length > kMaxUnknownSize && !is_known(type)) return skip_unknown(length);
    const Bytes whole = input_.peek(length);
    if (whole.size() < length) {
      // Either the file was cut or the length is wrong and blocks follow.
      return resynchronize(
          "truncated", "the file ends inside a block: " + std::to_string(whole.size()) + " of " +
                           std::to_string(length) + " bytes are there");
    }
    const auto trailer = load<uint32_t>(whole, length - kBlockTrailer, order_);
    if (trailer != length) {
      std::string message = "a block claims " + std::to_string(length) +
                            " bytes at its start and " + std::to_string(trailer) + " at its end";
      if (!is_known(type) || !block_follows(length))
        return resynchronize("bad-trailer", std::move(message));
      damage("bad-trailer", input_.offset(), 0, std::move(message));
    }
    const Bytes again = input_.peek(length);
    const bool go_on = dispatch(type, again.slice(kBlockHeader, length - kMinBlockSize));
    input_.consume(length);
    return go_on;
  }

  // Whether a known block with a plausible length, or the end of the input, is `distance` bytes
  // ahead.
  bool block_follows(uint32_t distance) {
    const Bytes ahead = input_.peek(size_t{distance} + kBlockHeader);
    if (ahead.size() <= distance) return true;
    const auto type = load<uint32_t>(ahead, distance, order_);
    const auto length = load<uint32_t>(ahead, distance + 4, order_);
    return is_known(type) && length >= kMinBlockSize && length <= max_block_size(type);
  }

  // Skips an unknown block that is too large to buffer.
  bool skip_unknown(uint32_t length) {
    const uint64_t start = input_.offset();
    uint64_t left = length - kBlockTrailer;
    while (left > 0) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(left, input_.peek(1).size()));
      if (count == 0) {
        damage("truncated", start, input_.offset() - start,
               "the file ends inside a block of an unknown type");
        return false;
      }
      input_.consume(count);
      left -= count;
    }
    const Bytes trailer = input_.peek(kBlockTrailer);
    if (trailer.size() < kBlockTrailer || load<uint32_t>(trailer, 0, order_) != length) {
      damage("bad-trailer", start, length - kBlockTrailer,
             "the two lengths of a block of an unknown type differ");
      return trailer.size() == kBlockTrailer;
    }
    input_.consume(kBlockTrailer);
    ++stats_.unknown_blocks;
    return true;
  }

  // `body` has at least the fixed part of the header.
  void begin_section(Bytes body) {
    const auto minor = load<uint16_t>(body, kMajorOffset - kBlockHeader + sizeof(uint16_t), order_);
    if (++stats_.sections == 1) {
      stats_.order = order_;
      stats_.major = load<uint16_t>(body, kMajorOffset - kBlockHeader, order_);
      stats_.minor = minor;
    }
    // Network captures (pcapng) have version 1.0, as captures of 2016 and earlier do.
    if (minor != 0) has_content_ = true;
    lists_complete_ = false;
    visitor_.section();
  }

  // Continues at the next position with a known type and equal lengths at both ends of the block.
  // False if there is none. `step`: bytes from here that cannot be such a position.
  bool resynchronize(const char* kind, std::string message, size_t step = 1) {
    // The first header has already been validated, except for its length.
    if (stats_.sections == 0) begin_section(input_.peek(kMinSectionSize).slice(kBlockHeader));
    const uint64_t start = input_.offset();
    for (;;) {
      input_.consume(step);
      const Bytes window = input_.peek(kBlockHeader);
      if (window.size() < kBlockHeader) {
        if (!input_.failure().empty()) {
          kind = "bad-gzip";
          message = input_.failure();
        }
        if (input_.resume()) {
          step = 0;
          continue;
        }
        const uint64_t skipped = input_.offset() + window.size() - start;
        damage(kind, start, skipped, std::move(message));
        input_.consume(window.size());
        return false;
      }
      step = distance_to_candidate(window);
      if (step == 0) {
        const ByteOrder before = order_;
        order_ = order_of_candidate(window);
        if (is_whole_block(window)) break;
        order_ = before;
      }
      step = std::max<size_t>(step, 1);
    }
    if (std::string_view(kind) == "truncated") {
      // More data follows, so the length was wrong.
      kind = "bad-length";
      message = "a block claims more bytes than follow";
    }
    damage(kind, start, input_.offset() - start,
           std::move(message) + "; continued at the next whole block");
    return true;
  }

  // A section header can have another byte order than the blocks before it.
  ByteOrder order_of_candidate(Bytes window) const {
    return load<uint32_t>(window, 0, order_) == block::kSectionHeader ? order_of_section(window)
                                                                      : order_;
  }

  // Distance to the next possible block header in `window`. If there is none, the last few bytes
  // stay for the next search.
  size_t distance_to_candidate(Bytes window) const {
    const size_t last = window.size() - kBlockHeader;
    for (size_t at = 0; at <= last; ++at) {
      const auto type = load<uint32_t>(window, at, order_);
      if (!is_known(type)) continue;
      const auto length = load<uint32_t>(window, at + 4, order_of_candidate(window.slice(at)));
      if (length >= kMinBlockSize && length <= max_block_size(type)) return at;
    }
    return last + 1;
  }

  bool is_whole_block(Bytes window) {
    const auto length = load<uint32_t>(window, 4, order_);
    const Bytes whole = input_.peek(length);
    return whole.size() >= length &&
           load<uint32_t>(whole, length - kBlockTrailer, order_) == length;
  }

  // Handles a remainder shorter than a block header; true if the input continues after damage.
  bool end_of_input(size_t rest) {
    if (!input_.failure().empty()) return resynchronize("bad-gzip", input_.failure(), rest);
    if (rest > 0) {
      damage("truncated", input_.offset(), rest,
             "the file ends " + std::to_string(rest) + " bytes into the header of a block");
      input_.consume(rest);
    }
    return false;
  }

  bool dispatch(uint32_t type, Bytes body) {
    if (!has_content_ && type != block::kSectionHeader && is_known(type)) has_content_ = true;
    switch (type) {
      case block::kEvent2:
      case block::kEvent2Large: return event(type, body, kEventHeader2, 0);
      case block::kEvent1:
      case block::kEvent1Old: return event(type, body, kEventHeader1, 0);
      case block::kEventFlags2:
      case block::kEventFlags2Large: return event(type, body, kEventHeader2, sizeof(uint32_t));
      case block::kEventFlags1: return event(type, body, kEventHeader1, sizeof(uint32_t));
      case block::kSectionHeader:
        // check_start() has already checked the first one.
        if (const std::string fault = section_fault(input_.peek(kMinSectionSize)); !fault.empty()) {
          damage("bad-section", input_.offset(), 0,
                 "a later section " + fault + "; reading stopped before it");
          return false;
        }
        metadata(type, body);
        return true;
      default: metadata(type, body); return true;
    }
  }

  void metadata(uint32_t type, Bytes body) {
    bool whole = true;
    const bool is_list = is_known(type) && type != block::kSectionHeader;
    if (is_list) visitor_.list_begin(type, body, order_);
    switch (type) {
      case block::kSectionHeader:
        if (body.size() > kMinSectionSize - kMinBlockSize) ++stats_.with_options;
        begin_section(body);
        break;
      case block::kMachineInfo:
      case block::kMachineInfoOld:
        whole = parse_machine_info(
            body, order_, [this](const MachineInfo& machine) { visitor_.machine(machine); });
        break;
      case block::kFdList1:
      case block::kFdList1Old:
      case block::kFdList2:
        lists_complete_ = false;
        whole = parse_fd_list(
            body, order_, type == block::kFdList2,
            [this](int64_t tid, const FdEntry& entry) { visitor_.descriptor(tid, entry); });
        break;
      case block::kInterfaceList1:
      case block::kInterfaceList1Old:
      case block::kInterfaceList2:
        visitor_.interfaces_begin();
        whole = parse_interface_list(
            body, order_, type == block::kInterfaceList2,
            [this](const InterfaceEntry& entry) { visitor_.interface(entry); });
        break;
      case block::kUserList1:
      case block::kUserList1Old:
      case block::kUserList2:
        visitor_.users_begin();
        whole = parse_user_list(
            body, order_, type == block::kUserList2,
            [this](const UserEntry& entry) { visitor_.user(entry); },
            [this](const GroupEntry& entry) { visitor_.group(entry); });
        break;
      default:
        if (const int version = process_list_version(type); version != 0) {
          lists_complete_ = false;
          whole = parse_process_list(body, order_, version,
                                     [this](const ThreadEntry& entry) { visitor_.thread(entry); });
        } else {
          ++stats_.unknown_blocks;
        }
    }
    if (is_list) visitor_.list_end(whole);
    if (!whole) {
      damage("bad-list", input_.offset(), 0,
             "a record of list block " +
                 hex_bytes(Bytes(reinterpret_cast<const uint8_t*>(&type), 4), 4) +
                 " does not fit the block; the rest of the list was skipped");
    }
  }

  bool bad_event(const std::string& message) {
    damage("bad-event", input_.offset(), 0,
           "event " + std::to_string(stats_.events) + ": " + message);
    return true;
  }

  bool event(uint32_t type, Bytes body, size_t header_size, size_t flags_size) {
    // Instantiated twice, so that the hot path checks the byte order once per event.
    return order_ == ByteOrder::kNative
               ? event_of<ByteOrder::kNative>(type, body, header_size, flags_size)
               : event_of<ByteOrder::kSwapped>(type, body, header_size, flags_size);
  }

  template <ByteOrder kOrder>
  bool event_of(uint32_t type, Bytes body, size_t header_size, size_t flags_size) {
    if (!lists_complete_) {  // also after lists between events
      lists_complete_ = true;
      visitor_.lists_complete();
    }
    const size_t start = sizeof(uint16_t) + flags_size;
    const Bytes bytes = body.slice(start);
    if (bytes.size() < header_size) {
      damage("bad-event", input_.offset(), 0, "an event block is too small for an event");
      return true;
    }
    ++stats_.events;
    // Not for every event, because even two stores show in the time of an event.
    if (stats_.events % kReportedEvents == 0) report_progress();
    const auto code = load<uint16_t>(bytes, 20, kOrder);
    uint32_t length = load<uint32_t>(bytes, 16, kOrder);
    if (length < header_size || length > bytes.size()) {
      return bad_event("it claims " + std::to_string(length) + " bytes in a block with room for " +
                       std::to_string(bytes.size()));
    }
    if (code >= kEventCount) {
      ++stats_.unknown_events;
      visitor_.unknown_event(type, body, kOrder);
      return true;
    }
    const bool version1 = header_size == kEventHeader1;
    if (version1) ++stats_.version1_events;
    if (bytes.size() - length >= kMinOptionSize) ++stats_.with_options;
    if (version1 && (code == kOverlong1 || code == kOverlong2) &&
        length >= header_size + kOverlongBy)
      length -= kOverlongBy;
    Bytes payload = bytes.slice(header_size, length - header_size);
    uint32_t count;
    if (version1) {
      const int found = find_param_count(code, payload, kOrder);
      if (found < 0) return bad_event("no known parameter count fits its length");
      count = static_cast<uint32_t>(found);
    } else {
      count = load<uint32_t>(bytes, 22, kOrder);
      if (!lengths_fit(payload, kOrder, count, has_wide_lengths(code) ? 4 : 2)) {
        return bad_event("its " + std::to_string(count) + " parameters do not fit its " +
                         std::to_string(length) + " bytes");
      }
    }
    if (kOrder == ByteOrder::kSwapped) payload = swap_payload(code, count, payload, swapped_);
    EventView event(code, count, payload);
    event.number = stats_.events;
    event.ts = load<uint64_t>(bytes, 0, kOrder);
    event.tid = load<int64_t>(bytes, 8, kOrder);
    event.cpu = load<uint16_t>(body, 0, kOrder);
    event.block_flags = flags_size != 0 ? load<uint32_t>(body, 2, kOrder) : 0;
    return visitor_.event(event);
  }

  Input& input_;
  const std::string& name_;
  CaptureVisitor& visitor_;
  ReadStats& stats_;
  Progress* const progress_ = ProgressScope::current();
  bool has_content_ = false;              // a list, an event, or a version that only captures have
  ByteOrder order_ = ByteOrder::kNative;  // of the current section
  std::vector<uint8_t> swapped_;          // the converted payload of an event
  bool lists_complete_ = false;
};

}  // namespace

int process_list_version(uint32_t type) {
  switch (type) {
    case block::kProcessList1:
    case block::kProcessList1Old: return 1;
    case block::kProcessList2:
    case block::kProcessList2Old: return 2;
    case block::kProcessList3:
    case block::kProcessList3Old: return 3;
    case block::kProcessList4: return 4;
    case block::kProcessList5: return 5;
    case block::kProcessList6: return 6;
    case block::kProcessList7: return 7;
    case block::kProcessList8: return 8;
    case block::kProcessList9: return 9;
    default: return 0;
  }
}

uint32_t official_type(uint32_t type) {
  switch (type) {
    case block::kMachineInfoOld: return block::kMachineInfo;
    case block::kProcessList1Old: return block::kProcessList1;
    case block::kProcessList2Old: return block::kProcessList2;
    case block::kProcessList3Old: return block::kProcessList3;
    case block::kFdList1Old: return block::kFdList1;
    case block::kEvent1Old: return block::kEvent1;
    case block::kInterfaceList1Old: return block::kInterfaceList1;
    case block::kUserList1Old: return block::kUserList1;
    default: return type;
  }
}

Status read_capture(Input& input, const std::string& name, CaptureVisitor& visitor,
                    ReadStats& stats) {
  return CaptureReader(input, name, visitor, stats).run();
}

}  // namespace sfkit::scap
