// A session: one input, one configuration, one kind of output. The addon drives it.
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

#include "base/progress.h"
#include "base/status.h"
#include "events/capture_info.h"
#include "events/listing.h"
#include "events/tables.h"
#include "live/source.h"
#include "output/avro_files.h"
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

// See src/engine/native.ts.
struct SessionConfig {
  std::string input;
  InputKind kind = InputKind::kAuto;
  OutputKind output = OutputKind::kColumns;
  std::vector<output::Table> tables;
  std::vector<output::Column>
      capture_columns;  // of a capture's table: those that get values; empty for all
  std::vector<events::Moment> moments;  // of tables of the state at a moment
  uint32_t batch_rows = 1;
  bool with_files = false;   // kDatums, kColumns: also emit the bytes of .sf files
  bool with_datums = false;  // kColumns: also emit single records
  output::Codec codec = output::Codec::kDeflate;  // of .sf files
  std::string file_names;  // start of the names of .sf files; "" if the header's name is fixed
  sysflow::ConvertOptions options;
  events::ListOptions lines;
  rules::CheckOptions rules;  // for OutputKind::kFindings
  live::LiveOptions live;     // for InputKind::kLive
  bool tallies = false;       // count events for take_busiest()
};

// Bytes of one of several .sf files.
struct FileBytes {
  output::FileStart file;
  std::vector<uint8_t> bytes;
};

// Bytes of a file or of lines, rows of a table, or single records.
using Batch =
    std::variant<std::vector<uint8_t>, output::ColumnBatch, output::DatumBatch, FileBytes>;

struct SessionSummary {
  InputSummary input;
  std::vector<std::pair<std::string, uint64_t>> records;  // emitted records by type, without zeros
  events::CaptureInfo info;                               // for OutputKind::kInfo
  rules::ContainersSeen containers_seen;                  // for OutputKind::kFindings
  uint64_t shown = 0;                                     // events listed, counted or recovered
  // Sizes of the tables of live entities and flows, as of the last update.
  int64_t start_seconds = 0;
  uint64_t containers = 0, processes = 0, files = 0, network_flows = 0, file_flows = 0,
           process_flows = 0;
  live::LiveCounts live;  // for live capture
  bool live_running = false;
  std::string recording_failure;  // see live::LiveSource, also for the next one
  std::string privileges_failure;
};

// A container of which only the id and cgroups are known.
struct UnknownContainer {
  std::string id;
  std::string cgroups;  // NUL-terminated subsystem=path strings
};

// Records by type: written by the engine's thread, readable from any thread.
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
    kNetworkEvent,
    kProcessFlow,
    kPod,
    kK8sEvent,
    kTypes,
  };
  void add(Type type) {
    // A single writer needs no atomic read-modify-write.
    counts_[type].store(of(type) + 1, std::memory_order_relaxed);
  }
  uint64_t of(Type type) const { return counts_[type].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kTypes> counts_{};
};

// The engine runs on its own thread, from the first next() to the end or close(), at most a few
// batches ahead of the consumer. All functions belong to the consumer's thread.
class Session {
 public:
  using Queue = output::BatchQueue<Batch>;

  explicit Session(SessionConfig config);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Passes the next batch, nullopt at the end, or an error to `taker`: now, or later on the
  // engine's thread. Several takers can wait; they are called in order.
  void next(Queue::Taker taker);
  // How far reading is; stays at 0 for a live capture.
  const Progress& progress() const { return progress_; }
  // Final after the end; before that, only bytes, events, record counts and table sizes are
  // current.
  SessionSummary summary() const;
  // Ends the input at the current position. Everything read so far is still delivered.
  void stop();
  // Stops and joins the engine's thread. Waiting takers get the end.
  void close();
  // Live capture: containers first seen since the last call. Pass what you find out about them to
  // describe_container().
  std::vector<UnknownContainer> take_unknown_containers();
  void describe_container(std::string_view json);
  // Live capture: adds an event of the Kubernetes API (JSON as in captures).
  void add_kubernetes_event(std::string_view json);
  // Live capture with `tallies`: the busiest processes and files since the last call, at most
  // `limit`.
  std::vector<sysflow::TallyRow> take_busiest(size_t limit) { return tally_.take(limit); }

 private:
  void run();
  // `capture` may be null: then converts the configured SysFlow file.
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
  scap::Input* input_ = nullptr;  // set while the engine reads it
  std::shared_ptr<live::LiveSource> source_;
  std::vector<UnknownContainer> unknown_containers_;
  std::thread thread_;
  bool started_ = false;
  RecordCounts counts_;
  std::atomic<uint64_t> skipped_ipv6_flows_{0};
  Progress progress_;
  sysflow::TableSizes sizes_;
  sysflow::Tally tally_;
  std::atomic<bool> done_{false};  // the input was read to its end
  mutable std::mutex summary_mutex_;
  InputSummary summary_;  // set at the end
  events::CaptureInfo info_;
  rules::ContainersSeen containers_seen_;
  uint64_t shown_ = 0;
};

}  // namespace sfkit
