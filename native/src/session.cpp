#include "session.h"

#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <memory>

#include "output/avro_container.h"
#include "output/avro_files.h"
#include "output/column_sink.h"
#include "output/file_names.h"
#include "output/null_sink.h"
#include "recover.h"
#include "sysflow/fan_out.h"
#include "sysflow/forwarding_sink.h"
#include "sysflow_file/reader.h"

namespace sfkit {

namespace {

constexpr const char* kTypeNames[] = {"Container",   "Process",  "File",      "ProcessEvent",
                                      "NetworkFlow", "FileFlow", "FileEvent", "NetworkEvent",
                                      "ProcessFlow", "Pod",      "K8sEvent"};

// Maximum delay of live records.
constexpr int64_t kLiveFlushSeconds = 1;

// Counts records on their way to another sink.
class CountingSink : public sysflow::ForwardingSink {
 public:
  CountingSink(sysflow::RecordSink& next, RecordCounts& counts)
      : ForwardingSink(&next), counts_(counts) {}

  void container(const sysflow::Container& record) override {
    counts_.add(RecordCounts::kContainer);
    ForwardingSink::container(record);
  }
  void process(const sysflow::Process& record) override {
    counts_.add(RecordCounts::kProcess);
    ForwardingSink::process(record);
  }
  void file(const sysflow::File& record) override {
    counts_.add(RecordCounts::kFile);
    ForwardingSink::file(record);
  }
  void process_event(const sysflow::ProcessEvent& record) override {
    counts_.add(RecordCounts::kProcessEvent);
    ForwardingSink::process_event(record);
  }
  void network_flow(const sysflow::NetworkFlow& record) override {
    counts_.add(RecordCounts::kNetworkFlow);
    ForwardingSink::network_flow(record);
  }
  void file_flow(const sysflow::FileFlow& record) override {
    counts_.add(RecordCounts::kFileFlow);
    ForwardingSink::file_flow(record);
  }
  void file_event(const sysflow::FileEvent& record) override {
    counts_.add(RecordCounts::kFileEvent);
    ForwardingSink::file_event(record);
  }
  void process_flow(const sysflow::ProcessFlow& record) override {
    counts_.add(RecordCounts::kProcessFlow);
    ForwardingSink::process_flow(record);
  }
  void network_event(const sysflow::NetworkEvent& record) override {
    counts_.add(RecordCounts::kNetworkEvent);
    ForwardingSink::network_event(record);
  }
  void pod(const sysflow::Pod& record) override {
    counts_.add(RecordCounts::kPod);
    ForwardingSink::pod(record);
  }
  void k8s_event(const sysflow::K8sEvent& record) override {
    counts_.add(RecordCounts::kK8sEvent);
    ForwardingSink::k8s_event(record);
  }

 private:
  RecordCounts& counts_;
};

}  // namespace

Session::Session(SessionConfig config) : config_(std::move(config)) {
  config_.options.sizes = &sizes_;
  if (config_.tallies) config_.options.tally = &tally_;
  if (!config_.file_names.empty()) {
    const bool is_live = config_.kind == InputKind::kLive;
    config_.options.name_file =
        [is_live, names = output::FileNames(config_.file_names)](int64_t second) mutable {
          // A live capture can end before its first event.
          if (second == 0 && is_live) second = std::time(nullptr);
          return names.next(second);
        };
  }
  if (config_.kind != InputKind::kLive) {
    config_.options.stop = &stop_;
    return;
  }
  config_.options.flush_interval = kLiveFlushSeconds;
  config_.options.container_seen = [this](const state::ContainerInfo& container) {
    const std::lock_guard lock(input_mutex_);
    unknown_containers_.push_back({container.id.str(), container.cgroups});
  };
}

std::vector<UnknownContainer> Session::take_unknown_containers() {
  const std::lock_guard lock(input_mutex_);
  return std::exchange(unknown_containers_, {});
}

void Session::describe_container(std::string_view json) {
  const std::lock_guard lock(input_mutex_);
  if (source_) source_->describe_container(json);
}

void Session::add_kubernetes_event(std::string_view json) {
  const std::lock_guard lock(input_mutex_);
  if (source_) source_->add_kubernetes_event(json);
}

std::string Session::input_name() const {
  if (config_.kind == InputKind::kLive) return "the running kernel";
  return config_.input == "-" ? "standard input" : config_.input;
}

Session::~Session() {
  close();
}

void Session::next(Queue::Taker taker) {
  if (!started_) {
    started_ = true;
    thread_ = std::thread([this] { run(); });
  }
  queue_.take(std::move(taker));
}

void Session::stop() {
  stop_.store(true, std::memory_order_relaxed);
  // A file stops between two events. A pipe can be silent for long, and a live capture has an end
  // to deliver.
  std::error_code ignored;
  if (config_.kind != InputKind::kLive && std::filesystem::is_regular_file(config_.input, ignored))
    return;
  const std::lock_guard lock(input_mutex_);
  interrupted_ = true;
  if (input_ != nullptr) input_->stop();
}

void Session::close() {
  started_ = true;
  cancel_.store(true, std::memory_order_relaxed);
  queue_.cancel();
  {
    const std::lock_guard lock(input_mutex_);
    if (input_ != nullptr) input_->stop();
    if (source_) source_->cancel();
  }
  if (thread_.joinable()) thread_.join();
}

SessionSummary Session::summary() const {
  SessionSummary summary;
  {
    const std::lock_guard lock(summary_mutex_);
    summary.input = summary_;
    summary.shown = shown_;
    summary.info = info_;
    summary.containers_seen = containers_seen_;
  }
  if (!done_.load()) {
    summary.input.events = Progress::get(progress_.events);
    summary.input.bytes = Progress::get(progress_.bytes);
  }
  const auto current = [](const std::atomic<uint64_t>& size) {
    return size.load(std::memory_order_relaxed);
  };
  summary.start_seconds = sizes_.start_seconds.load(std::memory_order_relaxed);
  summary.containers = current(sizes_.containers);
  summary.processes = current(sizes_.processes);
  summary.files = current(sizes_.files);
  summary.network_flows = current(sizes_.network_flows);
  summary.file_flows = current(sizes_.file_flows);
  summary.process_flows = current(sizes_.process_flows);
  const uint64_t skipped = skipped_ipv6_flows_.load(std::memory_order_relaxed);
  {
    const std::lock_guard lock(input_mutex_);
    if (source_) {
      summary.live = source_->counts();
      summary.live_running = !done_.load();
      summary.recording_failure = source_->recording_failure();
      summary.privileges_failure = source_->privileges_failure();
    }
  }
  for (size_t type = 0; type < RecordCounts::kTypes; ++type) {
    uint64_t count = counts_.of(static_cast<RecordCounts::Type>(type));
    if (type == RecordCounts::kNetworkFlow) count -= skipped;
    if (count != 0) summary.records.emplace_back(kTypeNames[type], count);
  }
  return summary;
}

void Session::run() {
  InputSummary summary;
  Status status;
  std::optional<ProgressScope> scope;
  if (config_.kind != InputKind::kLive) scope.emplace(progress_);
  // std::bad_alloc is the only possible exception; it must not leave the thread.
  try {
    status = work(summary);
  } catch (const std::exception& error) {
    status = Status(ErrorCode::kUnreadable, input_name() + ": reading failed: " + error.what());
  }
  {
    const std::lock_guard lock(summary_mutex_);
    summary_ = std::move(summary);
  }
  done_.store(true);
  queue_.close(std::move(status));
}

Result<InputKind> Session::input_kind() const {
  if (config_.kind != InputKind::kAuto) return config_.kind;
  std::error_code ignored;
  const auto type = std::filesystem::status(config_.input, ignored).type();
  if (type == std::filesystem::file_type::not_found ||
      type == std::filesystem::file_type::directory) {
    // The capture reader reports the error.
    return InputKind::kCapture;
  }
  if (type != std::filesystem::file_type::regular) {
    return Status(
        ErrorCode::kNotSupported,
        config_.input + ": not a regular file, so its kind cannot be detected; specify the kind");
  }
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(config_.input.c_str(), "rb"));
  std::array<char, 4> start{};
  const size_t got = file ? std::fread(start.data(), 1, start.size(), file.get()) : 0;
  return std::string_view(start.data(), got) == sysflow_file::kMagic ? InputKind::kSysflow
                                                                     : InputKind::kCapture;
}

Status Session::work(InputSummary& summary) {
  const auto kind = input_kind();
  if (!kind.is_ok()) return kind.status();
  if (kind.value() == InputKind::kSysflow) {
    if (!config_.options.filter.empty()) {
      return {ErrorCode::kInvalidArgument,
              config_.input +
                  ": a filter is about the events of a capture, and this is a SysFlow file"};
    }
    return convert(nullptr, summary);
  }
  summary.format = "scap";
  auto opened = open_input(kind.value());
  if (!opened.is_ok()) return opened.status();
  // Lets close() end a read that waits for a pipe.
  {
    const std::lock_guard lock(input_mutex_);
    input_ = opened.value().get();
    if (cancel_.load() || interrupted_) input_->stop();
  }
  // Also resets input_ if memory runs out.
  struct InputReset {
    Session& session;
    ~InputReset() {
      const std::lock_guard lock(session.input_mutex_);
      session.input_ = nullptr;
    }
  } const reset{*this};
  Status status = read(*opened.value(), summary);
  const std::lock_guard lock(input_mutex_);
  // A pipe can be stopped inside an event; that is not damage.
  if (interrupted_) summary.damage.clear();
  return status;
}

Result<std::unique_ptr<scap::Input>> Session::open_input(InputKind kind) {
  if (kind != InputKind::kLive) return scap::Input::open(config_.input);
  auto source = live::LiveSource::open(config_.live);
  if (!source.is_ok()) return source.status();
  const std::lock_guard lock(input_mutex_);
  source_ = std::move(source.value());
  return source_->input();
}

Status Session::read(scap::Input& input, InputSummary& summary) {
  const std::string name = input_name();
  const auto give = [this](std::vector<uint8_t> bytes) { return queue_.push(std::move(bytes)); };
  uint64_t events = 0;
  events::CaptureInfo info;
  rules::ContainersSeen containers;
  Status status;
  switch (config_.output) {
    case OutputKind::kLines:
      status = events::list_events(input, name, config_.lines, give, cancel_, summary, events);
      break;
    case OutputKind::kRecovered:
      status = recover_capture(input, name, give, cancel_, summary, events);
      break;
    case OutputKind::kInfo:
      status =
          events::inspect_capture(input, name, {config_.options.filter, config_.options.max_memory},
                                  cancel_, summary, info);
      break;
    case OutputKind::kFindings:
      status = rules::check_capture(input, name, config_.rules, give, cancel_, summary, containers);
      break;
    case OutputKind::kColumns: {
      if (config_.tables.size() != 1 || !events::is_capture_table(config_.tables[0]))
        return convert(&input, summary);
      const events::TableOptions options{config_.tables[0],       config_.options.filter,
                                         config_.capture_columns, config_.batch_rows,
                                         config_.moments,         config_.options.max_memory};
      const auto give_rows = [this](output::ColumnBatch batch) {
        return queue_.push(std::move(batch));
      };
      status = events::tabulate(input, name, options, give_rows, cancel_, summary, events);
      break;
    }
    default: return convert(&input, summary);
  }
  const std::lock_guard lock(summary_mutex_);
  shown_ = events;
  info_ = std::move(info);
  containers_seen_ = containers;
  return status;
}

Status Session::convert(scap::Input* capture, InputSummary& summary) {
  const auto give_file = [this](const output::FileStart& file, std::vector<uint8_t> bytes) {
    return queue_.push(FileBytes{file, std::move(bytes)});
  };
  const bool rotates = config_.options.rotate_interval > 0;
  const auto make_datums = [this] {
    return std::make_unique<output::DatumSink>(
        [this](output::DatumBatch batch) { return queue_.push(std::move(batch)); });
  };
  std::unique_ptr<sysflow::RecordSink> sink;
  // Further outputs of the same records.
  std::vector<std::unique_ptr<sysflow::RecordSink>> beside;
  output::AvroFiles* files_beside = nullptr;
  output::AvroContainer* avro = nullptr;
  output::ColumnSink* columns = nullptr;
  output::AvroFiles* only_files = nullptr;
  switch (config_.output) {
    case OutputKind::kAvro: {
      auto container = std::make_unique<output::AvroContainer>(
          [this](std::vector<uint8_t> bytes) { return queue_.push(std::move(bytes)); },
          config_.codec);
      avro = container.get();
      sink = std::move(container);
      break;
    }
    case OutputKind::kColumns: {
      auto builder = std::make_unique<output::ColumnSink>(
          config_.tables, config_.batch_rows,
          [this](output::ColumnBatch batch) { return queue_.push(std::move(batch)); });
      columns = builder.get();
      sink = std::move(builder);
      break;
    }
    case OutputKind::kFiles: {
      auto files = std::make_unique<output::AvroFiles>(give_file, config_.codec, rotates);
      only_files = files.get();
      sink = std::move(files);
      break;
    }
    case OutputKind::kDatums: sink = make_datums(); break;
    case OutputKind::kNone:
    case OutputKind::kLines:
    case OutputKind::kRecovered:
    case OutputKind::kFindings:
    case OutputKind::kInfo: sink = std::make_unique<output::NullSink>(); break;
  }
  if (config_.output == OutputKind::kColumns && config_.with_datums)
    beside.push_back(make_datums());
  const bool takes_files =
      config_.output == OutputKind::kColumns || config_.output == OutputKind::kDatums;
  if (config_.with_files && takes_files) {
    auto files = std::make_unique<output::AvroFiles>(give_file, config_.codec, rotates);
    files_beside = files.get();
    beside.push_back(std::move(files));
  }
  if (!beside.empty()) {
    std::vector<sysflow::RecordSink*> sinks{sink.get()};
    for (const auto& other : beside) sinks.push_back(other.get());
    beside.push_back(std::move(sink));
    sink = std::make_unique<sysflow::FanOut>(std::move(sinks));
  }
  CountingSink counting(*sink, counts_);
  Status status;
  if (capture == nullptr) {
    status = sysflow_file::read_sysflow_file(config_.input, counting, cancel_, summary);
  } else {
    status = sysflow::convert_capture(*capture, input_name(), config_.options, counting, cancel_,
                                      summary);
  }
  if (columns != nullptr) {
    summary.add_note(Reason::kImpossibleTimes, columns->impossible_times());
    summary.add_skipped(Reason::kCutTexts, columns->cut_texts());
  }
  if (files_beside != nullptr) {
    summary.add_skipped(Reason::kIpv6FlowsInSfFiles, files_beside->skipped_ipv6_flows());
  }
  if (avro != nullptr || only_files != nullptr) {
    const uint64_t skipped =
        avro != nullptr ? avro->skipped_ipv6_flows() : only_files->skipped_ipv6_flows();
    if (skipped != 0) skipped_ipv6_flows_.store(skipped, std::memory_order_relaxed);
    summary.add_skipped(Reason::kIpv6Flows, skipped);
  }
  return status;
}

}  // namespace sfkit
