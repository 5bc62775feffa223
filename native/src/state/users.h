// User and group names from the capture, never from the machine that reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "base/memory_count.h"

namespace sfkit::state {

class NameTable {
 public:
  // `container` is an index of the container table, 0 for the host.
  void add(uint32_t container, uint32_t id, std::string_view name) {
    Name& entry = names_[key(container, id)];
    entry.text = name;
    entry.cost.raise(name.size());
  }
  void remove(uint32_t container, uint32_t id) { names_.erase(key(container, id)); }
  // Frees the memory too, so that later calls do not pay for one long list.
  void clear() { decltype(names_)().swap(names_); }
  // Forgets the names in containers for which `is_forgotten(index)` is true.
  template <typename IsForgotten>
  void forget(IsForgotten is_forgotten) {
    std::erase_if(names_, [&](const auto& entry) {
      return is_forgotten(static_cast<uint32_t>(entry.first >> 32));
    });
  }

  // nullptr when the capture does not name the id.
  const std::string* find(uint32_t container, uint32_t id) const {
    const auto found = names_.find(key(container, id));
    return found == names_.end() ? nullptr : &found->second.text;
  }

  size_t size() const { return names_.size(); }

 private:
  static uint64_t key(uint32_t container, uint32_t id) { return uint64_t{container} << 32 | id; }

  struct Name {
    std::string text;
    CountedBytes cost;
    [[no_unique_address]] Counted<112> fixed_cost;
  };
  std::unordered_map<uint64_t, Name, NumberHash> names_;
};

struct Account {
  std::string home;
  std::string shell;
  CountedBytes cost = {};
  [[no_unique_address]] Counted<160> fixed_cost = {};
};

class AccountTable {
 public:
  void add(uint32_t container, uint32_t uid, Account account) {
    account.cost.set(account.home.size() + account.shell.size());
    accounts_[key(container, uid)] = std::move(account);
  }
  void clear() { decltype(accounts_)().swap(accounts_); }
  template <typename IsForgotten>
  void forget(IsForgotten is_forgotten) {
    std::erase_if(accounts_, [&](const auto& entry) {
      return is_forgotten(static_cast<uint32_t>(entry.first >> 32));
    });
  }

  // nullptr when the capture does not describe the user.
  const Account* find(uint32_t container, uint32_t uid) const {
    const auto found = accounts_.find(key(container, uid));
    return found == accounts_.end() ? nullptr : &found->second;
  }

  size_t size() const { return accounts_.size(); }

 private:
  static uint64_t key(uint32_t container, uint32_t id) { return uint64_t{container} << 32 | id; }

  std::unordered_map<uint64_t, Account, NumberHash> accounts_;
};

}  // namespace sfkit::state
