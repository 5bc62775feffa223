// The types of the running kernel (BTF, described in the kernel's bpf/btf.rst).
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

  // Fails if the kernel has no BTF or the BTF is damaged.
  static Result<KernelTypes> read(const std::string& path = kPath);
  static Result<KernelTypes> parse(std::vector<uint8_t> bytes);

  struct Field {
    uint32_t bit_offset = 0;
    uint32_t bit_size = 0;
    uint32_t byte_size = 0;  // size of the member's type
  };
  // Finds a member of a struct or union. `path`: names and array indexes separated by dots; "" is
  // the type itself. Members of unnamed structs and unions count as members of the outer type.
  std::optional<Field> field(std::string_view type, std::string_view path) const;
  // Type id of a typedef, 0 if there is none.
  uint32_t find_typedef(std::string_view name) const;

 private:
  struct Type {
    uint32_t at = 0;  // offset in bytes_
    uint8_t kind = 0;
  };
  static constexpr int kMaxDepth = 16;  // nesting of types

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
