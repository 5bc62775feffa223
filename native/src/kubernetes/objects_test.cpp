#include "kubernetes/objects.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfkit::kubernetes {
namespace {

const Resource& resource(std::string_view kind) {
  for (const Resource& candidate : all_resources()) {
    if (candidate.kind == kind) return candidate;
  }
  ADD_FAILURE() << kind;
  return all_resources()[0];
}

std::string item(std::string_view kind, const std::string& json) {
  const auto parsed = json::parse(json);
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
  return item_of(resource(kind), parsed.value());
}

std::vector<std::string> payloads(const std::vector<std::string_view>& items) {
  std::vector<std::string> all;
  each_payload("ADDED", resource("Pod"), items,
               [&all](const std::string& json) { all.push_back(json); });
  return all;
}

TEST(KubernetesObjects, ServicesComeBeforePods) {
  std::vector<std::string_view> kinds;
  for (const Resource& one : all_resources()) kinds.push_back(one.kind);
  EXPECT_EQ(kinds, (std::vector<std::string_view>{"Namespace", "Service", "Pod"}));
}

TEST(KubernetesObjects, KeepOnlyWhatIsNeeded) {
  EXPECT_EQ(item("Namespace", R"({"metadata":{"uid":"n1","name":"shop","labels":{"a":"b"},
                                 "annotations":{"token":"secret"}},"spec":{"x":"secret"}})"),
            R"({"name":"shop","uid":"n1","timestamp":"","labels":{"a":"b"}})");
  EXPECT_EQ(
      item("Service", R"({"metadata":{"uid":"s1","name":"front","namespace":"shop"},
                          "spec":{"clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1","fd00::1"],
                          "selector":{"app":"web"},"ports":[
                          {"port":80,"targetPort":"http","nodePort":30080,"protocol":"TCP"}]}})"),
      R"({"namespace":"shop","name":"front","uid":"s1","timestamp":"","labels":{},)"
      R"("clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1","fd00::1"],)"
      R"("ports":[{"name":"","protocol":"TCP","port":80,"targetPort":"http","nodePort":30080}],)"
      R"("selector":{"app":"web"}})");
}

TEST(KubernetesObjects, HaveStatusesAndTheStaticUidOfAPod) {
  const std::string pod = item("Pod", R"({
      "metadata":{"uid":"u1","name":"web","annotations":{"kubernetes.io/config.hash":"h1"}},
      "spec":{"nodeName":"n7","containers":[{"name":"c","image":"i","env":["secret"]}]},
      "status":{"podIPs":[{"ip":"10.0.0.7"}],"containerStatuses":[{"containerID":"containerd://a",
      "ready":true,"restartCount":"2","lastState":{"terminated":{"containerID":"containerd://b",
      "exitCode":1,"reason":"Error"}}}]}})");
  EXPECT_NE(pod.find(R"("staticUid":"h1"})"), std::string::npos) << pod;
  EXPECT_NE(pod.find(R"("containers":[{"name":"c","image":"i"}])"), std::string::npos) << pod;
  EXPECT_NE(pod.find(R"("podIPs":[{"ip":"10.0.0.7"}])"), std::string::npos) << pod;
  EXPECT_NE(pod.find(R"("ready":true,"restartCount":2,"lastState":{"terminated":)"
                     R"({"containerID":"containerd://b","exitCode":1,"reason":"Error"}}})"),
            std::string::npos)
      << pod;
  EXPECT_EQ(pod.find("secret"), std::string::npos);
}

TEST(KubernetesObjects, TakeValuesOfAnyShape) {
  for (const char* const json :
       {"null", "1", "[]", "{}", R"({"metadata":1,"spec":"x","status":[]})",
        R"({"metadata":{"uid":1,"labels":[1],"name":{},"annotations":2},"spec":{"ports":[1,null,[]],
            "containers":"x"},"status":{"podIPs":"z","containerStatuses":[null,1]}})"}) {
    for (const Resource& one : all_resources()) {
      const std::string text = item_of(one, json::parse(json).value());
      EXPECT_TRUE(json::parse(text).is_ok()) << text;
    }
  }
}

TEST(KubernetesObjects, CutLongTextsAndLists) {
  const std::string letter = "\xc3\xa9";        // one UTF-16 unit
  const std::string face = "\xf0\x9f\x98\x80";  // two
  std::string letters;
  std::string faces;
  for (int i = 0; i < 2000; ++i) letters += letter, faces += face;
  const auto name_in = [](const std::string& name) {
    const std::string text = item("Namespace", R"({"metadata":{"name":")" + name + R"("}})");
    return std::string(json::parse(text).value().find("name")->as_string());
  };
  EXPECT_EQ(name_in(std::string(1024, 'a')).size(), 1024u);
  EXPECT_EQ(name_in(std::string(1025, 'a')).size(), 1024u);
  EXPECT_EQ(name_in(letters), letters.substr(0, 1024 * letter.size()));
  EXPECT_EQ(name_in(faces), faces.substr(0, 512 * face.size()));
  EXPECT_EQ(name_in("a" + faces), "a" + faces.substr(0, 511 * face.size()));
  std::string many = "[";
  for (int i = 0; i < 200; ++i) many += R"({"ip":"10.0.0.1"},)";
  many += "{}]";
  const std::string pod = item("Pod", R"({"status":{"podIPs":)" + many + "}}");
  EXPECT_EQ(json::parse(pod).value().find("podIPs")->items().size(), 128u);
}

TEST(KubernetesObjects, FitIntoEventsOfACapture) {
  std::vector<std::string> items;
  std::vector<std::string_view> views;
  for (int i = 0; i < 3000; ++i)
    items.push_back(R"({"name":"pod-)" + std::to_string(i) + R"(","labels":{}})");
  for (const std::string& one : items) views.push_back(one);
  const std::vector<std::string> all = payloads(views);
  EXPECT_GT(all.size(), 1u);
  size_t count = 0;
  for (const std::string& payload : all) {
    EXPECT_LT(payload.size(), size_t{1} << 16);
    const auto parsed = json::parse(payload);
    ASSERT_TRUE(parsed.is_ok()) << payload;
    EXPECT_EQ(parsed.value().find("type")->as_string(), "ADDED");
    EXPECT_EQ(parsed.value().find("kind")->as_string(), "Pod");
    count += parsed.value().find("items")->items().size();
  }
  EXPECT_EQ(count, items.size());
  EXPECT_TRUE(payloads({}).empty());
}

TEST(KubernetesObjects, DropWhatIsLeastImportantFromLongItems) {
  const auto labels = [](size_t count) {
    std::string text = "{";
    for (size_t i = 0; i < count; ++i)
      text += (i == 0 ? "" : ",") + std::string("\"label-") + std::to_string(i) + "\":\"" +
              std::string(100, 'x') + '"';
    return text + "}";
  };
  const auto pod = [](const std::string& labels, const std::string& containers) {
    return item("Pod", R"({"metadata":{"uid":"u1","name":"web","namespace":"shop","labels":)" +
                           labels + R"(},"spec":{"containers":[)" + containers + "]}}");
  };
  std::string containers = "{}";
  for (int i = 0; i < 100; ++i) containers += R"(,{"name":")" + std::string(900, 'n') + R"("})";
  // The containers alone are too long, so only they are dropped.
  const std::string first = pod(labels(3), containers);
  EXPECT_LE(first.size(), kMaxPayload);
  EXPECT_EQ(first.find("\"containers\""), std::string::npos);
  EXPECT_NE(first.find("label-2"), std::string::npos);
  EXPECT_NE(first.find("containerStatuses"), std::string::npos);
  const std::string second = pod(labels(1000), "{}");
  EXPECT_LE(second.size(), kMaxPayload);
  EXPECT_EQ(second.find("label-"), std::string::npos);
  EXPECT_NE(second.find("\"hostIP\""), std::string::npos);
}

}  // namespace
}  // namespace sfkit::kubernetes
