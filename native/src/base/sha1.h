// SHA-1 (FIPS 180-4) for file ids (sysflow-semantics, section 4). Not for security.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace sfkit {

class Sha1 {
 public:
  using Digest = std::array<uint8_t, 20>;

  void update(Bytes bytes);
  void update(std::string_view text) { update(Bytes(text)); }
  // The digest of all updates. Do not use the object afterwards.
  Digest finish();

 private:
  void compress(const uint8_t* block);

  std::array<uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<uint8_t, 64> pending_{};
  uint64_t size_ = 0;  // bytes hashed so far
};

// The digest of `a` followed by `b`.
Sha1::Digest sha1(std::string_view a, std::string_view b = {});

}  // namespace sfkit
