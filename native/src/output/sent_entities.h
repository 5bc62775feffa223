// The newest record of each entity since a header, and which of them the reader of a socket has.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "output/datum.h"
#include "sysflow/records.h"

namespace sfkit::output {

// Every file.
struct AllFiles {};
struct ContainerId {
  std::string text;
};
struct PodId {
  std::string text;
};
// What no later record refers to.
using EndedEntity = std::variant<sysflow::Oid, ContainerId, PodId, AllFiles>;

class SentEntities {
 public:
  // Keeps the datum if it is an entity. `number`: records accepted, with this one.
  void keep(const DatumRef& datum, uint64_t number);
  // Call before the functions below: a new reader has nothing, and gets entities as REUP.
  void serve(uint64_t reader);
  // Whether the reader has exactly this record.
  bool was_sent(const DatumRef& datum);
  void mark_sent(const DatumRef& datum);
  // The newest record of the entity is not queued; it is sent before a record that refers to it.
  void mark_missing(const DatumRef& datum);
  bool has(const EndedEntity& ended) const;
  // Forgets those entities whose first record has a number above `after`, and their last at most
  // `until`.
  void forget(const EndedEntity& ended, uint64_t after, uint64_t until);
  // The records to send before `datum`, in this order: header, pods, containers, ancestors before
  // children, files.
  void find_missing(const Datum& datum, std::vector<DatumRef>& missing);

 private:
  struct Kept {
    DatumRef datum;
    DatumRef sent;       // the last one that the reader got
    uint64_t first = 0;  // records accepted at the first and last record
    uint64_t last = 0;
    uint64_t pass = 0;   // of find_missing(): already listed
    uint64_t visit = 0;  // of find_missing(): already seen as an ancestor
  };

  Kept* slot_of(const Datum& datum);
  void need(Kept& kept, std::vector<DatumRef>& missing);
  void need_pod(const Datum& datum, std::vector<DatumRef>& missing);
  void need_container(const Datum& datum, std::vector<DatumRef>& missing);

  Kept header_;
  std::unordered_map<std::string, Kept, TextHash, std::equal_to<>> pods_;
  std::unordered_map<std::string, Kept, TextHash, std::equal_to<>> containers_;
  std::unordered_map<sysflow::Oid, Kept, sysflow::OidHash> processes_;
  std::unordered_map<sysflow::Foid, Kept, sysflow::FoidHash> files_;
  uint64_t reader_ = 0;
  uint64_t pass_ = 0;
  std::vector<Kept*> chain_;
};

}  // namespace sfkit::output
