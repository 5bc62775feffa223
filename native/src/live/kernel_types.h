// What the running kernel tells of its own types (BTF, as documented in the kernel's bpf/btf.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace sfkit::live {

class KernelTypes {
 public:
  static constexpr const char* kPath = "/sys/kernel/btf/vmlinux";

  // Fails when the kernel tells nothing, or nothing that can be understood.
  static Result<KernelTypes> read(const std::string& path = kPath);
  static Result<KernelTypes> parse(std::vector<uint8_t> bytes);

  struct Field {
    uint32_t bit_offset = 0;
    uint32_t bit_size = 0;
    uint32_t byte_size = 0;  // of the member's type
  };
  // A member of a struct or union, by names and element numbers separated by dots; "" is the whole type.
  // Members of unnamed structs and unions in it are found as if they were its own.
  std::optional<Field> field(std::string_view type, std::string_view path) const;
  // Number of a typedef, 0 without it.
  uint32_t find_typedef(std::string_view name) const;

 private:
  struct Type {
    uint32_t at = 0;  // where it stands in bytes_
    uint8_t kind = 0;
  };
  static constexpr int kMaxDepth = 16;  // of types in types

  std::string_view name_at(uint32_t offset) const;
  uint32_t word(uint32_t at) const { return bytes().load<uint32_t>(at); }
  Bytes bytes() const { return {bytes_.data(), bytes_.size()}; }
  uint32_t find(std::string_view name, uint8_t kind, uint8_t other_kind) const;
  uint32_t strip_aliases(uint32_t id) const;
  std::optional<uint32_t> size_of(uint32_t id, int depth) const;
  bool member(uint32_t id, std::string_view name, int depth, Field& field, uint32_t& type) const;

  std::vector<uint8_t> bytes_;
  std::vector<Type> types_;
  uint32_t strings_at_ = 0;
  uint32_t strings_end_ = 0;
};

}  // namespace sfkit::live
