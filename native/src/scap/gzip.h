// Reads concatenated gzip members as one stream (spec: scap-format, section 1), and resumes after
// damage if possible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scap/byte_source.h"
#include "scap/inflate.h"

namespace sfkit::scap {

class GzipReader {
 public:
  enum class Library : uint8_t { kFastest, kZlib };

  explicit GzipReader(ByteSource source, Library library = Library::kFastest);

  // Reads up to `room` bytes into `target`. Returns 0 at the end and on damage; failure()
  // distinguishes the two.
  size_t read(uint8_t* target, size_t room);

  // Why reading stopped; empty after a clean end.
  const std::string& failure() const { return failure_; }

  // After a failure: searches for the next member or full flush, where decompression can restart,
  // and continues there. False if there is none.
  bool salvage();

  // Callable from another thread, see ByteSource::stop.
  void stop() { source_.stop(); }

 private:
  enum class Position : uint8_t { kBetweenMembers, kInMember, kInRawData, kEnded };

  Bytes packed() const { return {packed_.data() + begin_, end_ - begin_}; }
  // Makes at least `want` compressed bytes available; false if the source has fewer.
  bool fetch(size_t want);
  bool start_over_with_zlib();
  size_t fail(std::string reason);
  // Whether only padding follows a member.
  bool only_zeros_follow();
  bool can_inflate_here(Inflater& inflater);

  ByteSource source_;
  std::unique_ptr<Inflater> inflater_;
  bool is_isal_ = false;
  std::vector<uint8_t> packed_;  // compressed input; bytes in [begin_, end_) are unread
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t delivered_ = 0;  // bytes that read() returned
  uint64_t repeat_ = 0;     // bytes to discard, because read() already returned them
  Position position_ = Position::kBetweenMembers;
  bool first_member_ = true;
  int probes_left_;
  std::string failure_;
};

}  // namespace sfkit::scap
