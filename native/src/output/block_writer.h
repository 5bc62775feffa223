// The blocks of an Avro object container, deflated and put together on a thread of their own, so that the
// engine does not wait for the compression.
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

namespace sfkit::output {

class Deflater;

class BlockWriter {
 public:
  // Takes the next bytes of the file, on the writer's thread. False: nobody wants more.
  using Consumer = std::function<bool(std::vector<uint8_t>)>;

  // `level`: as zlib has it.
  BlockWriter(Consumer consumer, int level);
  // Without finish() before, what is not written yet is dropped.
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // Takes the `count` datums in `datums` as one block and leaves an empty buffer in their place. Waits when
  // the writer is too far behind. False when the consumer wants no more.
  bool add_block(ByteBuffer& datums, int64_t count);
  // Has the consumer given the blocks added so far soon, though they are few.
  void flush();
  // Writes all blocks, and the header when there were none; returns when the consumer has taken everything.
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
  bool hand_over();

  Consumer consumer_;
  std::unique_ptr<Deflater> deflater_;

  // Of the writer's thread.
  ByteBuffer output_;  // bytes of the file that were not handed over yet
  std::array<uint8_t, 16> sync_{};
  bool has_header_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> blocks_;
  std::vector<ByteBuffer> spare_;  // emptied buffers, for the next blocks
  bool hurry_ = false;             // what is written shall be handed over when no block is waiting
  bool ended_ = false;             // no further block will come
  bool gone_ = false;              // the consumer, or whoever made the blocks, left
  std::exception_ptr failure_;     // why the thread ended early
  std::thread thread_;
};

}  // namespace sfkit::output
