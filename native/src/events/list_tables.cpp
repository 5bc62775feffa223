#include "events/list_tables.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "base/ip_text.h"
#include "base/times.h"
#include "events/capture_info.h"
#include "events/table_feed.h"
#include "fields/event_name.h"
#include "state/values.h"

namespace sfkit::events {
namespace {

using fields::FieldValue;
using output::Column;
using output::Table;
using scap::P;
using Wanted = FieldRows::Wanted;
namespace ev = scap::ev;

bool is_known(std::string_view text) {
  return !text.empty() && text != state::kNotAvailable;
}

bool known_text(FieldRows& rows, const Wanted& wanted, std::string_view value) {
  return is_known(value) ? rows.text(wanted, value) : rows.missing(wanted);
}

bool known_number(FieldRows& rows, const Wanted& wanted, uint64_t value) {
  return value == 0 ? rows.missing(wanted) : rows.number(wanted, static_cast<int64_t>(value));
}

class Lists : public filter::Feed {
 public:
  Lists(Table table, FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(nullptr, false, cancel), table_(table), rows_(rows) {}

  void user(const scap::UserEntry& entry) override {
    add_user(entry.uid, entry.gid, entry.name, entry.home, entry.shell, {});
    Feed::user(entry);
  }
  void group(const scap::GroupEntry& entry) override {
    add_group(entry.gid, entry.name, {});
    Feed::group(entry);
  }
  void interface(const scap::InterfaceEntry& entry) override {
    add_interface(entry);
    Feed::interface(entry);
  }

 protected:
  // The lists need no state.
  bool take(const scap::EventView& event, bool /*shown*/) override {
    const auto text = [&event](P name) { return scap::to_text(event.param(name)); };
    const auto id = [&event](P name) {
      return static_cast<uint32_t>(scap::to_uint(event.param(name), state::kNoId));
    };
    if (event.code == ev::USER_ADDED_E) {
      add_user(id(P::uid), id(P::gid), text(P::name), text(P::home), text(P::shell),
               text(P::container_id));
    } else if (event.code == ev::GROUP_ADDED_E) {
      add_group(id(P::gid), text(P::name), text(P::container_id));
    }
    return wants_more_;
  }

 private:
  void add_user(uint32_t uid, uint32_t gid, std::string_view name, std::string_view home,
                std::string_view shell, std::string_view container) {
    if (table_ != Table::kUsers ||
        !is_new({name, home, shell, container}, uint64_t{uid} << 32 | gid))
      return;
    add([&](const Wanted& wanted) {
      switch (wanted.column) {
        case Column::kUsersUid: return rows_.number(wanted, uid);
        case Column::kUsersGid:
          return gid == state::kNoId ? rows_.missing(wanted) : rows_.number(wanted, gid);
        case Column::kUsersName: return known_text(rows_, wanted, name);
        case Column::kUsersHome: return known_text(rows_, wanted, home);
        case Column::kUsersShell: return known_text(rows_, wanted, shell);
        case Column::kUsersContainerId: return known_text(rows_, wanted, container);
        default: return rows_.missing(wanted);
      }
    });
  }

  void add_group(uint32_t gid, std::string_view name, std::string_view container) {
    if (table_ != Table::kGroups || !is_new({name, container}, gid)) return;
    add([&](const Wanted& wanted) {
      switch (wanted.column) {
        case Column::kGroupsGid: return rows_.number(wanted, gid);
        case Column::kGroupsName: return known_text(rows_, wanted, name);
        case Column::kGroupsContainerId: return known_text(rows_, wanted, container);
        default: return rows_.missing(wanted);
      }
    });
  }

  void add_interface(const scap::InterfaceEntry& entry) {
    if (table_ != Table::kInterfaces) return;
    const auto bytes = [&entry](const std::array<uint8_t, 16>& ip) {
      return std::string_view(reinterpret_cast<const char*>(ip.data()), entry.ipv6 ? 16 : 4);
    };
    const std::initializer_list<std::string_view> texts = {
        entry.name, bytes(entry.address), bytes(entry.netmask), bytes(entry.broadcast)};
    if (!is_new(texts, entry.ipv6 ? 1 : 0)) return;
    const auto address = [&](const Wanted& wanted, const std::array<uint8_t, 16>& ip) {
      text_.clear();
      entry.ipv6 ? append_ipv6(text_, ip.data()) : append_ipv4(text_, ip.data());
      return rows_.text(wanted, text_);
    };
    add([&](const Wanted& wanted) {
      switch (wanted.column) {
        case Column::kInterfacesName: return rows_.text(wanted, entry.name);
        case Column::kInterfacesFamily: return rows_.text(wanted, entry.ipv6 ? "ipv6" : "ipv4");
        case Column::kInterfacesAddress: return address(wanted, entry.address);
        case Column::kInterfacesNetmask: return address(wanted, entry.netmask);
        case Column::kInterfacesBroadcast:
          return entry.ipv6 ? rows_.missing(wanted) : address(wanted, entry.broadcast);
        default: return rows_.missing(wanted);
      }
    });
  }

  template <typename Put>
  void add(Put put) {
    wants_more_ = wants_more_ && rows_.add(put);
  }

  // Sections repeat their lists.
  bool is_new(std::initializer_list<std::string_view> texts, uint64_t number) {
    uint64_t key = hash_number(number);
    for (const std::string_view text : texts) key = mix_words(key, hash_text(text));
    return seen_.insert(key).second;
  }

  const Table table_;
  FieldRows& rows_;
  bool wants_more_ = true;
  std::unordered_set<uint64_t> seen_;
  std::string text_;
};

class Containers : public filter::Feed {
 public:
  Containers(const std::vector<Wanted>& wanted, FieldRows& rows, const std::atomic<bool>& cancel)
      : Feed(nullptr, false, cancel), wanted_(wanted), rows_(rows) {}

  void section() override {
    note_all();
    noted_.clear();
    Feed::section();
  }
  void lists_complete() override {
    Feed::lists_complete();
    note_all();
  }

  void finish() {
    note_all();
    for (const std::string& packed : packed_) {
      std::string_view rest = packed;
      if (!rows_.add([&](const Wanted& wanted) { return unpack(wanted, rest); })) return;
    }
    rows_.flush();
  }

 protected:
  bool take(const scap::EventView& event, bool /*shown*/) override {
    reader().next_event(event);
    engine().apply_all(event, [this](const state::Context& context) {
      note(context.container);
      if (context.thread != nullptr) note(context.thread->container);
    });
    return true;
  }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;

  // After every event: the engine forgets containers without processes.
  void note(uint32_t index) {
    if (index == 0) return;
    const state::ContainerTable& table = engine().containers();
    if (table.generation() != generation_) {
      generation_ = table.generation();
      noted_.clear();
    }
    if (index >= noted_.size()) noted_.resize(table.size(), kNever);
    const state::ContainerInfo& container = table.at(index);
    if (noted_[index] == container.version) return;
    noted_[index] = container.version;
    if (container.id.empty()) return;
    const auto [found, is_new] = places_.try_emplace(container.id.str(), packed_.size());
    if (is_new) packed_.emplace_back();
    std::string& packed = packed_[found->second];
    // A container that was forgotten and met again has no description.
    if (!is_new && !container.known) return;
    packed.clear();
    const scap::EventView none{};
    state::Context context;
    context.event = &none;
    context.container = index;
    reader().set_context(context);
    for (const Wanted& wanted : wanted_) pack(packed, wanted, container);
  }
  void note_all() {
    for (uint32_t index = 1; index < engine().containers().size(); ++index) note(index);
  }

  // Values follow each other as their size and bytes: rows of structures would take many times the
  // memory.
  void pack(std::string& packed, const Wanted& wanted, const state::ContainerInfo& container) {
    FieldValue value;
    if (wanted.column == Column::kContainersCgroups) {
      text_ = container.cgroups;
      while (text_.ends_with('\0')) text_.pop_back();
      std::replace(text_.begin(), text_.end(), '\0', ' ');
      value = FieldValue::of_text(text_);
    } else if (wanted.has_field) {
      value = reader().get(wanted.field);
    }
    const uint64_t number = value.kind == FieldValue::Kind::kSigned
                                ? static_cast<uint64_t>(value.integer)
                                : value.number;
    std::string_view bytes = value.text;
    if (value.kind != FieldValue::Kind::kText)
      bytes = {reinterpret_cast<const char*>(&number), sizeof(number)};
    const bool is_missing =
        value.is_missing() || (value.kind == FieldValue::Kind::kText && !is_known(bytes));
    const uint32_t size = is_missing ? kMissing : static_cast<uint32_t>(bytes.size());
    packed.append(reinterpret_cast<const char*>(&size), sizeof(size));
    if (!is_missing) packed += bytes;
  }

  bool unpack(const Wanted& wanted, std::string_view& rest) {
    uint32_t size = 0;
    std::memcpy(&size, rest.data(), sizeof(size));
    rest.remove_prefix(sizeof(size));
    if (size == kMissing) return rows_.missing(wanted);
    const std::string_view bytes = rest.substr(0, size);
    rest.remove_prefix(size);
    if (wanted.type == output::ColumnType::kStr) return rows_.text(wanted, bytes);
    uint64_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof(number));
    return wanted.type == output::ColumnType::kBool
               ? rows_.truth(wanted, number != 0)
               : rows_.number(wanted, static_cast<int64_t>(number));
  }

  static constexpr uint32_t kMissing = UINT32_MAX;

  const std::vector<Wanted>& wanted_;
  FieldRows& rows_;
  // By id: the place of its values.
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> places_;
  std::vector<std::string> packed_;
  std::vector<uint64_t> noted_;  // by index in the engine: the version that was packed
  uint32_t generation_ = 0;
  std::string text_;
};

uint64_t drops_in(const CaptureInfo& info) {
  for (const CaptureInfo::EventCount& count : info.events) {
    if (count.name == fields::event_name(ev::DROP_E)) return count.enter;
  }
  return 0;
}

bool put_capture(FieldRows& rows, const Wanted& wanted, const CaptureInfo& info,
                 const InputSummary& summary) {
  const auto number = [&](uint64_t value) {
    return rows.number(wanted, static_cast<int64_t>(value));
  };
  switch (wanted.column) {
    case Column::kCaptureFormat: return rows.text(wanted, summary.format);
    case Column::kCaptureVersion:
      return rows.text(wanted, std::to_string(info.major) + "." + std::to_string(info.minor));
    case Column::kCaptureWriter: return known_text(rows, wanted, info.writer);
    case Column::kCaptureCompression: return rows.text(wanted, summary.compression);
    case Column::kCaptureByteOrder:
      return rows.text(wanted, info.swapped ? "big-endian" : "little-endian");
    case Column::kCaptureDirection:
      return rows.text(wanted, info.has_enters ? "enter and exit" : "exit");
    case Column::kCaptureBytes: return number(summary.bytes);
    case Column::kCaptureSections: return number(info.sections);
    case Column::kCaptureHostname: return known_text(rows, wanted, info.hostname);
    case Column::kCaptureCpus: return known_number(rows, wanted, info.cpus);
    case Column::kCaptureMemoryBytes: return known_number(rows, wanted, info.memory_bytes);
    case Column::kCaptureBootUts: return known_number(rows, wanted, info.boot_time);
    case Column::kCaptureTsUts:
      return known_number(rows, wanted, static_cast<uint64_t>(summary.first_time));
    case Column::kCaptureEndtsUts:
      return known_number(rows, wanted, static_cast<uint64_t>(summary.last_time));
    case Column::kCaptureDuration:
      if (summary.first_time == 0) return rows.missing(wanted);
      return rows.number(wanted, summary.last_time - summary.first_time);
    case Column::kCaptureEvents: return number(summary.events);
    case Column::kCaptureDrops: return number(drops_in(info));
    case Column::kCaptureDamagedPlaces: {
      uint64_t places = summary.damage.size();
      for (const Skipped& skipped : summary.skipped)
        if (skipped.reason == Reason::kMoreDamage) places += skipped.count;
      return number(places);
    }
    case Column::kCaptureThreads: return number(info.threads);
    case Column::kCaptureProcesses: return number(info.processes);
    case Column::kCaptureDescriptors: return number(info.descriptors);
    case Column::kCaptureUsers: return number(info.users);
    case Column::kCaptureGroups: return number(info.groups);
    case Column::kCaptureInterfaces: return number(info.interfaces);
    case Column::kCaptureContainers: return number(info.containers);
    default: return rows.missing(wanted);
  }
}

bool put_damage(FieldRows& rows, const Wanted& wanted, const Damage& damage) {
  switch (wanted.column) {
    case Column::kDamagePosition: return rows.number(wanted, static_cast<int64_t>(damage.offset));
    case Column::kDamageKind: return rows.text(wanted, damage.kind);
    case Column::kDamageSkippedBytes:
      return rows.number(wanted, static_cast<int64_t>(damage.skipped_bytes));
    case Column::kDamageMessage: return rows.text(wanted, damage.message);
    default: return rows.missing(wanted);
  }
}

}  // namespace

Status tabulate_lists(scap::Input& input, const std::string& name, Table table, FieldRows& rows,
                      const std::atomic<bool>& cancel, InputSummary& summary) {
  Lists feed(table, rows, cancel);
  const Status status = read_table(input, name, feed, cancel, summary);
  if (status.is_ok()) rows.flush();
  return status;
}

Status tabulate_containers(scap::Input& input, const std::string& name,
                           const std::vector<Wanted>& wanted, FieldRows& rows,
                           const std::atomic<bool>& cancel, InputSummary& summary) {
  Containers feed(wanted, rows, cancel);
  const Status status = read_table(input, name, feed, cancel, summary);
  if (status.is_ok()) feed.finish();
  return status;
}

Status tabulate_capture(scap::Input& input, const std::string& name, Table table, FieldRows& rows,
                        const std::atomic<bool>& cancel, InputSummary& summary) {
  CaptureInfo info;
  if (Status status = inspect_capture(input, name, {}, cancel, summary, info); !status.is_ok())
    return status;
  bool wants_more = true;
  if (table == Table::kCapture) {
    wants_more =
        rows.add([&](const Wanted& wanted) { return put_capture(rows, wanted, info, summary); });
  } else {
    for (const Damage& damage : summary.damage) {
      wants_more = wants_more &&
                   rows.add([&](const Wanted& wanted) { return put_damage(rows, wanted, damage); });
    }
  }
  if (wants_more) rows.flush();
  return Status::ok();
}

}  // namespace sfkit::events
