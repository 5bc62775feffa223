// Rewrites what can be read of a capture as a capture without faults.
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

// Gives the bytes of the new capture to `give`, a few hundred thousand at a time, until it returns false. It
// is plain, in the byte order of this machine, with a section for each of the old one. Lists and events stay
// as they are where nothing is wrong with them, but for what other readers stumble over: events get blocks
// that count their parameters, lists between events begin a section with the state as of there (a few times;
// further ones go), blocks are numbered officially. Options (comments), blocks of unknown type and
// descriptors of threads that are not listed go. `written` becomes the number of events. What was damaged,
// and under `skipped` what else had to go, is in the summary. Not ok when the input is no capture.
Status recover_capture(scap::Input& input, const std::string& name,
                       const std::function<bool(std::vector<uint8_t>)>& give, const std::atomic<bool>& cancel,
                       InputSummary& summary, uint64_t& written);

}  // namespace sfkit
