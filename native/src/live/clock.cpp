#include "live/clock.h"

#include "live/proc_files.h"

namespace sfkit::live {

ClockOffsets ClockOffsets::parse(std::string_view text) {
  const auto offset = [text](std::string_view clock) {
    const std::string_view line = line_value(text, clock);
    return to_number(word_at(line, 0)) * 1'000'000'000 + to_number(word_at(line, 1));
  };
  return {offset("monotonic"), offset("boottime")};
}

// Kernels before 5.6 have neither this file nor time namespaces.
ClockOffsets ClockOffsets::of_own_namespace() {
  return parse(read_small_file("/proc/self/timens_offsets"));
}

}  // namespace sfkit::live
