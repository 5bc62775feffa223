#include "state/cgroups.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "state/containers.h"

namespace sfkit::state {
namespace {

const std::string kId = "3f9c1d5e7a2b" + std::string(52, '0');
const std::string kInner = "0123456789ab" + std::string(52, 'c');
const std::string kShort = "3f9c1d5e7a2b";

std::string cgroups_of(const std::string& path) {
  return "cpuset=" + path + '\0' + "memory=/" + '\0';
}

std::string id_of(const std::string& path) {
  const ContainerTable none;
  return find_container(cgroups_of(path), none).id;
}

TEST(FindContainer, FindsIdsInThePathsOfRuntimes) {
  const std::string pod = "pod0d1e2f3a_4b5c_4d6e_8f70_8192a3b4c5d6";
  for (const std::string& path : std::vector<std::string>{
           "/docker/" + kId, "/system.slice/docker-" + kId + ".scope",
           "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope",
           "/foo/" + kId,
           // Kubernetes, by kubelet driver and quality of service.
           "/kubepods/besteffort/pod1/" + kId, "/kubepods/burstable/pod1/" + kId,
           "/kubepods/pod1/" + kId, "/kubepods/pod1/crio-" + kId,
           "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" + pod +
               ".slice/cri-containerd-" + kId + ".scope",
           "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + pod + ".slice/crio-" +
               kId + ".scope",
           "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + pod + ".slice/crio-" +
               kId + ".scope/container",
           "/kubepods.slice/kubepods-" + pod + ".slice/docker-" + kId + ".scope",
           "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-" + pod +
               ".slice/cri-containerd-" + kId + ".scope",
           "/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:" + kId,
           "/system.slice:docker:" + kId,
           // podman
           "/machine.slice/libpod-" + kId + ".scope",
           "/machine.slice/libpod-" + kId + ".scope/container",
           "/machine.slice/machine-libpod_pod_" + kInner + ".slice/libpod-" + kId + ".scope",
           "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId +
               ".scope/container",
           "/user.slice/user-1000.slice/podman-77.scope/" + kId, "/libpod_parent/libpod-" + kId,
           "/libpod_parent/" + kInner + "/libpod-" + kId,
           "/system.slice/x.service/libpod-payload-" + kId,
           "/system.slice/x.service/libpod-payload-" + kId + ".scope/container",
           // containerd
           "/system.slice/nerdctl-" + kId + ".scope", "/k8s.io/" + kId, "/anything/" + kId,
           "/ecs/0123/" + kId,
           // Seen from inside a cgroup namespace, and after the cgroup was removed.
           "/../../docker/" + kId, "/docker/" + kId + " (deleted)"}) {
    EXPECT_EQ(id_of(path), kShort) << path;
  }
}

TEST(FindContainer, FindsNamedContainers) {
  const ContainerTable none;
  const auto check = [&none](const std::string& path, const std::string& id, int32_t type) {
    const ContainerMatch found = find_container(cgroups_of(path), none);
    EXPECT_EQ(found.id, id) << path;
    EXPECT_EQ(found.type, type) << path;
  };
  check("/lxc/guest", "guest", 1);
  check("/lxc/guest/init.scope", "guest", 1);
  check("/lxc.payload/guest", "guest", 1);
  check("/lxc.payload.guest/system.slice/cron.service", "guest", 1);
  check("/user.slice/user-1000.slice/user@1000.service/lxc.payload.my-guest.1", "my-guest.1", 1);
  check("/libvirt/lxc/guest", "guest", 2);
  check("/machine/guest.libvirt-lxc/x", "guest", 2);
  check("/machine.slice/machine-lxc\\x2d9382\\x2dlib.scope/libvirt", "9382\\x2dlib", 2);
  check("/machine.slice/machine-web.scope", "web", 5);
  check("/machine.slice/machine-my\\x2dbox.scope/payload/init.scope", "my-box", 5);
  check("/machine.slice/systemd-nspawn@my\\x2dbox.service/payload", "my-box", 5);
  check("/system.slice/runc-bpm-galera-agent.scope", "galera-agent", 9);
  check("/system.slice/runc-bpm-a.b_c-d.scope/below", "a.b_c-d", 9);
  check("/bpm-nats", "nats", 9);
  check("/default/web", "web", 7);
  check("/default/a-name-that-is-long", "a-name-that-", 7);
  check("/k8s.io/my-app/below", "my-app", 7);
  check("/mesos/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", 3);
}

TEST(FindContainer, TheOutermostContainerOwnsGroupsBelowIt) {
  for (const std::string& path : std::vector<std::string>{
           "/docker/" + kId + "/init.scope", "/system.slice/docker-" + kId + ".scope/init.scope",
           "/system.slice/docker-" + kId + ".scope/system.slice/cron.service",
           "/docker/" + kId + "/docker/" + kInner,
           "/docker/" + kId + "/kubepods/burstable/pod1/" + kInner,
           "/system.slice/docker-" + kId + ".scope/system.slice/docker-" + kInner + ".scope",
           "/docker/" + kId + "/lxc/guest",
           "/docker/" + kId + "/machine.slice/libpod-conmon-" + kInner + ".scope",
           "/kubepods/pod1/" + kId + "/a/b/c/d"}) {
    EXPECT_EQ(id_of(path), kShort) << path;
  }
  EXPECT_EQ(id_of("/lxc.payload.guest/docker/" + kId), "guest");
}

TEST(FindContainer, FindsNoneInHostGroups) {
  for (const std::string& path : std::vector<std::string>{
           "/", std::string(), "/user.slice/user-1000.slice/session-3.scope", "/docker/short",
           "/docker/" + std::string(64, 'z'), "/docker/" + kId.substr(1), "/docker/" + kId + "0",
           "docker-" + kId + ".mount", "/:" + kId, "/x:" + kId,
           // Container monitors run on the host.
           "/machine.slice/crio-conmon-" + kId + ".scope", "/kubepods/pod1/crio-conmon-" + kId,
           "/machine.slice/libpod-conmon-" + kId + ".scope", "/libpod_parent/libpod-conmon-" + kId,
           "/system.slice/x.service/supervisor", "/lxc.monitor.guest", "/lxc.monitor/guest",
           "/machine.slice/machine-web.scope/supervisor",
           "/machine.slice/systemd-nspawn@web.service/supervisor",
           "/machine.slice/machine-qemu\\x2d3\\x2dvm.scope/emulator",
           // A pod's cgroup is not a container.
           "/machine.slice/machine-libpod_pod_" + kId + ".slice", "/libpod_parent/" + kId,
           "/kubepods/burstable/pod1",
           // Host cgroups that look like containerd containers.
           "/default/sshd.service", "/my/app", "/x/default/web", "/default",
           std::string("/default/") + std::string(65, 'n'), "/system.slice/my-bpm-tool.service",
           "/bpm-x.service", "/bpm-", "/runc-bpm-a,b.scope", "/lxc", "/lxc.payload.",
           "/mesos/short", "/machine-.scope", "/systemd-nspawn@.service"}) {
    EXPECT_EQ(id_of(path), "") << path;
  }
  const ContainerTable none;
  EXPECT_EQ(find_container("", none).id, "");
  EXPECT_EQ(find_container("no equals sign", none).id, "");
}

TEST(FindContainer, TheFirstPathInAContainerCounts) {
  const ContainerTable none;
  const std::string cgroups = std::string("a=/") + '\0' + "b=/machine.slice/crio-conmon-" + kInner +
                              ".scope" + '\0' + "c=/docker/" + kId + '\0' + "d=/docker/" + kInner +
                              '\0';
  EXPECT_EQ(find_container(cgroups, none).id, kShort);
}

TEST(FindContainer, AcceptsAnyNameThatTheCaptureDescribes) {
  ContainerTable known;
  known.intern("my-app");
  EXPECT_EQ(find_container(cgroups_of("/team/my-app"), known).id, "");
  known.add_json(R"({"id":"my-app","type":7})");
  EXPECT_EQ(find_container(cgroups_of("/team/my-app"), known).id, "my-app");
  EXPECT_EQ(find_container(cgroups_of("/team/my-app/below"), known).id, "my-app");
  EXPECT_EQ(find_container(cgroups_of("/team/other"), known).id, "");
  EXPECT_EQ(find_container(cgroups_of("/x/team/my-app"), known).id, "");
}

TEST(ContainerIdCompat, MatchesTheCollector) {
  const auto compat = [](const std::string& path) {
    static std::string cgroups;
    cgroups = cgroups_of(path);
    return container_id_compat(cgroups);
  };
  for (const std::string& path : std::vector<std::string>{
           "/docker/" + kId, "/system.slice/docker-" + kId + ".scope",
           "/kubepods/besteffort/pod1/" + kId, "/kubepods.slice/crio-" + kId + ".scope",
           "/kubepods.slice/crio-" + kId, "/machine.slice/libpod-" + kId + ".scope/container",
           "/kubepods/cri-containerd-" + kId + ".scope", "/a/x:cri-containerd:" + kId,
           "/libpod-payload-" + kId, "/docker/" + kInner + "/docker/" + kId}) {
    EXPECT_EQ(compat(path), kShort) << path;
  }
  EXPECT_EQ(compat("/default/web"), "web");
  EXPECT_EQ(compat("/lxc/guest/sub"), "guest");
  for (const std::string& path : std::vector<std::string>{
           "/", "/user.slice/user-1000.slice", "/docker/short", "/docker/" + kId + "/init.scope",
           "/crio-conmon-" + kId + ".scope", "/docker/" + std::string(64, 'z'),
           "/default/sshd.service", "/machine.slice/machine-web.scope"}) {
    EXPECT_EQ(compat(path), "") << path;
  }
}

}  // namespace
}  // namespace sfkit::state
