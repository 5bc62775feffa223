// Pods and events of the Kubernetes API in SysFlow records.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "events.gen.h"
#include "sysflow/convert.h"
#include "sysflow/ip_numbers.h"
#include "testing/record_log.h"
#include "testing/scenario.h"
#include "testing/temporary_file.h"

namespace sfkit::sysflow {
namespace {

using sfkit::testing::Age;
using sfkit::testing::Scenario;
using namespace scap::value;
namespace ev = scap::ev;

constexpr int64_t kPid = 50;
constexpr uint64_t kSecond = 1'000'000'000;
const std::string kContainer = "0123456789ab";
const std::string kFullId = kContainer + std::string(52, '0');
const std::string kCgroups = "cpu=/kubepods/podu1/" + kFullId;

struct Kept : RecordLog {
  std::vector<Pod> pods;
  std::vector<K8sEvent> events;
  std::vector<Container> containers;
  std::vector<std::string> gone_pods;
  void pod(const Pod& r) override { pods.push_back(r), RecordLog::pod(r); }
  void k8s_event(const K8sEvent& r) override { events.push_back(r), RecordLog::k8s_event(r); }
  void container(const Container& r) override { containers.push_back(r), RecordLog::container(r); }
  void pod_gone(std::string_view id) override { gone_pods.emplace_back(id); }

  // The types of the records, without repetitions of the same type.
  std::string order() const {
    std::string text;
    for (const std::string& line : lines) {
      const std::string type = line.substr(0, line.find('|'));
      if (!text.ends_with(type + " ")) text += type + " ";
    }
    return text;
  }
};

Kept convert(Scenario& world, const ConvertOptions& options = {}, InputSummary* summary = nullptr) {
  const sfkit::testing::TemporaryFile file(world.writer().bytes());
  Kept kept;
  InputSummary own;
  const std::atomic<bool> cancel{false};
  const Status status =
      convert_capture(file.path(), options, kept, cancel, summary == nullptr ? own : *summary);
  EXPECT_TRUE(status.is_ok()) << status.message();
  return kept;
}

// A world with one process in a container of a pod.
Scenario pod_world(Age age = Age::k2026) {
  Scenario world(age);
  world.writer().begin();
  scap::ThreadEntry app;
  app.tid = app.pid = app.vtid = app.vpid = kPid;
  app.ptid = 1;
  app.exe = app.exepath = "/bin/app";
  app.cwd = "/";
  app.cgroups = kCgroups;
  world.writer().processes({app});
  return world;
}

std::string description(const std::string& more = "") {
  return R"({"container":{"id":")" + kContainer +
         R"(","name":"web","image":"nginx","type":7,"ip":"10.0.0.7",)"
         R"("labels":{"io.kubernetes.pod.uid":"u1","io.kubernetes.pod.name":"web-1",)"
         R"("io.kubernetes.pod.namespace":"shop"},"pod_sandbox_labels":{"app":"web",)"
         R"("io.kubernetes.pod.uid":"u1"})" +
         more + "}}";
}

std::string pod_json(const std::string& action, const std::string& more) {
  return R"({"type":")" + action +
         R"(","apiVersion":"v1","kind":"Pod","items":[{"uid":"u1","name":"web-1","namespace":"shop",)"
         R"("nodeName":"n7","hostIP":"192.168.1.7","podIP":"10.0.0.7","labels":{"app":"web"},)"
         R"("containerStatuses":[{"containerID":"containerd://)" +
         kFullId + R"(","restartCount":)" + more + "}]}]}";
}

const std::string kService =
    R"({"type":"ADDED","kind":"Service","items":[{"uid":"s1","name":"front","namespace":"shop",)"
    R"("clusterIP":"10.96.0.1","selector":{"app":"web"},)"
    R"("ports":[{"port":80,"targetPort":8080,"nodePort":30080,"protocol":"TCP"}]}]})";

const std::string kUnusedPod =
    R"({"type":"ADDED","kind":"Pod","items":[{"uid":"u2","name":"unused"}]})";

void act(Scenario& world) {
  world.mkdir(kPid, "/tmp/x");
}

class PodsOfEveryAge : public ::testing::TestWithParam<Age> {};
INSTANTIATE_TEST_SUITE_P(Pods, PodsOfEveryAge,
                         ::testing::Values(Age::k2017, Age::k2023, Age::k2026));

TEST_P(PodsOfEveryAge, DescriptionsOfContainersMakePods) {
  Scenario world = pod_world(GetParam());
  world.container(description());
  act(world);
  const Kept kept = convert(world);
  ASSERT_EQ(kept.pods.size(), 1u);
  const Pod& pod = kept.pods[0];
  EXPECT_EQ(pod.id, "u1");
  EXPECT_EQ(pod.name, "web-1");
  EXPECT_EQ(pod.namespace_, "shop");
  EXPECT_EQ(pod.node_name, "");
  EXPECT_EQ(pod.labels, R"({"app":"web"})");
  EXPECT_EQ(pod.internal_ip, ip_numbers({*parse_ip("10.0.0.7")}));
  EXPECT_GT(pod.ts, 0);
  ASSERT_EQ(kept.containers.size(), 1u);
  EXPECT_EQ(kept.containers[0].pod_id, "u1");
  EXPECT_EQ(kept.order(), "SFHeader Pod Container Process File FileEvent ");
}

TEST(Pods, CompatModeHasNone) {
  Scenario world = pod_world();
  world.container(description());
  world.event(kPid, ev::K8S_E, {text(pod_json("ADDED", "1"))});
  act(world);
  ConvertOptions options;
  options.compat = true;
  const Kept kept = convert(world, options);
  EXPECT_EQ(kept.pods.size() + kept.events.size(), 0u);
  ASSERT_EQ(kept.containers.size(), 1u);
  EXPECT_EQ(kept.containers[0].pod_id, std::nullopt);
}

TEST(Pods, DescriptionsAfterTheFirstUseWriteTheContainerAgain) {
  Scenario world = pod_world();
  act(world);
  world.container(description());
  world.mkdir(kPid, "/tmp/y");
  const Kept kept = convert(world);
  ASSERT_EQ(kept.containers.size(), 2u);
  EXPECT_EQ(kept.containers[0].pod_id, std::nullopt);
  EXPECT_EQ(kept.containers[1].pod_id, "u1");
  EXPECT_EQ(kept.pods.size(), 1u);
}

TEST(Pods, TheApiAddsNodeRestartsAndServices) {
  Scenario world = pod_world();
  world.event(-1, ev::K8S_E, {text(kService)});
  world.event(-1, ev::K8S_E, {text(pod_json("ADDED", "2"))});
  act(world);
  const Kept kept = convert(world);
  ASSERT_EQ(kept.pods.size(), 1u);
  const Pod& pod = kept.pods[0];
  EXPECT_EQ(pod.node_name, "n7");
  EXPECT_EQ(pod.restart_count, 2);
  EXPECT_EQ(pod.host_ip, ip_numbers({*parse_ip("192.168.1.7")}));
  EXPECT_EQ(pod.selectors, R"({"app":"web"})");
  ASSERT_EQ(pod.services.size(), 1u);
  EXPECT_EQ(pod.services[0].name, "front");
  EXPECT_EQ(pod.services[0].id, "s1");
  EXPECT_EQ(pod.services[0].namespace_, "shop");
  EXPECT_EQ(pod.services[0].cluster_ip, ip_numbers({*parse_ip("10.96.0.1")}));
  ASSERT_EQ(pod.services[0].ports.size(), 1u);
  EXPECT_EQ(pod.services[0].ports[0].port, 80);
  EXPECT_EQ(pod.services[0].ports[0].target_port, 8080);
  EXPECT_EQ(pod.services[0].ports[0].node_port, 30080);
  EXPECT_EQ(pod.services[0].ports[0].proto, "TCP");
  // No runtime described the container.
  ASSERT_EQ(kept.containers.size(), 1u);
  EXPECT_EQ(kept.containers[0].name, "incomplete");
  EXPECT_EQ(kept.containers[0].pod_id, "u1");
}

TEST(Pods, ChangesWriteUsedPodsAndTheirContainersAgain) {
  Scenario world = pod_world();
  act(world);  // the container is in no known pod
  world.event(-1, ev::K8S_E, {text(pod_json("ADDED", "0"))});
  world.event(-1, ev::K8S_E, {text(pod_json("MODIFIED", "0"))});
  world.event(-1, ev::K8S_E, {text(pod_json("MODIFIED", "1"))});
  world.event(-1, ev::K8S_E, {text(kService)});
  world.event(-1, ev::K8S_E, {text(kUnusedPod)});
  const Kept kept = convert(world);
  std::vector<std::string> seen;
  for (const Pod& pod : kept.pods) {
    seen.push_back(pod.id + " " + std::to_string(pod.restart_count) + " " +
                   std::to_string(pod.services.size()));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"u1 0 0", "u1 1 0", "u1 1 1"}));
  ASSERT_EQ(kept.containers.size(), 2u);
  EXPECT_EQ(kept.containers[1].pod_id, "u1");
  EXPECT_EQ(kept.order(),
            "SFHeader Container Process File FileEvent Pod Container K8sEvent Pod K8sEvent Pod "
            "K8sEvent ");
  EXPECT_LT(kept.pods[0].ts, kept.pods[1].ts);
}

TEST(Pods, EventsOfTheApiMakeRecords) {
  Scenario world = pod_world();
  const std::string payload = pod_json("DELETED", "0") + "\n";
  world.event(-1, ev::K8S_E, {text(payload)});
  world.event(-1, ev::K8S_E, {text("no JSON")});
  world.event(-1, ev::K8S_E, {});
  const Kept kept = convert(world);
  ASSERT_EQ(kept.events.size(), 3u);
  EXPECT_EQ(kept.events[0].kind, "PODS");
  EXPECT_EQ(kept.events[0].action, "DELETED");
  EXPECT_EQ(kept.events[0].message, payload);
  EXPECT_GT(kept.events[0].ts, 0);
  EXPECT_EQ(kept.events[1].kind, "UNKNOWN");
  EXPECT_EQ(kept.events[1].action, "UNKNOWN");
  EXPECT_EQ(kept.events[1].message, "no JSON");
  EXPECT_EQ(kept.events[2].message, "");
}

TEST(Pods, AFilterDecidesAboutEventsButNotAboutPods) {
  Scenario world = pod_world();
  world.event(-1, ev::K8S_E, {text(pod_json("ADDED", "3"))});
  act(world);
  ConvertOptions options;
  options.filter = "evt.type = mkdir";
  Kept kept = convert(world, options);
  EXPECT_EQ(kept.events.size(), 0u);
  ASSERT_EQ(kept.pods.size(), 1u);
  EXPECT_EQ(kept.pods[0].restart_count, 3);
  options.filter = "evt.type = k8s";
  kept = convert(world, options);
  EXPECT_EQ(kept.events.size(), 1u);
  EXPECT_EQ(kept.pods.size(), 0u);
}

TEST(Pods, AreWrittenAgainAfterARotation) {
  Scenario world = pod_world();
  world.container(description());
  act(world);
  world.wait(100 * kSecond);
  world.mkdir(kPid, "/tmp/y");
  ConvertOptions options;
  options.rotate_interval = 60;
  const Kept kept = convert(world, options);
  EXPECT_EQ(kept.counts.at("SFHeader"), 2u);
  ASSERT_EQ(kept.pods.size(), 2u);
  EXPECT_EQ(kept.pods[0].ts, kept.pods[1].ts);
  const std::string order = kept.order();
  EXPECT_NE(order.find("SFHeader Pod Container Process", 10), std::string::npos) << order;
}

TEST(Pods, AreForgottenWhenNoContainerIsInThem) {
  Scenario world = pod_world();
  constexpr int kPods = 6000;
  for (int number = 1; number <= kPods; ++number) {
    std::string id = std::to_string(number);
    id = std::string(12 - id.size(), '0') + id;
    world.container(R"({"id":")" + id + R"(","labels":{"io.kubernetes.pod.uid":"u)" + id +
                    R"(","io.kubernetes.pod.name":"n"}})");
    testing::ProcessFacts facts{.exe = "/bin/app",
                                .comm = "app",
                                .args = {},
                                .env = {},
                                .tid = 1000 + number,
                                .pid = 1000 + number,
                                .ptid = 1,
                                .uid = 0,
                                .gid = 0,
                                .vtid = 1,
                                .vpid = 1};
    facts.cgroup = "/kubepods/" + id + std::string(52, '0');
    world.born(facts, 0);
    world.exit(facts.tid, 0);
    world.wait(kSecond / 100);
  }
  const Kept kept = convert(world);
  EXPECT_EQ(kept.pods.size(), static_cast<size_t>(kPods));
  EXPECT_GT(kept.gone_pods.size(), 1000u);
}

TEST(Pods, ShortEventsCannotCauseLongOutput) {
  Scenario world = pod_world();
  const std::string labels = R"(,"pod_sandbox_labels":{"a":")" + std::string(60000, 'x') + "\"}";
  world.container(description(labels));
  act(world);
  for (int number = 0; number < 3000; ++number) {
    world.container(R"({"id":")" + kContainer + R"(","labels":{"io.kubernetes.pod.uid":"u1"},)" +
                    R"("ip":"10.0.)" + std::to_string(number / 256) + "." +
                    std::to_string(number % 256) + "\"}");
    world.mkdir(kPid, "/tmp/" + std::to_string(number));
  }
  InputSummary summary;
  const Kept kept = convert(world, {}, &summary);
  EXPECT_GT(kept.pods.size(), 100u);
  EXPECT_LT(kept.pods.size(), 2500u);
}

}  // namespace
}  // namespace sfkit::sysflow
