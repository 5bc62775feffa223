// Reads .sf files: Avro object containers of SysFlow records, all schema versions from 1000 to 5.
#pragma once

#include <atomic>
#include <string>

#include "base/status.h"
#include "sysflow/convert.h"
#include "sysflow/records.h"

namespace sfkit::sysflow_file {

// As for captures, but `format` is "sysflow", `compression` the codec, `events` counts records of
// any kind, and `bytes` is the file's size. Damage offsets count from the start of the file.
using ReadSummary = InputSummary;

// The magic of Avro object containers.
inline constexpr std::string_view kMagic{"Obj\x01", 4};

// Larger blocks, compressed or not, are damage. SysFlow writers make blocks of 80 KB.
inline constexpr size_t kMaxBlock = size_t{64} << 20;

// Passes every record to `sink`, then calls sink.finish(). Damage after the header is not an error:
// reading continues at the next sync marker. The summary has the losses as `truncated` (the file
// ends inside a block), `bad-sync` (a block without its marker) or `bad-block` (a block with a bad
// size, compression or content). Fails if the file is unreadable, with the path in the message, and
// with kCancelled when `cancel` becomes true. Memory: one block and its decompressed form, for any
// file size.
Status read_sysflow_file(const std::string& path, sysflow::RecordSink& sink,
                         const std::atomic<bool>& cancel, ReadSummary& summary);

}  // namespace sfkit::sysflow_file
