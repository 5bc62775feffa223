// File descriptors and the table of one process (spec: scap-state, section 1).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/pool.h"
#include "scap/metadata.h"

namespace sfkit::state {

using scap::FdType;
using scap::L4;

inline constexpr uint32_t kOpenWronly = 1u << 1;      // PPM_O_WRONLY, a part of PPM_O_RDWR
inline constexpr uint32_t kOpenDirectory = 1u << 10;  // PPM_O_DIRECTORY
inline constexpr uint32_t kOpenTmpfile = 1u << 13;    // PPM_O_TMPFILE
inline constexpr uint32_t kOpenCloexec = 1u << 12;    // PPM_O_CLOEXEC
inline constexpr uint32_t kOpenFCreated = 1u << 14;   // bits from here up come from the kernel

inline constexpr int64_t kAtFdcwd = -100;  // in place of a directory descriptor: the working directory

enum class Role : uint8_t { kNone, kClient, kServer };

using IpBytes = std::array<uint8_t, 16>;  // network order; IPv4 the first four

class DescriptorPool;

// What a descriptor number stands for. Shared between the tables of parent and child after a fork, and
// copied before it is changed.
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
  std::string name_as_given;  // of a path that was relative; "" for others
  IpBytes sip{};
  IpBytes dip{};
  uint16_t sport = 0;
  uint16_t dport = 0;
  uint64_t unix_source = 0;
  uint64_t unix_destination = 0;
  int64_t pid = -1;  // pidfd
  bool of_socketpair = false;
  bool connected = false;
  uint64_t renamed_by = 0;  // number of the last event whose message changed the ends
  bool attempted = false;   // name and ends are those of a connect that failed

  // For the layer above: what it knows of this name, and for which container.
  void* file = nullptr;
  uint32_t file_container = 0;
  uint32_t file_generation = 0;  // when it came to know it

  bool is_ip_socket() const { return type == FdType::kIpv4 || type == FdType::kIpv6; }
  bool is_ip_server() const { return type == FdType::kIpv4Server || type == FdType::kIpv6Server; }
  // An IP socket that is connected, bound, or has exchanged messages.
  bool has_address() const;
  bool is_file() const { return type == FdType::kFile || type == FdType::kFileV2; }

  // Everything but reference count and pool.
  void copy_from(const Descriptor& other);
  void reset();
  void set_name(std::string_view text) {
    name.assign(text);
    file = nullptr;
  }
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

  // The descriptor for changing: a copy of its own when others share it.
  Descriptor& writable();

 private:
  Descriptor* target_ = nullptr;
};

class DescriptorPool {
 public:
  DescriptorRef make(FdType type) {
    Descriptor* descriptor = pool_.take();
    descriptor->reset();
    descriptor->pool = this;
    descriptor->type = type;
    return DescriptorRef(descriptor);
  }
  void give_back(Descriptor* descriptor) { pool_.give_back(descriptor); }

 private:
  Pool<Descriptor> pool_;
};

// A place in a process's table. `flow` belongs to the layer above: the flow it used last for this number.
struct FdSlot {
  DescriptorRef descriptor;
  void* flow = nullptr;
};

class DescriptorTable {
 public:
  // nullptr when the number is not in use. Valid until the table changes.
  FdSlot* find(int64_t fd) {
    if (static_cast<uint64_t>(fd) < low_.size()) {
      FdSlot& slot = low_[static_cast<size_t>(fd)];
      return slot.descriptor ? &slot : nullptr;
    }
    if (high_.empty()) return nullptr;
    const auto found = high_.find(fd);
    return found == high_.end() ? nullptr : &found->second;
  }

  void put(int64_t fd, DescriptorRef descriptor);
  void erase(int64_t fd);
  void copy_from(const DescriptorTable& other);
  void clear();

  // Visits every number in use as visit(fd, slot); visit returns false to have it removed.
  template <typename Visit>
  void filter(Visit visit) {
    for (size_t fd = 0; fd < low_.size(); ++fd) {
      if (low_[fd].descriptor && !visit(static_cast<int64_t>(fd), low_[fd])) low_[fd] = FdSlot{};
    }
    for (auto at = high_.begin(); at != high_.end();) {
      at = visit(at->first, at->second) ? std::next(at) : high_.erase(at);
    }
  }

  // The same without a say, for who only looks.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (size_t fd = 0; fd < low_.size(); ++fd) {
      if (low_[fd].descriptor) visit(static_cast<int64_t>(fd), *low_[fd].descriptor);
    }
    for (const auto& [fd, slot] : high_) visit(fd, *slot.descriptor);
  }

 private:
  // Numbers below are places of an array, which every fork copies; a file can claim any 64-bit number, so
  // others are hashed.
  static constexpr int64_t kArraySize = 1024;
  static constexpr size_t kGrowBy = 16;

  std::vector<FdSlot> low_;
  std::unordered_map<int64_t, FdSlot> high_;
};

}  // namespace sfkit::state
