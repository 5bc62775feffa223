#include "state/containers.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

TEST(ContainerTable, AcceptsMetadataBeforeAndAfterTheFirstUse) {
  ContainerTable table;
  const uint32_t web = table.intern("web");
  EXPECT_FALSE(table.at(web).known);
  EXPECT_TRUE(table.add_json(
      R"({"container":{"id":"web","name":"n","image":"i","imagetag":"1","type":7,"privileged":true}})"));
  EXPECT_EQ(table.at(web).name, "n");
  EXPECT_EQ(table.at(web).image, "i:1");
  EXPECT_EQ(table.at(web).type, 7);
  EXPECT_TRUE(table.at(web).privileged);
  EXPECT_EQ(table.intern("web"), web);
  EXPECT_EQ(table.intern(""), 0u);
}

TEST(ContainerTable, KeepsTheDescriptionMembersThatFieldsShow) {
  ContainerTable table;
  const uint32_t index = table.add_json(
      R"({"x":[1,2],"container":{"env":["A=1"],"id":"a","labels":{"l":"v"},"name":"n\u00e9","other":{"b":1},)"
      R"("Mounts":[{"Source":"/s"}],"is_pod_sandbox":true}})");
  ASSERT_NE(index, 0u);
  EXPECT_EQ(table.at(index).name, "n\u00e9");
  EXPECT_EQ(table.at(index).description,
            R"({"labels":{"l":"v"},"Mounts":[{"Source":"/s"}],"is_pod_sandbox":true})");
  // Without the outer object; the last of two equal members counts.
  EXPECT_EQ(table.add_json(R"({"id":"b","id":"a","name":"m","privileged":true,"type":"x"})"),
            index);
  EXPECT_EQ(table.at(index).name, "m");
  EXPECT_TRUE(table.at(index).privileged);
  EXPECT_EQ(table.at(index).type, kContainerDocker);
  EXPECT_EQ(table.at(index).description, "");
}

TEST(ContainerTable, GivesLabelsAsAnObjectOfTexts) {
  ContainerTable table;
  const uint32_t index = table.add_json(
      R"({"id":"a","labels":{ "app" : "w\u0065b", "n":1, "q\"":"<\u0000>" },"pod_sandbox_labels":{}})");
  EXPECT_EQ(labels_of(table.at(index), "labels"), R"({"app":"web","q\"":"<\u0000>"})");
  EXPECT_EQ(labels_of(table.at(index), "pod_sandbox_labels"), "");
  EXPECT_EQ(labels_of(table.at(index), "Mounts"), "");
  EXPECT_EQ(labels_of(table.at(table.add_json(R"({"id":"b","labels":null})")), "labels"), "");
  EXPECT_EQ(labels_of(table.at(0), "labels"), "");
}

TEST(ContainerTable, LimitsTheSizeOfADescription) {
  ContainerTable table;
  const auto json = [](size_t size) {
    return R"({"id":"a","name":")" + std::string(10000, 'n') + R"(","labels":{"l":")" +
           std::string(size, 'x') + R"("},"ip":"10.0.0.1"})";
  };
  const uint32_t small = table.add_json(json(kMaxDescription / 2));
  EXPECT_EQ(table.at(small).name.size(), kMaxContainerText);
  EXPECT_GT(table.at(small).description.size(), kMaxDescription / 2);
  table.add_json(json(kMaxDescription));
  EXPECT_EQ(table.at(small).description, R"({"ip":"10.0.0.1"})");
}

TEST(ContainerTable, AddsTheTagOnlyToAnImageWithoutOne) {
  ContainerTable table;
  const auto image = [&table](const char* members, bool compat = false) {
    return table.at(table.add_json(std::string(R"({"id":"a",)") + members + "}", compat)).image;
  };
  EXPECT_EQ(image(R"("image":"nginx","imagetag":"1.25")"), "nginx:1.25");
  EXPECT_EQ(image(R"("image":"nginx:1.25","imagetag":"1.25")"), "nginx:1.25");
  EXPECT_EQ(image(R"("image":"nginx:latest","imagetag":"")"), "nginx:latest");
  EXPECT_EQ(image(R"("image":"nginx@sha256:abc")"), "nginx@sha256:abc");
  EXPECT_EQ(image(R"("image":"nginx@sha256:abc","imagetag":"1.25")"), "nginx@sha256:abc");
  EXPECT_EQ(image(R"("image":"","imagetag":"1.25")"), "");
  EXPECT_EQ(image(R"("name":"n")"), "");
  EXPECT_EQ(table.at(table.add("b", 0, "n", "nginx")).image, "nginx");
  // As the collector writes it.
  EXPECT_EQ(image(R"("image":"nginx:1.25","imagetag":"1.25")", true), "nginx:1.25:1.25");
  EXPECT_EQ(image(R"("image":"nginx:latest","imagetag":"")", true), "nginx:latest:");
  EXPECT_EQ(table.at(table.add("b", 0, "n", "nginx", true)).image, "nginx:");
}

TEST(ContainerTable, KeepsTheTypeFromThePathUntilADescription) {
  ContainerTable table;
  const uint32_t index = table.intern("guest", 1);
  EXPECT_EQ(table.at(index).type, 1);
  EXPECT_FALSE(table.describes("guest"));
  EXPECT_EQ(table.intern("guest", 2), index);
  EXPECT_EQ(table.at(index).type, 1);
  table.add_json(R"({"id":"guest","type":7})");
  EXPECT_TRUE(table.describes("guest"));
  EXPECT_EQ(table.at(index).type, 7);
}

TEST(ContainerTable, RejectsInvalidDescriptions) {
  ContainerTable table;
  EXPECT_FALSE(table.add_json("{"));
  EXPECT_FALSE(table.add_json(R"({"container":{"name":"no id"}})"));
  EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace sfkit::state
