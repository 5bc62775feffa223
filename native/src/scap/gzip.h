// gzip members, one after the other, as one stream of bytes (spec: scap-format, section 1), read on behind
// damage where that is possible.
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

  // Up to `room` bytes at `target`. 0 at the end, or where the stream is broken: failure() says which.
  size_t read(uint8_t* target, size_t room);

  // Empty after a clean end.
  const std::string& failure() const { return failure_; }

  // After a failure: looks for the next place at which decompression can begin anew, that is another member
  // or a full flush, and goes on there. False when there is none.
  bool salvage();

  // For another thread, see ByteSource::stop.
  void stop() { source_.stop(); }

 private:
  enum class Position : uint8_t { kBetweenMembers, kInMember, kInRawData, kEnded };

  Bytes packed() const { return {packed_.data() + begin_, end_ - begin_}; }
  // Makes at least `want` packed bytes available if the source has them; false when it has fewer.
  bool fetch(size_t want);
  bool start_over_with_zlib();
  size_t fail(std::string reason);
  // Whether what follows a member is only padding.
  bool only_zeros_follow();
  bool can_inflate_here(Inflater& inflater);

  ByteSource source_;
  std::unique_ptr<Inflater> inflater_;
  bool is_isal_ = false;
  std::vector<uint8_t> packed_;  // of the source; what is between begin_ and end_ is to come
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t delivered_ = 0;  // bytes that read() has given
  uint64_t repeat_ = 0;     // bytes to be left out, as they were given before
  Position position_ = Position::kBetweenMembers;
  bool first_member_ = true;
  int probes_left_;
  std::string failure_;
};

}  // namespace sfkit::scap
