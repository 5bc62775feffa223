#include "sysflow_file/reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/byte_buffer.h"
#include "base/foreign_file.h"
#include "base/progress.h"
#include "output/null_sink.h"
#include "sysflow_file/decoder.h"
#include "sysflow_file/file_window.h"
#include "sysflow_file/schema.h"
#include "sysflow_file/snappy.h"

namespace sfkit::sysflow_file {

namespace {

constexpr size_t kSyncSize = 16;
constexpr size_t kMaxVarint = 10;
constexpr size_t kMaxHeaderEntry = size_t{16} << 20;
constexpr size_t kMaxSchema = size_t{1} << 20;
constexpr int kMaxHeaderEntries = 1000;
// Bounds time and memory for files full of damage.
constexpr size_t kMaxDamage = 1000;

enum class Codec : uint8_t { kNull, kDeflate, kSnappy };

std::string printable(Bytes bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0) text += ' ';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 15];
  }
  return text;
}

// Printable form of a name from the file, for messages.
std::string shown(std::string_view name) {
  constexpr size_t kMaxShown = 40;
  std::string text(name.substr(0, kMaxShown));
  for (char& letter : text) {
    if (letter < ' ' || letter > '~' || letter == '"') letter = '?';
  }
  return name.size() > kMaxShown ? text + "..." : text;
}

// Reads a number at the window's start and advances past it.
std::optional<int64_t> take_long(FileWindow& in) {
  in.fill(kMaxVarint);
  const Bytes view = in.view();
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxVarint && i < view.size(); ++i) {
    value |= uint64_t{view[i] & 0x7Fu} << std::min<size_t>(7 * i, 63);
    if (view[i] < 0x80) {
      in.consume(i + 1);
      return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
  }
  return std::nullopt;
}

// One zlib stream for all blocks.
class Inflater {
 public:
  enum class Outcome : uint8_t { kComplete, kTruncated, kBad, kTooLarge };

  Inflater() { ready_ = inflateInit2(&stream_, kRawDeflateWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }

  // Decompresses raw deflate data, as Avro requires, into `out`. kComplete: the stream ended,
  // rest() bytes follow; kTruncated: it did not end, `out` has the data so far.
  Outcome run(Bytes in, ByteBuffer& out) { return run(in, out, kRawDeflateWindow); }
  // run() for data with a zlib header.
  Outcome run_wrapped(Bytes in, ByteBuffer& out) { return run(in, out, kZlibWindow); }
  // Python writers leave 3 or 4 bytes of zlib's checksum here.
  size_t rest() const { return stream_.avail_in; }

 private:
  Outcome run(Bytes in, ByteBuffer& out, int window) {
    out.clear();
    if (!ready_ || inflateReset2(&stream_, window) != Z_OK) return Outcome::kBad;
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    while (true) {
      if (out.size() > kMaxBlock) return Outcome::kTooLarge;
      const size_t room = std::max<size_t>(out.size(), kFirstRoom);
      stream_.next_out = out.reserve(room);
      stream_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      out.advance(room - stream_.avail_out);
      if (result == Z_STREAM_END) return Outcome::kComplete;
      if (result != Z_OK && result != Z_BUF_ERROR) return Outcome::kBad;
      if (stream_.avail_out != 0) return Outcome::kTruncated;
    }
  }

  static constexpr int kRawDeflateWindow = -15;
  static constexpr int kZlibWindow = 15;
  static constexpr size_t kFirstRoom = 128 * 1024;

  z_stream stream_{};
  bool ready_ = false;
};

class Reader {
 public:
  Reader(const std::string& path, FileWindow in, sysflow::RecordSink& sink,
         const std::atomic<bool>& cancel, ReadSummary& summary)
      : path_(path), in_(std::move(in)), sink_(sink), cancel_(cancel), summary_(summary) {}

  Status run() {
    summary_.format = "sysflow";
    Status status = read_header();
    if (!status.is_ok()) return status;
    Decoder decoder(schema_, sink_);
    while (!cancelled() && read_block(decoder)) {
      update(decoder.counts());
      if (summary_.damage.size() < kMaxDamage) continue;
      damaged("bad-block", in_.offset(), 0, "too much damage; reading stopped here");
      break;
    }
    update(decoder.counts());
    if (in_.failed())
      damaged("unreadable", in_.offset(), 0, "the operating system reports a read error");
    if (cancelled()) return {ErrorCode::kCancelled, path_ + ": reading was stopped"};
    summary_.add_note(Reason::kBytesAfterData, notes_.rest);
    summary_.add_note(Reason::kZlibHeader, notes_.wrapped);
    summary_.add_note(Reason::kNoChecksum, notes_.unchecked);
    summary_.add_skipped(Reason::kUnknownRecords, decoder.counts().unknown);
    sink_.finish();
    return {};
  }

 private:
  bool cancelled() const { return cancel_.load(std::memory_order_relaxed); }

  void update(const DecodeCounts& counts) {
    summary_.events = counts.records;
    summary_.bytes = in_.offset();
    if (progress_ != nullptr) {
      Progress::set(progress_->events, counts.records);
      Progress::set(progress_->bytes, in_.offset());
      Progress::set(progress_->consumed, in_.offset());
    }
    summary_.first_time = counts.first_time;
    summary_.last_time = counts.last_time;
  }

  void damaged(std::string kind, uint64_t offset, uint64_t skipped, std::string message) {
    summary_.damage.push_back({std::move(kind), offset, skipped, std::move(message)});
  }

  Status truncated_header() const {
    return {ErrorCode::kDamaged, path_ + ": the file ends inside its header, at byte " +
                                     std::to_string(in_.offset()) +
                                     "; nothing can be read without the schema"};
  }

  Status bad_header(const std::string& what) const {
    return {ErrorCode::kBadFormat,
            path_ + ": " + what + " in the header, at byte " + std::to_string(in_.offset())};
  }

  // A length, then that many bytes.
  Status take_text(std::string& out) {
    const auto size = take_long(in_);
    if (!size) return in_.fill(kMaxVarint) ? bad_header("a bad length") : truncated_header();
    if (*size < 0 || static_cast<uint64_t>(*size) > kMaxHeaderEntry)
      return bad_header("a bad length");
    const auto count = static_cast<size_t>(*size);
    if (!in_.fill(count)) return truncated_header();
    out.assign(in_.view().slice(0, count).text());
    in_.consume(count);
    return {};
  }

  Status read_header() {
    if (!in_.fill(1)) {
      if (in_.failed()) return {ErrorCode::kUnreadable, path_ + ": cannot be read"};
      return {ErrorCode::kEmpty, path_ + ": is empty, expected a SysFlow file"};
    }
    in_.fill(kMagic.size());
    const Bytes start = in_.view().slice(0, kMagic.size());
    if (start.text() != kMagic) {
      if (const std::string foreign = describe_foreign_file(path_, in_.view()); !foreign.empty())
        return {ErrorCode::kBadFormat, path_ + ": " + foreign};
      return {ErrorCode::kBadFormat,
              path_ + ": not a SysFlow file: expected the bytes 4f 62 6a 01 at the start, found " +
                  printable(start)};
    }
    in_.consume(kMagic.size());

    std::string codec = "null";
    std::string schema;
    bool has_schema = false;
    int entries = 0;
    while (true) {
      auto count = take_long(in_);
      if (!count) return in_.fill(kMaxVarint) ? bad_header("a bad count") : truncated_header();
      if (*count == 0) break;
      if (*count < 0) {
        if (*count < -kMaxHeaderEntries || !take_long(in_)) return bad_header("a bad count");
        count = -*count;
      }
      for (int64_t i = 0; i < *count; ++i) {
        if (++entries > kMaxHeaderEntries) return bad_header("too many entries");
        std::string key;
        std::string value;
        if (Status status = take_text(key); !status.is_ok()) return status;
        if (Status status = take_text(value); !status.is_ok()) return status;
        if (key == "avro.codec") {
          codec = std::move(value);
        } else if (key == "avro.schema") {
          schema = std::move(value);
          has_schema = true;
        }
      }
    }
    if (!in_.fill(kSyncSize)) return truncated_header();
    std::copy_n(in_.view().data(), kSyncSize, sync_.begin());
    in_.consume(kSyncSize);

    if (!has_schema) return bad_header("no avro.schema");
    if (schema.size() > kMaxSchema) return bad_header("a schema of more than 1 MiB");
    if (codec.empty() || codec == "null") {
      codec_ = Codec::kNull;
      codec = "none";
    } else if (codec == "deflate") {
      codec_ = Codec::kDeflate;
    } else if (codec == "snappy") {
      codec_ = Codec::kSnappy;
    } else {
      return {ErrorCode::kNotSupported,
              path_ +
                  ": unsupported compression: expected codec null, deflate or snappy, found \"" +
                  shown(codec) + "\"; write the file again with one of these"};
    }
    summary_.compression = codec;
    auto compiled = compile_schema(schema);
    if (!compiled.is_ok()) {
      const Status status = compiled.status();
      return {status.code(), path_ + ": " + status.message()};
    }
    schema_ = std::move(compiled.value());
    return {};
  }

  // Reads the block at the window; false at the end of readable data.
  bool read_block(Decoder& decoder) {
    const uint64_t start = in_.offset();
    if (!in_.fill(1)) return false;
    const auto count = take_long(in_);
    const auto size = count ? take_long(in_) : std::nullopt;
    if (!size && !in_.fill(kMaxVarint)) {
      damaged("truncated", start, in_.offset() + in_.view().size() - start,
              "the file ends inside a block header");
      return false;
    }
    if (!size || *count < 0 || *size < 0 || static_cast<uint64_t>(*size) > kMaxBlock ||
        static_cast<uint64_t>(*count) > kMaxBlock) {
      return resume(
          "bad-block", start,
          "expected the count and size of a block of at most 64 MiB, found invalid numbers");
    }

    const auto bytes = static_cast<size_t>(*size);
    const auto records = static_cast<uint64_t>(*count);
    if (!in_.fill(bytes + kSyncSize)) {
      read_truncated_block(decoder, start, records, bytes);
      return false;
    }
    const Bytes data = in_.view().slice(0, bytes);
    const Bytes marker = in_.view().slice(bytes, kSyncSize);
    const bool marked = std::equal(sync_.begin(), sync_.end(), marker.data());
    Bytes plain;
    bool checked = true;
    // A block without records needs no decompression.
    const bool expanded = records == 0 || expand(data, plain, checked);
    // A block without its marker is accepted only if its records decode cleanly.
    if (!marked && (!expanded || !checked || records == 0 || !is_clean(plain, records))) {
      return resume("bad-sync", start,
                    "no sync marker after the block of " + std::to_string(bytes) + " bytes");
    }
    if (!expanded) {
      damaged("bad-block", start, bytes,
              "the compressed data of a block is damaged; its " + std::to_string(records) +
                  " records are lost");
      in_.consume(bytes + kSyncSize);
      return true;
    }
    bool clean = false;
    const uint64_t done = decoder.decode_block(plain, records, clean);
    if (!clean) {
      const std::string message =
          done == records ? "bytes are left after the last record of a block"
                          : "a record of a block is damaged; " + std::to_string(records - done) +
                                " of its " + std::to_string(records) + " records are lost";
      damaged("bad-block", start, 0, message);
    }
    if (clean && !checked) {
      damaged("bad-block", start, 0,
              "the checksum of a block is wrong; its records were read anyway");
    }
    if (decoder.cut_texts() != cut_texts_) {
      damaged("long-array", start, 0,
              std::to_string(decoder.cut_texts() - cut_texts_) +
                  " texts and items were dropped: an array takes " +
                  std::to_string(Decoder::kMaxTexts) + " texts, a pod " +
                  std::to_string(Decoder::kMaxPodBytes) + " bytes");
      cut_texts_ = decoder.cut_texts();
    }
    if (clean) notes_ += found_;
    if (!marked)
      damaged("bad-sync", start, 0,
              "the sync marker after a block is damaged; the block itself is complete");
    in_.consume(bytes + kSyncSize);
    return true;
  }

  // Whether the block decodes to exactly its records. Emits none of them.
  bool is_clean(Bytes plain, uint64_t records) {
    output::NullSink nobody;
    Decoder trial(schema_, nobody);
    bool clean = false;
    trial.decode_block(plain, records, clean);
    return clean;
  }

  void read_truncated_block(Decoder& decoder, uint64_t start, uint64_t records, size_t bytes) {
    const Bytes data = in_.view().slice(0, bytes);
    Bytes plain = data;
    bool readable = true;
    if (codec_ == Codec::kDeflate) {
      const auto outcome = inflater_.run(data, plain_);
      readable =
          outcome == Inflater::Outcome::kComplete || outcome == Inflater::Outcome::kTruncated;
      plain = plain_.bytes();
    } else if (codec_ == Codec::kSnappy) {
      bool checked = true;
      readable = data.size() == bytes && expand(data, plain, checked) && checked;
    }
    bool clean = false;
    const uint64_t done = readable ? decoder.decode_block(plain, records, clean) : 0;
    const uint64_t end = in_.offset() + in_.view().size();
    damaged("truncated", start, end - start,
            "the file ends inside a block; " + std::to_string(records - done) + " of its " +
                std::to_string(records) + " records are lost");
    in_.consume(in_.view().size());
  }

  // `checked` becomes false if a checksum does not match.
  bool expand(Bytes data, Bytes& plain, bool& checked) {
    found_ = {};
    switch (codec_) {
      case Codec::kNull: plain = data; return true;
      case Codec::kDeflate:
        if (inflater_.run(data, plain_) == Inflater::Outcome::kComplete) {
          found_.rest = inflater_.rest();
        } else if (inflater_.run_wrapped(data, plain_) == Inflater::Outcome::kComplete) {
          found_.wrapped = 1;
        } else {
          return false;
        }
        break;
      case Codec::kSnappy:
        if (!expand_snappy(data, checked)) return false;
        break;
    }
    plain = plain_.bytes();
    return true;
  }

  // Avro appends the big-endian CRC-32 of the plain data to the Snappy data.
  bool expand_snappy(Bytes data, bool& checked) {
    constexpr size_t kChecksum = 4;
    if (data.size() >= kChecksum) {
      const size_t size = data.size() - kChecksum;
      plain_.clear();
      if (snappy_decompress(data.slice(0, size), kMaxBlock, plain_)) {
        uint32_t expected = 0;
        for (size_t i = 0; i < kChecksum; ++i) expected = expected << 8 | data[size + i];
        const Bytes plain = plain_.bytes();
        checked = crc32(0, plain.data(), static_cast<uInt>(plain.size())) == expected;
        return true;
      }
    }
    plain_.clear();
    if (!snappy_decompress(data, kMaxBlock, plain_)) return false;
    found_.unchecked = 1;
    return true;
  }

  // Reports damage and advances past the next sync marker in the window; false if there is none.
  bool resume(std::string kind, uint64_t start, std::string message) {
    while (in_.fill(kSyncSize) && !cancelled()) {
      const Bytes view = in_.view();
      const uint8_t* const end = view.data() + view.size();
      const uint8_t* const found = std::search(view.data(), end, sync_.begin(), sync_.end());
      if (found != end) {
        in_.consume(static_cast<size_t>(found - view.data()) + kSyncSize);
        damaged(std::move(kind), start, in_.offset() - start, std::move(message));
        return true;
      }
      in_.consume(view.size() - kSyncSize + 1);
    }
    in_.consume(in_.view().size());
    damaged(std::move(kind), start, in_.offset() - start, message + "; no further block was found");
    return false;
  }

  const std::string& path_;
  FileWindow in_;
  sysflow::RecordSink& sink_;
  const std::atomic<bool>& cancel_;
  ReadSummary& summary_;
  Progress* const progress_ = ProgressScope::current();

  Codec codec_ = Codec::kNull;
  std::array<uint8_t, kSyncSize> sync_{};
  Schema schema_;
  struct Notes {
    uint64_t rest = 0, wrapped = 0, unchecked = 0;
    void operator+=(const Notes& other) {
      rest += other.rest;
      wrapped += other.wrapped;
      unchecked += other.unchecked;
    }
  };
  Notes notes_;             // of the blocks read so far
  Notes found_;             // of the current block
  uint64_t cut_texts_ = 0;  // before the current block
  Inflater inflater_;
  ByteBuffer plain_;
};

}  // namespace

Status read_sysflow_file(const std::string& path, sysflow::RecordSink& sink,
                         const std::atomic<bool>& cancel, ReadSummary& summary) {
  auto in = FileWindow::open(path);
  if (!in.is_ok()) return in.status();
  if (Progress* const progress = ProgressScope::current(); progress != nullptr) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(path, failed);
    if (!failed) Progress::set(progress->size, size);
  }
  return Reader(path, std::move(in.value()), sink, cancel, summary).run();
}

}  // namespace sfkit::sysflow_file
