// Encoded records with what they refer to, counted by references and reused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/pool.h"
#include "sysflow/records.h"

namespace sfkit::output {

struct Datum {
  enum class Kind : uint8_t { kHeader, kPod, kContainer, kProcess, kFile, kOther };

  // Entities are sent again when a reader needs them; everything else is sent once.
  bool is_entity() const { return kind != Kind::kOther; }

  Kind kind = Kind::kOther;
  std::vector<uint8_t> bytes;
  std::string container;  // of a process or file; the own id of a container
  bool has_container = false;
  std::string pod;  // of a container; the own id of a pod
  bool has_pod = false;
  std::optional<sysflow::Oid> own;       // of a process
  std::optional<sysflow::Oid> process;   // the parent of a process; that of an activity
  std::array<sysflow::Foid, 2> files{};  // the own id of a file; those of an activity
  uint8_t file_count = 0;

  uint32_t references = 0;  // see DatumRef
};

// Gives out datums. They keep their buffers, so the steady state allocates nothing.
class DatumPool {
 public:
  Datum* take() { return pool_.take(); }
  void give_back(Datum* datum) {
    // One long record must not occupy its memory for good.
    if (datum->bytes.capacity() > kKeptBytes) datum->bytes = {};
    pool_.give_back(datum);
  }

 private:
  static constexpr size_t kKeptBytes = 1024;

  Pool<Datum> pool_;
};

// A counted reference; belongs to one thread. The last one gives the datum back.
class DatumRef {
 public:
  DatumRef() = default;
  DatumRef(DatumPool& pool, Datum* datum) : pool_(&pool), datum_(datum) { ++datum_->references; }
  DatumRef(const DatumRef& other) : pool_(other.pool_), datum_(other.datum_) {
    if (datum_ != nullptr) ++datum_->references;
  }
  DatumRef(DatumRef&& other) noexcept
      : pool_(other.pool_), datum_(std::exchange(other.datum_, nullptr)) {}
  DatumRef& operator=(DatumRef other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(datum_, other.datum_);
    return *this;
  }
  ~DatumRef() {
    if (datum_ != nullptr && --datum_->references == 0) pool_->give_back(datum_);
  }

  explicit operator bool() const { return datum_ != nullptr; }
  Datum* operator->() const { return datum_; }
  Datum& operator*() const { return *datum_; }
  bool operator==(const DatumRef& other) const { return datum_ == other.datum_; }
  DatumPool& pool() const { return *pool_; }

 private:
  DatumPool* pool_ = nullptr;
  Datum* datum_ = nullptr;
};

}  // namespace sfkit::output
