// Reads .sf files: Avro object containers of SysFlow records, of every schema version from 1000 to 5.
#pragma once

#include <atomic>
#include <string>

#include "base/status.h"
#include "sysflow/convert.h"
#include "sysflow/records.h"

namespace sfkit::sysflow_file {

// As for captures: `format` is "sysflow", `compression` the codec, `events` the records of any kind,
// `bytes` those of the file. Offsets of damage are bytes from the start of the file.
using ReadSummary = InputSummary;

// The first bytes of every Avro object container.
inline constexpr std::string_view kMagic{"Obj\x01", 4};

// Compressed or not, a larger block is refused: writers of SysFlow make blocks of 80 KB.
inline constexpr size_t kMaxBlock = size_t{64} << 20;

// Gives every record of the file to `sink`, then calls sink.finish(). Damage beyond the header does not
// fail: what can be read is given, reading goes on at the next sync marker, and the summary says what was
// lost, as `truncated` (the file ends within a block), `bad-sync` (a block without its marker) or
// `bad-block` (a block whose size, compression or content is broken). Not ok when the file cannot be read
// at all, with a message that names the path; kCancelled when `cancel` became true.
// Memory: one block and its decompressed form, whatever the size of the file.
Status read_sysflow_file(const std::string& path, sysflow::RecordSink& sink, const std::atomic<bool>& cancel,
                         ReadSummary& summary);

}  // namespace sfkit::sysflow_file
