#include "libsysflow/records.h"

#include <optional>
#include <variant>
#include <vector>

#include "base/ip_text.h"

namespace sfkit::libsysflow {
namespace {

namespace avro = ::sysflow;

avro::OID oid_of(const ProcessId& id) {
  avro::OID oid;
  oid.createTS = id.create_time;
  oid.hpid = id.pid;
  return oid;
}

avro::SFObjectState state_of(ObjectState state) {
  return static_cast<avro::SFObjectState>(state);
}

avro::ContainerType type_of(ContainerType type) {
  // The schema lacks a type for all others; files have the same one.
  if (type == ContainerType::kOther) return avro::ContainerType::CT_CUSTOM;
  return static_cast<avro::ContainerType>(type);
}

template <typename Record>
void set_counters(Record& to, const Counters& from) {
  to.numRRecvOps = from.read_operations;
  to.numWSendOps = from.write_operations;
  to.numRRecvBytes = from.read_bytes;
  to.numWSendBytes = from.write_bytes;
}

// Fields that all events and flows have.
template <typename Record, typename View>
void set_common(Record& to, const View& from) {
  to.procOID = oid_of(from.process);
  to.ts = from.time;
  to.opFlags = static_cast<int32_t>(from.operations.bits());
}

template <typename Texts>
void set_list(std::vector<std::string>& to, const Texts& from) {
  size_t count = 0;
  for (const std::string_view text : from) {
    if (count == to.size()) to.emplace_back();
    to[count++].assign(text);
  }
  to.resize(count);
}

ProcessId process_of(const Activity& activity) {
  return std::visit([](const auto* record) { return record->process; }, activity);
}

}  // namespace

bool has_room(const Activity& activity) {
  const auto* flow = std::get_if<const NetworkFlow*>(&activity);
  return flow == nullptr || !(*flow)->ipv6;
}

Arguments Records::convert(const Joined& joined, const Activity& activity) {
  Arguments result;
  header_.version = joined.header->version;
  header_.exporter.assign(joined.header->exporter);
  header_.ip.assign(joined.header->ip);
  header_.filename.assign(joined.header->filename);
  result.header = &header_;
  if (joined.container != nullptr) {
    set(container_, *joined.container);
    result.container = &container_;
  }
  if (joined.process != nullptr) {
    set(process_, *joined.process);
  } else {
    Process unknown;
    unknown.id = process_of(activity);
    set(process_, unknown);
  }
  result.process = &process_;
  if (joined.file1 != nullptr) {
    set(files_[0], *joined.file1);
    result.file1 = &files_[0];
  }
  if (joined.file2 != nullptr) {
    set(files_[1], *joined.file2);
    result.file2 = &files_[1];
  }
  result.record = std::visit([this](const auto* record) { return set(*record); }, activity);
  return result;
}

template <typename Union>
void Records::set_text(Union& to, const std::optional<std::string_view>& from) {
  if (!from) {
    to.set_null();
    return;
  }
  text_.assign(*from);
  to.set_string(text_);
}

void Records::set(avro::Container& to, const Container& from) {
  to.id.assign(from.id);
  to.name.assign(from.name);
  to.image.assign(from.image);
  to.imageid.assign(from.image_id);
  to.type = type_of(from.type);
  to.privileged = from.privileged;
  set_text(to.podId, from.pod_id);
}

void Records::set(avro::Process& to, const Process& from) {
  to.state = state_of(from.state);
  to.oid = oid_of(from.id);
  if (from.parent) {
    to.poid.set_OID(oid_of(*from.parent));
  } else {
    to.poid.set_null();
  }
  to.ts = from.time;
  to.exe.assign(from.exe);
  to.exeArgs.assign(from.exe_args);
  to.uid = from.uid;
  to.userName.assign(from.user_name);
  to.gid = from.gid;
  to.groupName.assign(from.group_name);
  to.tty = from.tty;
  set_text(to.containerId, from.container_id);
  to.entry = from.entry;
  to.cwd.assign(from.cwd);
  set_list(to.env, from.env);
}

void Records::set(avro::File& to, const File& from) {
  to.state = state_of(from.state);
  to.oid = from.id;
  to.ts = from.time;
  to.restype = static_cast<int32_t>(from.type);
  to.path.assign(from.path);
  set_text(to.containerId, from.container_id);
}

avro::SysFlow* Records::set(const ProcessEvent& from) {
  set_common(process_event_, from);
  process_event_.tid = from.tid;
  set_list(process_event_.args, *from.args);
  process_event_.ret = from.result;
  records_[0].rec.set_ProcessEvent(process_event_);
  return &records_[0];
}

avro::SysFlow* Records::set(const NetworkFlow& from) {
  avro::NetworkFlow to;
  set_common(to, from);
  to.tid = from.tid;
  to.endTs = from.end_time;
  to.sip = ipv4_number(from.source.data());
  to.sport = from.source_port;
  to.dip = ipv4_number(from.destination.data());
  to.dport = from.destination_port;
  to.proto = static_cast<int32_t>(from.protocol);
  to.fd = from.fd;
  set_counters(to, from.counters);
  records_[1].rec.set_NetworkFlow(to);
  return &records_[1];
}

avro::SysFlow* Records::set(const FileFlow& from) {
  avro::FileFlow to;
  set_common(to, from);
  to.tid = from.tid;
  to.openFlags = from.open_flags;
  to.endTs = from.end_time;
  to.fileOID = from.file;
  to.fd = from.fd;
  set_counters(to, from.counters);
  records_[2].rec.set_FileFlow(to);
  return &records_[2];
}

avro::SysFlow* Records::set(const FileEvent& from) {
  avro::FileEvent to;
  set_common(to, from);
  to.tid = from.tid;
  to.fileOID = from.file;
  to.ret = from.result;
  if (from.new_file) to.newFileOID.set_FOID(*from.new_file);
  records_[3].rec.set_FileEvent(to);
  return &records_[3];
}

avro::SysFlow* Records::set(const ProcessFlow& from) {
  avro::ProcessFlow to;
  set_common(to, from);
  to.endTs = from.end_time;
  to.numThreadsCloned = from.threads_cloned;
  to.numThreadsExited = from.threads_exited;
  to.numCloneErrors = from.clone_errors;
  records_[4].rec.set_ProcessFlow(to);
  return &records_[4];
}

avro::SysFlow* Records::set(const NetworkEvent& from) {
  avro::NetworkEvent to;
  set_common(to, from);
  to.tid = from.tid;
  to.sip = ipv4_number(from.source.data());
  to.sport = from.source_port;
  to.dip = ipv4_number(from.destination.data());
  to.dport = from.destination_port;
  to.proto = static_cast<int32_t>(from.protocol);
  to.ret = from.result;
  records_[5].rec.set_NetworkEvent(to);
  return &records_[5];
}

}  // namespace sfkit::libsysflow
