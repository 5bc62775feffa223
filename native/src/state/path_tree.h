// Renames of directories, which carry the open files and working directories below them.
//
// Names in use are kept as text. Only when something is renamed do those that were in use before it get a
// place in a tree, each once, in which a rename moves one node with all that is below it. A name that has a
// place reads its text from there when it is next asked for after a rename. So no step visits all names below
// a directory, and as long as nothing is renamed a name costs no more than its place in a list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/flat_map.h"
#include "base/pool.h"

namespace sfkit::state {

// Where names have the same meaning: what a process sees that is in a container or has another root sees
// other files by the same path.
using PathSpace = uint64_t;

struct PathNode;

// A name in use. Copies of its owner are not in use until they are added.
class PathLink {
 public:
  PathLink() = default;
  PathLink(const PathLink&) {}
  PathLink& operator=(const PathLink&) { return *this; }

 private:
  friend class PathTree;

  PathLink* previous_ = nullptr;
  PathLink* next_ = nullptr;
  PathNode* node_ = nullptr;  // null as long as it has no place in the tree
  PathSpace space_ = 0;
  std::string_view text_;  // as long as it has no place in the tree
  uint64_t generation_ = 0;
  uint32_t renames_ = 0;  // of the node, when the link came to it
  bool in_use_ = false;
  bool is_directory_ = false;
};

// A name in use, or where the ways to several part. Between them there are no nodes, so that a name of a
// thousand elements takes no more than others.
struct PathNode {
  PathNode* parent = nullptr;  // null for roots and orphans
  // Elements below the parent; of orphans, whose directory is no more, the path that they had or what is
  // known of the one that they have.
  std::string label;
  uint64_t hash = 0;  // of the first element
  PathNode* next_in_bucket = nullptr;
  PathNode* first_child = nullptr;
  PathNode* previous_sibling = nullptr;
  PathNode* next_sibling = nullptr;
  PathLink* links = nullptr;
  uint32_t directories = 0;  // of the links
  uint32_t renames = 0;
  PathSpace space = 0;
  bool is_root = false;
};

class PathTree {
 public:
  PathTree() : buckets_(kMinBuckets) {}
  PathTree(const PathTree&) = delete;
  PathTree& operator=(const PathTree&) = delete;

  // A name that is in use from now on: a folded path that begins with "/". The text must stay where it is as
  // long as it is in use. `is_directory`: known to be one.
  void add(PathLink& link, PathSpace space, std::string_view text, bool is_directory) {
    link.in_use_ = true;
    link.is_directory_ = is_directory;
    link.space_ = space;
    link.text_ = text;
    link.generation_ = generation_;
    push(pending_, link);
    ++pending_count_;
  }
  // The same for another name of what `link` names, with a text of its own.
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

  // Whether no rename can have changed the name since it was added or last asked for.
  bool is_current(const PathLink& link) const { return link.generation_ == generation_; }
  // Makes it current, and returns the name as it is now, or null when nothing was renamed at or above it:
  // then it is what it was. The name begins with kUnknownDirectory when it was renamed to an unknown place or
  // takes more than `max` bytes. Valid until the next call.
  const std::string* update(PathLink& link, size_t max) {
    link.generation_ = generation_;
    return link.node_ == nullptr ? nullptr : &name_of(link, max);
  }
  // Whether what the link names was itself renamed, not only a directory above it.
  static bool was_renamed(const PathLink& link);

  // What is at `from` and below it is at `to` from now on; what was there is no more. Returns whether it is
  // known to be a directory. `to` may begin with kUnknownDirectory.
  bool rename(PathSpace space, std::string_view from, std::string_view to);
  // The two change places.
  void exchange(PathSpace space, std::string_view a, std::string_view b);
  // A directory that is no more: names in it stay, and what comes to be at its path is another one.
  void forget(PathSpace space, std::string_view path);

  // Counts the renames that moved a name in use.
  uint64_t generation() const { return generation_; }
  // Nodes of the tree: at most about two for each name in use.
  size_t nodes() const { return nodes_; }

 private:
  static constexpr size_t kMinBuckets = 16;
  // Names without a place that a rename looks at one by one; of more each gets a place.
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
  // The node at `path`, made if need be.
  PathNode* make_node(PathNode* root, std::string_view path);
  // The node at `path` if something is in use there or below, else null.
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
  // Children by their parent and the first element of their label.
  std::vector<PathNode*> buckets_;
  size_t in_buckets_ = 0;
  std::string name_;
};

}  // namespace sfkit::state
