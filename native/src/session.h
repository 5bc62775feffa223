// One input, one configuration, one kind of output: what the addon and other programs drive.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "events/capture_info.h"
#include "events/listing.h"
#include "events/tables.h"
#include "live/source.h"
#include "output/batch_queue.h"
#include "output/column_batch.h"
#include "output/datum_sink.h"
#include "rules/check_capture.h"
#include "sysflow/convert.h"

namespace sfkit {

enum class InputKind : uint8_t { kAuto, kCapture, kSysflow, kLive };
enum class OutputKind : uint8_t {
  kAvro,
  kColumns,
  kDatums,
  kFiles,
  kNone,
  kLines,
  kRecovered,
  kInfo,
  kFindings,
};

// Meanings as in src/engine/native.ts.
struct SessionConfig {
  std::string input;
  InputKind kind = InputKind::kAuto;
  OutputKind output = OutputKind::kColumns;
  std::vector<output::Table> tables;
  std::vector<output::Column> capture_columns;  // of a capture's table: those that get values; empty for all
  uint32_t batch_rows = 1;
  bool with_files = false;  // kDatums: also the bytes of .sf files
  sysflow::ConvertOptions options;
  events::ListOptions lines;
  rules::CheckOptions rules;  // of OutputKind::kFindings
  live::LiveOptions live;     // of InputKind::kLive
  bool tallies = false;       // count for take_busiest()
};

// Bytes of a .sf file among several.
struct FileBytes {
  uint32_t number = 0;
  int64_t begins = 0;  // as in sysflow::Header
  std::vector<uint8_t> bytes;
};

// Bytes of a file or of lines, rows of a table, or records one by one.
using Batch = std::variant<std::vector<uint8_t>, output::ColumnBatch, output::DatumBatch, FileBytes>;

struct SessionSummary {
  InputSummary input;
  std::vector<std::pair<std::string, uint64_t>> records;  // made, by type; those that occurred
  events::CaptureInfo info;                               // of OutputKind::kInfo
  rules::ContainersSeen containers_seen;                  // of OutputKind::kFindings
  uint64_t shown = 0;                                     // events that were listed, counted or recovered
  // What was alive when that was told last.
  int64_t begins = 0;
  uint64_t containers = 0, processes = 0, files = 0, network_flows = 0, file_flows = 0, process_flows = 0;
  live::LiveCounts live;  // of a running kernel
  bool live_running = false;
  std::string recording_failure;  // these two as of live::LiveSource
  std::string privileges_failure;
};

// A container that nothing is known of but where its processes are.
struct UnknownContainer {
  std::string id;
  std::string cgroups;  // subsystem=path strings, each ended by NUL
};

// Records by type, counted on the engine's thread and read on another.
class RecordCounts {
 public:
  enum Type : uint8_t {
    kContainer,
    kProcess,
    kFile,
    kProcessEvent,
    kNetworkFlow,
    kFileFlow,
    kFileEvent,
    kProcessFlow,
    kPod,
    kK8sEvent,
    kTypes,
  };
  void add(Type type) {
    // One thread writes, so no locked addition is needed.
    counts_[type].store(of(type) + 1, std::memory_order_relaxed);
  }
  uint64_t of(Type type) const { return counts_[type].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kTypes> counts_{};
};

// The engine works on a thread of its own, from the first next() until the end or close(), and only a few
// batches ahead of its consumer. All functions are for one thread, the consumer's.
class Session {
 public:
  using Queue = output::BatchQueue<Batch>;

  explicit Session(SessionConfig config);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `taker` gets the next batch, nothing at the end, or the error; it is called now, or later on the
  // engine's thread. Several may be waiting; they are served in order.
  void next(Queue::Taker taker);
  // What is known: all once the end was given, before that the records so far.
  SessionSummary summary() const;
  // Ends the input where it is; what was read so far is given to its end.
  void stop();
  // Stops and joins the engine's thread; waiting takers get the end.
  void close();
  // Of a live capture: those met since the last call. What is found out about them goes into the capture.
  std::vector<UnknownContainer> take_unknown_containers();
  void describe_container(std::string_view json);
  // Of a live capture with `tallies`: the busiest since the last call.
  std::vector<sysflow::TallyRow> take_busiest(size_t most) { return tally_.take(most); }

 private:
  void run();
  // A capture, or the SysFlow file of the configuration.
  Status convert(scap::Input* capture, InputSummary& summary);
  Status work(InputSummary& summary);
  Status read(scap::Input& input, InputSummary& summary);
  Result<InputKind> input_kind() const;
  Result<std::unique_ptr<scap::Input>> open_input(InputKind kind);
  std::string input_name() const;

  SessionConfig config_;
  Queue queue_;
  std::atomic<bool> cancel_{false};
  std::atomic<bool> stop_{false};
  bool interrupted_ = false;  // by stop(), in the middle of a read
  mutable std::mutex input_mutex_;
  scap::Input* input_ = nullptr;  // while the engine reads it
  std::shared_ptr<live::LiveSource> source_;
  std::vector<UnknownContainer> unknown_containers_;
  std::thread thread_;
  bool started_ = false;
  RecordCounts counts_;
  std::atomic<uint64_t> skipped_ipv6_flows_{0};
  sysflow::TableSizes sizes_;
  sysflow::Tally tally_;
  std::atomic<bool> done_{false};  // the input was read to its end
  mutable std::mutex summary_mutex_;
  InputSummary summary_;  // as of the end
  events::CaptureInfo info_;
  rules::ContainersSeen containers_seen_;
  uint64_t shown_ = 0;
};

}  // namespace sfkit
