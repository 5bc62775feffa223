// Rewrites the readable part of a damaged capture as a valid capture.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/summary.h"
#include "scap/input.h"

namespace sfkit {

// Passes the bytes of the new capture to `give`, in batches of a few hundred KB, until it returns
// false. The output is uncompressed, in the machine's byte order, with one section for each old
// one. Undamaged lists and events are copied, with changes that other readers need: event blocks
// get parameter counts, block types become official, and lists between events start a new section
// with the current state (a few times; later lists are dropped). Dropped are also options
// (comments), unknown blocks, and descriptors of unlisted threads. `written` becomes the number of
// events. The summary has the damage and, as `skipped`, everything dropped. Fails if the input is
// not a capture.
Status recover_capture(scap::Input& input, const std::string& name,
                       const std::function<bool(std::vector<uint8_t>)>& give,
                       const std::atomic<bool>& cancel, InputSummary& summary, uint64_t& written);

}  // namespace sfkit
