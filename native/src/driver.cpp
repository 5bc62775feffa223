#include <sfkit/driver.h>
#include <sfkit/version.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "base/hash.h"
#include "base/summary.h"
#include "kubernetes/watcher.h"
#include "library/pod_view.h"
#include "library/record_gate.h"
#include "live/source.h"
#include "output/avro_encoder.h"
#include "output/file_sink.h"
#include "output/socket_sink.h"
#include "runtimes/watcher.h"
#include "sysflow/convert.h"
#include "sysflow/fan_out.h"
#include "sysflow/records.h"

namespace sfkit {
namespace {

using sysflow::Foid;
using sysflow::Oid;

constexpr int32_t kContainerTypes = static_cast<int32_t>(ContainerType::kBpm) + 1;
constexpr uint32_t kMinRingBytes = 4096;
// Bytes in the path of a unix socket (linux/un.h).
constexpr size_t kMaxSocketPath = 107;
constexpr int64_t kMaxTimeoutSeconds = 3600;
const std::string kRunningKernel = "the running kernel";
constexpr uint32_t kMaxSamplingRatio = 128;

static_assert(static_cast<uint32_t>(Operation::kClone) == sysflow::kOpClone);
static_assert(static_cast<uint32_t>(Operation::kRename) == sysflow::kOpRename);

// --- Conversion of the engine's records to the public views.
std::string_view view_of(const SharedText& text) {
  return text.view();
}
std::string_view view_of(const std::string& text) {
  return text;
}
template <typename Text>
std::optional<std::string_view> view_of(const std::optional<Text>& text) {
  return text ? std::optional(view_of(*text)) : std::nullopt;
}
ProcessId view_of(const Oid& oid) {
  return {oid.create_ts, oid.hpid};
}
Counters view_of(const sysflow::Counters& counters) {
  return {counters.read_ops, counters.write_ops, counters.read_bytes, counters.write_bytes};
}
Header view_of(const sysflow::Header& record) {
  return {record.version, record.exporter, record.ip, record.filename};
}
Container view_of(const sysflow::Container& record) {
  const bool is_known = record.type >= 0 && record.type < kContainerTypes;
  return {record.id,
          record.name,
          record.image,
          record.imageid,
          is_known ? static_cast<ContainerType>(record.type) : ContainerType::kOther,
          record.privileged,
          view_of(record.pod_id)};
}
ObjectState view_of(sysflow::ObjectState state) {
  return static_cast<ObjectState>(state);
}
Process view_of(const sysflow::Process& record) {
  return {view_of(record.state),
          view_of(record.oid),
          record.poid ? std::optional(view_of(*record.poid)) : std::nullopt,
          record.ts,
          record.exe.view(),
          record.exe_args.view(),
          record.uid,
          record.user_name.view(),
          record.gid,
          record.group_name.view(),
          record.tty,
          view_of(record.container_id),
          record.entry,
          record.cwd.view(),
          TextView(record.env.text().view())};
}
FileType file_type(int32_t type) {
  switch (type) {
    case 'f': return FileType::kFile;
    case 'd': return FileType::kDirectory;
    case 'u': return FileType::kUnixSocket;
    case 'p': return FileType::kPipe;
    default: return FileType::kUnknown;
  }
}
File view_of(const sysflow::File& record) {
  return {view_of(record.state),     record.oid,         record.ts,
          file_type(record.restype), record.path.view(), view_of(record.container_id)};
}
ProcessEvent view_of(const sysflow::ProcessEvent& record) {
  return {view_of(record.proc_oid),    record.ts,    record.tid,
          Operations(record.op_flags), &record.args, record.ret};
}
NetworkFlow view_of(const sysflow::NetworkFlow& record) {
  return {view_of(record.proc_oid),
          record.ts,
          record.tid,
          Operations(record.op_flags),
          record.end_ts,
          record.ipv6,
          record.sip.bytes,
          record.sport,
          record.dip.bytes,
          record.dport,
          static_cast<Protocol>(record.proto),
          record.fd,
          view_of(record.counters)};
}
FileFlow view_of(const sysflow::FileFlow& record) {
  return {view_of(record.proc_oid), record.ts,     record.tid,      Operations(record.op_flags),
          record.open_flags,        record.end_ts, record.file_oid, record.fd,
          view_of(record.counters)};
}
FileEvent view_of(const sysflow::FileEvent& record) {
  return {view_of(record.proc_oid), record.ts,  record.tid,         Operations(record.op_flags),
          record.file_oid,          record.ret, record.new_file_oid};
}
ProcessFlow view_of(const sysflow::ProcessFlow& record) {
  return {view_of(record.proc_oid),    record.ts,     record.threads_cloned,
          Operations(record.op_flags), record.end_ts, record.threads_exited,
          record.clone_errors};
}
NetworkEvent view_of(const sysflow::NetworkEvent& record) {
  return {view_of(record.proc_oid),
          record.ts,
          record.tid,
          Operations(record.op_flags),
          record.sip.bytes,
          record.sport,
          record.dip.bytes,
          record.dport,
          static_cast<Protocol>(record.proto),
          record.ret};
}
K8sEvent view_of(const sysflow::K8sEvent& record) {
  return {static_cast<K8sKind>(output::k8s_kind_number(record.kind)),
          static_cast<K8sAction>(output::k8s_action_number(record.action)), record.ts,
          record.message};
}

// An entity and its view. The view refers to the record, so the pair must not move.
template <typename Record, typename View>
struct Entity {
  explicit Entity(const Record& from) : record(from), view(view_of(record)) {}
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;

  const Record record;
  const View view;
};

std::vector<ReasonCount> counts_of(const std::vector<Skipped>& reasons) {
  std::vector<ReasonCount> counts;
  for (const Skipped& skipped : reasons)
    counts.push_back({info_of(skipped.reason).text, skipped.count});
  return counts;
}

void set_summary(Summary& summary, const InputSummary& input) {
  summary.format = input.format;
  summary.compression = input.compression;
  summary.events = input.events;
  summary.bytes = input.bytes;
  summary.first_time = input.first_time;
  summary.last_time = input.last_time;
  for (const Damage& damage : input.damage)
    summary.damage.push_back({damage.kind, damage.offset, damage.skipped_bytes, damage.message});
  summary.skipped = counts_of(input.skipped);
  summary.notes = counts_of(input.notes);
}

sysflow::ConvertOptions convert_options_of(const DriverConfig& config) {
  sysflow::ConvertOptions options;
  options.exporter = config.exporter;
  options.node_ip = config.node_ip;
  options.filename = config.filename;
  options.filter = config.filter;
  options.file_read_mode = static_cast<int>(config.file_reads);
  options.file_only = config.files_only;
  options.process_flow = config.process_flows;
  options.containers_only = config.containers_only;
  options.compat = config.compat;
  options.rotate_interval = config.rotate_seconds;
  switch (config.file_tracking) {
    case FileTracking::kFlows: options.mode = sysflow::Mode::kFlow; break;
    case FileTracking::kOpens: options.mode = sysflow::Mode::kConsumer; break;
    case FileTracking::kNone: options.mode = sysflow::Mode::kNoFiles; break;
  }
  return options;
}

live::LiveOptions live_options(const LiveConfig& config) {
  live::LiveOptions options;
  options.probe.all_calls = config.all_calls;
  options.probe.snaplen = config.snaplen;
  options.probe.sampling_ratio = config.sampling_ratio;
  options.probe.ring_bytes = config.ring_bytes;
  options.probe.cpus_per_ring = config.cpus_per_ring;
  options.probe.raw_tracepoints = config.raw_tracepoints;
  options.record_path = config.record_path;
  options.record_gzip = config.record_gzip;
  options.max_events = config.max_events;
  options.drops_privileges = config.drop_privileges;
  options.host_root = config.host_root;
  return options;
}

Status check(const DriverConfig& config) {
  const auto invalid = [](const char* message) {
    return Status(ErrorCode::kInvalidArgument, message);
  };
  if (config.rotate_seconds < 0) return invalid("rotate_seconds: expected 0 or more");
  if (config.stats_seconds < 0) return invalid("stats_seconds: expected 0 or more");
  if (config.socket_path.size() > kMaxSocketPath)
    return invalid("socket_path: expected at most 107 bytes");
  const LiveConfig& live = config.live;
  if (live.sampling_ratio == 0 || live.sampling_ratio > kMaxSamplingRatio)
    return invalid("live.sampling_ratio: expected 1 to 128");
  if (live.ring_bytes < kMinRingBytes || !std::has_single_bit(live.ring_bytes))
    return invalid("live.ring_bytes: expected a power of two of at least 4096");
  if (live.cri_socket.size() > kMaxSocketPath)
    return invalid("live.cri_socket: expected at most 107 bytes");
  if (live.runtime_timeout_seconds < 0 || live.runtime_timeout_seconds > kMaxTimeoutSeconds)
    return invalid("live.runtime_timeout_seconds: expected 0 to 3600");
  return Status::ok();
}

runtimes::WatcherOptions watcher_options(const LiveConfig& config) {
  runtimes::WatcherOptions options;
  options.sockets = runtimes::usual_sockets(config.host_root);
  if (!config.cri_socket.empty()) options.sockets.cri = {config.cri_socket};
  options.timeout = std::chrono::seconds(config.runtime_timeout_seconds);
  return options;
}

kubernetes::Options kubernetes_options(const LiveConfig& config) {
  kubernetes::Options options;
  options.url = config.k8s_api_url;
  options.cert = config.k8s_api_cert;
  options.node = config.k8s_node;
  return options;
}

// Keeps the entities that records refer to, joins them and calls back.
class Joiner : public sysflow::RecordSink {
 public:
  Joiner(const Callback& callback, const K8sCallback& k8s_callback, std::atomic<bool>& stop)
      : callback_(callback), k8s_callback_(k8s_callback), stop_(stop) {}

  void header(const sysflow::Header& record) override {
    header_.emplace(record);
    // Records after a header do not refer to earlier entities.
    pods_.clear();
    containers_.clear();
    processes_.clear();
    files_.clear();
  }
  void pod(const sysflow::Pod& record) override { replace(pods_, record.id, record); }
  void container(const sysflow::Container& record) override {
    replace(containers_, record.id, record);
  }
  void process(const sysflow::Process& record) override { replace(processes_, record.oid, record); }
  void file(const sysflow::File& record) override { replace(files_, record.oid, record); }
  void process_event(const sysflow::ProcessEvent& record) override { give(record); }
  void network_flow(const sysflow::NetworkFlow& record) override { give(record); }
  void file_flow(const sysflow::FileFlow& record) override { give(record, &record.file_oid); }
  void file_event(const sysflow::FileEvent& record) override {
    give(record, &record.file_oid, record.new_file_oid ? &*record.new_file_oid : nullptr);
  }
  void process_flow(const sysflow::ProcessFlow& record) override { give(record); }
  void network_event(const sysflow::NetworkEvent& record) override { give(record); }
  void k8s_event(const sysflow::K8sEvent& record) override {
    if (!ended_ && k8s_callback_) keep_going(k8s_callback_(&header_->view, view_of(record)));
  }
  void process_gone(const Oid& oid) override { processes_.erase(oid); }
  void files_forgotten() override { files_.clear(); }
  void container_gone(std::string_view id) override { remove(containers_, id); }
  void pod_gone(std::string_view id) override { remove(pods_, id); }

 private:
  template <typename Record>
  void give(const Record& record, const Foid* file1 = nullptr, const Foid* file2 = nullptr) {
    // After the callback has ended the run, the remaining records are not reported.
    if (ended_ || !callback_) return;
    Joined joined;
    joined.header = &header_->view;
    joined.process = find(processes_, &record.proc_oid);
    if (joined.process != nullptr && joined.process->container_id)
      joined.container = find(containers_, &*joined.process->container_id);
    if (joined.container != nullptr && joined.container->pod_id)
      joined.pod = find(pods_, &*joined.container->pod_id);
    joined.file1 = find(files_, file1);
    joined.file2 = find(files_, file2);
    const auto view = view_of(record);
    keep_going(callback_(joined, Activity(&view)));
  }

  void keep_going(bool goes_on) {
    if (goes_on) return;
    ended_ = true;
    stop_.store(true, std::memory_order_relaxed);
  }

  template <typename Map, typename Key, typename Record>
  static void replace(Map& map, const Key& key, const Record& record) {
    if (const auto found = map.find(key); found != map.end()) map.erase(found);
    map.try_emplace(key, record);
  }
  template <typename Map>
  static void remove(Map& map, std::string_view id) {
    if (const auto found = map.find(id); found != map.end()) map.erase(found);
  }
  template <typename Map, typename Key>
  static auto find(const Map& map, const Key* key) -> decltype(&map.begin()->second.view) {
    if (key == nullptr) return nullptr;
    const auto found = map.find(*key);
    return found == map.end() ? nullptr : &found->second.view;
  }

  const Callback& callback_;
  const K8sCallback& k8s_callback_;
  std::atomic<bool>& stop_;
  bool ended_ = false;
  std::optional<Entity<sysflow::Header, Header>> header_{sysflow::Header()};
  std::unordered_map<std::string, library::PodView, TextHash, std::equal_to<>> pods_;
  std::unordered_map<std::string, Entity<sysflow::Container, Container>, TextHash, std::equal_to<>>
      containers_;
  std::unordered_map<Oid, Entity<sysflow::Process, Process>, sysflow::OidHash> processes_;
  std::unordered_map<Foid, Entity<sysflow::File, File>, sysflow::FoidHash> files_;
};

}  // namespace

// The state of a driver, hidden from its users.
class Driver::Run {
 public:
  explicit Run(DriverConfig config) : config_(std::move(config)) {
    if (!config_.log) return;
    log_ = [this](const LogMessage& message) {
      const std::lock_guard lock(log_mutex_);
      config_.log(message);
    };
  }

  Status run() {
    log(1, "reading " + (is_live() ? kRunningKernel : config_.input_path));
    InputSummary input;
    const Status status = convert(input);
    set_summary(summary_, input);
    if (!status.is_ok()) {
      log(1, status.message());
      return status;
    }
    log(1, "read " + std::to_string(input.events) + " events");
    if (!input.damage.empty()) {
      const Damage& damage = input.damage.front();
      log(1, config_.input_path + ": damaged at byte " + std::to_string(damage.offset) + ": " +
                 damage.message + "; everything readable was delivered");
    }
    return status;
  }
  void exit() { stop_.store(true, std::memory_order_relaxed); }
  const Summary& summary() const { return summary_; }

 private:
  bool is_live() const { return config_.input_path.empty(); }

  Status convert(InputSummary& input) {
    if (Status status = check(config_); !status.is_ok()) return status;
    std::vector<sysflow::RecordSink*> sinks;
    std::optional<Joiner> joiner;
    if (config_.callback || config_.k8s_callback)
      sinks.push_back(&joiner.emplace(config_.callback, config_.k8s_callback, stop_));
    std::optional<output::FileSink> files;
    if (!config_.output_path.empty()) {
      files.emplace(file_settings());
      if (Status status = files->start(); !status.is_ok()) return status;
      sinks.push_back(&*files);
    }
    std::optional<output::SocketSink> socket;
    if (!config_.socket_path.empty())
      sinks.push_back(&socket.emplace(config_.socket_path, log_, stop_));

    sysflow::FanOut all(std::move(sinks));
    library::RecordGate* counter = nullptr;
    const auto report = [&](Statistics::Reason reason) {
      this->report(reason, counter->records(),
                   socket ? socket->dropped() + socket->dropped_ipv6() : 0);
    };
    library::RecordGate gate(all, files ? &*files : nullptr, config_.stats_seconds, report, stop_);
    counter = &gate;

    sysflow::ConvertOptions options = convert_options();
    if (files) options.name_file = [&](int64_t second) { return begin_file(*files, second); };
    Status status =
        is_live() ? capture(std::move(options), gate, input)
                  : sysflow::convert_capture(config_.input_path, options, gate, cancel_, input);
    if (status.is_ok() && files) status = files->commit();
    if (status.is_ok() && socket) socket->close();
    summary_.records = gate.records();
    if (files) {
      summary_.files = files->written();
      input.add_skipped(Reason::kIpv6FlowsInSfFiles, files->skipped_ipv6_flows());
    }
    if (socket) {
      summary_.socket_sent = socket->sent();
      summary_.socket_dropped = socket->dropped();
      summary_.socket_dropped_ipv6 = socket->dropped_ipv6();
      input.add_skipped(Reason::kSocketReaderTooSlow, socket->dropped());
      input.add_skipped(Reason::kIpv6FlowsInSocket, socket->dropped_ipv6());
    }
    return status;
  }

  // A live capture can take long: its unfinished files stay, whatever happens. They have data of
  // other programs.
  output::FileSettings file_settings() const {
    return {config_.output_path,
            config_.rotate_seconds > 0,
            {.keeps = is_live(), .is_private = is_live(), .ending = &stop_}};
  }

  // Returns the name for the header.
  std::string begin_file(output::FileSink& files, int64_t second) {
    // A live capture can end before its first event.
    std::string name = files.begin(second == 0 && is_live() ? std::time(nullptr) : second);
    if (files.has_failed()) stop_.store(true, std::memory_order_relaxed);
    return config_.filename.empty() ? name : config_.filename;
  }

  sysflow::ConvertOptions convert_options() {
    sysflow::ConvertOptions options = convert_options_of(config_);
    options.stop = &stop_;
    options.sizes = &sizes_;
    return options;
  }

  Status capture(sysflow::ConvertOptions options, sysflow::RecordSink& sink,
                 InputSummary& summary) {
    std::optional<kubernetes::Settings> cluster;
    if (config_.live.ask_kubernetes) {
      auto found = kubernetes::find_settings(kubernetes_options(config_.live));
      if (!found.is_ok()) return found.status();
      cluster = std::move(found.value());
    }
    auto source = live::LiveSource::open(live_options(config_.live));
    if (!source.is_ok()) return source.status();
    // Live records must not wait for the end of a long run.
    options.flush_interval = 1;
    std::optional<runtimes::ContainerWatcher> containers;
    if (config_.live.ask_runtimes) {
      containers.emplace(watcher_options(config_.live), [&source](const std::string& json) {
        source.value()->describe_container(json);
      });
      options.container_seen = [&containers](const state::ContainerInfo& container) {
        containers->add(container.id.view(), container.cgroups);
      };
    }
    const std::unique_ptr<scap::Input> input = source.value()->input();
    std::optional<kubernetes::Watcher> watcher;
    if (cluster) {
      watcher.emplace(
          std::move(*cluster),
          [&source](const std::string& json) { source.value()->add_kubernetes_event(json); },
          [this](const std::string& message) { warn(message); });
    }
    const Status status =
        sysflow::convert_capture(*input, kRunningKernel, options, sink, cancel_, summary);
    containers.reset();
    watcher.reset();
    // After an early end, the recording still gets its last events.
    input->stop();
    for (Bytes rest = input->peek(1); !rest.empty(); rest = input->peek(1))
      input->consume(rest.size());
    for (const live::LiveGap& gap : source.value()->counts().gaps)
      summary.add_skipped(gap.reason, gap.count);
    const std::string failure = source.value()->recording_failure();
    return status.is_ok() && !failure.empty() ? Status(ErrorCode::kUnwritable, failure) : status;
  }

  void report(Statistics::Reason reason, uint64_t records, uint64_t dropped) const {
    const auto size = [](const std::atomic<uint64_t>& of) {
      return of.load(std::memory_order_relaxed);
    };
    const Statistics statistics{reason,
                                size(sizes_.containers),
                                size(sizes_.processes),
                                size(sizes_.files),
                                size(sizes_.network_flows),
                                size(sizes_.file_flows),
                                size(sizes_.process_flows),
                                records,
                                dropped};
    log(0, "Container Table: " + std::to_string(statistics.containers) +
               " Process Table: " + std::to_string(statistics.processes) +
               " File Table: " + std::to_string(statistics.files) +
               " NetworkFlow Table: " + std::to_string(statistics.network_flows) +
               " FileFlow Table: " + std::to_string(statistics.file_flows) +
               " ProcFlow Table: " + std::to_string(statistics.process_flows) +
               " Num Records Written: " + std::to_string(records) +
               " Dropped: " + std::to_string(dropped));
    if (config_.statistics) config_.statistics(statistics);
  }

  void warn(const std::string& text) const {
    if (log_) log_({LogSeverity::kWarning, 0, "driver", text});
  }

  void log(int verbosity, const std::string& text) const {
    if (log_) log_({LogSeverity::kInfo, verbosity, "driver", text});
  }

  const DriverConfig config_;
  std::atomic<bool> stop_{false};
  const std::atomic<bool> cancel_{false};
  std::mutex log_mutex_;
  LogHook log_;  // config_.log for one message at a time; empty if that is
  sysflow::TableSizes sizes_;
  Summary summary_;
};

Driver::Driver(DriverConfig config) : run_(std::make_unique<Run>(std::move(config))) {}

Driver::~Driver() = default;

Status Driver::run() {
  return run_->run();
}

void Driver::exit() {
  run_->exit();
}

const Summary& Driver::summary() const {
  return run_->summary();
}

std::string escape(std::string_view text) {
  std::string escaped;
  append_escaped(escaped, text);
  return escaped;
}

const char* version() {
  return SFKIT_VERSION;
}

}  // namespace sfkit
