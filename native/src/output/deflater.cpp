#include "output/deflater.h"

#include <zlib.h>

#ifdef SFKIT_WITH_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace sfkit::output {
namespace {

// On SysFlow of real captures, level 2 takes half the time of level 6; files are 8 to 13 % larger.
class ZlibDeflater : public Deflater {
 public:
  ZlibDeflater() {
    ready_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, kRawDeflateWindow, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ZlibDeflater(const ZlibDeflater&) = delete;
  ZlibDeflater& operator=(const ZlibDeflater&) = delete;
  ~ZlibDeflater() override {
    if (ready_) deflateEnd(&stream_);
  }

 protected:
  bool compress(Bytes in, ByteBuffer& out) override {
    if (!ready_ || deflateReset(&stream_) != Z_OK) return false;
    const size_t bound = deflateBound(&stream_, in.size());
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.reserve(bound);
    stream_.avail_out = static_cast<uInt>(bound);
    if (::deflate(&stream_, Z_FINISH) != Z_STREAM_END) return false;
    out.advance(stream_.total_out);
    return true;
  }

 private:
  static constexpr int kLevel = 2;
  static constexpr int kRawDeflateWindow = -15;
  static constexpr int kMemoryLevel = 9;

  z_stream stream_{};
  bool ready_ = false;
};

#ifdef SFKIT_WITH_LIBDEFLATE

// Level 1 is the fastest. Some data becomes clearly smaller with level 4, which takes 1.6 times as
// long: a trial on one block decides for those after it. docs/benchmarks.md compares the levels.
class LibdeflateDeflater : public Deflater {
 protected:
  bool compress(Bytes in, ByteBuffer& out) override {
    if (until_trial_ > 0) {
      --until_trial_;
      return (pays_ ? thorough_ : fast_).compress(in, out);
    }
    until_trial_ = kBlocksPerTrial - 1;
    trial_.clear();
    pays_ = fast_.compress(in, trial_) && thorough_.compress(in, out) &&
            out.size() + out.size() / kLeastGain < trial_.size();
    return !out.empty() || fast_.compress(in, out);
  }

 private:
  class Level {
   public:
    explicit Level(int level) : compressor_(libdeflate_alloc_compressor(level)) {}
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { libdeflate_free_compressor(compressor_); }

    bool compress(Bytes in, ByteBuffer& out) {
      if (compressor_ == nullptr) return false;
      const size_t bound = libdeflate_deflate_compress_bound(compressor_, in.size());
      const size_t size =
          libdeflate_deflate_compress(compressor_, in.data(), in.size(), out.reserve(bound), bound);
      out.advance(size);
      return size != 0;
    }

   private:
    libdeflate_compressor* compressor_;
  };

  static constexpr int kBlocksPerTrial = 32;
  static constexpr size_t kLeastGain = 14;  // one part in 14: 7 %

  Level fast_{1};
  Level thorough_{4};
  ByteBuffer trial_;
  int until_trial_ = 0;
  bool pays_ = false;
};

#endif

}  // namespace

std::unique_ptr<Deflater> Deflater::make([[maybe_unused]] Library library) {
#ifdef SFKIT_WITH_LIBDEFLATE
  if (library == Library::kFastest) return std::make_unique<LibdeflateDeflater>();
#endif
  return std::make_unique<ZlibDeflater>();
}

const char* Deflater::library_name() {
#ifdef SFKIT_WITH_LIBDEFLATE
  return "libdeflate";
#else
  return "zlib";
#endif
}

Bytes Deflater::deflate(Bytes in) {
  out_.clear();
  if (!compress(in, out_)) store(in);
  return out_.bytes();
}

// Stored blocks: RFC 1951, section 3.2.4.
void Deflater::store(Bytes in) {
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

}  // namespace sfkit::output
