#include "output/sent_entities.h"

namespace sfkit::output {
namespace {

// Longer chains of ancestors are forged.
constexpr size_t kMaxAncestry = 4096;
// The value of OID state REUP in Avro; the state is the first field after the branch number.
constexpr uint8_t kReup = 2 << 1;
constexpr size_t kStateAt = 1;

// The same entity with the state REUP.
DatumRef again(const DatumRef& datum) {
  if (datum->kind != Datum::Kind::kProcess && datum->kind != Datum::Kind::kFile) return datum;
  DatumPool& pool = datum.pool();
  DatumRef copy(pool, pool.take());
  const uint32_t references = copy->references;
  *copy = *datum;
  copy->references = references;
  copy->bytes[kStateAt] = kReup;
  return copy;
}

}  // namespace

SentEntities::Kept* SentEntities::slot_of(const Datum& datum) {
  const auto find = [](auto& map, const auto& key) -> Kept* {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
  };
  switch (datum.kind) {
    case Datum::Kind::kHeader: return &header_;
    case Datum::Kind::kPod: return find(pods_, datum.pod);
    case Datum::Kind::kContainer: return find(containers_, datum.container);
    case Datum::Kind::kProcess: return find(processes_, *datum.own);
    case Datum::Kind::kFile: return find(files_, datum.files[0]);
    case Datum::Kind::kOther: return nullptr;
  }
  return nullptr;
}

void SentEntities::keep(const DatumRef& datum, uint64_t number) {
  switch (datum->kind) {
    case Datum::Kind::kPod: pods_.try_emplace(datum->pod); break;
    case Datum::Kind::kContainer: containers_.try_emplace(datum->container); break;
    case Datum::Kind::kProcess: processes_.try_emplace(*datum->own); break;
    case Datum::Kind::kFile: files_.try_emplace(datum->files[0]); break;
    default: break;
  }
  Kept* const kept = slot_of(*datum);
  if (kept == nullptr) return;
  if (!kept->datum) kept->first = number;
  kept->last = number;
  kept->datum = datum;
}

void SentEntities::serve(uint64_t reader) {
  if (reader == reader_) return;
  const bool is_first = reader_ == 0;
  reader_ = reader;
  const auto start = [is_first](Kept& kept) {
    kept.sent = {};
    if (!is_first && kept.datum) kept.datum = again(kept.datum);
  };
  start(header_);
  for (auto& [id, kept] : pods_) start(kept);
  for (auto& [id, kept] : containers_) start(kept);
  for (auto& [oid, kept] : processes_) start(kept);
  for (auto& [oid, kept] : files_) start(kept);
}

bool SentEntities::was_sent(const DatumRef& datum) {
  const Kept* const kept = slot_of(*datum);
  return kept != nullptr && kept->sent == datum;
}

void SentEntities::mark_sent(const DatumRef& datum) {
  if (Kept* const kept = slot_of(*datum); kept != nullptr) kept->sent = datum;
}

void SentEntities::mark_missing(const DatumRef& datum) {
  if (Kept* const kept = slot_of(*datum); kept != nullptr) kept->sent = {};
}

bool SentEntities::has(const EndedEntity& ended) const {
  if (const auto* oid = std::get_if<sysflow::Oid>(&ended)) return processes_.contains(*oid);
  if (const auto* id = std::get_if<ContainerId>(&ended)) return containers_.contains(id->text);
  if (const auto* id = std::get_if<PodId>(&ended)) return pods_.contains(id->text);
  return !files_.empty();
}

void SentEntities::forget(const EndedEntity& ended, uint64_t after, uint64_t until) {
  const auto ends = [after, until](const Kept& kept) {
    return kept.first > after && kept.last <= until;
  };
  const auto erase = [&ends](auto& map, const auto& key) {
    const auto found = map.find(key);
    if (found != map.end() && ends(found->second)) map.erase(found);
  };
  if (const auto* oid = std::get_if<sysflow::Oid>(&ended)) {
    erase(processes_, *oid);
  } else if (const auto* container = std::get_if<ContainerId>(&ended)) {
    erase(containers_, container->text);
  } else if (const auto* pod = std::get_if<PodId>(&ended)) {
    erase(pods_, pod->text);
  } else {
    std::erase_if(files_, [&ends](const auto& entry) { return ends(entry.second); });
  }
}

void SentEntities::need(Kept& kept, std::vector<DatumRef>& missing) {
  if (!kept.datum || kept.sent || kept.pass == pass_) return;
  kept.pass = pass_;
  missing.push_back(kept.datum);
}

// `datum` is a container.
void SentEntities::need_pod(const Datum& datum, std::vector<DatumRef>& missing) {
  if (!datum.has_pod) return;
  if (const auto found = pods_.find(datum.pod); found != pods_.end()) need(found->second, missing);
}

void SentEntities::need_container(const Datum& datum, std::vector<DatumRef>& missing) {
  if (!datum.has_container) return;
  const auto found = containers_.find(datum.container);
  if (found == containers_.end()) return;
  need_pod(*found->second.datum, missing);
  need(found->second, missing);
}

void SentEntities::find_missing(const Datum& datum, std::vector<DatumRef>& missing) {
  missing.clear();
  ++pass_;
  if (datum.kind == Datum::Kind::kHeader) return;
  need(header_, missing);
  if (datum.kind == Datum::Kind::kPod) return;
  if (datum.kind == Datum::Kind::kContainer) {
    need_pod(datum, missing);
    return;
  }
  need_container(datum, missing);
  chain_.clear();
  for (const std::optional<sysflow::Oid>* oid = &datum.process; oid->has_value();) {
    const auto found = processes_.find(**oid);
    if (found == processes_.end() || chain_.size() > kMaxAncestry) break;
    Kept& kept = found->second;
    if (kept.sent || kept.visit == pass_) break;
    kept.visit = pass_;
    chain_.push_back(&kept);
    oid = &kept.datum->process;
  }
  for (auto kept = chain_.rbegin(); kept != chain_.rend(); ++kept) {
    need_container(*(*kept)->datum, missing);
    need(**kept, missing);
  }
  if (datum.kind == Datum::Kind::kFile) return;
  for (uint8_t index = 0; index < datum.file_count; ++index) {
    const auto found = files_.find(datum.files[index]);
    if (found == files_.end()) continue;
    need_container(*found->second.datum, missing);
    need(found->second, missing);
  }
}

}  // namespace sfkit::output
