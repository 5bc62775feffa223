#include "base/shared_map.h"

#include <gtest/gtest.h>

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
  // Dense, in steps, and anywhere.
  switch (random() % 4) {
    case 0: return random() % 200;
    case 1: return 1024 + (random() % 100) * 4096;
    case 2: return UINT64_MAX - random() % 70;
    default: return random() >> (random() % 64);
  }
}

TEST(SharedMap, CopiesGoTheirOwnWays) {
  std::mt19937_64 random(7);
  std::vector<SharedMap<int>> maps;
  std::vector<Plain> plain;
  // References stay valid.
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

}  // namespace
}  // namespace sfkit
