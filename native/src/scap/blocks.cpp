#include "scap/blocks.h"

#include <algorithm>
#include <cstdio>

namespace sfkit::scap {
namespace {

constexpr size_t kBlockHeader = 8;
constexpr size_t kBlockTrailer = 4;
constexpr size_t kSmallestBlock = kBlockHeader + kBlockTrailer;
constexpr uint32_t kMagic = 0x1A2B3C4D;
constexpr uint32_t kMagicSwapped = 0x4D3C2B1A;
constexpr uint16_t kNewestMajor = 1;
constexpr size_t kEventHeader1 = 22;
constexpr size_t kEventHeader2 = 26;
// Codes whose version-1 events were written with a length that is 3 too large (spec: scap-format, section 9).
constexpr uint16_t kOverlong1 = ev::NOTIFICATION_E;
constexpr uint16_t kOverlong2 = ev::INFRASTRUCTURE_EVENT_E;
constexpr uint32_t kOverlongBy = 3;

std::string hex_bytes(Bytes bytes, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(bytes.size(), most); ++i) {
    char two[4];
    std::snprintf(two, sizeof(two), "%s%02x", i == 0 ? "" : " ", bytes[i]);
    text += two;
  }
  return text;
}

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

// Whether `count` entries of the length array fit exactly and agree with the sizes of the table.
bool count_fits(const EventInfo& info, Bytes body, uint32_t count) {
  uint64_t total = uint64_t{2} * count;
  for (uint32_t i = 0; i < count; ++i) {
    const uint16_t length = body.load<uint16_t>(i * 2);
    const uint8_t fixed = kParams[info.first_param + i].size;
    if (fixed != 0 && length != 0 && length != fixed) return false;
    total += length;
  }
  return total == body.size();
}

// Version-1 blocks do not say how many parameters there are: the counts known for the code are tried.
// Returns -1 when none fits.
int find_param_count(uint16_t code, Bytes body) {
  const EventInfo& info = kEvents[code];
  if (count_fits(info, body, info.nparams)) return info.nparams;
  for (int i = info.older_counts - 1; i >= 0; --i) {
    const uint8_t count = kOlderCounts[info.first_count + i];
    if (count_fits(info, body, count)) return count;
  }
  for (int count = info.nparams; count >= 0; --count) {
    if (count_fits(info, body, static_cast<uint32_t>(count))) return count;
  }
  return -1;
}

class CaptureReader {
 public:
  CaptureReader(Input& input, const std::string& name, CaptureVisitor& visitor, ReadStats& stats)
      : input_(input), name_(name), visitor_(visitor), stats_(stats) {}

  Status run() {
    if (Status status = check_start(); !status.is_ok()) return status;
    bool go_on = true;
    while (go_on && next_block(go_on)) {
    }
    if (!lists_complete_) visitor_.lists_complete();
    return Status::ok();
  }

 private:
  Status refuse(const std::string& found) {
    return {ErrorCode::kBadFormat,
            name_ + ": not a capture: expected a section header block (0a 0d 0d 0a) or gzip, found " + found +
                "; sfkit reads .scap files of sysdig, Falco and Stratoshark"};
  }

  Status check_start() {
    const Bytes start = input_.peek(28);
    if (start.empty()) {
      return {ErrorCode::kEmpty, name_ + ": is empty" +
                                     (input_.failure().empty() ? "" : " (" + input_.failure() + ")") +
                                     ", expected a capture file"};
    }
    if (start.load<uint32_t>(0) != block::kSectionHeader || start.size() < 16) {
      return refuse(start.size() < 16 ? "only " + std::to_string(start.size()) + " bytes"
                                      : hex_bytes(start, 8));
    }
    const uint32_t magic = start.load<uint32_t>(kBlockHeader);
    if (magic == kMagicSwapped) {
      return {ErrorCode::kNotSupported,
              name_ + ": was written on a machine of the opposite byte order, which is not supported yet"};
    }
    if (magic != kMagic)
      return refuse("the section magic " + hex_bytes(start.slice(kBlockHeader), 4) +
                    " instead of 4d 3c 2b 1a");
    if (const auto major = start.load<uint16_t>(12); major > kNewestMajor) {
      return {ErrorCode::kNotSupported, name_ + ": format version " + std::to_string(major) + "." +
                                            std::to_string(start.load<uint16_t>(14)) +
                                            " is newer than 1.x, which is what this version of sfkit reads"};
    }
    return Status::ok();
  }

  void damage(const char* kind, uint64_t skipped, std::string message) {
    stats_.damage.push_back({kind, input_.offset(), skipped, std::move(message)});
  }

  // Handles the block at the current position; false at the end of what can be read.
  bool next_block(bool& go_on) {
    const Bytes head = input_.peek(kBlockHeader);
    if (head.size() < kBlockHeader) {
      end_of_input(head.size());
      return false;
    }
    const auto type = head.load<uint32_t>(0);
    const auto length = head.load<uint32_t>(4);
    if (length < kSmallestBlock) {
      damage("bad-length", 0,
             "block of type " + hex_bytes(head, 4) + " claims " + std::to_string(length) +
                 " bytes, expected at least 12; reading stopped here");
      return false;
    }
    const Bytes whole = input_.peek(length);
    if (whole.size() < length) {
      end_of_input(whole.size());
      return false;
    }
    const auto trailer = whole.load<uint32_t>(length - kBlockTrailer);
    if (trailer != length) {
      damage("bad-trailer", 0,
             "block claims " + std::to_string(length) + " bytes at its start and " + std::to_string(trailer) +
                 " at its end; reading stopped here");
      return false;
    }
    go_on = dispatch(type, whole.slice(kBlockHeader, length - kSmallestBlock));
    input_.consume(length);
    return true;
  }

  void end_of_input(size_t rest) {
    if (!input_.failure().empty()) {
      damage("bad-gzip", rest, input_.failure());
    } else if (rest > 0) {
      damage("truncated", rest,
             "the file ends inside a block, " + std::to_string(rest) + " bytes of it are there");
    }
  }

  bool dispatch(uint32_t type, Bytes body) {
    switch (type) {
      case block::kEvent2:
      case block::kEvent2Large: return event(body, kEventHeader2, 0);
      case block::kEvent1:
      case block::kEvent1Old: return event(body, kEventHeader1, 0);
      case block::kEventFlags2:
      case block::kEventFlags2Large: return event(body, kEventHeader2, sizeof(uint32_t));
      case block::kEventFlags1: return event(body, kEventHeader1, sizeof(uint32_t));
      default: metadata(type, body); return true;
    }
  }

  void metadata(uint32_t type, Bytes body) {
    bool whole = true;
    switch (type) {
      case block::kSectionHeader:
        ++stats_.sections;
        lists_complete_ = false;
        visitor_.section();
        break;
      case block::kMachineInfo:
      case block::kMachineInfoOld:
        whole = parse_machine_info(body, [this](const MachineInfo& machine) { visitor_.machine(machine); });
        break;
      case block::kFdList1:
      case block::kFdList1Old:
      case block::kFdList2:
        whole = parse_fd_list(body, type == block::kFdList2,
                              [this](int64_t tid, const FdEntry& entry) { visitor_.descriptor(tid, entry); });
        break;
      case block::kInterfaceList1:
      case block::kInterfaceList1Old:
      case block::kInterfaceList2:
        whole = parse_interface_list(body, type == block::kInterfaceList2,
                                     [this](const InterfaceEntry& entry) { visitor_.interface(entry); });
        break;
      case block::kUserList1:
      case block::kUserList1Old:
      case block::kUserList2:
        whole = parse_user_list(
            body, type == block::kUserList2, [this](const UserEntry& entry) { visitor_.user(entry); },
            [this](const GroupEntry& entry) { visitor_.group(entry); });
        break;
      default:
        if (const int version = process_list_version(type); version != 0) {
          whole =
              parse_process_list(body, version, [this](const ThreadEntry& entry) { visitor_.thread(entry); });
        } else {
          ++stats_.unknown_blocks;
        }
    }
    if (!whole)
      damage("bad-list", 0,
             "a record of list block " + hex_bytes(Bytes(reinterpret_cast<const uint8_t*>(&type), 4), 4) +
                 " does not fit the block; the rest of the list was left out");
  }

  bool event(Bytes body, size_t header_size, size_t flags_size) {
    if (!lists_complete_) {
      lists_complete_ = true;
      visitor_.lists_complete();
    }
    ++stats_.events;
    const size_t start = sizeof(uint16_t) + flags_size;
    const Bytes bytes = body.slice(start);
    const auto code = bytes.load<uint16_t>(20);
    uint32_t length = bytes.load<uint32_t>(16);
    if (bytes.size() < header_size || length < header_size || length > bytes.size()) {
      ++stats_.malformed_events;
      return true;
    }
    if (code >= kEventCount) {
      ++stats_.unknown_events;
      return true;
    }
    const bool version1 = header_size == kEventHeader1;
    if (version1 && (code == kOverlong1 || code == kOverlong2) && length >= header_size + kOverlongBy)
      length -= kOverlongBy;
    const Bytes payload = bytes.slice(header_size, length - header_size);
    uint32_t count;
    if (version1) {
      const int found = find_param_count(code, payload);
      if (found < 0) {
        ++stats_.malformed_events;
        return true;
      }
      count = static_cast<uint32_t>(found);
    } else {
      count = bytes.load<uint32_t>(22);
      if (count > payload.size() / 2) {
        ++stats_.malformed_events;
        return true;
      }
    }
    EventView event(code, count, payload);
    event.ts = bytes.load<uint64_t>(0);
    event.tid = bytes.load<int64_t>(8);
    event.cpu = body.load<uint16_t>(0);
    event.block_flags = flags_size != 0 ? body.load<uint32_t>(2) : 0;
    return visitor_.event(event);
  }

  Input& input_;
  const std::string& name_;
  CaptureVisitor& visitor_;
  ReadStats& stats_;
  bool lists_complete_ = false;
};

}  // namespace

Status read_capture(Input& input, const std::string& name, CaptureVisitor& visitor, ReadStats& stats) {
  return CaptureReader(input, name, visitor, stats).run();
}

}  // namespace sfkit::scap
