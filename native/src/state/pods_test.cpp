#include "state/pods.h"

#include <gtest/gtest.h>

namespace sfkit::state {
namespace {

std::string pod_event(const std::string& action, const std::string& uid, const std::string& more,
                      const std::string& place = "shop") {
  return R"({"type":")" + action + R"(","apiVersion":"v1","kind":"Pod","items":[{"uid":")" + uid +
         R"(","name":"web","namespace":")" + place + '"' + more + "}]}";
}

std::string service_event(const std::string& action, const std::string& uid,
                          const std::string& selector) {
  return R"({"type":")" + action + R"(","kind":"Service","items":[{"uid":")" + uid +
         R"(","name":"front","namespace":"shop","clusterIP":"10.96.0.1","selector":)" + selector +
         R"(,"ports":[{"port":80,"targetPort":8080,"nodePort":30080,"protocol":"TCP"},)"
         R"({"port":53,"targetPort":"dns","protocol":"UDP"}]}]})";
}

std::vector<std::string> service_names(PodTable& table, const std::string& uid) {
  std::vector<std::string> uids;
  for (const ServiceInfo* const service : table.services_of(*table.find(uid)))
    uids.push_back(service->uid);
  return uids;
}

// The uid of the pod of container `id`, which has no description.
std::string pod_of(const PodTable& table, const std::string& id) {
  ContainerTable containers;
  return std::string(table.pod_of(containers.at(containers.intern(id)), containers));
}

using Names = std::vector<std::string>;

TEST(PodTable, KnowsKindsAndActions) {
  PodTable table;
  const auto kinds = [&table](const std::string& json) {
    const KubernetesChange& change = table.apply(json);
    return std::string(change.kind) + " " + std::string(change.action);
  };
  EXPECT_EQ(kinds(R"({"kind":"Pod","type":"ADDED"})"), "PODS ADDED");
  EXPECT_EQ(kinds(R"({"kind":"Node","type":"MODIFIED"})"), "NODES MODIFIED");
  EXPECT_EQ(kinds(R"({"kind":"Namespace","type":"DELETED"})"), "NAMESPACES DELETED");
  EXPECT_EQ(kinds(R"({"kind":"ReplicationController","type":"ERROR"})"),
            "REPLICATIONCONTROLLERS ERROR");
  EXPECT_EQ(kinds(R"({"kind":"Service","type":"NONEXISTENT"})"), "SERVICES NONEXISTENT");
  EXPECT_EQ(kinds(R"({"kind":"EventList","type":"ADDED"})"), "EVENTS ADDED");
  EXPECT_EQ(kinds(R"({"kind":"ReplicaSet","type":"ADDED"})"), "REPLICASETS ADDED");
  EXPECT_EQ(kinds(R"({"kind":"DaemonSet","type":"ADDED"})"), "DAEMONSETS ADDED");
  EXPECT_EQ(kinds(R"({"kind":"Deployment","type":"ADDED"})"), "DEPLOYMENTS ADDED");
  EXPECT_EQ(kinds(R"({"type":"ADDED","object":{"kind":"Pod"}})"), "PODS ADDED");
  for (const char* const json : {R"({"kind":"Odd","type":"Odd"})", R"({"kind":1,"type":{}})", "{}",
                                 "[]", "1", "", R"({"kind":"Pod","type":"ADDED")"}) {
    EXPECT_EQ(kinds(json), "UNKNOWN UNKNOWN") << json;
  }
}

TEST(PodTable, ReadsPodsOfTheShortForm) {
  PodTable table;
  const KubernetesChange& change = table.apply(pod_event(
      "ADDED", "u1",
      R"(,"nodeName":"n7","hostIP":"192.168.1.7","podIP":"10.0.0.7","podIPs":[{"ip":"10.0.0.7"},{"ip":"fd00::7"}],)"
      R"("labels":{"b":"2","a":"1","x":5},"containerStatuses":[)"
      R"({"containerID":"docker://0123456789abcdef","restartCount":2},{"restartCount":3},null],)"
      R"("initContainerStatuses":[{"containerID":"docker://fedcba9876543210","restartCount":9}])"));
  EXPECT_EQ(change.pods, Names{"u1"});
  EXPECT_EQ(change.containers, (Names{"0123456789ab", "fedcba987654"}));
  const PodInfo* const pod = table.find("u1");
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->name, "web");
  EXPECT_EQ(pod->namespace_, "shop");
  EXPECT_EQ(pod->node_name, "n7");
  EXPECT_EQ(pod->restarts, 5);
  EXPECT_EQ(pod->labels, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(pod->host_addresses, std::vector{*parse_ip("192.168.1.7")});
  EXPECT_EQ(pod->addresses, (std::vector{*parse_ip("10.0.0.7"), *parse_ip("fd00::7")}));
  EXPECT_EQ(pod_of(table, "0123456789ab"), "u1");
  EXPECT_EQ(pod_of(table, "other"), "");
}

TEST(PodTable, ReadsPodsOfTheFormOfTheApi) {
  PodTable table;
  table.apply(
      R"({"type":"ADDED","apiVersion":"v1","kind":"Pod","object":{"metadata":{"uid":"u1","name":"web",)"
      R"("namespace":"shop","labels":{"a":"1"}},"spec":{"nodeName":"n7"},)"
      R"("status":{"podIP":"10.0.0.7","hostIP":"10.1.0.1","containerStatuses":[)"
      R"({"containerID":"cri-o://0123456789abcdef","restartCount":4}]}}})");
  const PodInfo* const pod = table.find("u1");
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->node_name, "n7");
  EXPECT_EQ(pod->restarts, 4);
  EXPECT_EQ(pod->labels, (Labels{{"a", "1"}}));
  EXPECT_EQ(pod_of(table, "0123456789ab"), "u1");
}

TEST(PodTable, ReportsOnlyChanges) {
  PodTable table;
  const std::string same = pod_event("MODIFIED", "u1", R"(,"labels":{"a":"1"})");
  EXPECT_EQ(table.apply(same).pods, Names{"u1"});
  EXPECT_EQ(table.apply(same).pods, Names());
  EXPECT_EQ(table.apply(pod_event("MODIFIED", "u1", R"(,"labels":{"a":"2"})")).pods, Names{"u1"});
}

TEST(PodTable, ServicesSelectPodsByLabelsInTheirNamespace) {
  PodTable table;
  table.apply(pod_event("ADDED", "u1", R"(,"labels":{"app":"web","tier":"front"})"));
  table.apply(pod_event("ADDED", "u2", R"(,"labels":{"app":"web"})"));
  table.apply(pod_event("ADDED", "u3", R"(,"labels":{"app":"web","tier":"front"})", "other"));
  EXPECT_EQ(table.apply(service_event("ADDED", "s1", R"({"app":"web"})")).pods,
            (Names{"u1", "u2"}));
  EXPECT_EQ(table.apply(service_event("ADDED", "s2", R"({"app":"web","tier":"front"})")).pods,
            Names{"u1"});
  // Without a selector, a service selects no pod.
  EXPECT_EQ(table.apply(service_event("ADDED", "s3", "{}")).pods, Names());
  EXPECT_EQ(table.apply(service_event("ADDED", "s4", "null")).pods, Names());
  EXPECT_EQ(service_names(table, "u1"), (Names{"s1", "s2"}));
  EXPECT_EQ(service_names(table, "u2"), Names{"s1"});
  EXPECT_EQ(service_names(table, "u3"), Names());
  // The pods that it no longer selects change too.
  EXPECT_EQ(table.apply(service_event("MODIFIED", "s1", R"({"tier":"front"})")).pods,
            (Names{"u1", "u2", "u1"}));
  EXPECT_EQ(service_names(table, "u2"), Names());
  EXPECT_EQ(table.apply(service_event("DELETED", "s1", "null")).pods, Names{"u1"});
  EXPECT_EQ(table.apply(service_event("DELETED", "s1", "null")).pods, Names());
  EXPECT_EQ(service_names(table, "u1"), Names{"s2"});
}

TEST(PodTable, ReadsServices) {
  PodTable table;
  table.apply(pod_event("ADDED", "u1", R"(,"labels":{"app":"web"})"));
  table.apply(service_event("ADDED", "s1", R"({"app":"web"})"));
  const std::vector<const ServiceInfo*> services = table.services_of(*table.find("u1"));
  ASSERT_EQ(services.size(), 1u);
  EXPECT_EQ(services[0]->name, "front");
  EXPECT_EQ(services[0]->addresses, std::vector{*parse_ip("10.96.0.1")});
  EXPECT_EQ(services[0]->ports,
            (std::vector<ServicePortInfo>{{80, 8080, 30080, "TCP"}, {53, 0, 0, "UDP"}}));
}

TEST(PodTable, ContainersMoveBetweenPods) {
  PodTable table;
  const auto with = [](const std::string& id) {
    return R"(,"containerStatuses":[{"containerID":"cri://)" + id + "\"}]";
  };
  table.apply(pod_event("ADDED", "u1", with("aaaa")));
  EXPECT_EQ(table.apply(pod_event("ADDED", "u2", with("aaaa"))).containers, Names{"aaaa"});
  EXPECT_EQ(pod_of(table, "aaaa"), "u2");
  // The container is no longer that of the first pod, so a change there does not remove it.
  table.apply(pod_event("MODIFIED", "u1", with("bbbb")));
  EXPECT_EQ(pod_of(table, "aaaa"), "u2");
  EXPECT_EQ(pod_of(table, "bbbb"), "u1");
  // The previous container of a pod stays known.
  table.apply(pod_event("MODIFIED", "u1",
                        R"(,"containerStatuses":[{"containerID":"cri://cccc","lastState":)"
                        R"({"terminated":{"containerID":"cri://bbbb"}}}])"));
  EXPECT_EQ(pod_of(table, "bbbb"), "u1");
  EXPECT_EQ(pod_of(table, "cccc"), "u1");
}

TEST(PodTable, LearnsPodsFromDescriptionsOfContainers) {
  ContainerTable containers;
  PodTable table;
  const auto describe = [&](const std::string& json) {
    const uint32_t index = containers.add_json(json);
    table.describe(containers.at(index));
    return std::string(table.pod_of(containers.at(index), containers));
  };
  const std::string own =
      R"("io.kubernetes.pod.name":"web","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"u1")";
  EXPECT_EQ(describe(R"({"id":"aaaa","pod_sandbox_id":"0123456789abcdef","labels":{)" + own +
                     R"(,"image":"x"},"pod_sandbox_labels":{"app":"web",)" + own + "}}"),
            "u1");
  const PodInfo* pod = table.find("u1");
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->name, "web");
  EXPECT_EQ(pod->namespace_, "shop");
  EXPECT_EQ(pod->labels, (Labels{{"app", "web"}}));
  EXPECT_EQ(pod->addresses.size(), 0u);
  // The sandbox adds the address.
  const uint64_t version = table.version();
  EXPECT_EQ(
      describe(R"({"id":"0123456789ab","is_pod_sandbox":true,"ip":"10.0.0.7","host_network":true,)"
               R"("labels":{"app":"web","tier":"front","annotation.x":"y",)" +
               own + "}}"),
      "u1");
  EXPECT_NE(table.version(), version);
  EXPECT_EQ(pod->labels, (Labels{{"app", "web"}, {"tier", "front"}}));
  EXPECT_EQ(pod->addresses, std::vector{*parse_ip("10.0.0.7")});
  EXPECT_EQ(pod->host_addresses, pod->addresses);
  // A container without labels is in the pod of its sandbox.
  EXPECT_EQ(describe(R"({"id":"bbbb","pod_sandbox_id":"0123456789abcdef"})"), "u1");
  // Only the labels of the sandbox name the pod.
  EXPECT_EQ(describe(R"({"id":"cccc","pod_sandbox_labels":{)" + own + "}}"), "u1");
  EXPECT_EQ(describe(R"({"id":"dddd","labels":{"app":"x"}})"), "");
}

TEST(PodTable, TheApiKnowsBetterThanTheRuntime) {
  ContainerTable containers;
  PodTable table;
  const uint32_t index = containers.add_json(
      R"({"id":"aaaa","ip":"10.9.9.9","labels":{"io.kubernetes.pod.uid":"static","io.kubernetes.pod.name":"old"}})");
  table.describe(containers.at(index));
  EXPECT_EQ(table.pod_of(containers.at(index), containers), "static");
  // The kubelet gave a pod from a file of the node another uid.
  table.apply(pod_event("ADDED", "u1", R"(,"staticUid":"static","podIP":"10.0.0.7")"));
  EXPECT_EQ(table.pod_of(containers.at(index), containers), "u1");
  table.apply(pod_event("ADDED", "static", R"(,"podIP":"10.0.0.8")"));
  table.describe(containers.at(index));
  EXPECT_EQ(table.find("static")->addresses, std::vector{*parse_ip("10.0.0.8")});
  EXPECT_EQ(table.find("static")->name, "web");
}

TEST(PodTable, ForgetsPodsThatNothingRefersTo) {
  ContainerTable containers;
  PodTable table;
  const uint32_t index = containers.intern("aaaa");
  const auto with = R"(,"containerStatuses":[{"containerID":"cri://aaaa"}])";
  table.apply(pod_event("ADDED", "used", with));
  table.apply(pod_event("DELETED", "used", ""));
  table.apply(pod_event("ADDED", "listed", ""));
  int number = 0;
  for (; !table.is_crowded(); ++number) {
    const std::string uid = "u" + std::to_string(number);
    table.apply(pod_event("ADDED", uid, "", uid));
    table.apply(pod_event("DELETED", uid, "", uid));
  }
  EXPECT_GT(number, 1000);
  const uint32_t generation = table.generation();
  table.forget(containers);
  EXPECT_NE(table.generation(), generation);
  EXPECT_EQ(table.find("u0"), nullptr);
  EXPECT_NE(table.find("listed"), nullptr);
  // Its container still runs.
  EXPECT_EQ(table.pod_of(containers.at(index), containers), "used");
  EXPECT_NE(table.find("used"), nullptr);
  EXPECT_FALSE(table.is_crowded());
}

TEST(PodTable, LimitsMemory) {
  PodTable table;
  const std::string labels = R"(,"labels":{"a":")" + std::string(60000, 'x') + "\"}";
  ContainerTable containers;
  size_t number = 0;
  for (; table.left_out() == 0 && number < 10000; ++number) {
    table.apply(pod_event("ADDED", "u" + std::to_string(number), labels));
    if (table.is_crowded()) table.forget(containers);
  }
  EXPECT_NEAR(static_cast<double>(number), PodTable::kMaxBytes / 60000.0, 30);
  EXPECT_EQ(table.find("u" + std::to_string(number - 1)), nullptr);
  // Deleted pods make room.
  for (size_t i = 0; i < number / 2; ++i)
    table.apply(pod_event("DELETED", "u" + std::to_string(i), ""));
  table.forget(containers);
  table.apply(pod_event("ADDED", "new", labels));
  EXPECT_NE(table.find("new"), nullptr);
}

TEST(PodTable, LimitsWork) {
  PodTable table;
  for (int i = 0; i < 2000; ++i)
    table.apply(pod_event("ADDED", "u" + std::to_string(i), R"(,"labels":{"a":"b"})"));
  size_t changed = 0;
  int number = 0;
  for (; table.left_out() == 0 && number < 100000; ++number) {
    const std::string selector = number % 2 == 0 ? R"({"a":"b"})" : R"({"a":"c"})";
    changed += table.apply(service_event("MODIFIED", "s", selector)).pods.size();
  }
  EXPECT_GT(number, 500);
  EXPECT_LT(number, 10000);
  EXPECT_GT(changed, 0u);
}

TEST(PodTable, ForgetsServicesOfDeletedNamespaces) {
  PodTable table;
  table.apply(service_event("ADDED", "s1", R"({"a":"b"})"));
  table.apply(service_event("DELETED", "s1", "null"));
  table.apply(pod_event("ADDED", "u1", R"(,"labels":{"a":"b"})"));
  EXPECT_EQ(service_names(table, "u1"), Names());
  table.clear();
  EXPECT_EQ(table.find("u1"), nullptr);
}

}  // namespace
}  // namespace sfkit::state
