#include "scap/gzip.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sfkit::scap {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;
constexpr size_t kTrailerSize = 8;  // checksum and size after a member's data
constexpr size_t kMagicSize = 4;    // 1f 8b, the method 08, flags
constexpr uint8_t kReservedFlags = 0xe0;
constexpr size_t kMarkerSize = 4;  // 00 00 ff ff, the end of a flush
// A restart point is accepted after this many decompressed bytes, or this much compressed data
// without an error.
constexpr size_t kConvincing = 1024;
constexpr size_t kProbeSize = 4096;
// Limits the probes, so that a file full of false restart points costs no more than others.
constexpr int kMaxProbes = 10000;

bool is_member_start(Bytes at) {
  return at.size() >= kMagicSize && at[0] == 0x1f && at[1] == 0x8b && at[2] == 8 &&
         (at[3] & kReservedFlags) == 0;
}

bool is_flush_marker(Bytes at) {
  return at.size() >= kMarkerSize && at[0] == 0 && at[1] == 0 && at[2] == 0xff && at[3] == 0xff;
}

}  // namespace

GzipReader::GzipReader(ByteSource source, Library library)
    : source_(std::move(source)), packed_(kReadSize), probes_left_(kMaxProbes) {
  // Both libraries agree on valid data, but return different amounts of damaged data. zlib decides,
  // so that every machine delivers the same bytes; input that cannot be read twice uses zlib from
  // the start.
  if (library == Library::kFastest && source_.can_restart()) inflater_ = Inflater::isal();
  is_isal_ = inflater_ != nullptr;
  if (!is_isal_) inflater_ = Inflater::zlib();
}

bool GzipReader::fetch(size_t want) {
  if (end_ - begin_ >= want) return true;
  if (packed_.size() - begin_ < want) {
    std::memmove(packed_.data(), packed_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < want) {
    const size_t got = source_.read(packed_.data() + end_, packed_.size() - end_);
    if (got == 0) return false;
    end_ += got;
  }
  return true;
}

size_t GzipReader::fail(std::string reason) {
  failure_ = std::move(reason);
  return 0;
}

bool GzipReader::only_zeros_follow() {
  while (fetch(1)) {
    const Bytes rest = packed();
    if (std::any_of(rest.data(), rest.data() + rest.size(), [](uint8_t byte) { return byte != 0; }))
      return false;
    begin_ = end_;
  }
  return true;
}

bool GzipReader::start_over_with_zlib() {
  if (!is_isal_ || !source_.restart()) return false;
  inflater_ = Inflater::zlib();
  is_isal_ = false;
  begin_ = end_ = 0;
  position_ = Position::kBetweenMembers;
  first_member_ = true;
  repeat_ = delivered_;
  return inflater_ != nullptr;
}

size_t GzipReader::read(uint8_t* target, size_t room) {
  if (inflater_ == nullptr) return fail("out of memory for decompression");
  while (failure_.empty() && position_ != Position::kEnded) {
    if (!fetch(1)) {
      if (!source_.failure().empty()) return fail(source_.failure());
      if (position_ != Position::kBetweenMembers) {
        // isa-l buffers input; zlib delivers what isa-l still holds.
        if (start_over_with_zlib()) continue;
        return fail("the gzip stream is truncated");
      }
      position_ = Position::kEnded;
      break;
    }
    if (position_ == Position::kBetweenMembers) {
      fetch(kMagicSize);
      if (!first_member_ && !is_member_start(packed())) {
        if (!only_zeros_follow())
          return fail("expected gzip or padding after a gzip member, found other data");
        position_ = Position::kEnded;
        break;
      }
      if (!first_member_) inflater_->reset();
      first_member_ = false;
      position_ = Position::kInMember;
    }
    const Inflater::Step step = inflater_->step(packed(), target, room);
    if (step.outcome == Inflater::Outcome::kDamaged && start_over_with_zlib()) continue;
    begin_ += step.consumed;
    size_t produced = step.produced;
    if (const size_t again = static_cast<size_t>(std::min<uint64_t>(repeat_, produced));
        again > 0) {
      repeat_ -= again;
      produced -= again;
      std::memmove(target, target + again, produced);
    }
    if (step.outcome == Inflater::Outcome::kMemberEnd) {
      // The trailer does not match a member that was only partly salvaged.
      if (position_ == Position::kInRawData) {
        fetch(kTrailerSize);
        begin_ += std::min(kTrailerSize, end_ - begin_);
        inflater_ = Inflater::zlib();
        if (inflater_ == nullptr) return fail("out of memory for decompression");
      }
      position_ = Position::kBetweenMembers;
    } else if (step.outcome == Inflater::Outcome::kDamaged) {
      failure_ = inflater_->failure();
    }
    delivered_ += produced;
    if (produced > 0) return produced;
  }
  return 0;
}

bool GzipReader::can_inflate_here(Inflater& inflater) {
  fetch(kProbeSize);
  std::vector<uint8_t> scratch(kConvincing);
  inflater.reset();
  const Bytes probe = packed().slice(0, kProbeSize);
  Bytes rest = probe;
  size_t produced = 0;
  bool fine = true;
  while (fine && produced < kConvincing && !rest.empty()) {
    const Inflater::Step step = inflater.step(rest, scratch.data(), scratch.size());
    produced += step.produced;
    rest = rest.slice(step.consumed);
    if (step.outcome == Inflater::Outcome::kMemberEnd) break;
    fine = step.outcome == Inflater::Outcome::kMore && (step.consumed > 0 || step.produced > 0);
  }
  inflater.reset();
  return fine && (produced >= kConvincing || (produced > 0 && rest.empty()) ||
                  (rest.empty() && probe.size() == kProbeSize));
}

bool GzipReader::salvage() {
  if (failure_.empty() || !source_.failure().empty()) return false;
  while (probes_left_ > 0 && fetch(kMagicSize)) {
    const bool member = is_member_start(packed());
    const bool marker = is_flush_marker(packed());
    if (!member && !marker) {
      ++begin_;
      continue;
    }
    --probes_left_;
    const size_t start = marker ? kMarkerSize : 0;
    begin_ += start;
    auto inflater = member ? Inflater::zlib() : Inflater::zlib_raw();
    if (inflater != nullptr && can_inflate_here(*inflater)) {
      inflater_ = std::move(inflater);
      is_isal_ = false;
      repeat_ = 0;
      first_member_ = true;
      position_ = member ? Position::kBetweenMembers : Position::kInRawData;
      failure_.clear();
      return true;
    }
    if (member) ++begin_;
  }
  return false;
}

}  // namespace sfkit::scap
