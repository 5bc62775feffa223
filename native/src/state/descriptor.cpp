#include "state/descriptor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "state/paths.h"

namespace sfkit::state {

void DescriptorPool::drop_long_name(Descriptor& descriptor) {
  long_names_ -= descriptor.name.size();
  descriptor.name = std::string();
  descriptor.names.lower(kLongName);
}

void DescriptorPool::assign_name(Descriptor& descriptor, std::string_view text) {
  std::string& name = descriptor.name;
  if (name.size() > kLongName) drop_long_name(descriptor);
  descriptor.file = nullptr;
  descriptor.names.raise(text.size());
  if (text.size() <= kLongName) {
    name = text;
  } else if (long_names_ + text.size() <= kMaxLongNames) {
    name = text;
    long_names_ += text.size();
  } else {
    name = kUnknownDirectory;
    if (const std::string_view last = last_component(text); last.size() < kLongName / 2)
      name += last;
  }
}

void Descriptor::copy_from(Descriptor& other) {
  const uint32_t own_references = references;
  DescriptorPool* own_pool = pool;
  set_name({});
  // set_name() applies the budget for long names below.
  std::string its_name = std::exchange(other.name, {});
  void* const its_file = other.file;
  *this = other;
  other.name = std::move(its_name);
  references = own_references;
  pool = own_pool;
  set_name(other.name);
  if (name != other.name) return;
  file = its_file;
  pool->paths().add_copy(place, other.place, name);
}

void Descriptor::set_name(std::string_view text) {
  pool->paths().remove(place);
  pool->assign_name(*this, text);
}

void Descriptor::renamed() {
  const std::string* now = pool->paths().update(place, kMaxPath);
  if (now == nullptr || *now == name) return;
  // An open file keeps its own name; only the directories above it change.
  if (!is_directory() && PathTree::was_renamed(place)) return;
  if (raw_name.empty()) raw_name = name;
  pool->assign_name(*this, *now);
  names.raise(name.size() + raw_name.size());
}

bool Descriptor::use_as_directory() {
  if (!is_file() || used_as_directory) return false;
  used_as_directory = true;
  file = nullptr;
  pool->paths().mark_directory(place);
  renamed();
  return true;
}

bool Descriptor::has_address() const {
  return sport != 0 || dport != 0 || sip != IpBytes{} || dip != IpBytes{};
}

// Not inline: seldom needed.
[[gnu::noinline]] void Descriptor::drop_long_raw_name() {
  raw_name = std::string();
  names.lower(DescriptorPool::kLongName);
}

void Descriptor::reset() {
  type = FdType::kUnknown;
  role = Role::kNone;
  l4 = L4::kUnknown;
  open_flags = device = 0;
  inode = 0;
  name.clear();
  // Do not keep a large buffer for the next descriptor.
  if (raw_name.capacity() > DescriptorPool::kLongName) drop_long_raw_name();
  raw_name.clear();
  sip = dip = {};
  sport = dport = 0;
  unix_source = unix_destination = 0;
  pid = -1;
  used_as_directory = is_socketpair = is_listed = false;
  connection = Connection::kNone;
  bound_type = FdType::kUnknown;
  bound_port = 0;
  bound_ip = {};
  named_by_event = 0;
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

// Not inline: nearly all descriptors are low.
const FdSlot* DescriptorTable::find_high(uint64_t fd) const {
  uint64_t limit;
  const FdSlot* const slot = high_.find(fd, limit);
  return slot == nullptr || std::min(slot->closes_with, limit) <= execs_ ? nullptr : slot;
}

DescriptorTable::Array& DescriptorTable::own_low() {
  if (low_ == nullptr) {
    low_ = new Array;
  } else if (low_->references > 1) {
    auto* copy = new Array;
    low_count_ = 0;
    for (size_t fd = 0; fd < kArraySize; ++fd) {
      const FdSlot& slot = low_->slots[fd];
      if (!slot.descriptor || slot.closes_with <= execs_) continue;
      copy->slots[fd] = slot;
      ++low_count_;
    }
    --low_->references;
    low_ = copy;
  }
  return *low_;
}

Descriptor* DescriptorTable::own(int64_t fd) {
  if (find(fd) == nullptr) return nullptr;
  FdSlot& slot = static_cast<uint64_t>(fd) < kArraySize
                     ? own_low().slots[static_cast<size_t>(fd)]
                     : *high_.writable(static_cast<uint64_t>(fd));
  return &slot.descriptor.writable();
}

void DescriptorTable::put(int64_t fd, DescriptorRef&& descriptor, bool closes_on_exec) {
  if (fd < 0) return;
  ++puts_;
  FdSlot slot{std::move(descriptor), nullptr, next_exec(closes_on_exec)};
  if (static_cast<uint64_t>(fd) < kArraySize) {
    FdSlot& place = own_low().slots[static_cast<size_t>(fd)];
    if (!place.descriptor) ++low_count_;
    place = std::move(slot);
  } else {
    high_.put(static_cast<uint64_t>(fd), std::move(slot));
  }
}

void DescriptorTable::mark(int64_t fd, bool closes_on_exec) {
  if (find(fd) == nullptr) return;
  if (closes_on_exec) ++puts_;
  FdSlot& slot = static_cast<uint64_t>(fd) < kArraySize
                     ? own_low().slots[static_cast<size_t>(fd)]
                     : *high_.writable(static_cast<uint64_t>(fd));
  slot.closes_with = next_exec(closes_on_exec);
}

void DescriptorTable::mark_range(int64_t first, int64_t last) {
  if (last < first || last < 0) return;
  first = std::max<int64_t>(first, 0);
  for (int64_t fd = first; fd <= last && fd < static_cast<int64_t>(kArraySize); ++fd) {
    if (find(fd) != nullptr) own_low().slots[static_cast<size_t>(fd)].lower(next_exec(true));
  }
  if (static_cast<uint64_t>(last) >= kArraySize)
    high_.lower_range(static_cast<uint64_t>(first), static_cast<uint64_t>(last), next_exec(true));
}

void DescriptorTable::erase(int64_t fd) {
  if (static_cast<uint64_t>(fd) < kArraySize) {
    if (low_ == nullptr || !low_->slots[static_cast<size_t>(fd)].descriptor) return;
    FdSlot& place = own_low().slots[static_cast<size_t>(fd)];
    if (place.descriptor) --low_count_;
    place = FdSlot{};
  } else {
    high_.erase(static_cast<uint64_t>(fd));
  }
}

void DescriptorTable::erase_range(int64_t first, int64_t last) {
  if (last < first || last < 0) return;
  for (int64_t fd = std::max<int64_t>(first, 0);
       fd <= last && fd < static_cast<int64_t>(kArraySize); ++fd)
    erase(fd);
  if (static_cast<uint64_t>(last) >= kArraySize)
    high_.erase_range(static_cast<uint64_t>(std::max<int64_t>(first, 0)),
                      static_cast<uint64_t>(last));
}

// Descriptors put since the last sweep pay for the next one. A table that was just forked is not
// swept: find() skips what the exec closed.
void DescriptorTable::close_on_exec() {
  ++execs_;
  is_swept_ = false;
  if (2 * puts_ >= high_.size()) sweep();
}

void DescriptorTable::sweep() {
  is_swept_ = true;
  puts_ = 0;
  std::vector<uint64_t> closed;
  high_.for_each([&](uint64_t fd, const FdSlot& slot, uint64_t limit) {
    if (std::min(slot.closes_with, limit) <= execs_) closed.push_back(fd);
  });
  for (const uint64_t fd : closed) high_.erase(fd);
  if (low_ == nullptr) return;
  for (size_t fd = 0; fd < kArraySize; ++fd) {
    const FdSlot& slot = low_->slots[fd];
    if (slot.descriptor && slot.closes_with <= execs_) erase(static_cast<int64_t>(fd));
  }
}

size_t DescriptorTable::count() {
  if (!is_swept_) sweep();
  return low_count_ + high_.size();
}

void DescriptorTable::copy_from(const DescriptorTable& other) {
  clear();
  low_ = other.low_;
  if (low_ != nullptr) ++low_->references;
  low_count_ = other.low_count_;
  high_ = other.high_;
  execs_ = other.execs_;
  is_swept_ = other.is_swept_;
}

void DescriptorTable::clear() {
  if (low_ != nullptr && --low_->references == 0) delete low_;
  low_ = nullptr;
  low_count_ = 0;
  high_.clear();
  execs_ = 0;
  puts_ = 0;
  is_swept_ = true;
}

}  // namespace sfkit::state
