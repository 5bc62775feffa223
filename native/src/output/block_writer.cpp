#include "output/block_writer.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "base/sha1.h"
#include "output/avro_encoder.h"
#include "schema.gen.h"

namespace sfkit::output {

namespace {

// Output is delivered in chunks of a few blocks, so that the consumer does not wake for each block.
constexpr size_t kChunk = 256 * 1024;
// Maximum number of blocks that wait for the writer.
constexpr size_t kMaxWaiting = 4;
constexpr int kRawDeflateWindow = -15;
constexpr int kMemoryLevel = 9;

void append_string(ByteBuffer& out, std::string_view text) {
  append_long(out, static_cast<int64_t>(text.size()));
  out.append(text);
}

}  // namespace

// One zlib stream for all blocks. If it cannot be created (out of memory), blocks are stored
// uncompressed.
class Deflater {
 public:
  explicit Deflater(int level) {
    ready_ = deflateInit2(&stream_, level, Z_DEFLATED, kRawDeflateWindow, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() {
    if (ready_) deflateEnd(&stream_);
  }

  // Compresses to raw deflate; the result is valid until the next call.
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

  // Stored blocks: RFC 1951, section 3.2.4.
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

BlockWriter::BlockWriter(Consumer consumer, int level)
    : consumer_(std::move(consumer)), deflater_(std::make_unique<Deflater>(level)) {}

BlockWriter::~BlockWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool BlockWriter::add_block(ByteBuffer& datums, int64_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || blocks_.size() < kMaxWaiting; });
  if (failure_) std::rethrow_exception(failure_);
  if (stopped_) return false;
  Block& block = blocks_.emplace_back();
  std::swap(block.datums, datums);
  block.count = count;
  if (!spare_.empty()) {
    std::swap(spare_.back(), datums);
    spare_.pop_back();
  }
  lock.unlock();
  start();
  changed_.notify_all();
  return true;
}

void BlockWriter::start() {
  if (!thread_.joinable())
    thread_ = std::thread([this] {
      try {
        run();
      } catch (...) {
        // Out of memory: the producer gets the exception with its next block.
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        stopped_ = true;
        changed_.notify_all();
      }
    });
}

void BlockWriter::flush() {
  const std::lock_guard lock(mutex_);
  flushing_ = true;
  changed_.notify_all();
}

void BlockWriter::finish() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  start();
  changed_.notify_all();
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

void BlockWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || ended_ || flushing_ || !blocks_.empty(); });
    if (!stopped_ && blocks_.empty() && flushing_) {
      flushing_ = false;
      lock.unlock();
      const bool wanted = output_.empty() || deliver();
      lock.lock();
      if (!wanted) stopped_ = true;
      continue;
    }
    if (stopped_ || blocks_.empty()) break;
    Block block = std::move(blocks_.front());
    blocks_.pop_front();
    lock.unlock();
    changed_.notify_all();
    write_block(block);
    const bool wanted = output_.size() < kChunk || deliver();
    block.datums.clear();
    lock.lock();
    if (!wanted) stopped_ = true;
    spare_.push_back(std::move(block.datums));
  }
  const bool whole = !stopped_;
  lock.unlock();
  if (whole) {
    if (!has_header_) write_header({});
    deliver();
  }
  changed_.notify_all();
}

void BlockWriter::write_header(Bytes first_block) {
  Sha1 hash;
  hash.update(kSysFlowSchema);
  hash.update(first_block);
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
  has_header_ = true;
}

void BlockWriter::write_block(const Block& block) {
  if (!has_header_) write_header(block.datums.bytes());
  const Bytes deflated = deflater_->deflate_block(block.datums.bytes());
  append_long(output_, block.count);
  append_long(output_, static_cast<int64_t>(deflated.size()));
  output_.append(deflated.data(), deflated.size());
  output_.append(sync_.data(), sync_.size());
}

bool BlockWriter::deliver() {
  const Bytes bytes = output_.bytes();
  const bool wanted = consumer_(std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size()));
  output_.clear();
  return wanted;
}

}  // namespace sfkit::output
