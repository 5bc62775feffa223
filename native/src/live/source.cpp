#include "live/source.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "live/capture.h"

namespace sfkit::live {
namespace {

class LiveInput : public scap::Input {
 public:
  explicit LiveInput(std::shared_ptr<LiveCapture> capture) : capture_(std::move(capture)) {}

  void stop() override { capture_->stop(); }

 protected:
  void fill(size_t want) override {
    if (ended_) return;
    size_t end = window_.size();
    if (end > 0) std::memmove(buffer_.data(), window_.data(), end);
    while (end < want && !ended_) {
      if (buffer_.size() < end + kReadSize)
        buffer_.resize(std::max(end + kReadSize, 4 * kReadSize));
      const size_t got = capture_->read(buffer_.data() + end, buffer_.size() - end);
      if (got == 0) {
        ended_ = true;
        failure_ = capture_->failure();
      }
      end += got;
    }
    window_ = Bytes(buffer_.data(), end);
  }

 private:
  static constexpr size_t kReadSize = size_t{256} << 10;

  std::shared_ptr<LiveCapture> capture_;
  std::vector<uint8_t> buffer_;
  bool ended_ = false;
};

class KernelSource : public LiveSource {
 public:
  explicit KernelSource(std::shared_ptr<LiveCapture> capture) : capture_(std::move(capture)) {}
  ~KernelSource() override { capture_->cancel(); }

  std::unique_ptr<scap::Input> input() override { return std::make_unique<LiveInput>(capture_); }
  void cancel() override { capture_->cancel(); }
  void describe_container(std::string_view json) override { capture_->describe_container(json); }
  void add_kubernetes_event(std::string_view json) override {
    capture_->add_kubernetes_event(json);
  }
  LiveCounts counts() const override { return capture_->counts(); }
  std::string recording_failure() const override { return capture_->recording_failure(); }
  std::string privileges_failure() const override { return capture_->privileges_failure(); }

 private:
  std::shared_ptr<LiveCapture> capture_;
};

}  // namespace

Result<std::shared_ptr<LiveSource>> LiveSource::open(const LiveOptions& options) {
  auto capture = LiveCapture::start(options);
  if (!capture.is_ok()) return capture.status();
  return std::shared_ptr<LiveSource>(std::make_shared<KernelSource>(std::move(capture.value())));
}

Result<std::string> LiveSource::try_probe(ProbeOptions options) {
  options.ring_bytes = 0;
  auto probe = Probe::load(options);
  if (!probe.is_ok()) return probe.status();
  if (Status status = probe.value().attach(); !status.is_ok()) return status;
  return std::to_string(probe.value().program_count()) + " programs on " +
         (probe.value().uses_raw_tracepoints() ? "raw tracepoints" : "BTF tracepoints");
}

}  // namespace sfkit::live
