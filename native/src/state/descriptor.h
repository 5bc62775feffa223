// File descriptors and descriptor tables (spec: scap-state, section 1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/memory_count.h"
#include "base/pool.h"
#include "base/shared_map.h"
#include "scap/metadata.h"
#include "state/path_tree.h"

namespace sfkit::state {

using scap::FdType;
using scap::L4;

inline constexpr uint32_t kOpenWronly = 1u << 1;      // PPM_O_WRONLY, also set in PPM_O_RDWR
inline constexpr uint32_t kOpenCreate = 1u << 2;      // PPM_O_CREAT
inline constexpr uint32_t kOpenDirectory = 1u << 10;  // PPM_O_DIRECTORY
inline constexpr uint32_t kOpenTmpfile = 1u << 13;    // PPM_O_TMPFILE
inline constexpr uint32_t kOpenCloexec = 1u << 12;    // PPM_O_CLOEXEC
inline constexpr uint32_t kOpenFCreated = 1u
                                          << 14;  // this bit and higher ones are set by the kernel
// Set in captures of sfkit (docs/live.md) if the path may name another file than the opened one.
// kCreatDoubtful is the same in creat_flags.
inline constexpr uint32_t kOpenDoubtful = 1u << 30;
inline constexpr uint32_t kCreatDoubtful = 1u << 14;

inline constexpr int64_t kAtFdcwd = -100;  // stands for the working directory

enum class Role : uint8_t { kNone, kClient, kServer };

using IpBytes = std::array<uint8_t, 16>;  // network order; IPv4 the first four

class DescriptorPool;

enum class Connection : uint8_t {
  kNone,
  kAttempted,  // the connect failed: name and endpoints are the requested ones
  kPending,    // the connect continues in the background
  kConnected,
};

// An open file description. Duplicates, children and processes that share it see each other's
// changes. (In compat mode a descriptor is copied before it changes.)
struct Descriptor {
  uint32_t references = 0;
  DescriptorPool* pool = nullptr;

  FdType type = FdType::kUnknown;
  Role role = Role::kNone;
  L4 l4 = L4::kUnknown;
  uint32_t open_flags = 0;  // PPM_O_ bits
  uint32_t device = 0;
  uint64_t inode = 0;
  std::string name;
  std::string raw_name;  // path as the program gave it, if it differs from `name`
  PathLink place;        // files and directories: follows renames
  IpBytes sip{};
  IpBytes dip{};
  uint16_t sport = 0;
  uint16_t dport = 0;
  uint64_t unix_source = 0;
  uint64_t unix_destination = 0;
  int64_t pid = -1;                // pidfd
  bool used_as_directory = false;  // a call that needs a directory succeeded
  bool is_socketpair = false;
  bool is_listed = false;  // from a descriptor list: the capture lacks its open
  Connection connection = Connection::kNone;
  // Bound sockets: kUnix, or kIpv4Server or kIpv6Server with the address below.
  FdType bound_type = FdType::kUnknown;
  uint16_t bound_port = 0;
  IpBytes bound_ip{};
  uint64_t named_by_event = 0;  // number of the last event that changed a socket's name

  // For the SysFlow layer: the file entity of this name, and its container.
  void* file = nullptr;
  uint32_t file_container = 0;
  uint32_t file_generation = 0;  // of the entity table

  [[no_unique_address]] Counted<336> cost;
  CountedBytes names;  // name and raw_name

  bool is_ip_socket() const { return type == FdType::kIpv4 || type == FdType::kIpv6; }
  bool is_ip_server() const { return type == FdType::kIpv4Server || type == FdType::kIpv6Server; }
  // Whether the socket is connected or bound, or has exchanged messages.
  bool has_address() const;
  bool is_ip() const { return is_ip_socket() || is_ip_server(); }
  bool is_connected() const { return connection == Connection::kConnected; }
  // Connected or connecting.
  bool has_peer() const { return connection >= Connection::kPending; }
  bool is_file() const { return type == FdType::kFile || type == FdType::kFileV2; }
  bool is_directory() const {
    return type == FdType::kDirectory || (is_file() && used_as_directory);
  }

  // Copies everything but the reference count and the pool.
  void copy_from(Descriptor& other);
  void reset();
  void set_name(std::string_view text);
  // Makes the name, a path, follow renames of its directories.
  inline void follow_renames(PathSpace space);
  inline void update_name();
  // Call this after a call that needs a directory succeeded. Returns true if that is new for a
  // file.
  bool use_as_directory();

 private:
  void renamed();
  void drop_long_raw_name();
};

// A counted reference. The count is not atomic: descriptors stay on one thread.
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

  // The descriptor to change: a private copy if others share it. Descriptors in a table change
  // through DescriptorTable::own().
  Descriptor& writable();

 private:
  Descriptor* target_ = nullptr;
};

class DescriptorPool {
 public:
  // Longer names, which short events can make in a directory with a long path, share a budget of
  // kMaxLongNames bytes. Names past that budget become unknown.
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
  // Frees the memory of closed descriptors.
  void trim() {
    pool_.trim();
    paths_.trim();
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

// An entry of a descriptor table.
struct FdSlot {
  static constexpr uint64_t kNever = UINT64_MAX;

  DescriptorRef descriptor;
  // For the SysFlow layer: the flow last used for this descriptor, perhaps of another process that
  // shares the table.
  mutable void* flow = nullptr;
  uint64_t closes_with = kNever;  // the number of the exec that closes it, from 1

  void lower(uint64_t limit) { closes_with = std::min(closes_with, limit); }
};

// Copy-on-write: after a fork, parent and child share everything that neither has changed.
class DescriptorTable {
 public:
  // `id` identifies the table: the tid of its first thread, so that a repeated section gets the
  // same ids; a unique number for copies.
  explicit DescriptorTable(uint64_t id = 0) : id_(id) {}
  ~DescriptorTable() { clear(); }
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;

  uint64_t id() const { return id_; }

  // The slot with its name up to date, or nullptr if `fd` is not open. Valid until the table
  // changes.
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

  // Compat mode: makes the descriptor private to this table. Returns nullptr if `fd` is not open.
  // Invalidates slots found before.
  Descriptor* own(int64_t fd);
  // `closes_on_exec`: the close-on-exec flag, which duplicates do not share.
  void put(int64_t fd, DescriptorRef&& descriptor, bool closes_on_exec = false);
  void erase(int64_t fd);
  void erase_range(int64_t first, int64_t last);
  // Sets or clears the close-on-exec flag.
  void mark(int64_t fd, bool closes_on_exec);
  // Sets the close-on-exec flag of all descriptors from `first` to `last`.
  void mark_range(int64_t first, int64_t last);
  // Closes all descriptors that have the close-on-exec flag.
  void close_on_exec();
  void copy_from(const DescriptorTable& other);
  void clear();

  // The number of open descriptors.
  size_t count();

  // Calls `visit(fd, descriptor, closes_on_exec)` for every open descriptor, in order.
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

  // Calls `visit(const FdSlot&)` for slots not yet visited with this number, which is not 0: with
  // several tables, once for each slot that they share.
  template <typename Visit>
  void for_each_slot_once(uint64_t number, Visit visit) const {
    if (low_ != nullptr && std::exchange(low_->visited, number) != number) {
      for (const FdSlot& slot : low_->slots) visit(slot);
    }
    high_.for_each_once(number, visit);
  }

 private:
  // Nearly all descriptors are lower, but a file can claim any 64-bit number.
  static constexpr size_t kArraySize = 64;

  struct Array {
    size_t references = 1;
    mutable uint64_t visited = 0;  // number of the last for_each_slot_once()
    [[no_unique_address]] Counted<1600> cost;
    std::array<FdSlot, kArraySize> slots;
  };

  uint64_t next_exec(bool closes_on_exec) const {
    return closes_on_exec ? execs_ + 1 : FdSlot::kNever;
  }
  const FdSlot* find_high(uint64_t fd) const;
  Array& own_low();
  void sweep();

  const uint64_t id_;
  Array* low_ = nullptr;
  SharedMap<FdSlot> high_;
  size_t low_count_ = 0;
  uint64_t execs_ = 0;    // execs so far; slots that they closed may still be present
  size_t puts_ = 0;       // since the table was created or last swept
  bool is_swept_ = true;  // no slot that an exec closed is left
  [[no_unique_address]] Counted<96> cost_;
};

}  // namespace sfkit::state
