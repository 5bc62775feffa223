// The SysFlow records (schema version 5) that the engine makes, and the interface of their
// consumers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/shared_text.h"
#include "ops.gen.h"

namespace sfkit::sysflow {

enum class ObjectState : uint8_t { kCreated, kModified, kReup };

// Identity of a process: clone time of its leader (0: before the capture) and host pid.
struct Oid {
  int64_t create_ts = 0;
  int64_t hpid = 0;
  bool operator==(const Oid&) const = default;
};

// Identity of a file: SHA-1 over container id followed by path.
using Foid = std::array<uint8_t, 20>;

struct Header {
  int64_t version = 5;
  std::string exporter;
  std::string ip;
  std::string filename;
  int64_t start_seconds = 0;  // seconds: time of the rotation, 0 for the first header; not written
};

struct Container {
  std::string id;
  std::string name;
  std::string image;
  std::string imageid;
  int32_t type = 0;  // index into the schema's ContainerType symbols
  bool privileged = false;
  std::optional<std::string> pod_id;
  // Labels as the text of a JSON object, "" if unknown. Not written to files.
  std::string labels = {};
  std::string pod_labels = {};
};

// Facts of a process that files cannot hold. They change without a record.
struct ProcessFacts {
  // The kernel names programs with 15 bytes, and its own threads with up to 63.
  static constexpr size_t kMaxComm = 63;
  std::string comm;         // the kernel's name, "" if unknown
  int64_t parent_pid = -1;  // of the process that is the parent now, -1 if unknown
};

// Texts are shared references: a child has most of them from its parent, and consumers can keep
// them cheaply.
struct Process {
  ObjectState state = ObjectState::kReup;
  Oid oid;
  std::optional<Oid> poid;
  int64_t ts = 0;
  SharedText exe;
  SharedText exe_args;
  int32_t uid = -1;
  SharedText user_name;
  int32_t gid = -1;
  SharedText group_name;
  bool tty = false;
  std::optional<SharedText> container_id;
  bool entry = false;
  SharedText cwd;
  TextList env;
  ProcessFacts facts = {};
};

struct File {
  ObjectState state = ObjectState::kReup;
  Foid oid{};
  int64_t ts = 0;
  int32_t restype = '?';
  SharedText path;
  std::optional<SharedText> container_id;
};

struct ProcessEvent {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t tid = 0;
  uint32_t op_flags = 0;
  std::vector<std::string> args;
  int32_t ret = 0;
  std::optional<uint32_t>
      user_id;  // setuid: the new id, in case `args` cannot name the user; not written to files
};

struct Counters {
  int64_t read_ops = 0;
  int64_t write_ops = 0;
  int64_t read_bytes = 0;
  int64_t write_bytes = 0;
};

// Network-order bytes; IPv4 uses the first four.
struct Address {
  std::array<uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
};

// The end of a connection that a process has.
enum class FlowRole : uint8_t { kUnknown, kClient, kServer };

struct NetworkFlow {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t tid = 0;
  uint32_t op_flags = 0;
  int64_t end_ts = 0;
  bool ipv6 = false;
  Address sip;
  uint16_t sport = 0;
  Address dip;
  uint16_t dport = 0;
  int32_t proto = -1;  // 6 tcp, 17 udp, 1 icmp, 254 raw, -1 unknown
  int32_t fd = -1;
  Counters counters;
  FlowRole role = FlowRole::kUnknown;  // not written to files
  SharedText dip_name;  // name of `dip` in DNS answers, "" if unknown; not written to files
};

struct FileFlow {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t tid = 0;
  uint32_t op_flags = 0;
  int32_t open_flags = 0;
  int64_t end_ts = 0;
  Foid file_oid{};
  int32_t fd = -1;
  Counters counters;
};

struct FileEvent {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t tid = 0;
  uint32_t op_flags = 0;
  Foid file_oid{};
  int32_t ret = 0;
  std::optional<Foid> new_file_oid;
};

struct ProcessFlow {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t threads_cloned = 0;
  uint32_t op_flags = 0;
  int64_t end_ts = 0;
  int64_t threads_exited = 0;
  int64_t clone_errors = 0;
};

// A connection as one event. The schema has it; the collector writes flows instead.
struct NetworkEvent {
  Oid proc_oid;
  int64_t ts = 0;
  int64_t tid = 0;
  uint32_t op_flags = 0;
  Address sip;  // IPv4
  uint16_t sport = 0;
  Address dip;
  uint16_t dport = 0;
  int32_t proto = -1;
  int32_t ret = 0;
};

// IP addresses as the numbers of the schema (sysflow/ip_numbers.h).
using IpNumbers = std::vector<int64_t>;

struct ServicePort {
  int32_t port = 0;
  int32_t target_port = 0;
  int32_t node_port = 0;
  std::string proto;
};

struct Service {
  std::string name;
  std::string id;
  std::string namespace_;
  std::vector<ServicePort> ports;
  IpNumbers cluster_ip;
};

// Labels and selectors are texts of JSON objects with texts as values, "" if there are none.
struct Pod {
  int64_t ts = 0;
  std::string id;
  std::string name;
  std::string node_name;
  std::string namespace_;
  int64_t restart_count = 0;
  std::string labels = {};
  std::string selectors = {};
  IpNumbers host_ip = {};
  IpNumbers internal_ip = {};
  std::vector<Service> services = {};
};

struct K8sEvent {
  std::string kind;    // symbol without the K8S_ prefix
  std::string action;  // symbol without the K8S_COMPONENT_ prefix
  int64_t ts = 0;
  std::string message;
};

struct OidHash {
  size_t operator()(const Oid& oid) const {
    return mix_words(static_cast<uint64_t>(oid.create_ts), static_cast<uint64_t>(oid.hpid));
  }
};

// Ids in .sf files need not be digests, so they are hashed again.
struct FoidHash {
  size_t operator()(const Foid& foid) const {
    return hash_text({reinterpret_cast<const char*>(foid.data()), foid.size()});
  }
};

// Receives records in the order of a SysFlow file: entities before the events and flows that refer
// to them. Arguments are valid during the call only.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void header(const Header& record) = 0;
  virtual void container(const Container& record) = 0;
  virtual void process(const Process& record) = 0;
  virtual void file(const File& record) = 0;
  virtual void process_event(const ProcessEvent& record) = 0;
  virtual void network_flow(const NetworkFlow& record) = 0;
  virtual void file_flow(const FileFlow& record) = 0;
  virtual void file_event(const FileEvent& record) = 0;
  virtual void process_flow(const ProcessFlow& record) = 0;
  virtual void network_event(const NetworkEvent&) {}
  virtual void pod(const Pod&) {}
  virtual void k8s_event(const K8sEvent&) {}
  // The facts of a process that has a record are now these.
  virtual void process_facts(const Oid&, const ProcessFacts&) {}
  // Whether process_facts() does something. The answer never changes.
  virtual bool takes_facts() const { return false; }
  // The oid is not used again before a new process record, so data kept for it can be dropped.
  virtual void process_gone(const Oid&) {}
  // Every file is written again before the next reference.
  virtual void files_forgotten() {}
  // No live process is in the container. It is written again before the next reference.
  virtual void container_gone(std::string_view) {}
  // The pod has no known container. It is written again before the next reference.
  virtual void pod_gone(std::string_view) {}
  // Pass on what was written so far soon, without waiting for a full batch.
  virtual void flush() {}
  // Called once after the last record.
  virtual void finish() {}
};

}  // namespace sfkit::sysflow
