#include "state/containers.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

const std::string kId = "3f9c1d5e7a2b" + std::string(52, '0');

std::string_view id_of(const std::string& path) {
  static std::string cgroups;
  cgroups = "cpuset=" + path + '\0' + "memory=/" + '\0';
  return container_id_of(cgroups);
}

TEST(ContainerIdOf, KnowsTheRuntimesPaths) {
  for (const std::string& path :
       {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope", "/kubepods/besteffort/pod1/" + kId,
        "/kubepods.slice/crio-" + kId + ".scope", "/kubepods.slice/crio-" + kId,
        "/machine.slice/libpod-" + kId + ".scope/container", "/kubepods/cri-containerd-" + kId + ".scope",
        "/a/x:cri-containerd:" + kId, "/libpod-payload-" + kId}) {
    EXPECT_EQ(id_of(path), "3f9c1d5e7a2b") << path;
  }
  EXPECT_EQ(id_of("/default/web"), "web");
  EXPECT_EQ(id_of("/lxc/guest/sub"), "guest");
}

TEST(ContainerIdOf, LeavesTheHostAlone) {
  for (const std::string& path : {std::string("/"), std::string("/user.slice/user-1000.slice"),
                                  std::string("/docker/short"), "/crio-conmon-" + kId + ".scope",
                                  "/docker/" + std::string(64, 'z'), std::string("/default/sshd.service")}) {
    EXPECT_EQ(id_of(path), "") << path;
  }
  EXPECT_EQ(container_id_of(""), "");
  EXPECT_EQ(container_id_of("no equals sign"), "");
}

TEST(ContainerTable, TakesMetadataBeforeAndAfterTheFirstUse) {
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

TEST(ContainerTable, KeepsOfADescriptionWhatFieldsShow) {
  ContainerTable table;
  const uint32_t index = table.add_json(
      R"({"x":[1,2],"container":{"env":["A=1"],"id":"a","labels":{"l":"v"},"name":"n\u00e9","other":{"b":1},)"
      R"("Mounts":[{"Source":"/s"}],"is_pod_sandbox":true}})");
  ASSERT_NE(index, 0u);
  EXPECT_EQ(table.at(index).name, "n\u00e9");
  EXPECT_EQ(table.at(index).description,
            R"({"labels":{"l":"v"},"Mounts":[{"Source":"/s"}],"is_pod_sandbox":true})");
  // Without what surrounds it, and the last of two members counts.
  EXPECT_EQ(table.add_json(R"({"id":"b","id":"a","name":"m","privileged":true,"type":"x"})"), index);
  EXPECT_EQ(table.at(index).name, "m");
  EXPECT_TRUE(table.at(index).privileged);
  EXPECT_EQ(table.at(index).type, kContainerDocker);
  EXPECT_EQ(table.at(index).description, "");
}

TEST(ContainerTable, BoundsADescription) {
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

TEST(ContainerTable, RefusesWhatIsNoContainer) {
  ContainerTable table;
  EXPECT_FALSE(table.add_json("{"));
  EXPECT_FALSE(table.add_json(R"({"container":{"name":"no id"}})"));
  EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace sfkit::state
