#include "scap/inflate.h"

#include <zlib.h>

#include <algorithm>

#ifdef SFKIT_WITH_ISAL
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#endif

namespace sfkit::scap {
namespace {

constexpr size_t kMaxStepSize = size_t{1} << 30;

class ZlibInflater : public Inflater {
 public:
  // The largest window; plus 16 selects the gzip format, negative raw deflate.
  static constexpr int kGzip = 16 + 15;
  static constexpr int kRaw = -15;

  explicit ZlibInflater(int window_bits) { ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
  ~ZlibInflater() override {
    if (ready_) inflateEnd(&stream_);
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  bool ready() const { return ready_; }

  Step step(Bytes in, uint8_t* out, size_t room) override {
    stream_.next_in = const_cast<uint8_t*>(in.data());
    stream_.avail_in = static_cast<uInt>(std::min(in.size(), kMaxStepSize));
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(std::min(room, kMaxStepSize));
    const uInt in_before = stream_.avail_in;
    const uInt out_before = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    Step step;
    step.consumed = in_before - stream_.avail_in;
    step.produced = out_before - stream_.avail_out;
    if (result == Z_STREAM_END) {
      step.outcome = Outcome::kMemberEnd;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      step.outcome = Outcome::kDamaged;
      failure_ = std::string("gzip data is damaged: ") +
                 (stream_.msg != nullptr ? stream_.msg : "a dictionary is missing");
    }
    return step;
  }

  void reset() override { inflateReset(&stream_); }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

std::unique_ptr<Inflater> make_zlib(int window_bits) {
  auto inflater = std::make_unique<ZlibInflater>(window_bits);
  if (!inflater->ready()) return nullptr;
  return inflater;
}

#ifdef SFKIT_WITH_ISAL

// Loaded at run time, so that a binary built with isa-l also runs without it.
struct IsalLibrary {
  void (*init)(inflate_state*) = nullptr;
  void (*reset)(inflate_state*) = nullptr;
  int (*inflate)(inflate_state*) = nullptr;

  bool loaded() const { return init != nullptr && reset != nullptr && inflate != nullptr; }

  static const IsalLibrary& get() {
    static const IsalLibrary library = load();
    return library;
  }

 private:
  static IsalLibrary load() {
    IsalLibrary library;
#ifdef __APPLE__
    constexpr const char* kName = "libisal.2.dylib";
#else
    constexpr const char* kName = "libisal.so.2";
#endif
    void* handle = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return library;
    library.init = reinterpret_cast<void (*)(inflate_state*)>(::dlsym(handle, "isal_inflate_init"));
    library.reset =
        reinterpret_cast<void (*)(inflate_state*)>(::dlsym(handle, "isal_inflate_reset"));
    library.inflate = reinterpret_cast<int (*)(inflate_state*)>(::dlsym(handle, "isal_inflate"));
    return library;
  }
};

class IsalInflater : public Inflater {
 public:
  explicit IsalInflater(const IsalLibrary& library)
      : library_(library), state_(std::make_unique<inflate_state>()) {
    library_.init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  Step step(Bytes in, uint8_t* out, size_t room) override {
    state_->next_in = const_cast<uint8_t*>(in.data());
    state_->avail_in = static_cast<uint32_t>(std::min(in.size(), kMaxStepSize));
    state_->next_out = out;
    state_->avail_out = static_cast<uint32_t>(std::min(room, kMaxStepSize));
    const uint32_t in_before = state_->avail_in;
    const uint32_t out_before = state_->avail_out;
    const int result = library_.inflate(state_.get());
    Step step;
    step.consumed = in_before - state_->avail_in;
    step.produced = out_before - state_->avail_out;
    if (result < 0 || result == ISAL_NEED_DICT) {
      step.outcome = Outcome::kDamaged;
      failure_ = "gzip data is damaged (isa-l error " + std::to_string(result) + ")";
    } else if (state_->block_state == ISAL_BLOCK_FINISH) {
      step.outcome = Outcome::kMemberEnd;
    }
    return step;
  }

  void reset() override {
    library_.reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

 private:
  const IsalLibrary& library_;
  std::unique_ptr<inflate_state> state_;
};

#endif

}  // namespace

std::unique_ptr<Inflater> Inflater::zlib() {
  return make_zlib(ZlibInflater::kGzip);
}

std::unique_ptr<Inflater> Inflater::zlib_raw() {
  return make_zlib(ZlibInflater::kRaw);
}

std::unique_ptr<Inflater> Inflater::isal() {
#ifdef SFKIT_WITH_ISAL
  if (IsalLibrary::get().loaded()) return std::make_unique<IsalInflater>(IsalLibrary::get());
#endif
  return nullptr;
}

}  // namespace sfkit::scap
