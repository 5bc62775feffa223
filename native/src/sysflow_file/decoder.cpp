#include "sysflow_file/decoder.h"

#include <algorithm>

#include "base/escape.h"
#include "base/times.h"
#include "record_kinds.gen.h"

namespace sfkit::sysflow_file {

namespace {

using sysflow::Foid;
using sysflow::ObjectState;
using sysflow::Oid;

constexpr int kMaxDepth = 64;
// A hostile schema can nest types without bytes, so input bytes limit the decoding steps.
constexpr uint64_t kStepsPerByte = 16;
constexpr uint64_t kFreeSteps = 4096;

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

}  // namespace

uint64_t Decoder::decode_block(Bytes block, uint64_t count, bool& clean) {
  in_ = Cursor(block);
  bad_ = false;
  budget_ = block.size() * kStepsPerByte + kFreeSteps;
  uint64_t done = 0;
  while (done < count) {
    datum();
    if (!fine()) break;
    ++done;
  }
  clean = done == count && in_.remaining() == 0;
  return done;
}

bool Decoder::spend() {
  if (budget_ == 0) {
    bad_ = true;
    return false;
  }
  --budget_;
  return fine();
}

int64_t Decoder::read_long() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const auto byte = in_.read<uint8_t>();
    value |= uint64_t{byte & 0x7Fu} << (shift < 64 ? shift : 63);
    if (byte < 0x80) {
      return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
  }
  bad_ = true;
  return 0;
}

Bytes Decoder::read_bytes() {
  const int64_t size = read_long();
  if (!fine() || size < 0) {
    bad_ = true;
    return {};
  }
  return in_.take(static_cast<size_t>(size));
}

const Node* Decoder::resolve_union(const Node& type) {
  if (type.kind != Node::Kind::kUnion) return &type;
  const int64_t branch = read_long();
  if (!fine() || branch < 0 || static_cast<uint64_t>(branch) >= type.branches.size()) {
    bad_ = true;
    return nullptr;
  }
  return &node(type.branches[static_cast<size_t>(branch)]);
}

template <typename Item>
void Decoder::each_item(Item&& item) {
  while (spend()) {
    int64_t count = read_long();
    if (count == 0 || !fine()) return;
    if (count < 0) {
      // After a negative count comes the block's size in bytes, for skipping.
      read_long();
      if (count == INT64_MIN) bad_ = true;
      count = bad_ ? 0 : -count;
    }
    // SysFlow has no empty items, so more items than bytes are damage.
    if (static_cast<uint64_t>(count) > in_.remaining()) bad_ = true;
    for (; count > 0 && fine(); --count) item();
  }
}

void Decoder::skip(const Node& type, int depth) {
  if (!spend()) return;
  if (depth > kMaxDepth) {
    bad_ = true;
    return;
  }
  switch (type.kind) {
    case Node::Kind::kNull: break;
    case Node::Kind::kBoolean: in_.skip(1); break;
    case Node::Kind::kInt:
    case Node::Kind::kLong:
    case Node::Kind::kEnum: read_long(); break;
    case Node::Kind::kFloat: in_.skip(4); break;
    case Node::Kind::kDouble: in_.skip(8); break;
    case Node::Kind::kBytes:
    case Node::Kind::kString: read_bytes(); break;
    case Node::Kind::kFixed: in_.skip(type.size); break;
    case Node::Kind::kArray: each_item([&] { skip(node(type.item), depth + 1); }); break;
    case Node::Kind::kMap:
      each_item([&] {
        read_bytes();
        skip(node(type.item), depth + 1);
      });
      break;
    case Node::Kind::kUnion:
      if (const Node* chosen = resolve_union(type)) skip(*chosen, depth + 1);
      break;
    case Node::Kind::kRecord:
      for (const Node::Field& field : type.fields) skip(node(field.node), depth + 1);
      break;
  }
}

bool Decoder::number(const Node& type, int64_t& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return false;
  if (chosen->kind == Node::Kind::kBoolean) {
    out = in_.read<uint8_t>() != 0;
    return true;
  }
  if (chosen->kind == Node::Kind::kInt || chosen->kind == Node::Kind::kLong) {
    out = read_long();
    return true;
  }
  skip(*chosen, 0);
  return false;
}

template <typename T>
void Decoder::number_into(const Node& type, T& out) {
  int64_t value = 0;
  if (number(type, value)) out = static_cast<T>(value);
}

void Decoder::boolean_into(const Node& type, bool& out) {
  int64_t value = 0;
  if (number(type, value)) out = value != 0;
}

std::optional<std::string_view> Decoder::text(const Node& type) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return {};
  if (chosen->kind == Node::Kind::kEnum) return symbol(*chosen);
  if (chosen->kind != Node::Kind::kString && chosen->kind != Node::Kind::kBytes) {
    skip(*chosen, 0);
    return {};
  }
  return read_bytes().text();
}

void Decoder::text_into(const Node& type, std::string& out) {
  if (const auto found = text(type)) out.assign(*found);
}

void Decoder::text_into(const Node& type, SharedText& out) {
  if (const auto found = text(type)) out.set(*found);
}

template <typename Text>
void Decoder::optional_text_into(const Node& type, std::optional<Text>& out) {
  if (const auto found = text(type)) {
    out.emplace(*found);
  } else {
    out.reset();
  }
}

void Decoder::texts_into(const Node& type, std::vector<std::string>& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return;
  if (chosen->kind != Node::Kind::kArray) return skip(*chosen, 0);
  const Node& item = node(chosen->item);
  each_item([&] {
    if (out.size() < kMaxTexts) {
      text_into(item, out.emplace_back());
    } else {
      ++cut_texts_;
      skip(item, 0);
    }
  });
}

bool Decoder::take_pod_bytes(size_t bytes) {
  if (bytes > pod_room_) {
    ++cut_texts_;
    return false;
  }
  pod_room_ -= bytes;
  return true;
}

template <typename Item>
void Decoder::items_into(const Node& type, std::vector<Item>& out,
                         void (Decoder::*decode)(const Node&, Item&)) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return;
  if (chosen->kind != Node::Kind::kArray) return skip(*chosen, 0);
  const Node& item = node(chosen->item);
  each_item([&] {
    if (!take_pod_bytes(kItemBytes)) return skip(item, 0);
    (this->*decode)(item, out.emplace_back());
  });
}

void Decoder::pod_text_into(const Node& type, std::string& out) {
  const auto found = text(type);
  if (found && take_pod_bytes(found->size())) out.assign(*found);
}

// A map of texts as the text of a JSON object; "" if it is empty.
void Decoder::labels_into(const Node& type, std::string& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return;
  if (chosen->kind != Node::Kind::kMap) return skip(*chosen, 0);
  const Node& item = node(chosen->item);
  each_item([&] {
    const std::string_view name = read_bytes().text();
    const auto value = text(item);
    if (!value || !take_pod_bytes(kItemBytes + name.size() + value->size())) return;
    out += out.empty() ? '{' : ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, *value);
  });
  if (!out.empty()) out += '}';
}

void Decoder::addresses_into(const Node& type, sysflow::IpNumbers& out) {
  items_into(type, out, &Decoder::number_into<int64_t>);
}

void Decoder::service_into(const Node& type, sysflow::Service& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return;
  if (chosen->kind != Node::Kind::kRecord) return skip(*chosen, 0);
  for (const Node::Field& field : chosen->fields) {
    const Node& member = node(field.node);
    switch (field.slot) {
      case Slot::kName: pod_text_into(member, out.name); break;
      case Slot::kId: pod_text_into(member, out.id); break;
      case Slot::kNamespace: pod_text_into(member, out.namespace_); break;
      case Slot::kPortList: items_into(member, out.ports, &Decoder::port_into); break;
      case Slot::kClusterIp: addresses_into(member, out.cluster_ip); break;
      default: skip(member, 0);
    }
  }
}

void Decoder::port_into(const Node& type, sysflow::ServicePort& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return;
  if (chosen->kind != Node::Kind::kRecord) return skip(*chosen, 0);
  for (const Node::Field& field : chosen->fields) {
    const Node& member = node(field.node);
    switch (field.slot) {
      case Slot::kPort: number_into(member, out.port); break;
      case Slot::kTargetPort: number_into(member, out.target_port); break;
      case Slot::kNodePort: number_into(member, out.node_port); break;
      case Slot::kProto: pod_text_into(member, out.proto); break;
      default: skip(member, 0);
    }
  }
}

std::string_view Decoder::symbol(const Node& type) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return {};
  if (chosen->kind == Node::Kind::kString) return read_bytes().text();
  if (chosen->kind != Node::Kind::kEnum) {
    skip(*chosen, 0);
    return {};
  }
  const int64_t place = read_long();
  if (place < 0 || static_cast<uint64_t>(place) >= chosen->symbols.size()) {
    bad_ = true;
    return {};
  }
  return chosen->symbols[static_cast<size_t>(place)];
}

bool Decoder::oid_into(const Node& type, Oid& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return false;
  if (chosen->kind != Node::Kind::kRecord) {
    skip(*chosen, 0);
    return false;
  }
  for (const Node::Field& field : chosen->fields) {
    switch (field.slot) {
      case Slot::kCreateTs: number_into(node(field.node), out.create_ts); break;
      case Slot::kHpid: number_into(node(field.node), out.hpid); break;
      default: skip(node(field.node), 0);
    }
  }
  return true;
}

bool Decoder::foid_into(const Node& type, Foid& out) {
  const Node* chosen = resolve_union(type);
  if (chosen == nullptr) return false;
  const bool fixed = chosen->kind == Node::Kind::kFixed && chosen->size == out.size();
  if (!fixed && chosen->kind != Node::Kind::kBytes) {
    skip(*chosen, 0);
    return false;
  }
  const Bytes bytes = fixed ? in_.take(out.size()) : read_bytes();
  if (bytes.size() != out.size()) return false;
  std::copy_n(bytes.data(), out.size(), out.begin());
  return true;
}

void Decoder::state_into(const Node& type, ObjectState& out) {
  const std::string_view name = symbol(type);
  if (name == "CREATED") {
    out = ObjectState::kCreated;
  } else if (name == "MODIFIED") {
    out = ObjectState::kModified;
  } else {
    out = ObjectState::kReup;
  }
}

void Decoder::address_into(const Node& type, sysflow::Address& out) {
  uint32_t value = 0;
  number_into(type, value);
  for (size_t i = 0; i < 4; ++i) out.bytes[i] = static_cast<uint8_t>(value >> (8 * i));
}

void Decoder::datum() {
  for (const Node::Field& field : node(schema_.root).fields) {
    const Node& type = node(field.node);
    if (field.slot != Slot::kRec) {
      skip(type, 0);
      continue;
    }
    const Node* chosen = resolve_union(type);
    if (chosen == nullptr) return;
    record(*chosen);
    if (!fine()) return;
    ++counts_.records;
  }
}

void Decoder::record(const Node& type) {
  switch (type.record) {
    case RecordKind::kHeader: return header(type.fields);
    case RecordKind::kContainer: return container(type.fields);
    case RecordKind::kProcess: return process(type.fields);
    case RecordKind::kFile: return file(type.fields);
    case RecordKind::kProcessEvent: return process_event(type.fields);
    case RecordKind::kNetworkFlow: return network_flow(type.fields);
    case RecordKind::kFileFlow: return file_flow(type.fields);
    case RecordKind::kFileEvent: return file_event(type.fields);
    case RecordKind::kProcessFlow: return process_flow(type.fields);
    case RecordKind::kPod: return pod(type.fields);
    case RecordKind::kK8sEvent: return k8s_event(type.fields);
    case RecordKind::kNetworkEvent: return network_event(type.fields);
    case RecordKind::kOther:
      skip(type, 0);
      if (fine()) ++counts_.unknown;
      return;
  }
}

void Decoder::seen(int64_t from, int64_t to) {
  if (from > 0 && is_possible_time(from) &&
      (counts_.first_time == 0 || from < counts_.first_time)) {
    counts_.first_time = from;
  }
  for (const int64_t time : {from, to}) {
    if (is_possible_time(time)) counts_.last_time = std::max(counts_.last_time, time);
  }
}

void Decoder::header(const Fields& fields) {
  sysflow::Header record;
  record.ip = "NA";
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kVersion: number_into(type, record.version); break;
      case Slot::kExporter: text_into(type, record.exporter); break;
      case Slot::kIp: text_into(type, record.ip); break;
      case Slot::kFilename: text_into(type, record.filename); break;
      default: skip(type, 0);
    }
  }
  if (fine()) sink_.header(record);
}

void Decoder::container(const Fields& fields) {
  sysflow::Container record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kId: text_into(type, record.id); break;
      case Slot::kName: text_into(type, record.name); break;
      case Slot::kImage: text_into(type, record.image); break;
      case Slot::kImageId: text_into(type, record.imageid); break;
      case Slot::kType: {
        // By name: the oldest schemas have only six symbols.
        const auto found =
            std::find(std::begin(kContainerTypes), std::end(kContainerTypes), symbol(type));
        record.type = found == std::end(kContainerTypes)
                          ? kCustomContainer
                          : static_cast<int32_t>(found - std::begin(kContainerTypes));
        break;
      }
      case Slot::kPrivileged: boolean_into(type, record.privileged); break;
      case Slot::kPodId: optional_text_into(type, record.pod_id); break;
      default: skip(type, 0);
    }
  }
  if (fine()) sink_.container(record);
}

void Decoder::process(const Fields& fields) {
  sysflow::Process& record = process_;
  record.poid.reset();
  record.oid = {};
  record.ts = 0;
  record.uid = record.gid = -1;
  for (SharedText* text :
       {&record.exe, &record.exe_args, &record.user_name, &record.group_name, &record.cwd}) {
    text->clear();
  }
  record.tty = record.entry = false;
  record.container_id.reset();
  record.env.clear();
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kState: state_into(type, record.state); break;
      case Slot::kOid: oid_into(type, record.oid); break;
      case Slot::kPoid:
        if (!oid_into(type, record.poid.emplace())) record.poid.reset();
        break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kExe: text_into(type, record.exe); break;
      case Slot::kExeArgs: text_into(type, record.exe_args); break;
      case Slot::kUid: number_into(type, record.uid); break;
      case Slot::kUserName: text_into(type, record.user_name); break;
      case Slot::kGid: number_into(type, record.gid); break;
      case Slot::kGroupName: text_into(type, record.group_name); break;
      case Slot::kTty: boolean_into(type, record.tty); break;
      case Slot::kContainerId: optional_text_into(type, record.container_id); break;
      case Slot::kEntry: boolean_into(type, record.entry); break;
      case Slot::kCwd: text_into(type, record.cwd); break;
      case Slot::kEnv:
        variables_.clear();
        texts_into(type, variables_);
        record.env = TextList::of(variables_);
        break;
      default: skip(type, 0);
    }
  }
  if (fine()) sink_.process(record);
}

void Decoder::file(const Fields& fields) {
  sysflow::File& record = file_;
  record.oid = {};
  record.ts = 0;
  record.restype = '?';
  record.path.clear();
  record.container_id.reset();
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kState: state_into(type, record.state); break;
      case Slot::kOid: foid_into(type, record.oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kRestype: number_into(type, record.restype); break;
      case Slot::kPath: text_into(type, record.path); break;
      case Slot::kContainerId: optional_text_into(type, record.container_id); break;
      default: skip(type, 0);
    }
  }
  if (fine()) sink_.file(record);
}

void Decoder::process_event(const Fields& fields) {
  sysflow::ProcessEvent& record = process_event_;
  record.proc_oid = {};
  record.ts = record.tid = 0;
  record.op_flags = 0;
  record.args.clear();
  record.ret = 0;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kTid: number_into(type, record.tid); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kArgs: texts_into(type, record.args); break;
      case Slot::kRet: number_into(type, record.ret); break;
      default: skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, 0);
  sink_.process_event(record);
}

bool Decoder::counter(Slot slot, const Node& type, sysflow::Counters& out) {
  switch (slot) {
    case Slot::kNumReadOps: number_into(type, out.read_ops); return true;
    case Slot::kNumWriteOps: number_into(type, out.write_ops); return true;
    case Slot::kNumReadBytes: number_into(type, out.read_bytes); return true;
    case Slot::kNumWriteBytes: number_into(type, out.write_bytes); return true;
    default: return false;
  }
}

void Decoder::network_flow(const Fields& fields) {
  sysflow::NetworkFlow record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kTid: number_into(type, record.tid); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kEndTs: number_into(type, record.end_ts); break;
      case Slot::kSip: address_into(type, record.sip); break;
      case Slot::kSport: number_into(type, record.sport); break;
      case Slot::kDip: address_into(type, record.dip); break;
      case Slot::kDport: number_into(type, record.dport); break;
      case Slot::kProto: number_into(type, record.proto); break;
      case Slot::kFd: number_into(type, record.fd); break;
      default:
        if (!counter(field.slot, type, record.counters)) skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, record.end_ts);
  sink_.network_flow(record);
}

void Decoder::file_flow(const Fields& fields) {
  sysflow::FileFlow record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kTid: number_into(type, record.tid); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kOpenFlags: number_into(type, record.open_flags); break;
      case Slot::kEndTs: number_into(type, record.end_ts); break;
      case Slot::kFileOid: foid_into(type, record.file_oid); break;
      case Slot::kFd: number_into(type, record.fd); break;
      default:
        if (!counter(field.slot, type, record.counters)) skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, record.end_ts);
  sink_.file_flow(record);
}

void Decoder::file_event(const Fields& fields) {
  sysflow::FileEvent record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kTid: number_into(type, record.tid); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kFileOid: foid_into(type, record.file_oid); break;
      case Slot::kRet: number_into(type, record.ret); break;
      case Slot::kNewFileOid:
        if (!foid_into(type, record.new_file_oid.emplace())) record.new_file_oid.reset();
        break;
      default: skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, 0);
  sink_.file_event(record);
}

void Decoder::network_event(const Fields& fields) {
  sysflow::NetworkEvent record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kTid: number_into(type, record.tid); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kSip: address_into(type, record.sip); break;
      case Slot::kSport: number_into(type, record.sport); break;
      case Slot::kDip: address_into(type, record.dip); break;
      case Slot::kDport: number_into(type, record.dport); break;
      case Slot::kProto: number_into(type, record.proto); break;
      case Slot::kRet: number_into(type, record.ret); break;
      default: skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, 0);
  sink_.network_event(record);
}

void Decoder::process_flow(const Fields& fields) {
  sysflow::ProcessFlow record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kProcOid: oid_into(type, record.proc_oid); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kNumThreadsCloned: number_into(type, record.threads_cloned); break;
      case Slot::kOpFlags: number_into(type, record.op_flags); break;
      case Slot::kEndTs: number_into(type, record.end_ts); break;
      case Slot::kNumThreadsExited: number_into(type, record.threads_exited); break;
      case Slot::kNumCloneErrors: number_into(type, record.clone_errors); break;
      default: skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, record.end_ts);
  sink_.process_flow(record);
}

void Decoder::pod(const Fields& fields) {
  sysflow::Pod record;
  pod_room_ = kMaxPodBytes;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kId: text_into(type, record.id); break;
      case Slot::kName: text_into(type, record.name); break;
      case Slot::kNodeName: text_into(type, record.node_name); break;
      case Slot::kNamespace: text_into(type, record.namespace_); break;
      case Slot::kRestartCount: number_into(type, record.restart_count); break;
      case Slot::kHostIp: addresses_into(type, record.host_ip); break;
      case Slot::kInternalIp: addresses_into(type, record.internal_ip); break;
      case Slot::kLabels: labels_into(type, record.labels); break;
      case Slot::kSelectors: labels_into(type, record.selectors); break;
      case Slot::kServices: items_into(type, record.services, &Decoder::service_into); break;
      default: skip(type, 0);
    }
  }
  if (fine()) sink_.pod(record);
}

void Decoder::k8s_event(const Fields& fields) {
  sysflow::K8sEvent record;
  for (const Node::Field& field : fields) {
    const Node& type = node(field.node);
    switch (field.slot) {
      case Slot::kKind: record.kind = without_prefix(symbol(type), "K8S_"); break;
      case Slot::kAction: record.action = without_prefix(symbol(type), "K8S_COMPONENT_"); break;
      case Slot::kTs: number_into(type, record.ts); break;
      case Slot::kMessage: text_into(type, record.message); break;
      default: skip(type, 0);
    }
  }
  if (!fine()) return;
  seen(record.ts, 0);
  sink_.k8s_event(record);
}

}  // namespace sfkit::sysflow_file
