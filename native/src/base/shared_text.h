// Immutable text, stored once for all its references: what child processes inherit and many records
// repeat.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "base/memory_count.h"

namespace sfkit {

// Reference-counted; empty text takes no memory. Not thread-safe: all references belong to one
// thread.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string_view text) : block_(make(text)) {}
  SharedText(const std::string& text) : SharedText(std::string_view(text)) {}
  SharedText(const char* text) : SharedText(std::string_view(text)) {}
  SharedText(const SharedText& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedText() {
    if (block_ != nullptr && --block_->references == 0) free(block_);
  }

  // Keeps the current block if the text is equal.
  void set(std::string_view text) {
    if (view() != text) *this = SharedText(text);
  }
  void clear() { *this = SharedText(); }

  std::string_view view() const {
    return block_ == nullptr
               ? std::string_view()
               : std::string_view(reinterpret_cast<const char*>(block_ + 1), block_->size);
  }
  operator std::string_view() const { return view(); }
  std::string str() const { return std::string(view()); }
  bool empty() const { return block_ == nullptr; }
  size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  // Equal for references to the same block, whose text is then equal too. Null for empty text.
  const void* identity() const { return block_; }

  friend bool operator==(const SharedText& a, const SharedText& b) {
    return a.block_ == b.block_ || a.view() == b.view();
  }
  template <typename Text>
  requires(!std::same_as<Text, SharedText> &&
           std::convertible_to<const Text&, std::string_view>) friend bool
  operator==(const SharedText& a, const Text& b) {
    return a.view() == std::string_view(b);
  }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& text) {
    return out << text.view();
  }

 private:
  struct Block {
    size_t references;
    size_t size;
  };

  static constexpr size_t kBlockCost = 32;

  static void free(Block* block) {
    MemoryCount::remove(kBlockCost + block->size);
    std::free(block);
  }

  static Block* make(std::string_view text) {
    if (text.empty()) return nullptr;
    auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + text.size()));
    if (block == nullptr) throw std::bad_alloc();
    MemoryCount::add(kBlockCost + text.size());
    block->references = 1;
    block->size = text.size();
    std::memcpy(block + 1, text.data(), text.size());
    return block;
  }

  Block* block_ = nullptr;
};

// NUL-terminated strings in one shared text, as captures store arguments and environments; the last
// NUL may be missing. Without it, the list cannot end in an empty string.
class TextList {
 public:
  TextList() = default;
  explicit TextList(SharedText text) : text_(std::move(text)) {}
  // A NUL inside a string ends that string.
  TextList(std::initializer_list<std::string_view> strings) : TextList(of(strings)) {}
  template <typename Strings>
  static TextList of(const Strings& strings) {
    std::string text;
    for (const auto& string : strings) {
      text += std::string_view(string);
      text += '\0';
    }
    return TextList(SharedText(text));
  }

  class Iterator {
   public:
    using value_type = std::string_view;
    explicit Iterator(std::string_view rest) : rest_(rest), end_(rest.find('\0')) {}
    std::string_view operator*() const { return rest_.substr(0, end_); }
    Iterator& operator++() {
      rest_.remove_prefix(end_ == std::string_view::npos ? rest_.size() : end_ + 1);
      end_ = rest_.find('\0');
      return *this;
    }
    bool operator!=(const Iterator& other) const { return rest_.size() != other.rest_.size(); }

   private:
    std::string_view rest_;
    size_t end_;
  };
  Iterator begin() const { return Iterator(text_.view()); }
  Iterator end() const { return Iterator({}); }

  bool empty() const { return text_.empty(); }
  // Linear in the text.
  size_t count() const {
    const std::string_view text = text_.view();
    const auto ends = static_cast<size_t>(std::ranges::count(text, '\0'));
    return text.empty() || text.back() == '\0' ? ends : ends + 1;
  }
  void clear() { text_.clear(); }
  const SharedText& text() const { return text_; }
  bool operator==(const TextList&) const = default;

 private:
  SharedText text_;
};

}  // namespace sfkit
