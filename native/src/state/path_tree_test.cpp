#include "state/path_tree.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "state/paths.h"

namespace sfkit::state {
namespace {

// A name in use, with its last text.
struct Named {
  std::string text;
  PathLink link;
};

class Tree {
 public:
  Named& add(std::string_view text, PathSpace space = 0, bool is_directory = false) {
    Named& name = names_.emplace_back();
    name.text = text;
    tree.add(name.link, space, name.text, is_directory);
    return name;
  }
  Named& copy(const Named& other) {
    Named& name = names_.emplace_back();
    name.text = other.text;
    tree.add_copy(name.link, other.link, name.text);
    return name;
  }
  void remove(Named& name) { tree.remove(name.link); }
  std::string now(Named& name) {
    const std::string* text =
        tree.is_current(name.link) ? nullptr : tree.update(name.link, kMaxDirectory);
    if (text != nullptr) name.text = *text;
    return name.text;
  }

  PathTree tree;

 private:
  std::deque<Named> names_;
};

TEST(PathTree, ARenameMovesEverythingBelow) {
  Tree names;
  Named& directory = names.add("/home/r1");
  Named& file = names.add("/home/r1/a/b");
  Named& other = names.add("/home/r10/a");
  Named& above = names.add("/home");
  names.tree.rename(0, "/home/r1", "/srv/r2");
  EXPECT_EQ(names.now(directory), "/srv/r2");
  EXPECT_EQ(names.now(file), "/srv/r2/a/b");
  EXPECT_EQ(names.now(other), "/home/r10/a");
  EXPECT_EQ(names.now(above), "/home");
  Named& later = names.add("/home/r1/c");
  names.tree.rename(0, "/srv/r2/a", "/srv/a");
  EXPECT_EQ(names.now(file), "/srv/a/b");
  EXPECT_EQ(names.now(later), "/home/r1/c") << "added after the rename";
}

TEST(PathTree, AReplacedFileKeepsItsName) {
  Tree names;
  Named& from = names.add("/a/x");
  Named& replaced = names.add("/b");
  names.tree.rename(0, "/a", "/b");
  EXPECT_EQ(names.now(from), "/b/x");
  EXPECT_EQ(names.now(replaced), "/b");
  names.tree.rename(0, "/b", "/c");
  EXPECT_EQ(names.now(from), "/c/x");
  EXPECT_EQ(names.now(replaced), "/b") << "not the new file";
}

TEST(PathTree, ANewDirectoryAtTheSamePathIsDifferent) {
  Tree names;
  Named& removed = names.add("/a/x");
  names.tree.forget(0, "/a");
  Named& next = names.add("/a/x");
  names.tree.rename(0, "/a", "/b");
  EXPECT_EQ(names.now(removed), "/a/x");
  EXPECT_EQ(names.now(next), "/b/x");
}

TEST(PathTree, AnExchangeSwapsBoth) {
  Tree names;
  Named& one = names.add("/a/one");
  Named& two = names.add("/b/c/two");
  names.tree.exchange(0, "/a", "/b/c");
  EXPECT_EQ(names.now(one), "/b/c/one");
  EXPECT_EQ(names.now(two), "/a/two");
  names.tree.exchange(0, "/a", "/nobody/is/here");
  EXPECT_EQ(names.now(two), "/nobody/is/here/two");
  EXPECT_EQ(names.now(one), "/b/c/one");
}

TEST(PathTree, ADirectoryCannotMoveIntoItself) {
  Tree names;
  Named& name = names.add("/a/b");
  EXPECT_FALSE(names.tree.rename(0, "/a", "/a/b/c"));
  EXPECT_FALSE(names.tree.rename(0, "/a/b", "/a"));
  EXPECT_FALSE(names.tree.rename(0, "/", "/a"));
  names.tree.exchange(0, "/a", "/a/b");
  EXPECT_EQ(names.now(name), "/a/b");
}

TEST(PathTree, ARenameToAnUnknownPlaceKeepsTheKnownPart) {
  Tree names;
  Named& one = names.add("/a/one");
  Named& two = names.add("/b/two");
  Named& itself = names.add("/b");
  names.tree.rename(0, "/a", "<UNKNOWN>d/e");
  names.tree.rename(0, "/b", "<UNKNOWN>");
  EXPECT_EQ(names.now(one), "<UNKNOWN>d/e/one");
  EXPECT_EQ(names.now(two), "<UNKNOWN>two");
  EXPECT_EQ(names.now(itself), "<UNKNOWN>");
}

TEST(PathTree, SpacesAreSeparate) {
  Tree names;
  Named& host = names.add("/a/x", 0);
  Named& container = names.add("/a/x", 1);
  names.tree.rename(1, "/a", "/b");
  EXPECT_EQ(names.now(host), "/a/x");
  EXPECT_EQ(names.now(container), "/b/x");
}

TEST(PathTree, ARenameReportsDirectories) {
  Tree names;
  names.add("/a/x");
  names.add("/f");
  names.add("/d", 0, true);
  EXPECT_TRUE(names.tree.rename(0, "/a", "/b"));
  EXPECT_FALSE(names.tree.rename(0, "/f", "/g"));
  EXPECT_TRUE(names.tree.rename(0, "/d", "/e"));
  EXPECT_FALSE(names.tree.rename(0, "/nothing", "/h"));
}

TEST(PathTree, DistinguishesRenamesOfTheFileItself) {
  Tree names;
  Named& file = names.add("/a/f");
  names.tree.rename(0, "/a", "/b");
  EXPECT_FALSE(PathTree::was_renamed(file.link));
  names.tree.rename(0, "/b/f", "/b/g");
  EXPECT_TRUE(PathTree::was_renamed(file.link));
  Named& copy = names.copy(file);
  EXPECT_TRUE(PathTree::was_renamed(copy.link));
  EXPECT_EQ(names.now(copy), "/b/g");
}

TEST(PathTree, PathsThatBecomeTooLongAreUnknown) {
  Tree names;
  Named& name = names.add("/a/x");
  const std::string element(250, 'e');
  for (int i = 0; i < 40; ++i) {
    names.tree.rename(0, "/a", "/b/" + element);
    names.tree.rename(0, "/b", "/a");
  }
  EXPECT_EQ(names.now(name), "<UNKNOWN>x");
}

TEST(PathTree, FreesUnusedNodes) {
  Tree names;
  std::vector<Named*> added;
  for (int i = 0; i < 1000; ++i) {
    std::string path;
    for (int element = 0; element < 100; ++element)
      path += "/" + std::to_string(element < 10 ? (i >> element) & 1 : 0);
    added.push_back(&names.add(path + "/" + std::to_string(i)));
  }
  names.tree.rename(0, "/1", "/2");
  EXPECT_GE(names.tree.nodes(), 1000u);
  EXPECT_LE(names.tree.nodes(), 2001u);
  for (Named* name : added) names.remove(*name);
  EXPECT_EQ(names.tree.nodes(), 0u);
}

// Compares the tree with a model that visits every name on every rename.
TEST(PathTree, MatchesAModelThatVisitsEveryName) {
  struct Expected {
    Named* name;
    std::string path;
    bool follows;
  };
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](unsigned end) { return random() % end; };
    const auto some_path = [&] {
      static const char* const kElements[] = {"a", "b", "ab", "c"};
      std::string path;
      for (unsigned i = 0; i <= below(4); ++i) path.append("/").append(kElements[below(4)]);
      return path;
    };
    Tree names;
    std::vector<Expected> expected;
    const auto each_at = [&](const std::string& path, auto visit) {
      for (Expected& one : expected) {
        if (one.follows && is_at_or_below(one.path, path)) visit(one);
      }
    };
    const auto moved = [](const std::string& path, const std::string& from, const std::string& to) {
      return to + path.substr(from.size());
    };
    for (int step = 0; step < 400; ++step) {
      const std::string from = some_path();
      const std::string to = some_path();
      const bool apart = !is_at_or_below(from, to) && !is_at_or_below(to, from);
      switch (below(8)) {
        case 0:
        case 1:
        case 2: expected.push_back({&names.add(from), from, true}); break;
        case 3:
          if (expected.empty()) break;
          names.remove(*expected[step % expected.size()].name);
          expected.erase(expected.begin() + static_cast<long>(step % expected.size()));
          break;
        case 4: {
          if (expected.empty()) break;
          Expected one = expected[step % expected.size()];
          names.now(*one.name);
          one.name = &names.copy(*one.name);
          expected.push_back(one);
          break;
        }
        case 5:
          names.tree.exchange(0, from, to);
          if (!apart) break;
          for (Expected& one : expected) {
            if (!one.follows) continue;
            if (is_at_or_below(one.path, from)) {
              one.path = moved(one.path, from, to);
            } else if (is_at_or_below(one.path, to)) {
              one.path = moved(one.path, to, from);
            }
          }
          break;
        case 6:
          names.tree.forget(0, from);
          each_at(from, [](Expected& one) { one.follows = false; });
          break;
        default:
          names.tree.rename(0, from, to);
          if (!apart) break;
          each_at(to, [](Expected& one) { one.follows = false; });
          each_at(from, [&](Expected& one) { one.path = moved(one.path, from, to); });
          break;
      }
      const size_t from_here = below(3) == 0 ? 0 : expected.size();
      for (size_t i = from_here; i < expected.size(); ++i) {
        ASSERT_EQ(names.now(*expected[i].name), expected[i].path) << seed << ' ' << step;
      }
    }
    for (const Expected& one : expected) names.remove(*one.name);
    EXPECT_EQ(names.tree.nodes(), 0u) << seed;
  }
}

}  // namespace
}  // namespace sfkit::state
