#include "output/block_writer.h"

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

void append_string(ByteBuffer& out, std::string_view text) {
  append_long(out, static_cast<int64_t>(text.size()));
  out.append(text);
}

}  // namespace

BlockWriter::BlockWriter(Consumer consumer, Codec codec)
    : consumer_(std::move(consumer)),
      codec_(codec),
      deflater_(codec == Codec::kDeflate ? Deflater::make() : nullptr) {}

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
  append_string(output_, codec_name(codec_));
  append_string(output_, "avro.schema");
  append_string(output_, kSysFlowSchema);
  append_long(output_, 0);
  output_.append(sync_.data(), sync_.size());
  has_header_ = true;
}

void BlockWriter::write_block(const Block& block) {
  if (!has_header_) write_header(block.datums.bytes());
  const Bytes datums = block.datums.bytes();
  const Bytes packed = deflater_ ? deflater_->deflate(datums) : datums;
  append_long(output_, block.count);
  append_long(output_, static_cast<int64_t>(packed.size()));
  output_.append(packed.data(), packed.size());
  output_.append(sync_.data(), sync_.size());
}

bool BlockWriter::deliver() {
  const Bytes bytes = output_.bytes();
  const bool wanted = consumer_(std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size()));
  output_.clear();
  return wanted;
}

}  // namespace sfkit::output
