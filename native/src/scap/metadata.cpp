#include "scap/metadata.h"

namespace sfkit::scap {
namespace {

// Fewer bytes at the end of a list are padding.
constexpr size_t kMinRecordSize = 4;
constexpr size_t kMachineInfoSize = 180;
// Longer tails are from libs 0.10 or later, which inserted fields before loginuid.
constexpr size_t kMaxOldTailSize = 29;

std::string_view read_text(Cursor& in) {
  const auto length = in.read<uint16_t>();
  return in.take(length).text();
}

template <size_t N>
void read_bytes(Cursor& in, std::array<uint8_t, N>& target, size_t count) {
  const Bytes bytes = in.take(count);
  if (!bytes.empty()) std::memcpy(target.data(), bytes.data(), bytes.size());
}

// Tail fields were added over time; a field that does not fit completely is absent.
template <typename T>
void read_if_present(Cursor& in, T& field) {
  if (in.remaining() >= sizeof(T)) field = in.read<T>();
}

void read_if_present(Cursor& in, bool& field) {
  if (in.remaining() >= 1) field = in.read<uint8_t>() != 0;
}

void read_tail(Cursor in, ThreadEntry& entry) {
  entry.tail_size = in.remaining();
  if (in.remaining() > kMaxOldTailSize) {
    read_if_present(in, entry.pidns_init_start_ts);
    read_if_present(in, entry.tty);
  }
  read_if_present(in, entry.loginuid);
  read_if_present(in, entry.exe_writable);
  read_if_present(in, entry.cap_inheritable);
  read_if_present(in, entry.cap_permitted);
  read_if_present(in, entry.cap_effective);
  read_if_present(in, entry.exe_upper_layer);
  read_if_present(in, entry.exe_ino);
  read_if_present(in, entry.exe_ino_ctime);
  read_if_present(in, entry.exe_ino_mtime);
  read_if_present(in, entry.exe_from_memfd);
  read_if_present(in, entry.exe_lower_layer);
  read_if_present(in, entry.pgid);
}

void read_thread(Cursor& in, int version, ThreadEntry& entry) {
  entry.tid = in.read<int64_t>();
  entry.pid = in.read<int64_t>();
  entry.ptid = in.read<int64_t>();
  if (version >= 6) entry.sid = in.read<int64_t>();
  if (version >= 8) entry.vpgid = in.read<int64_t>();
  entry.comm = read_text(in);
  entry.exe = read_text(in);
  if (version >= 7) entry.exepath = read_text(in);
  entry.args = read_text(in);
  entry.cwd = read_text(in);
  entry.fdlimit = in.read<int64_t>();
  entry.flags = in.read<uint32_t>();
  entry.uid = in.read<uint32_t>();
  entry.gid = in.read<uint32_t>();
  if (version >= 2) {
    entry.vmsize_kb = in.read<uint32_t>();
    entry.vmrss_kb = in.read<uint32_t>();
    entry.vmswap_kb = in.read<uint32_t>();
    entry.pfmajor = in.read<uint64_t>();
    entry.pfminor = in.read<uint64_t>();
  }
  if (version >= 3) entry.env = read_text(in);
  if (version >= 4) {
    entry.vtid = in.read<int64_t>();
    entry.vpid = in.read<int64_t>();
    entry.cgroups = read_text(in);
  }
  if (version >= 5) entry.root = read_text(in);
}

// False for a type with an unknown layout.
bool read_descriptor(Cursor& in, bool sized_record, FdEntry& entry) {
  entry.fd = in.read<int64_t>();
  entry.inode = in.read<uint64_t>();
  entry.type = static_cast<FdType>(in.read<uint8_t>());
  switch (entry.type) {
    case FdType::kUnknown: return true;
    case FdType::kIpv4:
    case FdType::kIpv6: {
      const size_t size = entry.type == FdType::kIpv4 ? 4 : 16;
      read_bytes(in, entry.source, size);
      read_bytes(in, entry.destination, size);
      entry.source_port = in.read<uint16_t>();
      entry.destination_port = in.read<uint16_t>();
      entry.l4 = static_cast<L4>(in.read<uint8_t>());
      return true;
    }
    case FdType::kIpv4Server:
    case FdType::kIpv6Server:
      read_bytes(in, entry.source, entry.type == FdType::kIpv4Server ? 4 : 16);
      entry.source_port = in.read<uint16_t>();
      entry.l4 = static_cast<L4>(in.read<uint8_t>());
      return true;
    case FdType::kUnix:
      entry.unix_source = in.read<uint64_t>();
      entry.unix_destination = in.read<uint64_t>();
      entry.name = read_text(in);
      return true;
    case FdType::kFileV2:
      entry.open_flags = in.read<uint32_t>();
      entry.name = read_text(in);
      if (sized_record && in.remaining() >= sizeof(uint32_t)) entry.device = in.read<uint32_t>();
      return true;
    case FdType::kFile:
    case FdType::kDirectory:
    case FdType::kFifo:
    case FdType::kEvent:
    case FdType::kUnsupported:
    case FdType::kSignal:
    case FdType::kEventPoll:
    case FdType::kInotify:
    case FdType::kTimer:
    case FdType::kNetlink:
    case FdType::kBpf:
    case FdType::kUserfault:
    case FdType::kIoUring:
    case FdType::kMemfd:
    case FdType::kPidfd: entry.name = read_text(in); return true;
  }
  entry.type = FdType::kUnsupported;
  return sized_record;
}

void read_user_or_group(Cursor& in, const std::function<void(const UserEntry&)>& user,
                        const std::function<void(const GroupEntry&)>& group) {
  const auto kind = in.read<uint8_t>();
  if (kind == 0) {
    UserEntry entry;
    entry.uid = in.read<uint32_t>();
    entry.gid = in.read<uint32_t>();
    entry.name = read_text(in);
    entry.home = read_text(in);
    entry.shell = read_text(in);
    if (!in.failed()) user(entry);
  } else {
    GroupEntry entry;
    entry.gid = in.read<uint32_t>();
    entry.name = read_text(in);
    if (!in.failed()) group(entry);
  }
}

// The bytes of a record that starts with its own length; the length includes itself.
Bytes sized_record(Cursor& in) {
  const auto length = in.read<uint32_t>();
  if (length < sizeof(uint32_t)) {
    in.skip(SIZE_MAX);  // makes the cursor fail
    return {};
  }
  return in.take(length - sizeof(uint32_t));
}

}  // namespace

bool parse_machine_info(Bytes body, ByteOrder order,
                        const std::function<void(const MachineInfo&)>& visit) {
  if (body.size() < kMachineInfoSize) return false;
  Cursor in(body, order);
  MachineInfo machine;
  machine.cpus = in.read<uint32_t>();
  machine.memory_bytes = in.read<uint64_t>();
  machine.max_pid = in.read<uint64_t>();
  const std::string_view name = in.take(kHostNameSize).text();
  machine.hostname = name.substr(0, name.find('\0'));
  machine.boot_time = in.read<uint64_t>();
  machine.flags = in.read<uint64_t>();
  visit(machine);
  return true;
}

bool parse_process_list(Bytes body, ByteOrder order, int version,
                        const std::function<void(const ThreadEntry&)>& visit) {
  Cursor list(body, order);
  while (list.remaining() >= kMinRecordSize) {
    ThreadEntry entry;
    if (version < 9) {
      read_thread(list, version, entry);
      if (list.failed()) return false;
    } else {
      Cursor record(sized_record(list), order);
      read_thread(record, version, entry);
      if (list.failed() || record.failed()) return false;
      read_tail(record, entry);
    }
    visit(entry);
  }
  return true;
}

bool parse_fd_list(Bytes body, ByteOrder order, bool sized_records,
                   const std::function<void(int64_t tid, const FdEntry&)>& visit) {
  Cursor list(body, order);
  const auto tid = list.read<int64_t>();
  if (list.failed()) return false;
  while (list.remaining() >= kMinRecordSize) {
    FdEntry entry;
    if (sized_records) {
      Cursor record(sized_record(list), order);
      if (list.failed() || !read_descriptor(record, true, entry) || record.failed()) return false;
    } else if (!read_descriptor(list, false, entry) || list.failed()) {
      return false;
    }
    visit(tid, entry);
  }
  return true;
}

bool parse_interface_list(Bytes body, ByteOrder order, bool sized_records,
                          const std::function<void(const InterfaceEntry&)>& visit) {
  Cursor list(body, order);
  while (list.remaining() >= kMinRecordSize) {
    Cursor record(Bytes{}, order);
    Cursor* in = &list;
    if (sized_records) {
      // Unlike in the other lists, this length does not include itself.
      const auto length = list.read<uint32_t>();
      record = Cursor(list.take(length), order);
      in = &record;
      if (list.failed()) return false;
    }
    const auto type = in->read<uint16_t>();
    const auto name_length = in->read<uint16_t>();
    if (type < 1 || type > 4) return false;
    InterfaceEntry entry;
    entry.ipv6 = type == 2 || type == 4;
    const size_t size = entry.ipv6 ? 16 : 4;
    read_bytes(*in, entry.address, size);
    read_bytes(*in, entry.netmask, size);
    read_bytes(*in, entry.broadcast, size);
    if (type <= 2) in->skip(sizeof(uint64_t));  // link speed
    entry.name = in->take(name_length).text();
    if (in->failed()) return false;
    visit(entry);
  }
  return true;
}

bool parse_user_list(Bytes body, ByteOrder order, bool sized_records,
                     const std::function<void(const UserEntry&)>& user,
                     const std::function<void(const GroupEntry&)>& group) {
  Cursor list(body, order);
  while (list.remaining() >= kMinRecordSize) {
    if (sized_records) {
      Cursor record(sized_record(list), order);
      if (list.failed()) return false;
      read_user_or_group(record, user, group);
      if (record.failed()) return false;
    } else {
      read_user_or_group(list, user, group);
      if (list.failed()) return false;
    }
  }
  return true;
}

}  // namespace sfkit::scap
