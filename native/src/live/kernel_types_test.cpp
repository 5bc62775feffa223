#include "live/kernel_types.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfkit::live {
namespace {

// Builds BTF. Types get ids from 1 in the order of adding.
class Btf {
 public:
  uint32_t integer(std::string_view name, uint32_t bytes) {
    type(name, 1, 0, bytes);
    put(bytes * 8);
    return ++count_;
  }
  uint32_t pointer(uint32_t to) { return type("", 2, 0, to), ++count_; }
  uint32_t array(uint32_t element, uint32_t index, uint32_t elements) {
    type("", 3, 0, 0);
    for (const uint32_t word : {element, index, elements}) put(word);
    return ++count_;
  }
  struct Member {
    std::string_view name;
    uint32_t type;
    uint32_t bit_offset;
    uint32_t bits = 0;
  };
  uint32_t structure(std::string_view name, uint32_t bytes, const std::vector<Member>& members,
                     bool bits = false, uint32_t kind = 4) {
    type(name, kind, static_cast<uint32_t>(members.size()) | (bits ? 1u << 31 : 0), bytes);
    for (const Member& member : members) {
      put(text(member.name));
      put(member.type);
      put(member.bit_offset | member.bits << 24);
    }
    return ++count_;
  }
  uint32_t named(std::string_view name, uint32_t kind, uint32_t of) {
    return type(name, kind, 0, of), ++count_;
  }

  std::vector<uint8_t> bytes() const {
    const auto types = static_cast<uint32_t>(types_.size());
    const auto strings = static_cast<uint32_t>(strings_.size());
    const uint32_t header[] = {0x0001eb9f, 24, 0, types, types, strings};
    std::string all(reinterpret_cast<const char*>(header), sizeof(header));
    all += types_ + strings_;
    return {all.begin(), all.end()};
  }

 private:
  void put(uint32_t word) { types_.append(reinterpret_cast<const char*>(&word), sizeof(word)); }
  uint32_t text(std::string_view name) {
    const auto at = static_cast<uint32_t>(strings_.size());
    strings_.append(name);
    strings_.push_back('\0');
    return at;
  }
  void type(std::string_view name, uint32_t kind, uint32_t info, uint32_t size) {
    put(text(name));
    put(kind << 24 | info);
    put(size);
  }

  uint32_t count_ = 0;
  std::string types_;
  std::string strings_ = std::string(1, '\0');
};

std::vector<uint8_t> example() {
  Btf btf;
  const uint32_t word = btf.integer("int", 4);
  const uint32_t byte = btf.integer("char", 1);
  const uint32_t inner = btf.structure("inner", 8, {{"first", word, 0}, {"second", word, 32}});
  const uint32_t unnamed = btf.structure("", 8, {{"low", word, 0}, {"whole", inner, 0}}, false, 5);
  const uint32_t several = btf.array(inner, word, 3);
  const uint32_t constant = btf.named("", 10, inner);
  const uint32_t alias = btf.named("alias_t", 8, constant);
  const uint32_t pointer = btf.pointer(inner);
  btf.structure("outer", 64,
                {{"begin", byte, 0},
                 {"", unnamed, 64},
                 {"list", several, 128},
                 {"other", alias, 320},
                 {"next", pointer, 384}});
  btf.structure("flags", 8, {{"kind", byte, 0, 3}, {"mark", word, 35, 1}}, true);
  btf.named("btf_trace_something", 8, pointer);
  return btf.bytes();
}

TEST(KernelTypes, FindsMembersByName) {
  const auto types = KernelTypes::parse(example());
  ASSERT_TRUE(types.is_ok()) << types.status().message();
  const auto at = [&types](std::string_view type, std::string_view path) {
    const auto field = types.value().field(type, path);
    return field ? std::pair<int, int>(static_cast<int>(field->bit_offset / 8),
                                       static_cast<int>(field->byte_size))
                 : std::pair<int, int>(-1, -1);
  };
  EXPECT_EQ(at("outer", "begin"), std::pair(0, 1));
  EXPECT_EQ(at("outer", "low"), std::pair(8, 4)) << "through an unnamed member";
  EXPECT_EQ(at("outer", "whole.second"), std::pair(12, 4));
  EXPECT_EQ(at("outer", "list"), std::pair(16, 24));
  EXPECT_EQ(at("outer", "list.2.second"), std::pair(36, 4));
  EXPECT_EQ(at("outer", "other.first"), std::pair(40, 4)) << "through a typedef and a qualifier";
  EXPECT_EQ(at("outer", "next"), std::pair(48, 8));
  EXPECT_EQ(at("outer", ""), std::pair(0, 64));
  EXPECT_EQ(at("outer", "missing"), std::pair(-1, -1));
  EXPECT_EQ(at("outer", "next.first"), std::pair(-1, -1)) << "not through a pointer";
  EXPECT_EQ(at("nothing", "begin"), std::pair(-1, -1));
  EXPECT_EQ(types.value().field("flags", "mark")->bit_offset, 35u);
  EXPECT_EQ(types.value().field("flags", "mark")->bit_size, 1u);
  EXPECT_NE(types.value().find_typedef("btf_trace_something"), 0u);
  EXPECT_EQ(types.value().find_typedef("outer"), 0u) << "a struct, not a typedef";
}

TEST(KernelTypes, RejectsDamagedBtf) {
  const std::vector<uint8_t> whole = example();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = KernelTypes::parse({whole.begin(), whole.begin() + static_cast<long>(size)});
    EXPECT_FALSE(cut.is_ok()) << size;
  }
  std::vector<uint8_t> wrong = whole;
  wrong[0] ^= 1;
  EXPECT_FALSE(KernelTypes::parse(wrong).is_ok());
  EXPECT_FALSE(KernelTypes::read("/nowhere").is_ok());
}

TEST(KernelTypes, SurvivesCyclicTypes) {
  Btf btf;
  btf.named("round", 8, 1);
  btf.structure("self", 8, {{"", 2, 0}, {"named", 1, 0}});
  const auto types = KernelTypes::parse(btf.bytes());
  ASSERT_TRUE(types.is_ok());
  EXPECT_FALSE(types.value().field("self", "anything"));
  EXPECT_EQ(types.value().field("self", "named")->byte_size, 0u);
}

}  // namespace
}  // namespace sfkit::live
