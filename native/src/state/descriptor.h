// File descriptors and the table of one process (spec: scap-state, section 1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/pool.h"
#include "base/shared_map.h"
#include "scap/metadata.h"
#include "state/path_tree.h"

namespace sfkit::state {

using scap::FdType;
using scap::L4;

inline constexpr uint32_t kOpenWronly = 1u << 1;      // PPM_O_WRONLY, a part of PPM_O_RDWR
inline constexpr uint32_t kOpenCreate = 1u << 2;      // PPM_O_CREAT
inline constexpr uint32_t kOpenDirectory = 1u << 10;  // PPM_O_DIRECTORY
inline constexpr uint32_t kOpenTmpfile = 1u << 13;    // PPM_O_TMPFILE
inline constexpr uint32_t kOpenCloexec = 1u << 12;    // PPM_O_CLOEXEC
inline constexpr uint32_t kOpenFCreated = 1u << 14;   // bits from here up come from the kernel
// Of our own captures (docs/live.md): the path may name another file than the one opened; so in creat_flags.
inline constexpr uint32_t kOpenDoubtful = 1u << 30;
inline constexpr uint32_t kCreatDoubtful = 1u << 14;

inline constexpr int64_t kAtFdcwd = -100;  // in place of a directory descriptor: the working directory

enum class Role : uint8_t { kNone, kClient, kServer };

using IpBytes = std::array<uint8_t, 16>;  // network order; IPv4 the first four

class DescriptorPool;

enum class Connection : uint8_t {
  kNone,
  kAttempted,  // the connect failed: name and ends are those it asked for
  kPending,    // the connect continues in the background
  kConnected,
};

// An open file description. Duplicates, children and processes that share it see a change that one of them
// makes. (In compat mode each descriptor gets a copy of its own before it changes.)
struct Descriptor {
  uint32_t references = 0;
  DescriptorPool* pool = nullptr;

  FdType type = FdType::kUnknown;
  Role role = Role::kNone;
  L4 l4 = L4::kUnknown;
  uint32_t open_flags = 0;  // PPM_O_ bits of its open
  uint32_t device = 0;
  uint64_t inode = 0;
  std::string name;
  std::string raw_name;  // of a path that `name` does not repeat; "" for others
  PathLink place;        // files and directories by path: follows renames of directories
  IpBytes sip{};
  IpBytes dip{};
  uint16_t sport = 0;
  uint16_t dport = 0;
  uint64_t unix_source = 0;
  uint64_t unix_destination = 0;
  int64_t pid = -1;                // pidfd
  bool used_as_directory = false;  // by a call that works only on directories
  bool is_socketpair = false;
  bool is_listed = false;  // in a list of descriptors: the capture lacks its open
  Connection connection = Connection::kNone;
  // Of a bound socket: kUnix, or kIpv4Server or kIpv6Server with the address that follows.
  FdType bound_type = FdType::kUnknown;
  uint16_t bound_port = 0;
  IpBytes bound_ip{};
  uint64_t named_by_event = 0;  // number of the last event that gave a socket its name, or another one

  // For the layer above: what it knows of this name, and for which container.
  void* file = nullptr;
  uint32_t file_container = 0;
  uint32_t file_generation = 0;  // when it came to know it

  bool is_ip_socket() const { return type == FdType::kIpv4 || type == FdType::kIpv6; }
  bool is_ip_server() const { return type == FdType::kIpv4Server || type == FdType::kIpv6Server; }
  // An IP socket that is connected, bound, or has exchanged messages.
  bool has_address() const;
  bool is_ip() const { return is_ip_socket() || is_ip_server(); }
  bool is_connected() const { return connection == Connection::kConnected; }
  // Connected or connecting.
  bool has_peer() const { return connection >= Connection::kPending; }
  bool is_file() const { return type == FdType::kFile || type == FdType::kFileV2; }
  bool is_directory() const { return type == FdType::kDirectory || (is_file() && used_as_directory); }

  // Everything but reference count and pool.
  void copy_from(Descriptor& other);
  void reset();
  void set_name(std::string_view text);
  // From now on the name, a path, changes when a directory above is renamed.
  inline void follow_renames(PathSpace space);
  inline void update_name();
  // To be called when a call that works on directories only succeeded. Returns whether that is new of a file.
  bool use_as_directory();

 private:
  void renamed();
};

// Counted reference; descriptors live on one thread, so the count is plain.
class DescriptorRef {
 public:
  DescriptorRef() = default;
  explicit DescriptorRef(Descriptor* target) : target_(target) { ++target_->references; }
  DescriptorRef(const DescriptorRef& other) : target_(other.target_) {
    if (target_ != nullptr) ++target_->references;
  }
  DescriptorRef(DescriptorRef&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  DescriptorRef& operator=(DescriptorRef other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~DescriptorRef();

  explicit operator bool() const { return target_ != nullptr; }
  const Descriptor* operator->() const { return target_; }
  const Descriptor& operator*() const { return *target_; }
  Descriptor* get() const { return target_; }

  // The descriptor for changing: a copy of its own when others share it. One in a table is changed through
  // DescriptorTable::writable().
  Descriptor& writable();

 private:
  Descriptor* target_ = nullptr;
};

class DescriptorPool {
 public:
  // Names longer than this, which short events make below a directory with a long path, may take
  // kMaxLongNames together; those beyond become unknown.
  static constexpr size_t kLongName = 1023;
  static constexpr size_t kMaxLongNames = size_t{4} << 20;

  PathTree& paths() { return paths_; }
  const PathTree& paths() const { return paths_; }

  DescriptorRef make(FdType type) {
    Descriptor* descriptor = pool_.take();
    descriptor->reset();
    descriptor->pool = this;
    descriptor->type = type;
    return DescriptorRef(descriptor);
  }
  void give_back(Descriptor* descriptor) {
    paths_.remove(descriptor->place);
    if (descriptor->name.size() > kLongName) drop_long_name(*descriptor);
    pool_.give_back(descriptor);
  }

 private:
  friend struct Descriptor;

  void assign_name(Descriptor& descriptor, std::string_view text);
  void drop_long_name(Descriptor& descriptor);

  PathTree paths_;
  size_t long_names_ = 0;  // bytes
  Pool<Descriptor> pool_;
};

inline void Descriptor::follow_renames(PathSpace space) {
  if (name.starts_with('/')) pool->paths().add(place, space, name, type == FdType::kDirectory);
}

inline void Descriptor::update_name() {
  if (!pool->paths().is_current(place)) renamed();
}

// A place in a process's table.
struct FdSlot {
  static constexpr uint64_t kNever = UINT64_MAX;

  DescriptorRef descriptor;
  // Belongs to the layer above: the flow it used last for this number, perhaps of a process that shares it.
  mutable void* flow = nullptr;
  uint64_t closes_with = kNever;  // the exec of the table that closes it, counted from 1

  void lower(uint64_t limit) { closes_with = std::min(closes_with, limit); }
};

// After a fork the tables of parent and child share what neither has changed.
class DescriptorTable {
 public:
  // `id` tells tables apart: the tid of the thread that got the table, so that a repeated section has the
  // same ids; other numbers for copies.
  explicit DescriptorTable(uint64_t id = 0) : id_(id) {}
  ~DescriptorTable() { clear(); }
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;

  uint64_t id() const { return id_; }

  // nullptr when the number is not in use. Valid until the table changes. Its name is as renames made it.
  const FdSlot* find(int64_t fd) const {
    const FdSlot* slot = nullptr;
    if (static_cast<uint64_t>(fd) >= kArraySize) {
      slot = find_high(static_cast<uint64_t>(fd));
    } else if (low_ != nullptr) {
      slot = &low_->slots[static_cast<size_t>(fd)];
      if (!slot->descriptor || slot->closes_with <= execs_) return nullptr;
    }
    if (slot != nullptr) slot->descriptor.get()->update_name();
    return slot;
  }

  // For compat mode: the descriptor as a copy of this table alone; nullptr when the number is not in use.
  // Slots that were found before are no longer valid.
  Descriptor* own(int64_t fd);
  // `closes_on_exec`: the close-on-exec mark, which duplicates do not share.
  void put(int64_t fd, DescriptorRef&& descriptor, bool closes_on_exec = false);
  void erase(int64_t fd);
  void erase_range(int64_t first, int64_t last);
  // Sets or clears the close-on-exec mark.
  void mark(int64_t fd, bool closes_on_exec);
  // Sets the close-on-exec mark of all descriptors from `first` to `last`.
  void mark_range(int64_t first, int64_t last);
  // Closes all descriptors with a close-on-exec mark.
  void close_on_exec();
  void copy_from(const DescriptorTable& other);
  void clear();

  // Numbers in use.
  size_t count();

  // Visits every number in use as visit(fd, descriptor, closes_on_exec), in their order.
  template <typename Visit>
  void for_each(Visit visit) const {
    const auto show = [&](uint64_t fd, const FdSlot& slot, uint64_t limit) {
      const uint64_t closes_with = std::min(slot.closes_with, limit);
      if (closes_with <= execs_) return;
      slot.descriptor.get()->update_name();
      visit(static_cast<int64_t>(fd), *slot.descriptor, closes_with != FdSlot::kNever);
    };
    if (low_ != nullptr) {
      for (size_t fd = 0; fd < kArraySize; ++fd) {
        if (low_->slots[fd].descriptor) show(fd, low_->slots[fd], FdSlot::kNever);
      }
    }
    high_.for_each(show);
  }

 private:
  // Nearly all numbers are below; a file can claim any 64-bit number.
  static constexpr size_t kArraySize = 64;

  struct Array {
    size_t references = 1;
    std::array<FdSlot, kArraySize> slots;
  };

  uint64_t next_exec(bool closes_on_exec) const { return closes_on_exec ? execs_ + 1 : FdSlot::kNever; }
  const FdSlot* find_high(uint64_t fd) const;
  Array& own_low();
  void sweep();

  const uint64_t id_;
  Array* low_ = nullptr;
  SharedMap<FdSlot> high_;
  size_t low_count_ = 0;
  uint64_t execs_ = 0;    // that the table went through; some of what they closed may still be in it
  size_t puts_ = 0;       // since the table was begun or last swept
  bool is_swept_ = true;  // holds nothing that an exec closed
};

}  // namespace sfkit::state
