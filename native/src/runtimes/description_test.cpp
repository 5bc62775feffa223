#include "runtimes/description.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace sfkit::runtimes {
namespace {

TEST(Description, SplitsImageNames) {
  const auto split = [](std::string_view name) {
    const ImageName image = split_image(name);
    return image.repo + "|" + image.tag + "|" + image.digest;
  };
  EXPECT_EQ(split("nginx"), "nginx||");
  EXPECT_EQ(split("nginx:1.25"), "nginx|1.25|");
  EXPECT_EQ(split("host:5000/nginx"), "host:5000/nginx||");
  EXPECT_EQ(split("host:5000/nginx:1@sha256:00"), "host:5000/nginx|1|sha256:00");
  EXPECT_EQ(split("a@b@c"), "a||b");
  EXPECT_EQ(split(""), "||");
}

TEST(Description, ReadsTimes) {
  EXPECT_EQ(seconds_of("2026-01-02T03:04:05.678Z"), 1767323045);
  EXPECT_EQ(seconds_of("2026-01-02T03:04:05Z"), 1767323045);
  EXPECT_EQ(seconds_of("2026-01-02T04:34:05.123456789+01:30"), 1767323045);
  EXPECT_EQ(seconds_of("2026-01-02T01:04:05-02:00"), 1767323045);
  for (const char* wrong : {"", "now", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
                            "2026-01-02T03:04:05", "2026-01-02T03:04:05.", "2026-01-02T03:04:05+1",
                            "2026-01-02T03:04:05?01:00", "2026-01-02T03:99:05Z"})
    EXPECT_EQ(seconds_of(wrong), 0) << wrong;
}

TEST(Description, LeavesOutLongLabels) {
  EXPECT_TRUE(is_label(std::string(100, 'x')));
  EXPECT_FALSE(is_label(std::string(101, 'x')));
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\xc3\xa4";
  EXPECT_TRUE(is_label(umlauts));
  EXPECT_FALSE(is_label(umlauts + "x"));
}

TEST(Description, IsValidJsonWhateverTheTexts) {
  Description description;
  description.id = "0123456789ab";
  description.name = "a\"b\\\n\xff";
  description.labels["k\""] = "v\x01";
  description.user = "u";
  description.mounts.emplace(2);
  description.mounts->front() = {"/a", "/b", "ro", "rprivate", true};
  description.pod_sandbox_id = "p";
  description.pod_sandbox_labels.emplace();
  (*description.pod_sandbox_labels)["tier"] = "front";
  description.limits = Limits{1, 2, 3, -1, 5};
  const auto parsed = json::parse(container_event(description));
  ASSERT_TRUE(parsed.is_ok()) << parsed.status().message();
  const json::Value* const container = parsed.value().find("container");
  ASSERT_NE(container, nullptr);
  EXPECT_EQ(container->find("id")->as_string(), "0123456789ab");
  EXPECT_EQ(container->find("name")->as_string().substr(0, 5), "a\"b\\\n");
  EXPECT_EQ(container->find("Mounts")->items().size(), 2u);
  EXPECT_EQ(container->find("cpu_quota")->as_int(), -1);
  EXPECT_EQ(container->find("pod_sandbox_labels")->find("tier")->as_string(), "front");
}

}  // namespace
}  // namespace sfkit::runtimes
