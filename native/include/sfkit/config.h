// The configuration of a driver.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include <sfkit/records.h>

namespace sfkit {

// An event or a flow. Exactly one pointer, never null, valid only during the callback.
using Activity = std::variant<const ProcessEvent*, const NetworkFlow*, const FileFlow*,
                              const FileEvent*, const ProcessFlow*>;

// The newest entities that a record refers to; null if the capture does not have them. Valid only
// during the callback.
struct Joined {
  const Header* header = nullptr;  // never null
  const Container* container = nullptr;
  const Process* process = nullptr;
  const File* file1 = nullptr;  // of file flows and file events
  const File* file2 = nullptr;  // the new file of link, symlink and rename
};

// Called for every event and flow, in order, on the thread of Driver::run(). Return false to end
// the run. Must not throw.
using Callback = std::function<bool(const Joined& joined, const Activity& record)>;

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
};

struct DriverConfig {
  // Capture file to read, plain or gzip; "-" is standard input. Empty: capture the running kernel.
  std::string input_path;
  // SysFlow file (.sf) to write; it appears complete at the end of run(). Empty: none.
  std::string output_path;
  Callback callback;  // may be empty

  std::string exporter;  // name in the header. Empty: the host name in the capture
  std::string node_ip;   // address in the header
  std::string filename;  // file name in the header. Empty: the input's
  std::string filter;    // only events that pass this Falco filter make records. Empty: all

  FileReads file_reads = FileReads::kOutsideSystemDirectories;
  FileTracking file_tracking = FileTracking::kFlows;
  bool files_only = true;        // no flows of pipes, directories and unix sockets
  bool process_flows = true;     // count threads in process flows, instead of one event per thread
  bool containers_only = false;  // only records of processes in containers
  bool compat = false;           // records of the SysFlow collector 0.7, including its known bugs
  // Seconds of event time after which a new header starts and entities are emitted again; 0: never.
  int64_t rotate_seconds = 0;

  LiveConfig live;  // only without input_path
};

}  // namespace sfkit
