#include "scap/writer.h"

#include <algorithm>
#include <cstring>

#include "scap/blocks.h"
#include "scap/byte_order.h"
#include "scap/event.h"

namespace sfkit::scap {
namespace {

constexpr uint32_t kMagic = 0x1A2B3C4D;
constexpr size_t kMaxTextSize = 1024;  // process strings and descriptor names
constexpr size_t kMaxListSize = 4096;  // arguments, environment, cgroups
// A process or descriptor list of this size continues in another block; readers limit the block
// size.
constexpr size_t kFullList = size_t{16} << 20;
constexpr uint32_t kProcessListTypes[] = {
    block::kProcessList1, block::kProcessList2, block::kProcessList3,
    block::kProcessList4, block::kProcessList5, block::kProcessList6,
    block::kProcessList7, block::kProcessList8, block::kProcessList9};

template <typename T>
std::string raw(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

}  // namespace

namespace value {
std::string i64(int64_t number) {
  return raw(number);
}
std::string u64(uint64_t number) {
  return raw(number);
}
std::string i32(int32_t number) {
  return raw(number);
}
std::string u32(uint32_t number) {
  return raw(number);
}
std::string u16(uint16_t number) {
  return raw(number);
}
std::string u8(uint8_t number) {
  return raw(number);
}
std::string text(std::string_view content) {
  return std::string(content) + '\0';
}
std::string list(std::initializer_list<std::string_view> items) {
  std::string bytes;
  for (const std::string_view item : items) bytes += text(item);
  return bytes;
}
}  // namespace value

template <typename T>
void CaptureWriter::put(T number) {
  put_bytes(raw(layout_.order == ByteOrder::kNative ? number : swap_bytes(number)));
}

void CaptureWriter::put_length(size_t at, size_t length) {
  auto number = static_cast<uint32_t>(length);
  if (layout_.order == ByteOrder::kSwapped) number = swap_bytes(number);
  std::memcpy(bytes_.data() + at, &number, sizeof(number));
}

void CaptureWriter::put_text(std::string_view text, size_t max_size) {
  text = text.substr(0, max_size);
  put(static_cast<uint16_t>(text.size()));
  put_bytes(text);
}

void CaptureWriter::put_ip(const std::array<uint8_t, 16>& ip, bool ipv6) {
  bytes_.insert(bytes_.end(), ip.begin(), ip.begin() + (ipv6 ? 16 : 4));
}

size_t CaptureWriter::begin_block(uint32_t type) {
  const size_t start = bytes_.size();
  put(type);
  put(uint32_t{0});
  return start;
}

void CaptureWriter::end_block(size_t start) {
  while ((bytes_.size() - start) % 4 != 0) bytes_.push_back(0);
  const size_t length = bytes_.size() - start + sizeof(uint32_t);
  put_length(start + sizeof(uint32_t), length);
  put(static_cast<uint32_t>(length));
}

size_t CaptureWriter::begin_record() {
  const size_t start = bytes_.size();
  put(uint32_t{0});
  return start;
}

void CaptureWriter::end_record(size_t start, bool counted) {
  put_length(start, bytes_.size() - start - (counted ? 0 : sizeof(uint32_t)));
}

void CaptureWriter::begin() {
  const size_t start = begin_block(block::kSectionHeader);
  put(kMagic);
  put(uint16_t{1});
  put(static_cast<uint16_t>(layout_.counted_params ? 2 : 0));
  put(UINT64_MAX);  // length unknown
  end_block(start);
}

void CaptureWriter::machine(const MachineInfo& machine) {
  const size_t start = begin_block(block::kMachineInfo);
  put(machine.cpus);
  put(machine.memory_bytes);
  put(machine.max_pid);
  std::string name(machine.hostname.substr(0, kHostNameSize - 1));
  name.resize(kHostNameSize, '\0');
  put_bytes(name);
  put(machine.boot_time);
  put(machine.flags);
  for (int reserved = 0; reserved < 2; ++reserved) put(uint64_t{0});
  end_block(start);
}

void CaptureWriter::interfaces(const std::vector<InterfaceEntry>& entries) {
  const size_t start =
      begin_block(layout_.sized_records ? block::kInterfaceList2 : block::kInterfaceList1);
  for (const InterfaceEntry& entry : entries) {
    const size_t record = layout_.sized_records ? begin_record() : 0;
    put(static_cast<uint16_t>(entry.ipv6 ? 2 : 1));
    put(static_cast<uint16_t>(entry.name.size()));
    put_ip(entry.address, entry.ipv6);
    put_ip(entry.netmask, entry.ipv6);
    put_ip(entry.broadcast, entry.ipv6);
    put(uint64_t{0});  // link speed
    put_bytes(entry.name);
    if (layout_.sized_records) end_record(record, false);
  }
  end_block(start);
}

void CaptureWriter::users(const std::vector<UserEntry>& users,
                          const std::vector<GroupEntry>& groups) {
  const size_t start = begin_block(layout_.sized_records ? block::kUserList2 : block::kUserList1);
  for (const UserEntry& entry : users) {
    const size_t record = layout_.sized_records ? begin_record() : 0;
    put(uint8_t{0});
    put(entry.uid);
    put(entry.gid);
    put_text(entry.name, kMaxTextSize);
    put_text(entry.home, kMaxTextSize);
    put_text(entry.shell, kMaxTextSize);
    if (layout_.sized_records) end_record(record, true);
  }
  for (const GroupEntry& entry : groups) {
    const size_t record = layout_.sized_records ? begin_record() : 0;
    put(uint8_t{1});
    put(entry.gid);
    put_text(entry.name, kMaxTextSize);
    if (layout_.sized_records) end_record(record, true);
  }
  end_block(start);
}

void CaptureWriter::put_thread(const ThreadEntry& entry) {
  const int version = layout_.process_list;
  put(entry.tid);
  put(entry.pid);
  put(entry.ptid);
  if (version >= 6) put(entry.sid);
  if (version >= 8) put(entry.vpgid);
  put_text(entry.comm, kMaxTextSize);
  put_text(entry.exe, kMaxTextSize);
  if (version >= 7) put_text(entry.exepath, kMaxTextSize);
  put_text(entry.args, kMaxListSize);
  put_text(entry.cwd, kMaxTextSize);
  put(entry.fdlimit);
  put(entry.flags);
  put(entry.uid);
  put(entry.gid);
  if (version >= 2) {
    put(entry.vmsize_kb);
    put(entry.vmrss_kb);
    put(entry.vmswap_kb);
    put(entry.pfmajor);
    put(entry.pfminor);
  }
  if (version >= 3) put_text(entry.env, kMaxListSize);
  if (version >= 4) {
    put(entry.vtid);
    put(entry.vpid);
    put_text(entry.cgroups, kMaxListSize);
  }
  if (version >= 5) put_text(entry.root, kMaxTextSize);
  if (version < 9) return;
  put(entry.pidns_init_start_ts);
  put(entry.tty);
  put(entry.loginuid);
  put(static_cast<uint8_t>(entry.exe_writable));
  put(entry.cap_inheritable);
  put(entry.cap_permitted);
  put(entry.cap_effective);
  put(static_cast<uint8_t>(entry.exe_upper_layer));
  put(entry.exe_ino);
  put(entry.exe_ino_ctime);
  put(entry.exe_ino_mtime);
  put(static_cast<uint8_t>(entry.exe_from_memfd));
  put(static_cast<uint8_t>(entry.exe_lower_layer));
  put(entry.pgid);
}

void CaptureWriter::processes(const std::vector<ThreadEntry>& entries) {
  const uint32_t type = kProcessListTypes[std::clamp(layout_.process_list, 1, 9) - 1];
  size_t start = begin_block(type);
  for (const ThreadEntry& entry : entries) {
    if (bytes_.size() - start > kFullList) {
      end_block(start);
      start = begin_block(type);
    }
    const bool sized = layout_.process_list >= 9;
    const size_t record = sized ? begin_record() : 0;
    put_thread(entry);
    if (sized) end_record(record, true);
  }
  end_block(start);
}

void CaptureWriter::put_descriptor(const FdEntry& entry) {
  put(entry.fd);
  put(entry.inode);
  put(static_cast<uint8_t>(entry.type));
  switch (entry.type) {
    case FdType::kUnknown: break;
    case FdType::kIpv4:
    case FdType::kIpv6:
      put_ip(entry.source, entry.type == FdType::kIpv6);
      put_ip(entry.destination, entry.type == FdType::kIpv6);
      put(entry.source_port);
      put(entry.destination_port);
      put(static_cast<uint8_t>(entry.l4));
      break;
    case FdType::kIpv4Server:
    case FdType::kIpv6Server:
      put_ip(entry.source, entry.type == FdType::kIpv6Server);
      put(entry.source_port);
      put(static_cast<uint8_t>(entry.l4));
      break;
    case FdType::kUnix:
      put(entry.unix_source);
      put(entry.unix_destination);
      put_text(entry.name, kMaxTextSize);
      break;
    case FdType::kFileV2:
      put(entry.open_flags);
      put_text(entry.name, kMaxTextSize);
      if (layout_.sized_records) put(entry.device);
      break;
    default: put_text(entry.name, kMaxTextSize); break;
  }
}

void CaptureWriter::descriptors(int64_t tid, const std::vector<FdEntry>& entries) {
  const auto begin_list = [this, tid] {
    const size_t start = begin_block(layout_.sized_records ? block::kFdList2 : block::kFdList1);
    put(tid);
    return start;
  };
  size_t start = begin_list();
  for (const FdEntry& entry : entries) {
    if (bytes_.size() - start > kFullList) {
      end_block(start);
      start = begin_list();
    }
    const size_t record = layout_.sized_records ? begin_record() : 0;
    put_descriptor(entry);
    if (layout_.sized_records) end_record(record, true);
  }
  end_block(start);
}

void CaptureWriter::event(uint64_t ts, int64_t tid, uint16_t cpu, uint16_t code,
                          const std::vector<std::string>& params) {
  const bool wide = has_wide_lengths(code);
  const size_t start = begin_block(!layout_.counted_params ? block::kEvent1
                                   : wide                  ? block::kEvent2Large
                                                           : block::kEvent2);
  put(cpu);
  const size_t header = bytes_.size();
  put(ts);
  put(tid);
  put(uint32_t{0});
  put(code);
  if (layout_.counted_params) put(static_cast<uint32_t>(params.size()));
  for (const std::string& param : params) {
    if (wide) {
      put(static_cast<uint32_t>(param.size()));
    } else {
      put(static_cast<uint16_t>(param.size()));
    }
  }
  for (uint32_t i = 0; i < params.size(); ++i) {
    put_bytes(params[i]);
    if (layout_.order == ByteOrder::kNative) continue;
    swap_parameter(code, i, bytes_.data() + bytes_.size() - params[i].size(), params[i].size());
  }
  constexpr size_t kLengthOffset = 16;
  put_length(header + kLengthOffset, bytes_.size() - header);
  end_block(start);
}

void CaptureWriter::event(const EventView& event) {
  const bool wide = has_wide_lengths(event.code);
  const uint32_t plain = wide ? block::kEvent2Large : block::kEvent2;
  const uint32_t flagged = wide ? block::kEventFlags2Large : block::kEventFlags2;
  const size_t start = begin_block(event.block_flags == 0 ? plain : flagged);
  put(event.cpu);
  if (event.block_flags != 0) put(event.block_flags);
  const auto size =
      static_cast<size_t>(payload_size(event.code, event.count_in_file(), event.body()));
  constexpr size_t kHeaderSize = 26;
  put(event.ts);
  put(event.tid);
  put(static_cast<uint32_t>(kHeaderSize + size));
  put(event.code);
  put(event.count_in_file());
  put_bytes(event.body().slice(0, size).text());
  end_block(start);
}

void CaptureWriter::block(uint32_t type, Bytes body) {
  const size_t start = begin_block(type);
  put_bytes(body.text());
  end_block(start);
}

}  // namespace sfkit::scap
