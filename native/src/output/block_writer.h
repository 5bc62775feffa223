// Compresses and writes the blocks of an Avro object container on its own thread, so that the
// engine does not wait for compression.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/byte_buffer.h"
#include "output/deflater.h"

namespace sfkit::output {

class BlockWriter {
 public:
  // Receives the next bytes of the file, on the writer's thread. Return false to stop.
  using Consumer = std::function<bool(std::vector<uint8_t>)>;

  BlockWriter(Consumer consumer, Codec codec);
  // Drops unwritten data unless finish() was called.
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // Writes the `count` datums in `datums` as one block; leaves an empty buffer in `datums`. Waits
  // while kMaxWaiting blocks are pending. False if the consumer has stopped.
  bool add_block(ByteBuffer& datums, int64_t count);
  // Makes the writer deliver pending blocks soon, even if they are small.
  void flush();
  // Writes all blocks, or only the header if there are none. Returns when the consumer has received
  // everything.
  void finish();

 private:
  struct Block {
    ByteBuffer datums;
    int64_t count = 0;
  };

  void start();
  void run();
  void write_header(Bytes first_block);
  void write_block(const Block& block);
  bool deliver();

  Consumer consumer_;
  const Codec codec_;
  std::unique_ptr<Deflater> deflater_;  // null without compression

  // Used only by the writer's thread:
  ByteBuffer output_;  // bytes of the file that are not delivered yet
  std::array<uint8_t, 16> sync_{};
  bool has_header_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> blocks_;
  std::vector<ByteBuffer> spare_;  // reusable buffers
  bool flushing_ = false;          // deliver output as soon as no block is waiting
  bool ended_ = false;             // there will be no more blocks
  bool stopped_ = false;           // the consumer or the producer has stopped
  std::exception_ptr failure_;     // why the thread failed
  std::thread thread_;
};

}  // namespace sfkit::output
