// Counts calls and bytes by process, file and connection, for a live table of the busiest ones.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "state/engine.h"

namespace sfkit::sysflow {

enum class TallyKind : uint8_t { kProcess, kFile, kConnection };

struct TallyRow {
  TallyKind kind = TallyKind::kProcess;
  std::string name;
  uint64_t calls = 0;
  uint64_t read = 0, written = 0;  // bytes
};

// Thread-safe: one thread counts, another takes the result.
class Tally {
 public:
  // `op`: from op_of().
  void count(const state::Context& context, uint32_t op);
  // Returns the busiest `max_rows` rows of each kind since the last call, by bytes, then by calls,
  // and starts over.
  std::vector<TallyRow> take(size_t max_rows);

 private:
  using Table = std::unordered_map<std::string, TallyRow, TextHash, std::equal_to<>>;

  // Maximum rows of a table in one interval; further names are not counted.
  static constexpr size_t kMaxRows = 20000;

  static void add(Table& table, std::string_view name, uint64_t read, uint64_t written);

  std::mutex mutex_;
  Table processes_, files_, connections_;
  std::string name_;
};

}  // namespace sfkit::sysflow
