#include "base/shared_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace sfkit {
namespace {

using Plain = std::map<uint64_t, int>;

void expect_same(const SharedMap<int>& map, const Plain& plain) {
  Plain seen;
  uint64_t before = 0;
  map.for_each([&](uint64_t key, int value) {
    EXPECT_TRUE(seen.empty() || key > before);
    before = key;
    seen[key] = value;
  });
  EXPECT_EQ(seen, plain);
  EXPECT_EQ(map.size(), plain.size());
  EXPECT_EQ(map.empty(), plain.empty());
}

uint64_t some_key(std::mt19937_64& random) {
  // Dense, evenly spaced, or random.
  switch (random() % 4) {
    case 0: return random() % 200;
    case 1: return 1024 + (random() % 100) * 4096;
    case 2: return UINT64_MAX - random() % 70;
    default: return random() >> (random() % 64);
  }
}

TEST(SharedMap, CopiesAreIndependent) {
  std::mt19937_64 random(7);
  std::vector<SharedMap<int>> maps;
  std::vector<Plain> plain;
  // Keeps references valid.
  maps.reserve(8);
  plain.reserve(8);
  maps.emplace_back();
  plain.emplace_back();
  for (int step = 0; step < 20000; ++step) {
    const size_t which = random() % maps.size();
    SharedMap<int>& map = maps[which];
    Plain& model = plain[which];
    const uint64_t key = some_key(random);
    switch (random() % 8) {
      case 0:
        if (maps.size() < 8) {
          const SharedMap<int> copy = map;
          const Plain model_copy = model;
          maps.push_back(copy);
          plain.push_back(model_copy);
        }
        break;
      case 1:
        map.erase(key);
        model.erase(key);
        break;
      case 2: {
        const uint64_t last = key + (random() >> (random() % 64));
        if (random() % 16 != 0 || last < key) break;
        map.erase_range(key, last);
        model.erase(model.lower_bound(key), model.upper_bound(last));
        break;
      }
      case 3: {
        int* const value = map.writable(key);
        EXPECT_EQ(value != nullptr, model.contains(key));
        if (value != nullptr) model[key] = *value = step;
        break;
      }
      default: map.put(key, step); model[key] = step;
    }
    const uint64_t asked = some_key(random);
    const int* const found = map.find(asked);
    ASSERT_EQ(found != nullptr, model.contains(asked));
    if (found != nullptr) {
      ASSERT_EQ(*found, model[asked]);
    }
  }
  for (size_t i = 0; i < maps.size(); ++i) expect_same(maps[i], plain[i]);
  maps[0].erase_range(0, UINT64_MAX);
  expect_same(maps[0], {});
  for (size_t i = 1; i < maps.size(); ++i) expect_same(maps[i], plain[i]);
}

// A value type with the lower() that lower_range() needs.
struct Level {
  uint64_t value = UINT64_MAX;
  void lower(uint64_t limit) { value = std::min(value, limit); }
};

TEST(SharedMap, LowersRangesLikeSingleKeys) {
  using Levels = std::map<uint64_t, uint64_t>;
  std::mt19937_64 random(11);
  std::vector<SharedMap<Level>> maps(1);
  std::vector<Levels> plain(1);
  maps.reserve(6);
  plain.reserve(6);
  for (int step = 0; step < 20000; ++step) {
    const size_t which = random() % maps.size();
    SharedMap<Level>& map = maps[which];
    Levels& model = plain[which];
    const uint64_t key = some_key(random);
    const uint64_t last = std::max(key, key + (random() >> (random() % 64)));
    switch (random() % 8) {
      case 0:
        if (maps.size() < 6) {
          const SharedMap<Level> copy = map;
          const Levels model_copy = model;
          maps.push_back(copy);
          plain.push_back(model_copy);
        }
        break;
      case 1:
      case 2: {
        const uint64_t limit = random() % 1000;
        map.lower_range(key, last, limit);
        for (auto at = model.lower_bound(key); at != model.end() && at->first <= last; ++at)
          at->second = std::min(at->second, limit);
        break;
      }
      case 3:
        if (random() % 16 != 0) break;
        map.erase_range(key, last);
        model.erase(model.lower_bound(key), model.upper_bound(last));
        break;
      case 4:
        if (Level* const level = map.writable(key)) {
          ASSERT_EQ(level->value, model.at(key)) << "the pending limit was not applied";
          model[key] = level->value = UINT64_MAX;
        }
        break;
      default: map.put(key, {}); model[key] = UINT64_MAX;
    }
    uint64_t asked = some_key(random);
    uint64_t limit = 0;
    const Level* const found = map.find(asked, limit);
    ASSERT_EQ(found != nullptr, model.contains(asked));
    if (found != nullptr) {
      ASSERT_EQ(std::min(found->value, limit), model[asked]);
    }
    const auto expected = model.lower_bound(asked);
    const Level* const next = map.next(asked);
    ASSERT_EQ(next != nullptr, expected != model.end());
    if (next != nullptr) {
      ASSERT_EQ(asked, expected->first);
    }
  }
  for (size_t i = 0; i < maps.size(); ++i) {
    Levels seen;
    maps[i].for_each([&seen](uint64_t key, const Level& level, uint64_t limit) {
      seen[key] = std::min(level.value, limit);
    });
    EXPECT_EQ(seen, plain[i]);
  }
}

}  // namespace
}  // namespace sfkit
