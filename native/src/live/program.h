// The probe's programs as scripts/generate/probe.mjs leaves them: instructions, and what has to be filled in
// before the kernel can take them.
#pragma once

#include <cstdint>
#include <span>

namespace sfkit::live {

// The maps of the probe, called as there (native/probe/helpers.h).
enum class ProbeMap : uint16_t { kRings, kRingData, kSpills, kCalls, kScratch, kSeen, kMissed, kCounters };

struct Relocation {
  enum Kind : uint8_t {
    kMap,     // target: a ProbeMap
    kConfig,  // target: offset into the configuration
    // Target: its place in kernel_fields().
    kFieldOffset,
    kFieldSize,
    kFieldExists,
    kFieldLeftShift,  // that take a bit field out of 64 bits
    kFieldRightShift,
    kTypeSize,
  };
  uint32_t instruction;
  Kind kind;
  uint16_t target;
};

struct ProgramImage {
  const char* section;  // "tp_btf/NAME" or "raw_tp/NAME"; "call/NAME", "other/NAME" for those that are told
                        // when all are, "call" for calls without one, "identify"
  const uint64_t* code;
  uint32_t size;  // instructions
  const Relocation* relocations;
  uint32_t relocation_count;
};

// A member of a type of the kernel: names, and numbers of array elements, separated by dots.
struct KernelField {
  const char* type;
  const char* path;  // "" stands for the type itself
};

// Both variants do the same; empty if the probe was not built.
std::span<const ProgramImage> btf_programs();
std::span<const ProgramImage> raw_programs();
std::span<const KernelField> kernel_fields();

}  // namespace sfkit::live
