#include "state/descriptor.h"

#include <algorithm>

namespace sfkit::state {

void Descriptor::copy_from(const Descriptor& other) {
  const uint32_t own_references = references;
  DescriptorPool* own_pool = pool;
  *this = other;
  references = own_references;
  pool = own_pool;
}

bool Descriptor::has_address() const {
  return sport != 0 || dport != 0 || sip != IpBytes{} || dip != IpBytes{};
}

void Descriptor::reset() {
  type = FdType::kUnknown;
  role = Role::kNone;
  l4 = L4::kUnknown;
  open_flags = device = 0;
  inode = 0;
  name.clear();
  name_as_given.clear();
  sip = dip = {};
  sport = dport = 0;
  unix_source = unix_destination = 0;
  pid = -1;
  of_socketpair = attempted = connected = false;
  renamed_by = 0;
  file = nullptr;
  file_container = 0;
  file_generation = 0;
}

DescriptorRef::~DescriptorRef() {
  if (target_ != nullptr && --target_->references == 0) target_->pool->give_back(target_);
}

Descriptor& DescriptorRef::writable() {
  if (target_->references > 1) {
    DescriptorRef copy = target_->pool->make(target_->type);
    copy.target_->copy_from(*target_);
    *this = std::move(copy);
  }
  return *target_;
}

void DescriptorTable::put(int64_t fd, DescriptorRef descriptor) {
  if (fd < 0) return;
  if (fd >= kArraySize) {
    high_[fd] = FdSlot{std::move(descriptor), nullptr};
    return;
  }
  const auto index = static_cast<size_t>(fd);
  if (index >= low_.size()) low_.resize(std::min(index + kGrowBy, static_cast<size_t>(kArraySize)));
  low_[index] = FdSlot{std::move(descriptor), nullptr};
}

void DescriptorTable::erase(int64_t fd) {
  if (static_cast<uint64_t>(fd) < low_.size()) {
    low_[static_cast<size_t>(fd)] = FdSlot{};
  } else {
    high_.erase(fd);
  }
}

void DescriptorTable::copy_from(const DescriptorTable& other) {
  low_ = other.low_;
  high_ = other.high_;
  for (FdSlot& slot : low_) slot.flow = nullptr;
  for (auto& entry : high_) entry.second.flow = nullptr;
}

void DescriptorTable::clear() {
  low_.clear();
  high_.clear();
}

}  // namespace sfkit::state
