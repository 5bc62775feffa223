// Names of users and groups as the capture tells them; never those of the machine that reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sfkit::state {

class NameTable {
 public:
  // `container` is an index of the container table, 0 for the host.
  void add(uint32_t container, uint32_t id, std::string_view name) { names_[key(container, id)] = name; }
  void remove(uint32_t container, uint32_t id) { names_.erase(key(container, id)); }
  void clear() { names_.clear(); }

  // nullptr when the capture does not name the id.
  const std::string* find(uint32_t container, uint32_t id) const {
    const auto found = names_.find(key(container, id));
    return found == names_.end() ? nullptr : &found->second;
  }

 private:
  static uint64_t key(uint32_t container, uint32_t id) { return uint64_t{container} << 32 | id; }

  std::unordered_map<uint64_t, std::string> names_;
};

struct Account {
  std::string home;
  std::string shell;
};

class AccountTable {
 public:
  void add(uint32_t container, uint32_t uid, Account account) {
    accounts_[key(container, uid)] = std::move(account);
  }
  void clear() { accounts_.clear(); }

  // nullptr when the capture does not describe the user.
  const Account* find(uint32_t container, uint32_t uid) const {
    const auto found = accounts_.find(key(container, uid));
    return found == accounts_.end() ? nullptr : &found->second;
  }

 private:
  static uint64_t key(uint32_t container, uint32_t id) { return uint64_t{container} << 32 | id; }

  std::unordered_map<uint64_t, Account> accounts_;
};

}  // namespace sfkit::state
