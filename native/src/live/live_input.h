// A live capture as an input of the reader.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "live/capture.h"
#include "scap/input.h"

namespace sfkit::live {

class LiveInput : public scap::Input {
 public:
  explicit LiveInput(std::shared_ptr<LiveCapture> capture) : capture_(std::move(capture)) {}

  void stop() override { capture_->stop(); }

 protected:
  void fill(size_t want) override;

 private:
  static constexpr size_t kReadSize = size_t{256} << 10;

  std::shared_ptr<LiveCapture> capture_;
  std::vector<uint8_t> buffer_;
  bool ended_ = false;
};

}  // namespace sfkit::live
