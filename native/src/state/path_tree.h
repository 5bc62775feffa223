// Follows renames of directories for the open files and working directories below them.
//
// A new name is pending: only its text is known. A rename moves the pending names it concerns into
// a tree, each once. In the tree it moves one node, with everything below. A name in the tree
// updates its text when it is next used. So no step visits all names below a directory, and without
// renames a name costs one list entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/flat_map.h"
#include "base/memory_count.h"
#include "base/pool.h"

namespace sfkit::state {

// A scope in which a path has one meaning. A process in a container, or with another root
// directory, sees other files at the same path.
using PathSpace = uint64_t;

struct PathNode;

// A name in use. Copying its owner does not register the copy; add_copy() does.
class PathLink {
 public:
  PathLink() = default;
  PathLink(const PathLink&) {}
  PathLink& operator=(const PathLink&) { return *this; }

 private:
  friend class PathTree;

  PathLink* previous_ = nullptr;
  PathLink* next_ = nullptr;
  PathNode* node_ = nullptr;  // null while pending
  PathSpace space_ = 0;
  std::string_view text_;  // while pending
  uint64_t generation_ = 0;
  uint32_t renames_ = 0;  // renames of the node when the link was attached
  bool in_use_ = false;
  bool is_directory_ = false;
};

// A name in use, or a branching point. Chains without either are one node, so a name of a thousand
// components takes no more nodes than others.
struct PathNode {
  PathNode* parent = nullptr;  // null for roots and orphans
  // Path components below the parent. An orphan, whose directory no longer exists, holds its old
  // path or the known part of its new one.
  std::string label;
  uint64_t hash = 0;  // of the first component
  PathNode* next_in_bucket = nullptr;
  PathNode* first_child = nullptr;
  PathNode* previous_sibling = nullptr;
  PathNode* next_sibling = nullptr;
  PathLink* links = nullptr;
  uint32_t directories = 0;  // links that are directories
  uint32_t renames = 0;
  PathSpace space = 0;
  bool is_root = false;
  [[no_unique_address]] Counted<256> cost;
};

class PathTree {
 public:
  PathTree() : buckets_(kMinBuckets) {}
  PathTree(const PathTree&) = delete;
  PathTree& operator=(const PathTree&) = delete;

  // Registers a name: a folded path that starts with "/". The text must stay valid and in place
  // until remove(). `is_directory`: known to be a directory.
  void add(PathLink& link, PathSpace space, std::string_view text, bool is_directory) {
    link.in_use_ = true;
    link.is_directory_ = is_directory;
    link.space_ = space;
    link.text_ = text;
    link.generation_ = generation_;
    push(pending_, link);
    ++pending_count_;
  }
  // Registers another name, with its own text, for the file of `link`.
  void add_copy(PathLink& copy, const PathLink& link, std::string_view text);
  void remove(PathLink& link) {
    if (!link.in_use_) return;
    link.in_use_ = false;
    if (link.node_ != nullptr) return leave_node(link);
    unlink(pending_, link);
    --pending_count_;
  }

  void mark_directory(PathLink& link);
  static bool is_in_use(const PathLink& link) { return link.in_use_; }

  // Whether no rename can have changed the name since add() or update().
  bool is_current(const PathLink& link) const { return link.generation_ == generation_; }
  // Makes the link current. Returns the current name, or null if nothing at or above it was
  // renamed, so that the old name holds. The name starts with kUnknownDirectory after a rename to
  // an unknown place or if it exceeds `max` bytes. Valid until the next call.
  const std::string* update(PathLink& link, size_t max) {
    link.generation_ = generation_;
    return link.node_ == nullptr ? nullptr : &name_of(link, max);
  }
  // Whether the file itself was renamed, not only a directory above it.
  static bool was_renamed(const PathLink& link);

  // Moves `from`, with everything below it, to `to`, replacing what was there. Returns whether it
  // is known to be a directory. `to` may start with kUnknownDirectory.
  bool rename(PathSpace space, std::string_view from, std::string_view to);
  // Swaps the two paths.
  void exchange(PathSpace space, std::string_view a, std::string_view b);
  // Handles the removal of a directory: names below it stay, and a new directory at this path is a
  // different one.
  void forget(PathSpace space, std::string_view path);

  // Increases with every rename that moved a name in use.
  uint64_t generation() const { return generation_; }
  // Frees the memory of nodes without names.
  void trim() { pool_.trim(); }
  // Number of tree nodes: at most about two per name in use.
  size_t nodes() const { return nodes_; }

 private:
  static constexpr size_t kMinBuckets = 16;
  // A rename checks up to this many pending names one by one. With more, it moves all of them into
  // the tree.
  static constexpr size_t kMaxPendingScan = 64;

  static void push(PathLink*& first, PathLink& link) {
    link.previous_ = nullptr;
    link.next_ = first;
    if (first != nullptr) first->previous_ = &link;
    first = &link;
  }
  static void unlink(PathLink*& first, PathLink& link) {
    (link.previous_ == nullptr ? first : link.previous_->next_) = link.next_;
    if (link.next_ != nullptr) link.next_->previous_ = link.previous_;
  }
  void leave_node(PathLink& link);
  void place(PathLink& link);
  void place_pending(PathSpace space, std::string_view a, std::string_view b);
  static void attach(PathLink& link, PathNode* node);

  PathNode* root_of(PathSpace space);
  // The node at `path`, created if needed.
  PathNode* make_node(PathNode* root, std::string_view path);
  // The node at `path` if a name is in use at or below it, else null.
  PathNode* find_node(PathSpace space, std::string_view path);
  PathNode* child_of(const PathNode* parent, std::string_view rest) const;
  PathNode* add_child(PathNode* parent, std::string_view label);
  PathNode* split(PathNode* node, size_t at);
  void move(PathNode* node, PathSpace space, std::string_view path);
  void make_orphan(PathNode* node, std::string_view path);
  void prune(PathNode* node);
  void merge_with_child(PathNode* node);
  void insert(PathNode* node, PathNode* parent);
  void detach(PathNode* node);
  PathNode*& bucket_of(const PathNode* parent, uint64_t hash);
  void grow();
  PathNode* take();
  void release(PathNode* node);
  const std::string& name_of(const PathLink& link, size_t max);

  uint64_t generation_ = 0;
  PathLink* pending_ = nullptr;
  size_t pending_count_ = 0;
  FlatMap<PathSpace, PathNode*> roots_;
  Pool<PathNode> pool_;
  size_t nodes_ = 0;
  // Hash table of children by parent and first component of their label.
  std::vector<PathNode*> buckets_;
  size_t in_buckets_ = 0;
  std::string name_;
};

}  // namespace sfkit::state
