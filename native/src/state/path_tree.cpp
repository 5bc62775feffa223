#include "state/path_tree.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "state/paths.h"

namespace sfkit::state {

namespace {

std::string_view first_component(std::string_view path) {
  return path.substr(0, path.find('/'));
}

// Bytes of the leading components that both paths share.
size_t common_components(std::string_view a, std::string_view b) {
  const auto size = static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const auto ends = [size](std::string_view path) {
    return size == path.size() || path[size] == '/';
  };
  if (ends(a) && ends(b)) return size;
  const size_t slash = a.substr(0, size).rfind('/');
  return slash == std::string_view::npos ? 0 : slash;
}

// No slash follows kUnknownDirectory.
bool has_slash_below(const PathNode& node) {
  return node.parent != nullptr || node.is_root || node.label != kUnknownDirectory;
}

}  // namespace

// ---- names

void PathTree::attach(PathLink& link, PathNode* node) {
  link.in_use_ = true;
  link.node_ = node;
  link.renames_ = node->renames;
  push(node->links, link);
  if (link.is_directory_) ++node->directories;
}

void PathTree::add_copy(PathLink& copy, const PathLink& link, std::string_view text) {
  if (!link.in_use_) return;
  if (link.node_ == nullptr) return add(copy, link.space_, text, link.is_directory_);
  copy.is_directory_ = link.is_directory_;
  copy.generation_ = link.generation_;
  attach(copy, link.node_);
  copy.renames_ = link.renames_;
}

void PathTree::leave_node(PathLink& link) {
  PathNode* const node = link.node_;
  unlink(node->links, link);
  link.node_ = nullptr;
  if (link.is_directory_) --node->directories;
  prune(node);
}

void PathTree::place(PathLink& link) {
  const std::string_view text = link.text_;
  remove(link);
  // Only damaged lists contain such names.
  if (text.find("//") != std::string_view::npos || (text.size() > 1 && text.back() == '/')) return;
  attach(link, make_node(root_of(link.space_), text));
}

void PathTree::place_pending(PathSpace space, std::string_view a, std::string_view b) {
  const bool all = pending_count_ > kMaxPendingScan;
  for (PathLink* link = pending_; link != nullptr;) {
    PathLink* const next = link->next_;
    if (all || (link->space_ == space &&
                (is_at_or_below(link->text_, a) || is_at_or_below(link->text_, b)))) {
      place(*link);
    }
    link = next;
  }
}

void PathTree::mark_directory(PathLink& link) {
  if (!link.in_use_ || link.is_directory_) return;
  link.is_directory_ = true;
  if (link.node_ != nullptr) ++link.node_->directories;
}

bool PathTree::was_renamed(const PathLink& link) {
  return link.node_ != nullptr && link.node_->renames != link.renames_;
}

const std::string& PathTree::name_of(const PathLink& link, size_t max) {
  size_t size = 0;
  for (const PathNode* node = link.node_; node != nullptr && !node->is_root; node = node->parent) {
    const bool has_slash = node->parent != nullptr && has_slash_below(*node->parent);
    size += node->label.size() + (has_slash ? 1 : 0);
    if (size <= max) continue;
    name_.assign(kUnknownDirectory).append(last_component(link.node_->label));
    return name_;
  }
  name_.resize(std::max<size_t>(size, 1));
  name_[0] = '/';
  for (const PathNode* node = link.node_; node != nullptr && !node->is_root; node = node->parent) {
    size -= node->label.size();
    name_.replace(size, node->label.size(), node->label);
    if (node->parent != nullptr && has_slash_below(*node->parent)) name_[--size] = '/';
  }
  return name_;
}

// ---- renames and removals

bool PathTree::rename(PathSpace space, std::string_view from, std::string_view to) {
  // The kernel never moves a directory into itself.
  if (is_at_or_below(to, from) || is_at_or_below(from, to)) return false;
  place_pending(space, from, to);
  PathNode* const node = find_node(space, from);
  bool is_directory = false;
  if (node != nullptr) {
    is_directory = node->first_child != nullptr || node->directories > 0;
    PathNode* const parent = node->parent;
    detach(node);
    prune(parent);
  }
  if (PathNode* const replaced = find_node(space, to)) make_orphan(replaced, to);
  if (node == nullptr) return false;
  ++node->renames;
  ++generation_;
  if (is_absolute(to)) {
    move(node, space, to);
  } else {
    make_orphan(node, to);
  }
  return is_directory;
}

void PathTree::exchange(PathSpace space, std::string_view a, std::string_view b) {
  if (is_at_or_below(a, b) || is_at_or_below(b, a)) return;
  place_pending(space, a, b);
  std::pair<PathNode*, std::string_view> moves[] = {{find_node(space, a), b}, {nullptr, a}};
  const auto take_out = [this](PathNode* node) {
    if (node == nullptr) return;
    PathNode* const parent = node->parent;
    detach(node);
    prune(parent);
  };
  take_out(moves[0].first);
  moves[1].first = find_node(space, b);
  take_out(moves[1].first);
  for (const auto& [node, path] : moves) {
    if (node == nullptr) continue;
    ++node->renames;
    ++generation_;
    move(node, space, path);
  }
}

void PathTree::forget(PathSpace space, std::string_view path) {
  place_pending(space, path, path);
  if (PathNode* const node = find_node(space, path)) make_orphan(node, path);
}

// ---- nodes

PathNode* PathTree::root_of(PathSpace space) {
  if (PathNode** const known = roots_.find(space)) return *known;
  PathNode* const root = take();
  root->is_root = true;
  root->space = space;
  roots_.put(space, root);
  return root;
}

PathNode* PathTree::make_node(PathNode* root, std::string_view path) {
  PathNode* node = root;
  std::string_view rest = path.substr(1);
  while (!rest.empty()) {
    PathNode* child = child_of(node, rest);
    if (child == nullptr) return add_child(node, rest);
    const size_t common = common_components(child->label, rest);
    if (common < child->label.size()) child = split(child, common);
    node = child;
    rest.remove_prefix(std::min(common + 1, rest.size()));
  }
  return node;
}

PathNode* PathTree::find_node(PathSpace space, std::string_view path) {
  PathNode** const root = roots_.find(space);
  if (root == nullptr || !is_absolute(path) || path.size() == 1) return nullptr;
  PathNode* node = *root;
  std::string_view rest = path.substr(1);
  while (!rest.empty()) {
    node = child_of(node, rest);
    if (node == nullptr) return nullptr;
    const size_t common = common_components(node->label, rest);
    if (common == rest.size() && common < node->label.size()) return split(node, common);
    if (common < node->label.size()) return nullptr;
    rest.remove_prefix(std::min(common + 1, rest.size()));
  }
  return node;
}

// The child that starts with the first component of `rest`.
PathNode* PathTree::child_of(const PathNode* parent, std::string_view rest) const {
  const std::string_view component = first_component(rest);
  const uint64_t hash = hash_text(component);
  PathNode* node = const_cast<PathTree*>(this)->bucket_of(parent, hash);
  while (node != nullptr && !(node->parent == parent && node->hash == hash &&
                              first_component(node->label) == component)) {
    node = node->next_in_bucket;
  }
  return node;
}

PathNode* PathTree::add_child(PathNode* parent, std::string_view label) {
  PathNode* const node = take();
  node->label = label;
  insert(node, parent);
  return node;
}

// Moves the first `at` bytes of the label to a new node above it.
PathNode* PathTree::split(PathNode* node, size_t at) {
  PathNode* const parent = node->parent;
  detach(node);
  PathNode* const above = add_child(parent, std::string_view(node->label).substr(0, at));
  node->label.erase(0, at + 1);
  insert(node, above);
  return above;
}

// The path must not be in use.
void PathTree::move(PathNode* node, PathSpace space, std::string_view path) {
  PathNode* const place = make_node(root_of(space), path);
  PathNode* const parent = place->parent;
  detach(place);
  node->label = place->label;
  release(place);
  insert(node, parent);
  prune(node);
}

void PathTree::make_orphan(PathNode* node, std::string_view path) {
  if (PathNode* const parent = node->parent) {
    detach(node);
    prune(parent);
  }
  node->label = path;
  prune(node);
}

// Removes nodes that no name needs, from `node` upwards.
void PathTree::prune(PathNode* node) {
  while (node != nullptr && node->links == nullptr) {
    PathNode* const child = node->first_child;
    if (child != nullptr) {
      if (child->next_sibling == nullptr && !node->is_root) merge_with_child(node);
      return;
    }
    PathNode* const parent = node->parent;
    if (parent != nullptr) detach(node);
    if (node->is_root) roots_.erase(node->space);
    release(node);
    node = parent;
  }
}

void PathTree::merge_with_child(PathNode* node) {
  PathNode* const child = node->first_child;
  // Renames can make paths of any length: this limit bounds the cost of a merge.
  if (node->label.size() + child->label.size() >= kMaxDirectory) return;
  PathNode* const parent = node->parent;
  detach(child);
  child->label.insert(0, has_slash_below(*node) ? node->label + '/' : node->label);
  if (parent != nullptr) {
    detach(node);
    insert(child, parent);
  }
  release(node);
}

PathNode*& PathTree::bucket_of(const PathNode* parent, uint64_t hash) {
  return buckets_[mix_words(hash, reinterpret_cast<uintptr_t>(parent)) & (buckets_.size() - 1)];
}

void PathTree::insert(PathNode* node, PathNode* parent) {
  if (in_buckets_ == buckets_.size()) grow();
  ++in_buckets_;
  node->parent = parent;
  node->hash = hash_text(first_component(node->label));
  PathNode*& bucket = bucket_of(parent, node->hash);
  node->next_in_bucket = bucket;
  bucket = node;
  node->previous_sibling = nullptr;
  node->next_sibling = parent->first_child;
  if (node->next_sibling != nullptr) node->next_sibling->previous_sibling = node;
  parent->first_child = node;
}

// Removes a node from its parent.
void PathTree::detach(PathNode* node) {
  PathNode* const parent = node->parent;
  PathNode** at = &bucket_of(parent, node->hash);
  while (*at != node) at = &(*at)->next_in_bucket;
  *at = node->next_in_bucket;
  --in_buckets_;
  (node->previous_sibling == nullptr ? parent->first_child : node->previous_sibling->next_sibling) =
      node->next_sibling;
  if (node->next_sibling != nullptr) node->next_sibling->previous_sibling = node->previous_sibling;
  node->parent = nullptr;
}

void PathTree::grow() {
  std::vector<PathNode*> old(2 * buckets_.size());
  old.swap(buckets_);
  for (PathNode* node : old) {
    while (node != nullptr) {
      PathNode* const next = node->next_in_bucket;
      PathNode*& bucket = bucket_of(node->parent, node->hash);
      node->next_in_bucket = bucket;
      bucket = node;
      node = next;
    }
  }
}

PathNode* PathTree::take() {
  ++nodes_;
  PathNode* const node = pool_.take();
  std::string label = std::move(node->label);
  *node = PathNode();
  node->label = std::move(label);
  return node;
}

void PathTree::release(PathNode* node) {
  // Keep the label's buffer unless it is large.
  constexpr size_t kKept = 256;
  if (node->label.capacity() > kKept) {
    node->label = std::string();
  } else {
    node->label.clear();
  }
  --nodes_;
  pool_.give_back(node);
}

}  // namespace sfkit::state
