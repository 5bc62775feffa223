// An ordered map from numbers to values with copy-on-write nodes. A copy takes constant time, a
// change copies only the nodes on its path. Needs no hash that crafted keys could attack.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/memory_count.h"

namespace sfkit {

// Not thread-safe; copies that share nodes belong to one thread.
template <typename Value>
class SharedMap {
 public:
  static constexpr uint64_t kNoLimit = UINT64_MAX;

  size_t size() const { return root_ ? root_->total : 0; }
  bool empty() const { return !root_; }
  void clear() { root_ = Link(); }

  // The value, or nullptr. Valid until the map changes.
  const Value* find(uint64_t key) const {
    uint64_t limit = kNoLimit;
    return find(key, limit);
  }

  // Also returns the lowest limit that lower_range() has set for the key since its put(), else
  // kNoLimit.
  const Value* find(uint64_t key, uint64_t& limit) const {
    limit = kNoLimit;
    for (const Link* at = &root_; *at && (*at)->covers(key);) {
      const Node& node = **at;
      limit = std::min(limit, at->limit);
      const uint64_t bit = node.bit_of(key);
      if ((node.used & bit) == 0) return nullptr;
      const size_t place = node.place_of(bit);
      if (node.shift == 0) return &node.values[place];
      at = &node.children[place];
    }
    return nullptr;
  }

  // The value of the smallest key >= `key`, which is stored in `key`; nullptr if there is none.
  const Value* next(uint64_t& key) const { return root_ ? next(*root_, key) : nullptr; }

  // The value for modification, or nullptr.
  Value* writable(uint64_t key) {
    if (find(key) == nullptr) return nullptr;
    Link* at = &root_;
    for (;;) {
      Node& node = own(*at);
      const size_t place = node.place_of(node.bit_of(key));
      if (node.shift == 0) return &node.values[place];
      at = &node.children[place];
    }
  }

  void put(uint64_t key, Value value) { put(root_, key, std::move(value)); }

  void erase(uint64_t key) { erase_range(key, key); }

  // Removes all keys in [first, last]. Whole subtrees are dropped without a visit.
  void erase_range(uint64_t first, uint64_t last) {
    if (root_ && first <= last) erase_range(root_, first, last);
  }

  // Applies value.lower(limit) to all keys in [first, last]: immediately at both ends, and to the
  // others before their next change. Until then, readers get the pending limit from find() and
  // for_each().
  void lower_range(uint64_t first, uint64_t last, uint64_t limit) {
    if (root_ && first <= last) lower_range(root_, first, last, limit);
  }

  // Calls visit(key, value) or visit(key, value, limit) in key order.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (root_) for_each(*root_, root_.limit, visit);
  }

  // Calls visit(value) for values not yet visited with this number, which is not 0: with several
  // copies, once for each value that they share.
  template <typename Visit>
  void for_each_once(uint64_t number, Visit visit) const {
    if (root_) for_each_once(*root_, number, visit);
  }

 private:
  static constexpr unsigned kBits = 6;  // key bits per node
  struct Node;

  class Ref {
   public:
    Ref() = default;
    explicit Ref(Node* node) : node_(node) {}
    Ref(const Ref& other) : node_(other.node_) {
      if (node_ != nullptr) ++node_->references;
    }
    Ref(Ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~Ref() {
      if (node_ != nullptr && --node_->references == 0) delete node_;
    }
    explicit operator bool() const { return node_ != nullptr; }
    Node* get() const { return node_; }
    Node* operator->() const { return node_; }
    Node& operator*() const { return *node_; }

   private:
    Node* node_ = nullptr;
  };

  // A child node, and a pending limit for all values below it.
  struct Link : Ref {
    Link() = default;
    explicit Link(Node* node) : Ref(node) {}
    uint64_t limit = kNoLimit;
  };

  struct Node {
    size_t references = 1;
    size_t total = 0;     // values below this node
    uint64_t used = 0;    // bitmap of places in use, by the key bits at `shift`
    uint64_t prefix = 0;  // key bits above those
    unsigned shift = 0;
    mutable uint64_t visited = 0;  // number of the last for_each_once()
    CountedBytes cost;
    std::vector<Value> values;  // leaves (shift 0) have values, other nodes children
    std::vector<Link> children;

    static uint64_t prefix_of(uint64_t key, unsigned shift) { return key >> shift >> kBits; }
    void count() {
      constexpr size_t kNodeCost = 128;
      // Vectors have room to grow.
      cost.raise(kNodeCost +
                 3 * (values.size() * sizeof(Value) + children.size() * sizeof(Link)) / 2);
    }
    bool covers(uint64_t key) const { return prefix_of(key, shift) == prefix; }
    uint64_t bit_of(uint64_t key) const { return uint64_t{1} << (key >> shift & 63); }
    size_t place_of(uint64_t bit) const {
      return static_cast<size_t>(std::popcount(used & (bit - 1)));
    }
    // The smallest key that the node covers.
    uint64_t first() const { return shift + kBits < 64 ? prefix << (shift + kBits) : 0; }
    uint64_t last() const {
      return shift + kBits < 64 ? first() | ((uint64_t{1} << (shift + kBits)) - 1) : UINT64_MAX;
    }
  };

  static Node& own(Link& at) {
    const uint64_t limit = at.limit;
    if (at->references > 1) {
      auto* copy = new Node(*at);
      copy->references = 1;
      at = Link(copy);
    }
    at.limit = kNoLimit;
    if (limit != kNoLimit) {
      for (Link& child : at->children) child.limit = std::min(child.limit, limit);
      for (Value& value : at->values) lower(value, limit);
    }
    return *at;
  }

  static void lower(Value& value, uint64_t limit) {
    if constexpr (requires { value.lower(limit); }) value.lower(limit);
  }

  static Link leaf(uint64_t key, Value value) {
    auto* node = new Node;
    node->prefix = Node::prefix_of(key, 0);
    node->used = node->bit_of(key);
    node->total = 1;
    node->values.push_back(std::move(value));
    node->count();
    return Link(node);
  }

  static void add_child(Node& node, uint64_t key, Link child) {
    const uint64_t bit = node.bit_of(key);
    node.total += child->total;
    node.children.insert(node.children.begin() + static_cast<ptrdiff_t>(node.place_of(bit)),
                         std::move(child));
    node.used |= bit;
    node.count();
  }

  static void put(Link& at, uint64_t key, Value value) {
    if (!at) {
      at = leaf(key, std::move(value));
      return;
    }
    if (!at->covers(key)) {
      // A new node above both, at the highest differing bits.
      const uint64_t other = at->first();
      auto* above = new Node;
      above->shift = (63 - static_cast<unsigned>(std::countl_zero(key ^ other))) / kBits * kBits;
      above->prefix = Node::prefix_of(key, above->shift);
      add_child(*above, other, std::move(at));
      add_child(*above, key, leaf(key, std::move(value)));
      at = Link(above);
      return;
    }
    Node& node = own(at);
    const uint64_t bit = node.bit_of(key);
    const size_t place = node.place_of(bit);
    const bool is_used = (node.used & bit) != 0;
    if (node.shift != 0) {
      if (!is_used) return add_child(node, key, leaf(key, std::move(value)));
      Link& child = node.children[place];
      const size_t before = child->total;
      put(child, key, std::move(value));
      node.total += child->total - before;
    } else if (is_used) {
      node.values[place] = std::move(value);
    } else {
      node.values.insert(node.values.begin() + static_cast<ptrdiff_t>(place), std::move(value));
      node.used |= bit;
      ++node.total;
      node.count();
    }
  }

  static void erase_range(Link& at, uint64_t first, uint64_t last) {
    if (at->first() >= first && at->last() <= last) {
      at = Link();
      return;
    }
    if (at->last() < first || at->first() > last) return;
    if (!holds_any(*at, first, last)) return;
    Node& node = own(at);
    for (uint64_t bits = node.used; bits != 0; bits &= bits - 1) {
      const uint64_t bit = bits & (0 - bits);
      const size_t place = node.place_of(bit);
      const uint64_t key = node.first() | static_cast<uint64_t>(std::countr_zero(bit))
                                              << node.shift;
      if (node.shift == 0) {
        if (key < first || key > last) continue;
        node.values.erase(node.values.begin() + static_cast<ptrdiff_t>(place));
        --node.total;
      } else {
        Link& child = node.children[place];
        const size_t before = child->total;
        erase_range(child, first, last);
        node.total -= before - (child ? child->total : 0);
        if (child) continue;
        node.children.erase(node.children.begin() + static_cast<ptrdiff_t>(place));
      }
      node.used &= ~bit;
    }
    if (node.used == 0) {
      at = Link();
    } else if (node.shift != 0 && node.children.size() == 1) {
      Link only = node.children.front();
      at = std::move(only);
    }
  }

  // Whether any key lies in the range. Looks only at its two ends.
  static bool holds_any(const Node& node, uint64_t first, uint64_t last) {
    if (node.first() > last || node.last() < first) return false;
    if (node.first() >= first && node.last() <= last) return true;
    for (uint64_t bits = node.used; bits != 0; bits &= bits - 1) {
      const auto index = static_cast<uint64_t>(std::countr_zero(bits));
      const uint64_t key = node.first() | index << node.shift;
      if (node.shift == 0
              ? key >= first && key <= last
              : holds_any(*node.children[node.place_of(bits & (0 - bits))], first, last))
        return true;
    }
    return false;
  }

  static void lower_range(Link& at, uint64_t first, uint64_t last, uint64_t limit) {
    if (at->first() >= first && at->last() <= last) {
      at.limit = std::min(at.limit, limit);
      return;
    }
    if (at->last() < first || at->first() > last || !holds_any(*at, first, last)) return;
    Node& node = own(at);
    size_t place = 0;
    for (uint64_t bits = node.used; bits != 0; bits &= bits - 1, ++place) {
      const uint64_t key = node.first() | static_cast<uint64_t>(std::countr_zero(bits))
                                              << node.shift;
      if (node.shift != 0) {
        lower_range(node.children[place], first, last, limit);
      } else if (key >= first && key <= last) {
        lower(node.values[place], limit);
      }
    }
  }

  static const Value* next(const Node& node, uint64_t& key) {
    if (node.last() < key) return nullptr;
    uint64_t bits = node.used;
    if (node.covers(key)) bits &= ~(node.bit_of(key) - 1);
    for (; bits != 0; bits &= bits - 1) {
      const uint64_t bit = bits & (0 - bits);
      const size_t place = node.place_of(bit);
      if (node.shift == 0) {
        key = node.first() | static_cast<uint64_t>(std::countr_zero(bit));
        return &node.values[place];
      }
      if (const Value* const found = next(*node.children[place], key)) return found;
    }
    return nullptr;
  }

  template <typename Visit>
  static void for_each(const Node& node, uint64_t limit, Visit& visit) {
    size_t place = 0;
    for (uint64_t bits = node.used; bits != 0; bits &= bits - 1, ++place) {
      if (node.shift != 0) {
        const Link& child = node.children[place];
        for_each(*child, std::min(limit, child.limit), visit);
        continue;
      }
      const uint64_t key = node.first() | static_cast<uint64_t>(std::countr_zero(bits));
      if constexpr (std::is_invocable_v<Visit&, uint64_t, const Value&, uint64_t>) {
        visit(key, node.values[place], limit);
      } else {
        visit(key, node.values[place]);
      }
    }
  }

  template <typename Visit>
  static void for_each_once(const Node& node, uint64_t number, Visit& visit) {
    if (std::exchange(node.visited, number) == number) return;
    for (const Link& child : node.children) for_each_once(*child, number, visit);
    for (const Value& value : node.values) visit(value);
  }

  Link root_;
};

}  // namespace sfkit
