// The configuration of a driver.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include <sfkit/log.h>
#include <sfkit/records.h>

namespace sfkit {

// An event or a flow. Exactly one pointer, never null, valid only during the callback.
using Activity = std::variant<const ProcessEvent*, const NetworkFlow*, const FileFlow*,
                              const FileEvent*, const ProcessFlow*, const NetworkEvent*>;

// The newest entities that a record refers to; null if the capture does not have them. Valid only
// during the callback.
struct Joined {
  const Header* header = nullptr;  // never null
  const Container* container = nullptr;
  const Process* process = nullptr;
  const File* file1 = nullptr;  // of file flows and file events
  const File* file2 = nullptr;  // the new file of link, symlink and rename
  const Pod* pod = nullptr;     // of the container
};

// Called for every event and flow, in order, on the thread of Driver::run(). Return false to end
// the run. Must not throw.
using Callback = std::function<bool(const Joined& joined, const Activity& record)>;

// Called for every change in a Kubernetes cluster, between the calls of Callback, with the same
// rules. The header is never null.
using K8sCallback = std::function<bool(const Header* header, const K8sEvent& event)>;

// Which flows of files that are only read are kept.
enum class FileReads : uint8_t {
  kAll,
  kNone,
  kOutsideSystemDirectories,
};

// How files are followed.
enum class FileTracking : uint8_t {
  kFlows,  // reads and writes of an open file become one flow
  kOpens,  // each open is a flow; there are no other records of files
  kNone,   // no records of files and pipes
};

// Sizes of the tables of live entities and flows, and records so far.
struct Statistics {
  enum class Reason : uint8_t {
    kInterval,  // stats_seconds passed
    kRotation,  // a new header follows
    kEnd,       // the input is read; before its last flows
  };
  Reason reason = Reason::kInterval;
  uint64_t containers = 0;
  uint64_t processes = 0;
  uint64_t files = 0;
  uint64_t network_flows = 0;
  uint64_t file_flows = 0;
  uint64_t process_flows = 0;
  uint64_t records = 0;  // delivered so far, including headers
  uint64_t dropped = 0;  // not sent to the socket: without a reader in time, or of IPv6
};

// Called on the thread of Driver::run(). Must not throw.
using StatisticsHook = std::function<void(const Statistics& statistics)>;

// Live capture of the running kernel: Linux on x86-64, with the rights that `sfkit doctor` names.
// Events of this process are not recorded.
struct LiveConfig {
  bool all_calls = false;       // also record calls that do not change state or make records
  uint32_t snaplen = 0;         // bytes of data per read and write
  uint32_t sampling_ratio = 1;  // keep 1 in N calls that do not change state; 1 to 128
  uint32_t ring_bytes =
      8u << 20;  // per buffer: a power of two, at least 4096; at least 32 KiB are used
  uint32_t cpus_per_ring = 1;    // CPUs that share a buffer; 0: one buffer for all
  bool raw_tracepoints = false;  // skip the programs that need BTF for tracing
  std::string record_path;       // capture file to write at the same time; empty: none
  bool record_gzip = false;      // compress that file
  uint64_t max_events = 0;       // maximum events; 0: unlimited
  // Drops the privileges of the whole process after the start; for processes that do nothing else.
  bool drop_privileges = false;
  // Ask docker, podman and CRI runtimes for the names and images of containers.
  bool ask_runtimes = true;
  std::string cri_socket;  // the only CRI socket to ask; empty: the usual ones
  // Seconds to ask about one container, at most 3600; 0: only once, without another attempt.
  int64_t runtime_timeout_seconds = 30;
  // Ask the Kubernetes API about the pods of this node, services and namespaces. That needs
  // libcurl.so.4 at run time; without it, a message of the log says that the API is not asked.
  bool ask_kubernetes = true;
  std::string k8s_api_url;  // http or https; empty: in a pod, that of its cluster, else none
  // A file with a bearer token, a file with certificates of authorities, or
  // CERT:KEY[#PASSWORD][:CA]; empty: in a pod, its service account.
  std::string k8s_api_cert;
  std::string
      k8s_node;  // empty: NODE_NAME of the environment, else the node of this pod or machine
  // Directory with the files of the host, such as /host in a container: its /proc and the sockets
  // of runtimes are below it. Empty: the own root directory.
  std::string host_root;
};

struct DriverConfig {
  // Capture file to read, plain or gzip; "-" is standard input. Empty: capture the running kernel.
  std::string input_path;
  // SysFlow file (.sf) to write. Empty: none; "-": standard output. It appears complete; while
  // unfinished it is called NAME.part. With rotate_seconds, each interval makes a file of its own,
  // called output_path.SECONDS (since 1970). A path that ends in / is a directory, created if
  // missing, with files called SECONDS. If a name is taken, -1, -2 and so on are appended. Each
  // file is complete by itself: it starts with a header, and entities come before records that
  // refer to them. Only the owner can read files of a live capture. Pipes and devices are written
  // to directly.
  std::string output_path;
  // Unix socket of type SOCK_SEQPACKET, at most 107 bytes long, to send records to: one per
  // message, as plain Avro without container. Empty: none. While no reader is connected, up to
  // 65,536 records or 64 MiB wait; further ones are dropped and counted. A reader that connects
  // again gets the header, entities before records that refer to them, and what its predecessor
  // left unread. run() waits for a slow reader; after the end or exit(), for 10 seconds.
  std::string socket_path;
  Callback callback;         // may be empty
  K8sCallback k8s_callback;  // may be empty

  std::string exporter;  // name in the header. Empty: the host name in the capture
  std::string node_ip;   // address in the header
  std::string filename;  // file name in the header. Empty: the file that is written
  std::string filter;    // only events that pass this Falco filter make records. Empty: all

  FileReads file_reads = FileReads::kOutsideSystemDirectories;
  FileTracking file_tracking = FileTracking::kFlows;
  bool files_only = true;        // no flows of pipes, directories and unix sockets
  bool process_flows = true;     // count threads in process flows, instead of one event per thread
  bool containers_only = false;  // only records of processes in containers
  bool compat = false;           // records of the SysFlow collector 0.7, including its known bugs
  // Seconds of event time after which a new header starts and entities are emitted again; 0: never.
  int64_t rotate_seconds = 0;

  // Seconds between statistics, which also come at each rotation and at the end: a line of the log
  // and a call of `statistics`. 0: none.
  int64_t stats_seconds = 0;
  StatisticsHook statistics;  // may be empty
  LogHook log;                // messages of the run; may be empty

  LiveConfig live;  // only without input_path
};

}  // namespace sfkit
