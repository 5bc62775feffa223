#include "driver.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "output/avro_container.h"
#include "sysflow/forwarding_sink.h"

namespace sfkit {
namespace {

using sysflow::Foid;
using sysflow::Oid;

constexpr int kDeflateLevel = 2;

// A file that gets its name when it is whole.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path) : path_(path), pending_(path + ".part") {
    file_ = std::fopen(pending_.c_str(), "wb");
    if (file_ == nullptr) fail();
  }
  ~OutputFile() {
    if (file_ != nullptr) std::fclose(file_);
    if (!committed_) std::remove(pending_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  bool write(const std::vector<uint8_t>& bytes) {
    if (!status_.is_ok()) return false;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail();
    return status_.is_ok();
  }
  Status commit() {
    if (!status_.is_ok()) return status_;
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    committed_ = closed && std::rename(pending_.c_str(), path_.c_str()) == 0;
    if (!committed_) fail();
    return status_;
  }
  const Status& status() const { return status_; }

 private:
  void fail() {
    status_ = Status(ErrorCode::kUnreadable, "cannot write " + path_ + ": " + std::strerror(errno));
  }

  std::string path_;
  std::string pending_;
  std::FILE* file_ = nullptr;
  bool committed_ = false;
  Status status_;
};

}  // namespace

// Keeps what can be referred to and calls back; the file, if one is wanted, gets everything too.
class Driver::Sink : public sysflow::ForwardingSink {
 public:
  Sink(const Callback& callback, sysflow::RecordSink* file, std::atomic<bool>& stop)
      : ForwardingSink(file), callback_(callback), stop_(stop) {}

  void header(const sysflow::Header& record) override {
    header_ = record;
    // What follows a header makes sense without what came before.
    containers_.clear();
    processes_.clear();
    files_.clear();
    ForwardingSink::header(record);
  }
  void container(const sysflow::Container& record) override {
    if (callback_) containers_[record.id] = record;
    ForwardingSink::container(record);
  }
  void process(const sysflow::Process& record) override {
    if (callback_) processes_[record.oid] = record;
    ForwardingSink::process(record);
  }
  void file(const sysflow::File& record) override {
    if (callback_) files_[record.oid] = record;
    ForwardingSink::file(record);
  }
  void process_event(const sysflow::ProcessEvent& record) override {
    give(record);
    ForwardingSink::process_event(record);
  }
  void network_flow(const sysflow::NetworkFlow& record) override {
    give(record);
    ForwardingSink::network_flow(record);
  }
  void file_flow(const sysflow::FileFlow& record) override {
    give(record, &record.file_oid);
    ForwardingSink::file_flow(record);
  }
  void file_event(const sysflow::FileEvent& record) override {
    give(record, &record.file_oid, record.new_file_oid ? &*record.new_file_oid : nullptr);
    ForwardingSink::file_event(record);
  }
  void process_flow(const sysflow::ProcessFlow& record) override {
    give(record);
    ForwardingSink::process_flow(record);
  }
  void process_gone(const Oid& oid) override { processes_.erase(oid); }
  void files_forgotten() override { files_.clear(); }
  void container_gone(std::string_view id) override {
    if (const auto found = containers_.find(id); found != containers_.end()) containers_.erase(found);
  }

 private:
  template <typename Record>
  void give(const Record& record, const Foid* file1 = nullptr, const Foid* file2 = nullptr) {
    // Who ended the run is not called again; what follows is the end of what was under way.
    if (!callback_ || ended_) return;
    Joined joined;
    joined.header = &header_;
    joined.process = find(processes_, &record.proc_oid);
    if (joined.process != nullptr && joined.process->container_id) {
      const std::string_view id = *joined.process->container_id;
      joined.container = find(containers_, &id);
    }
    joined.file1 = find(files_, file1);
    joined.file2 = find(files_, file2);
    if (callback_(joined, Activity(&record))) return;
    ended_ = true;
    stop_.store(true, std::memory_order_relaxed);
  }

  template <typename Map, typename Key>
  static const typename Map::mapped_type* find(const Map& map, const Key* key) {
    if (key == nullptr) return nullptr;
    const auto found = map.find(*key);
    return found == map.end() ? nullptr : &found->second;
  }

  const Callback& callback_;
  std::atomic<bool>& stop_;
  bool ended_ = false;
  sysflow::Header header_;
  std::unordered_map<std::string, sysflow::Container, TextHash, std::equal_to<>> containers_;
  std::unordered_map<Oid, sysflow::Process, sysflow::OidHash> processes_;
  std::unordered_map<Foid, sysflow::File, sysflow::FoidHash> files_;
};

Driver::Driver(DriverConfig config) : config_(std::move(config)) {
  config_.options.stop = &stop_;
}

Driver::~Driver() = default;

Status Driver::capture(sysflow::RecordSink& sink) {
  auto source = live::LiveSource::open(config_.live);
  if (!source.is_ok()) return source.status();
  // Nobody waits for the end of a kernel.
  config_.options.flush_interval = 1;
  const std::unique_ptr<scap::Input> input = source.value()->input();
  const Status status =
      sysflow::convert_capture(*input, "the running kernel", config_.options, sink, cancel_, summary_);
  // Where it was ended in the middle, what is recorded at the same time still gets its end.
  input->stop();
  for (Bytes rest = input->peek(1); !rest.empty(); rest = input->peek(1)) input->consume(rest.size());
  for (const live::LiveGap& gap : source.value()->counts().gaps) summary_.add_skipped(gap.reason, gap.count);
  const std::string failure = source.value()->recording_failure();
  return status.is_ok() && !failure.empty() ? Status(ErrorCode::kUnreadable, failure) : status;
}

Status Driver::run() {
  std::optional<OutputFile> output;
  std::unique_ptr<output::AvroContainer> container;
  if (!config_.file_path.empty()) {
    output.emplace(config_.file_path);
    if (!output->status().is_ok()) return output->status();
    container = std::make_unique<output::AvroContainer>(
        [&output](std::vector<uint8_t> bytes) { return output->write(bytes); }, kDeflateLevel);
  }
  Sink sink(config_.callback, container.get(), stop_);
  const Status status =
      config_.scap_input_path.empty()
          ? capture(sink)
          : sysflow::convert_capture(config_.scap_input_path, config_.options, sink, cancel_, summary_);
  if (!status.is_ok() || !output) return status;
  summary_.add_skipped(Reason::kIpv6FlowsInSfFiles, container->skipped_ipv6_flows());
  return output->commit();
}

}  // namespace sfkit
