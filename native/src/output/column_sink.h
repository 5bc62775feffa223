// Records to column batches: every event and flow becomes a row with its process, parent,
// container, pod, files and header joined in, the way a reader of the .sf file would join them
// (flattened-view, section 1).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/flat_map.h"
#include "base/hash.h"
#include "base/shared_text.h"
#include "output/column_batch.h"
#include "output/table_builder.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Memory is bounded by live processes and their parents, and by the distinct files, containers and
// pods seen. Not thread-safe.
class ColumnSink : public sysflow::RecordSink {
 public:
  // Receives the next batch. Returns false to stop: the sink then produces nothing more.
  using Consumer = std::function<bool(ColumnBatch)>;

  // `tables`: those wanted, each once. `batch_rows`: rows of a full batch, at least 1.
  ColumnSink(const std::vector<Table>& tables, uint32_t batch_rows, Consumer consumer);
  ~ColumnSink() override;

  // Everything known so far belongs to another file and is given and forgotten.
  void header(const sysflow::Header& record) override;
  void container(const sysflow::Container& record) override;
  void process(const sysflow::Process& record) override;
  void file(const sysflow::File& record) override;
  void process_event(const sysflow::ProcessEvent& record) override;
  void network_flow(const sysflow::NetworkFlow& record) override;
  void file_flow(const sysflow::FileFlow& record) override;
  void file_event(const sysflow::FileEvent& record) override;
  void network_event(const sysflow::NetworkEvent& record) override;
  void process_flow(const sysflow::ProcessFlow& record) override;
  void pod(const sysflow::Pod& record) override;
  void k8s_event(const sysflow::K8sEvent& record) override;
  void process_facts(const sysflow::Oid& oid, const sysflow::ProcessFacts& facts) override;
  bool takes_facts() const override { return true; }
  // The process leaves the map; children keep what they need of their parent.
  void process_gone(const sysflow::Oid& oid) override;
  void files_forgotten() override;
  void container_gone(std::string_view id) override;
  void pod_gone(std::string_view id) override;
  // Times of the records so far that no format can hold; their columns of times are null.
  uint64_t impossible_times() const { return impossible_times_; }
  // Texts that were longer than a table takes, counted once a batch.
  uint64_t cut_texts() const;
  // Gives the batches that are not full.
  void flush() override { finish(); }
  void finish() override;

 private:
  // Numbers of an entity's strings in the batch that each builder is making, found once a batch.
  template <size_t N>
  class Numbers {
   public:
    using Values = std::array<uint32_t, N>;
    void forget() { slots_.clear(); }
    template <typename Make>
    const Values& get(size_t place, uint32_t epoch, Make&& make) {
      if (slots_.size() <= place) slots_.resize(place + 1);
      Slot& slot = slots_[place];
      if (slot.epoch != epoch) {
        make(slot.values);
        slot.epoch = epoch;
      }
      return slot.values;
    }

   private:
    struct Slot {
      uint32_t epoch = 0;
      Values values{};
    };
    std::vector<Slot> slots_;
  };

  struct PodEntry {
    sysflow::Pod record;
    Numbers<8> numbers;
  };
  struct ContainerEntry {
    sysflow::Container record;
    Numbers<7> numbers;
  };
  struct FileEntry {
    sysflow::File record;
    Numbers<6> numbers;
  };
  struct ProcessEntry {
    sysflow::Process record;
    std::shared_ptr<ProcessEntry> parent;  // as known when last looked up
    bool known = true;                     // still in the map
    ContainerEntry* container = nullptr;   // as of `generation`
    uint64_t generation = 0;
    Numbers<8> numbers;
    Numbers<1> comm_number;  // apart, as it can change often
  };

  // Numbers of texts that many records share, by the block that holds the text: hashing a long
  // environment for each process would take too long.
  class SharedNumbers {
   public:
    template <typename Make>
    uint32_t get(const TableBuilder& builder, const SharedText& text, Make&& make) {
      if (epoch_ != builder.epoch()) {
        numbers_.clear();
        held_.clear();
        epoch_ = builder.epoch();
      }
      const auto key = static_cast<int64_t>(reinterpret_cast<intptr_t>(text.identity()));
      if (const uint32_t* const known = numbers_.find(key)) return *known;
      const uint32_t number = make();
      numbers_.put(key, number);
      held_.push_back(text);
      return number;
    }

   private:
    uint32_t epoch_ = 0;
    FlatMap<int64_t, uint32_t> numbers_;
    std::vector<SharedText> held_;  // so that no other text takes a block's place during the batch
  };

  // A builder, and the numbers of strings that change only with the header.
  struct Target {
    explicit Target(Table table, uint32_t batch_rows, size_t at)
        : builder(table, batch_rows), place(at) {}
    TableBuilder builder;
    size_t place;
    Numbers<3> header_numbers;
    Numbers<3> state_numbers;
    Numbers<kTableCount> type_numbers;
    SharedNumbers texts;
    SharedNumbers environments;

    uint32_t number_of(const SharedText& text) {
      constexpr size_t kLong = 256;
      if (text.size() < kLong) return builder.intern(text);
      return texts.get(builder, text, [&] { return builder.intern(text); });
    }
  };

  // What a row is joined with.
  struct Joined {
    ProcessEntry* process = nullptr;
    ProcessEntry* parent = nullptr;
    ContainerEntry* container = nullptr;
    PodEntry* pod = nullptr;
    FileEntry* file = nullptr;
  };

  bool is_wanted(Table table) const {
    return !gone_ && !by_table_[static_cast<size_t>(table)].empty();
  }
  void count_time(Table table, int64_t time);
  template <typename Fill>
  void add_rows(Table table, Fill&& fill);
  template <typename Record, typename Fill>
  void add_process_rows(Table table, const Record& record, Joined& joined, Fill&& fill);
  void give(Target& target);

  ProcessEntry* find_process(const sysflow::Oid& oid);
  ProcessEntry* find_parent(ProcessEntry& process);
  FileEntry* find_file(const sysflow::Foid& foid);
  ContainerEntry* find_container(std::string_view id);
  PodEntry* find_pod(const ContainerEntry* container);
  void join(const sysflow::Oid& oid, Joined& joined);
  void forget_all();

  uint32_t state_number(Target& target, sysflow::ObjectState state);
  void put_header(Target& target);
  // Columns of a process, or of a parent.
  struct ProcessColumns {
    std::array<Column, 8> texts;
    Column uid, gid, tty, entry, comm;
  };
  void put_process(Target& target, ProcessEntry& process, const ProcessColumns& columns);
  Groups put_process(Target& target, ProcessEntry& process);
  Groups put_parent(Target& target, ProcessEntry& parent);
  Groups put_parent_identity(Target& target, const ProcessEntry& process);
  Groups put_container(Target& target, ContainerEntry& container);
  Groups put_pod(Target& target, PodEntry& pod);
  const Numbers<6>::Values& file_numbers(Target& target, FileEntry& file);
  Groups put_file(Target& target, const sysflow::Foid& foid, FileEntry* file);
  Groups put_joined(Target& target, const Joined& joined);
  Groups put_result(Target& target, int32_t ret, bool is_exit);
  Groups put_duration(Target& target, int64_t ts, int64_t end_ts);
  Groups put_counters(Target& target, const sysflow::Counters& counters);
  const Numbers<8>::Values& process_numbers(Target& target, ProcessEntry& process);

  std::vector<std::unique_ptr<Target>> targets_;
  std::array<std::vector<Target*>, kTableCount>
      by_table_;  // targets for the rows of a record's table
  Consumer consumer_;
  bool has_header_ = false;
  uint32_t file_ = 0;
  bool gone_ = false;
  int64_t row_number_ = 0;
  uint64_t impossible_times_ = 0;

  sysflow::Header header_;
  std::unordered_map<sysflow::Oid, std::shared_ptr<ProcessEntry>, sysflow::OidHash> processes_;
  std::unordered_map<sysflow::Foid, std::unique_ptr<FileEntry>, sysflow::FoidHash> files_;
  std::unordered_map<std::string, std::unique_ptr<ContainerEntry>, TextHash, std::equal_to<>>
      containers_;
  std::unordered_map<std::string, std::unique_ptr<PodEntry>, TextHash, std::equal_to<>> pods_;
  uint64_t container_generation_ = 1;     // grows when a container becomes known
  ProcessEntry* last_process_ = nullptr;  // of the last lookup: runs of rows are of one process
  std::string scratch_;
  std::string line_;  // command lines and environments
};

}  // namespace sfkit::output
