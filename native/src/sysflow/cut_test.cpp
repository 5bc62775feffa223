// Truncated captures: all complete blocks before the cut are kept, and the damage is reported.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "output/null_sink.h"
#include "scap/blocks.h"
#include "scap/gzip.h"
#include "sysflow/convert.h"
#include "testing/gzip.h"
#include "testing/seeds.h"

namespace sfkit::sysflow {
namespace {

// The end of a block, and the number of events up to there.
struct Boundary {
  size_t at = 0;
  uint64_t events = 0;
};

std::vector<Boundary> boundaries(Bytes capture) {
  std::vector<Boundary> found;
  uint64_t events = 0;
  for (size_t at = 0; at < capture.size();) {
    switch (scap::official_type(capture.load<uint32_t>(at))) {
      case scap::block::kEvent1:
      case scap::block::kEventFlags1:
      case scap::block::kEvent2:
      case scap::block::kEventFlags2:
      case scap::block::kEvent2Large:
      case scap::block::kEventFlags2Large: ++events; break;
      default: break;
    }
    at += std::max<uint32_t>(capture.load<uint32_t>(at + 4), 12);
    found.push_back({at, events});
  }
  return found;
}

const Boundary* last_before(const std::vector<Boundary>& all, size_t cut) {
  const Boundary* last = nullptr;
  for (const Boundary& boundary : all) {
    if (boundary.at <= cut) last = &boundary;
  }
  return last;
}

struct Outcome {
  Status status;
  InputSummary summary;
};

Outcome convert(Bytes bytes) {
  Outcome outcome;
  auto input = scap::Input::over(bytes);
  output::NullSink sink;
  const std::atomic<bool> cancel{false};
  outcome.status = convert_capture(*input.value(), "test", {}, sink, cancel, outcome.summary);
  return outcome;
}

// Ten small captures of all ages in this machine's byte order.
std::vector<testing::Fixture> ten_captures() {
  std::vector<testing::Fixture> captures = testing::valid_captures();
  std::erase_if(captures,
                [](const testing::Fixture& fixture) { return fixture.name == "big-endian.scap"; });
  captures.erase(captures.begin(), captures.end() - 10);
  return captures;
}

TEST(TruncatedCapture, KeepsAllEventsBeforeAnyCut) {
  for (const testing::Fixture& capture : ten_captures()) {
    const Bytes whole(capture.bytes.data(), capture.bytes.size());
    const std::vector<Boundary> all = boundaries(whole);
    ASSERT_GT(all.back().events, 5u) << capture.name;
    for (size_t cut = 1; cut < whole.size(); ++cut) {
      const Outcome outcome = convert(whole.slice(0, cut));
      const Boundary* last = last_before(all, cut);
      // A section header of version 1.0 alone can be that of a network capture.
      constexpr size_t kMinor = 14;
      const bool can_be_network = cut == all.front().at && whole[kMinor] == 0;
      if (last == nullptr || can_be_network) {
        ASSERT_FALSE(outcome.status.is_ok()) << capture.name << " cut at " << cut;
        continue;
      }
      ASSERT_TRUE(outcome.status.is_ok()) << capture.name << " cut at " << cut;
      ASSERT_GE(outcome.summary.events, last->events) << capture.name << " cut at " << cut;
      // A cut between two blocks does not show.
      ASSERT_EQ(outcome.summary.damage.empty(), last->at == cut)
          << capture.name << " cut at " << cut;
    }
  }
}

TEST(TruncatedCapture, KeepsAllEventsThatCanBeDecompressed) {
  for (const testing::Fixture& capture : ten_captures()) {
    const Bytes whole(capture.bytes.data(), capture.bytes.size());
    const std::vector<Boundary> all = boundaries(whole);
    const std::string packed = testing::gzip(whole.text());
    constexpr size_t kStep = 97;
    for (size_t cut = kStep; cut < packed.size(); cut += kStep) {
      const Bytes part = Bytes(std::string_view(packed)).slice(0, cut);
      // zlib's result for the same bytes.
      scap::GzipReader reader(scap::ByteSource::over(part), scap::GzipReader::Library::kZlib);
      std::vector<uint8_t> plain(whole.size());
      size_t size = 0;
      while (const size_t got = reader.read(plain.data() + size, plain.size() - size)) size += got;

      const Outcome outcome = convert(part);
      const Boundary* last = last_before(all, size);
      if (last == nullptr) {
        ASSERT_FALSE(outcome.status.is_ok()) << capture.name << " cut at " << cut;
        continue;
      }
      ASSERT_GE(outcome.summary.events, last->events) << capture.name << " cut at " << cut;
      ASSERT_FALSE(outcome.summary.damage.empty()) << capture.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace sfkit::sysflow
