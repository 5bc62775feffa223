#include "output/parquet_encoding.h"

#include <algorithm>
#include <array>

#include "output/varint.h"

namespace sfkit::output {

namespace {

// A run takes as many bytes as eight packed numbers or fewer.
constexpr size_t kGroup = 8;

// Appends numbers of `width` bits, the first in the lowest bits. `count` times `width` is a
// multiple of 8.
template <typename Number>
void put_packed(const Number* numbers, size_t count, unsigned width, ByteBuffer& out) {
  uint8_t* const to = out.reserve(count * width / 8 + 8);
  size_t size = 0;
  uint64_t held = 0;
  unsigned used = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t number = numbers[i];
    held |= number << used;
    used += width;
    if (used < 64) continue;
    std::memcpy(to + size, &held, 8);
    size += 8;
    used -= 64;
    held = used == 0 ? 0 : number >> (width - used);
  }
  std::memcpy(to + size, &held, 8);
  out.advance(size + (used + 7) / 8);
}

void put_run(uint32_t number, size_t count, unsigned width, ByteBuffer& out) {
  put_varint(out, uint64_t{count} << 1);
  out.append(&number, (width + 7) / 8);
}

void put_literals(std::span<const uint32_t> numbers, unsigned width, ByteBuffer& out) {
  if (numbers.empty()) return;
  const size_t groups = (numbers.size() + kGroup - 1) / kGroup;
  put_varint(out, uint64_t{groups} << 1 | 1);
  const size_t whole = numbers.size() / kGroup * kGroup;
  put_packed(numbers.data(), whole, width, out);
  if (whole == numbers.size()) return;
  std::array<uint32_t, kGroup> rest{};
  std::copy(numbers.begin() + static_cast<ptrdiff_t>(whole), numbers.end(), rest.begin());
  put_packed(rest.data(), kGroup, width, out);
}

}  // namespace

size_t BitList::count() const {
  size_t count = 0;
  for (const uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
  return count;
}

void BitList::add(bool bit, size_t count) {
  while (count != 0) {
    const size_t part = std::min<size_t>(count, 64 - size_ % 64);
    add_word(bit ? ~uint64_t{0} : 0, part);
    count -= part;
  }
}

void BitList::add_word(uint64_t word, size_t count) {
  if (count == 0) return;
  if (count < 64) word &= (uint64_t{1} << count) - 1;
  const size_t used = size_ % 64;
  if (used == 0) {
    words_.push_back(word);
  } else {
    words_.back() |= word << used;
    if (used + count > 64) words_.push_back(word >> (64 - used));
  }
  size_ += count;
}

void put_runs(std::span<const uint32_t> numbers, unsigned width, ByteBuffer& out) {
  size_t first = 0;  // of the numbers that no run has
  size_t at = 0;
  while (at < numbers.size()) {
    const uint32_t number = numbers[at];
    size_t end = at + 1;
    while (end < numbers.size() && numbers[end] == number) ++end;
    if (end - at < kGroup) {
      at += kGroup;
      continue;
    }
    put_literals(numbers.subspan(first, at - first), width, out);
    put_run(number, end - at, width, out);
    first = at = end;
  }
  put_literals(numbers.subspan(first), width, out);
}

void put_runs(const BitList& bits, ByteBuffer& out) {
  // Fewer bytes are shorter as they are.
  constexpr size_t kMinRun = 4;
  const Bytes bytes = bits.bytes();
  const auto put_literal_bytes = [&](size_t first, size_t end) {
    if (first == end) return;
    put_varint(out, uint64_t{end - first} << 1 | 1);
    out.append(bytes.data() + first, end - first);
  };
  size_t first = 0;
  size_t at = 0;
  const size_t whole = bits.size() / 8;
  while (at < whole) {
    const uint8_t byte = bytes.data()[at];
    size_t end = at + 1;
    while (end < whole && bytes.data()[end] == byte) ++end;
    if ((byte == 0 || byte == 0xff) && (end - at >= kMinRun || end - at == whole)) {
      put_literal_bytes(first, at);
      put_run(byte & 1, (end - at) * 8, 1, out);
      first = end;
    }
    at = end;
  }
  put_literal_bytes(first, bytes.size());
}

void put_deltas(std::span<const int64_t> numbers, unsigned bits, ByteBuffer& out) {
  constexpr size_t kBlock = 128;
  constexpr size_t kParts = 4;
  constexpr size_t kPart = kBlock / kParts;
  const auto wrapped = [bits](uint64_t number) {
    return bits == 32 ? int64_t{static_cast<int32_t>(static_cast<uint32_t>(number))}
                      : static_cast<int64_t>(number);
  };
  put_varint(out, kBlock);
  put_varint(out, kParts);
  put_varint(out, numbers.size());
  put_varint(out, zigzag(numbers.empty() ? 0 : numbers[0]));
  std::array<int64_t, kBlock> deltas;
  std::array<uint64_t, kBlock> packed;
  for (size_t at = 1; at < numbers.size(); at += kBlock) {
    const size_t count = std::min(kBlock, numbers.size() - at);
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < count; ++i) {
      deltas[i] = wrapped(static_cast<uint64_t>(numbers[at + i]) -
                          static_cast<uint64_t>(numbers[at + i - 1]));
      least = std::min(least, deltas[i]);
    }
    put_varint(out, zigzag(least));
    const size_t parts = (count + kPart - 1) / kPart;
    std::array<uint8_t, kParts> widths{};
    for (size_t part = 0; part < parts; ++part) {
      uint64_t all = 0;
      for (size_t i = part * kPart; i < (part + 1) * kPart; ++i) {
        packed[i] = i < count ? static_cast<uint64_t>(deltas[i]) - static_cast<uint64_t>(least) : 0;
        if (bits == 32) packed[i] = static_cast<uint32_t>(packed[i]);
        all |= packed[i];
      }
      widths[part] = static_cast<uint8_t>(std::bit_width(all));
    }
    out.append(widths.data(), widths.size());
    for (size_t part = 0; part < parts; ++part) {
      if (widths[part] != 0) put_packed(packed.data() + part * kPart, kPart, widths[part], out);
    }
  }
}

}  // namespace sfkit::output
