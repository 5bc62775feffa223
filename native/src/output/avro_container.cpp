#include "output/avro_container.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "base/sha1.h"
#include "schema.gen.h"

namespace sfkit::output {

namespace {

// Bytes collected before they are handed over: a few blocks, so that the consumer is not woken for each.
constexpr size_t kChunk = 256 * 1024;
constexpr int kRawDeflateWindow = -15;
constexpr int kMemoryLevel = 9;

void append_string(ByteBuffer& out, std::string_view text) {
  append_long(out, static_cast<int64_t>(text.size()));
  out.append(text);
}

}  // namespace

// One zlib stream for all blocks. Where it cannot be set up (no memory), blocks come out as stored.
class AvroContainer::Deflater {
 public:
  explicit Deflater(int level) {
    ready_ = deflateInit2(&stream_, level, Z_DEFLATED, kRawDeflateWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
             Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() {
    if (ready_) deflateEnd(&stream_);
  }

  // `in` as a raw deflate stream; valid until the next call.
  Bytes deflate_block(Bytes in) {
    out_.clear();
    if (!compress(in)) store(in);
    return out_.bytes();
  }

 private:
  bool compress(Bytes in) {
    if (!ready_ || deflateReset(&stream_) != Z_OK) return false;
    const size_t bound = deflateBound(&stream_, in.size());
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out_.reserve(bound);
    stream_.avail_out = static_cast<uInt>(bound);
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) return false;
    out_.advance(stream_.total_out);
    return true;
  }

  // RFC 1951, section 3.2.4.
  void store(Bytes in) {
    constexpr size_t kMaxStored = 65535;
    for (size_t at = 0; at == 0 || at < in.size(); at += kMaxStored) {
      const Bytes part = in.slice(at, kMaxStored);
      const auto size = static_cast<uint16_t>(part.size());
      const auto inverted = static_cast<uint16_t>(~size);
      const uint8_t head[] = {static_cast<uint8_t>(at + part.size() >= in.size() ? 1 : 0),
                              static_cast<uint8_t>(size), static_cast<uint8_t>(size >> 8),
                              static_cast<uint8_t>(inverted), static_cast<uint8_t>(inverted >> 8)};
      out_.append(head, sizeof(head));
      out_.append(part.data(), part.size());
    }
  }

  z_stream stream_{};
  bool ready_ = false;
  ByteBuffer out_;
};

AvroContainer::AvroContainer(Consumer consumer, int level)
    : consumer_(std::move(consumer)), deflater_(std::make_unique<Deflater>(level)) {}

AvroContainer::~AvroContainer() = default;

void AvroContainer::network_flow(const sysflow::NetworkFlow& record) {
  if (record.ipv6) {
    ++skipped_ipv6_flows_;
  } else {
    add(record);
  }
}

void AvroContainer::write_header() {
  Sha1 hash;
  hash.update(kSysFlowSchema);
  hash.update(pending_.bytes());
  const Sha1::Digest digest = hash.finish();
  std::copy_n(digest.begin(), sync_.size(), sync_.begin());

  output_.append("Obj\x01");
  append_long(output_, 2);
  append_string(output_, "avro.codec");
  append_string(output_, "deflate");
  append_string(output_, "avro.schema");
  append_string(output_, kSysFlowSchema);
  append_long(output_, 0);
  output_.append(sync_.data(), sync_.size());
  started_ = true;
}

void AvroContainer::close_block() {
  if (!started_) write_header();
  if (pending_count_ != 0) {
    const Bytes deflated = deflater_->deflate_block(pending_.bytes());
    append_long(output_, pending_count_);
    append_long(output_, static_cast<int64_t>(deflated.size()));
    output_.append(deflated.data(), deflated.size());
    output_.append(sync_.data(), sync_.size());
    pending_.clear();
    pending_count_ = 0;
  }
  if (output_.size() >= kChunk) hand_over();
}

void AvroContainer::hand_over() {
  const Bytes bytes = output_.bytes();
  if (bytes.empty() || gone_) return;
  if (!consumer_(std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size()))) gone_ = true;
  output_.clear();
}

void AvroContainer::finish() {
  if (gone_) return;
  close_block();
  hand_over();
}

}  // namespace sfkit::output
