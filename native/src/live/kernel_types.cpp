#include "live/kernel_types.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace sfkit::live {
namespace {

enum Kind : uint8_t {
  kInt = 1,
  kPointer = 2,
  kArray = 3,
  kStruct = 4,
  kUnion = 5,
  kEnum = 6,
  kTypedef = 8,
  kVolatile = 9,
  kConst = 10,
  kRestrict = 11,
  kFunctionPrototype = 13,
  kVariable = 14,
  kDataSection = 15,
  kDeclarationTag = 17,
  kTypeTag = 18,
  kEnum64 = 19,
};

// Size of a type's data after the first twelve bytes.
uint32_t extra_size(uint8_t kind, uint32_t count) {
  switch (kind) {
    case kInt:
    case kVariable:
    case kDeclarationTag: return 4;
    case kArray: return 12;
    case kStruct:
    case kUnion:
    case kDataSection:
    case kEnum64: return count * 12;
    case kEnum:
    case kFunctionPrototype: return count * 8;
    default: return 0;
  }
}

Status format_error(const char* what) {
  return {ErrorCode::kBadFormat, std::string(KernelTypes::kPath) + ": " + what};
}

}  // namespace

Result<KernelTypes> KernelTypes::read(const std::string& path) {
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    return Status(
        ErrorCode::kNotSupported,
        path + ": cannot be read; the kernel must be built with BTF (CONFIG_DEBUG_INFO_BTF)");
  }
  std::vector<uint8_t> bytes;
  constexpr size_t kStep = size_t{1} << 20;
  constexpr size_t kMaxBytes = size_t{256} << 20;
  for (size_t got = kStep; got == kStep && bytes.size() < kMaxBytes;) {
    const size_t begin = bytes.size();
    bytes.resize(begin + kStep);
    got = std::fread(bytes.data() + begin, 1, kStep, file.get());
    bytes.resize(begin + got);
  }
  return parse(std::move(bytes));
}

Result<KernelTypes> KernelTypes::parse(std::vector<uint8_t> bytes) {
  KernelTypes types;
  types.bytes_ = std::move(bytes);
  const Bytes all = types.bytes();
  if (all.size() < 24 || all.load<uint16_t>(0) != 0xeb9f) return format_error("contains no BTF");
  const uint64_t header = types.word(4);
  const uint64_t types_at = header + types.word(8);
  const uint64_t types_end = types_at + types.word(12);
  const uint64_t strings_at = header + types.word(16);
  const uint64_t strings_end = strings_at + types.word(20);
  if (types_end > all.size() || strings_end > all.size() || strings_end > UINT32_MAX) {
    return format_error("is truncated");
  }
  types.strings_at_ = static_cast<uint32_t>(strings_at);
  types.strings_end_ = static_cast<uint32_t>(strings_end);
  types.types_.push_back({});  // id 0 is void
  for (uint64_t at = types_at; at < types_end;) {
    if (at + 12 > types_end) return format_error("ends in the middle of a type");
    const uint32_t info = types.word(static_cast<uint32_t>(at) + 4);
    const auto kind = static_cast<uint8_t>(info >> 24 & 0x1f);
    const uint64_t next = at + 12 + extra_size(kind, info & 0xffff);
    if (next > types_end) return format_error("ends in the middle of a type");
    types.types_.push_back({static_cast<uint32_t>(at), kind});
    at = next;
  }
  return types;
}

std::string_view KernelTypes::name_at(uint32_t offset) const {
  if (offset >= strings_end_ - strings_at_) return {};
  const auto* start = reinterpret_cast<const char*>(bytes_.data()) + strings_at_ + offset;
  const size_t room = strings_end_ - strings_at_ - offset;
  size_t length = 0;
  while (length < room && start[length] != '\0') ++length;
  return {start, length};
}

uint32_t KernelTypes::find(std::string_view name, uint8_t kind, uint8_t other_kind) const {
  for (size_t id = 1; id < types_.size(); ++id) {
    const Type& type = types_[id];
    if (type.kind != kind && type.kind != other_kind) continue;
    if (name_at(word(type.at)) == name) return static_cast<uint32_t>(id);
  }
  return 0;
}

uint32_t KernelTypes::find_typedef(std::string_view name) const {
  return find(name, kTypedef, kTypedef);
}

// The type without typedefs and qualifiers.
uint32_t KernelTypes::strip_aliases(uint32_t id) const {
  for (int depth = 0; depth < kMaxDepth && id < types_.size(); ++depth) {
    switch (types_[id].kind) {
      case kTypedef:
      case kVolatile:
      case kConst:
      case kRestrict:
      case kTypeTag: id = word(types_[id].at + 8); break;
      default: return id;
    }
  }
  return 0;
}

std::optional<uint32_t> KernelTypes::size_of(uint32_t id, int depth) const {
  id = strip_aliases(id);
  if (id == 0 || id >= types_.size() || depth > kMaxDepth) return std::nullopt;
  const Type& type = types_[id];
  switch (type.kind) {
    case kInt:
    case kStruct:
    case kUnion:
    case kEnum:
    case kEnum64: return word(type.at + 8);
    case kPointer: return 8;
    case kArray: {
      const auto element = size_of(word(type.at + 12), depth + 1);
      if (!element) return std::nullopt;
      return *element * word(type.at + 20);
    }
    default: return std::nullopt;
  }
}

// Adds the member's offset to `field`.
bool KernelTypes::member(uint32_t id, std::string_view name, int depth, Field& field,
                         uint32_t& type) const {
  id = strip_aliases(id);
  if (id == 0 || id >= types_.size() || depth > kMaxDepth) return false;
  const Type& outer = types_[id];
  if (outer.kind != kStruct && outer.kind != kUnion) return false;
  const uint32_t info = word(outer.at + 4);
  const bool has_bit_fields = (info >> 31) != 0;
  for (uint32_t i = 0; i < (info & 0xffff); ++i) {
    const uint32_t at = outer.at + 12 + i * 12;
    const std::string_view member_name = name_at(word(at));
    const uint32_t member_type = word(at + 4);
    const uint32_t place = word(at + 8);
    const uint32_t bit_offset = has_bit_fields ? place & 0xffffff : place;
    if (member_name == name && !name.empty()) {
      field.bit_offset += bit_offset;
      field.byte_size = size_of(member_type, 0).value_or(0);
      const uint32_t bits = has_bit_fields ? place >> 24 : 0;
      field.bit_size = bits != 0 ? bits : field.byte_size * 8;
      type = member_type;
      return true;
    }
    if (!member_name.empty()) continue;
    Field inner = field;
    inner.bit_offset += bit_offset;
    if (member(member_type, name, depth + 1, inner, type)) {
      field = inner;
      return true;
    }
  }
  return false;
}

std::optional<KernelTypes::Field> KernelTypes::field(std::string_view type,
                                                     std::string_view path) const {
  uint32_t id = find(type, kStruct, kUnion);
  if (id == 0) return std::nullopt;
  Field field;
  field.byte_size = size_of(id, 0).value_or(0);
  field.bit_size = field.byte_size * 8;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    const std::string_view step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    if (step[0] < '0' || step[0] > '9') {
      if (!member(id, step, 0, field, id)) return std::nullopt;
      continue;
    }
    const uint32_t array = strip_aliases(id);
    if (array == 0 || types_[array].kind != kArray) return std::nullopt;
    id = word(types_[array].at + 12);
    field.byte_size = size_of(id, 0).value_or(0);
    field.bit_size = field.byte_size * 8;
    field.bit_offset +=
        static_cast<uint32_t>(std::atoi(std::string(step).c_str())) * field.bit_size;
  }
  return field;
}

}  // namespace sfkit::live
