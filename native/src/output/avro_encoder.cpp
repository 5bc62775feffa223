#include "output/avro_encoder.h"

#include <array>
#include <cstring>

#include "base/ip_text.h"
#include "base/json.h"
#include "base/utf8.h"

namespace sfkit::output {

namespace {

using sysflow::Foid;
using sysflow::Oid;

constexpr size_t kMaxLong = 10;
// More than any record without strings and arrays: 15 numbers, an OID, two FOIDs.
constexpr size_t kMaxFlat = 256;
constexpr int64_t kSchemaVersion = 5;

constexpr std::array<std::string_view, 10> kK8sKinds = {
    "NODES",       "NAMESPACES", "PODS",        "REPLICATIONCONTROLLERS",
    "SERVICES",    "EVENTS",     "REPLICASETS", "DAEMONSETS",
    "DEPLOYMENTS", "UNKNOWN"};
constexpr std::array<std::string_view, 6> kK8sActions = {"ADDED", "MODIFIED",    "DELETED",
                                                         "ERROR", "NONEXISTENT", "UNKNOWN"};

// The index of `symbol`; the last one (UNKNOWN) if it is missing.
template <size_t N>
int64_t symbol_place(const std::array<std::string_view, N>& symbols, std::string_view symbol) {
  for (size_t i = 0; i < N; ++i) {
    if (symbols[i] == symbol) return static_cast<int64_t>(i);
  }
  return static_cast<int64_t>(N) - 1;
}

uint8_t* write_long(uint8_t* at, int64_t value) {
  uint64_t rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (rest >= 0x80) {
    *at++ = static_cast<uint8_t>(rest | 0x80);
    rest >>= 7;
  }
  *at++ = static_cast<uint8_t>(rest);
  return at;
}

uint8_t* write_foid(uint8_t* at, const Foid& foid) {
  std::memcpy(at, foid.data(), foid.size());
  return at + foid.size();
}

// A record without strings: reserves the maximum size once, then writes each field directly.
class FlatRecord {
 public:
  FlatRecord(ByteBuffer& out, Branch branch)
      : out_(out), begin_(out.reserve(kMaxFlat)), at_(begin_) {
    *this << branch;
  }
  FlatRecord(const FlatRecord&) = delete;
  FlatRecord& operator=(const FlatRecord&) = delete;
  ~FlatRecord() { out_.advance(static_cast<size_t>(at_ - begin_)); }

  FlatRecord& operator<<(int64_t value) {
    at_ = write_long(at_, value);
    return *this;
  }
  FlatRecord& operator<<(const Oid& oid) { return *this << oid.create_ts << oid.hpid; }
  FlatRecord& operator<<(const Foid& foid) {
    at_ = write_foid(at_, foid);
    return *this;
  }
  FlatRecord& operator<<(const sysflow::Address& address) {
    std::memcpy(at_, address.bytes.data(), address.bytes.size());
    at_ += address.bytes.size();
    return *this;
  }
  FlatRecord& operator<<(const sysflow::Counters& counters) {
    return *this << counters.read_ops << counters.write_ops << counters.read_bytes
                 << counters.write_bytes;
  }

 private:
  ByteBuffer& out_;
  uint8_t* begin_;
  uint8_t* at_;
};

int32_t op_bits(uint32_t flags) {
  return static_cast<int32_t>(flags);
}

}  // namespace

void append_long(ByteBuffer& out, int64_t value) {
  uint8_t* const begin = out.reserve(kMaxLong);
  out.advance(static_cast<size_t>(write_long(begin, value) - begin));
}

void AvroEncoder::put_long(int64_t value) {
  append_long(out_, value);
}

void AvroEncoder::put_bool(bool value) {
  *out_.reserve(1) = value ? 1 : 0;
  out_.advance(1);
}

void AvroEncoder::put_string(std::string_view text) {
  const std::string_view valid = valid_utf8(text, scratch_);
  put_long(static_cast<int64_t>(valid.size()));
  out_.append(valid);
}

template <typename Text>
void AvroEncoder::put_optional(const std::optional<Text>& text) {
  put_long(text ? 1 : 0);
  if (text) put_string(*text);
}

void AvroEncoder::encode(const sysflow::Header& record) {
  put_long(kHeaderBranch);
  put_long(kSchemaVersion);
  put_string(record.exporter);
  put_string(record.ip);
  put_string(record.filename);
}

void AvroEncoder::encode(const sysflow::Container& record) {
  put_long(kContainerBranch);
  put_string(record.id);
  put_string(record.name);
  put_string(record.image);
  put_string(record.imageid);
  put_long(record.type >= 0 && static_cast<size_t>(record.type) < std::size(kContainerTypes)
               ? record.type
               : kCustomContainer);
  put_bool(record.privileged);
  put_optional(record.pod_id);
}

void AvroEncoder::put_environment(const TextList& variables) {
  if (variables.empty()) return put_long(0);
  if (variables.text().identity() != environment_.identity()) {
    environment_ = variables.text();
    const size_t begin = out_.size();
    put_long(static_cast<int64_t>(variables.count()));
    for (const std::string_view variable : variables) put_string(variable);
    put_long(0);
    environment_bytes_.clear();
    environment_bytes_.append(out_.bytes().text().substr(begin));
    return;
  }
  out_.append(environment_bytes_.bytes().text());
}

void AvroEncoder::encode(const sysflow::Process& record) {
  {
    FlatRecord flat(out_, kProcessBranch);
    flat << static_cast<int64_t>(record.state) << record.oid << int64_t{record.poid ? 1 : 0};
    if (record.poid) flat << *record.poid;
    flat << record.ts;
  }
  put_string(record.exe);
  put_string(record.exe_args);
  put_long(record.uid);
  put_string(record.user_name);
  put_long(record.gid);
  put_string(record.group_name);
  put_bool(record.tty);
  put_optional(record.container_id);
  put_bool(record.entry);
  put_string(record.cwd);
  put_environment(record.env);
}

void AvroEncoder::encode(const sysflow::File& record) {
  FlatRecord(out_, kFileBranch) << static_cast<int64_t>(record.state) << record.oid << record.ts
                                << record.restype;
  put_string(record.path);
  put_optional(record.container_id);
}

void AvroEncoder::encode(const sysflow::ProcessEvent& record) {
  FlatRecord(out_, kProcessEventBranch)
      << record.proc_oid << record.ts << record.tid << op_bits(record.op_flags);
  if (!record.args.empty()) {
    put_long(static_cast<int64_t>(record.args.size()));
    for (const std::string& argument : record.args) put_string(argument);
  }
  put_long(0);
  put_long(record.ret);
}

void AvroEncoder::encode(const sysflow::NetworkFlow& record) {
  FlatRecord(out_, kNetworkFlowBranch)
      << record.proc_oid << record.ts << record.tid << op_bits(record.op_flags) << record.end_ts
      << ipv4_number(record.sip.bytes.data()) << record.sport
      << ipv4_number(record.dip.bytes.data()) << record.dport << record.proto << record.fd
      << record.counters;
}

void AvroEncoder::encode_ipv6(const sysflow::NetworkFlow& record) {
  FlatRecord(out_, kIpv6Branch) << record.proc_oid << record.ts << record.tid
                                << op_bits(record.op_flags) << record.end_ts << record.sip
                                << record.sport << record.dip << record.dport << record.proto
                                << record.fd << record.counters;
}

void AvroEncoder::encode_gone(const sysflow::Oid& oid) {
  FlatRecord(out_, kGoneBranch) << oid;
}

void AvroEncoder::encode_container_gone(std::string_view id) {
  put_long(kContainerGoneBranch);
  put_string(id);
}

void AvroEncoder::encode_pod_gone(std::string_view id) {
  put_long(kPodGoneBranch);
  put_string(id);
}

void AvroEncoder::encode_files_forgotten() {
  FlatRecord(out_, kFilesForgottenBranch);
}

void AvroEncoder::encode(const sysflow::FileFlow& record) {
  FlatRecord(out_, kFileFlowBranch)
      << record.proc_oid << record.ts << record.tid << op_bits(record.op_flags) << record.open_flags
      << record.end_ts << record.file_oid << record.fd << record.counters;
}

void AvroEncoder::encode(const sysflow::FileEvent& record) {
  FlatRecord flat(out_, kFileEventBranch);
  flat << record.proc_oid << record.ts << record.tid << op_bits(record.op_flags) << record.file_oid
       << record.ret << int64_t{record.new_file_oid ? 1 : 0};
  if (record.new_file_oid) flat << *record.new_file_oid;
}

void AvroEncoder::encode(const sysflow::NetworkEvent& record) {
  FlatRecord(out_, kNetworkEventBranch)
      << record.proc_oid << record.ts << record.tid << op_bits(record.op_flags)
      << ipv4_number(record.sip.bytes.data()) << record.sport
      << ipv4_number(record.dip.bytes.data()) << record.dport << record.proto << record.ret;
}

void AvroEncoder::encode(const sysflow::ProcessFlow& record) {
  FlatRecord(out_, kProcessFlowBranch)
      << record.proc_oid << record.ts << record.threads_cloned << op_bits(record.op_flags)
      << record.end_ts << record.threads_exited << record.clone_errors;
}

void AvroEncoder::put_numbers(const sysflow::IpNumbers& numbers) {
  if (!numbers.empty()) {
    put_long(static_cast<int64_t>(numbers.size()));
    for (const int64_t number : numbers) put_long(number);
  }
  put_long(0);
}

void AvroEncoder::put_labels(std::string_view labels) {
  const auto parsed = json::parse(labels);
  if (!labels.empty() && parsed.is_ok() && !parsed.value().members().empty()) {
    put_long(static_cast<int64_t>(parsed.value().members().size()));
    for (const auto& [name, value] : parsed.value().members()) {
      put_string(name);
      put_string(value.as_string());
    }
  }
  put_long(0);
}

void AvroEncoder::put_service(const sysflow::Service& service) {
  put_string(service.name);
  put_string(service.id);
  put_string(service.namespace_);
  if (!service.ports.empty()) {
    put_long(static_cast<int64_t>(service.ports.size()));
    for (const sysflow::ServicePort& port : service.ports) {
      put_long(port.port);
      put_long(port.target_port);
      put_long(port.node_port);
      put_string(port.proto);
    }
  }
  put_long(0);
  put_numbers(service.cluster_ip);
}

void AvroEncoder::encode(const sysflow::Pod& record) {
  put_long(kPodBranch);
  put_long(record.ts);
  put_string(record.id);
  put_string(record.name);
  put_string(record.node_name);
  put_numbers(record.host_ip);
  put_numbers(record.internal_ip);
  put_string(record.namespace_);
  put_long(record.restart_count);
  put_labels(record.labels);
  put_labels(record.selectors);
  if (!record.services.empty()) {
    put_long(static_cast<int64_t>(record.services.size()));
    for (const sysflow::Service& service : record.services) put_service(service);
  }
  put_long(0);
}

void AvroEncoder::encode(const sysflow::K8sEvent& record) {
  put_long(kK8sEventBranch);
  put_long(k8s_kind_number(record.kind));
  put_long(k8s_action_number(record.action));
  put_long(record.ts);
  put_string(record.message);
}

int64_t k8s_kind_number(std::string_view kind) {
  return symbol_place(kK8sKinds, kind);
}

int64_t k8s_action_number(std::string_view action) {
  return symbol_place(kK8sActions, action);
}

}  // namespace sfkit::output
