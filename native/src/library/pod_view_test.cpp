#include "library/pod_view.h"

#include <gtest/gtest.h>

#include <string>

#include "sysflow/ip_numbers.h"

namespace sfkit::library {
namespace {

IpAddress address(std::string_view text) {
  return parse_ip(text).value_or(IpAddress());
}

TEST(PodView, HasEveryField) {
  sysflow::Pod record;
  record.ts = 17;
  record.id = "u1";
  record.name = "web-1";
  record.node_name = "n7";
  record.namespace_ = "shop";
  record.restart_count = 3;
  record.labels = R"({"app":"web","tier":"front"})";
  record.selectors = R"({"app":"web"})";
  record.host_ip = sysflow::ip_numbers({address("192.168.1.7")});
  record.internal_ip = sysflow::ip_numbers({address("10.0.0.7"), address("fd00::7")});
  record.services = {{"front",
                      "s1",
                      "shop",
                      {{80, 8080, 30080, "TCP"}, {443, 0, 0, "UDP"}},
                      sysflow::ip_numbers({address("10.96.0.1")})},
                     {"back", "s2", "shop", {}, {}}};
  const PodView pod(record);
  record = {};

  const Pod& view = pod.view;
  EXPECT_EQ(view.time, 17);
  EXPECT_EQ(view.id, "u1");
  EXPECT_EQ(view.name, "web-1");
  EXPECT_EQ(view.node_name, "n7");
  EXPECT_EQ(view.namespace_name, "shop");
  EXPECT_EQ(view.restart_count, 3);
  ASSERT_EQ(view.labels.size(), 2u);
  EXPECT_EQ(view.labels[0].name, "app");
  EXPECT_EQ(view.labels[1].value, "front");
  ASSERT_EQ(view.selectors.size(), 1u);
  EXPECT_EQ(view.selectors[0].value, "web");
  ASSERT_EQ(view.node_addresses.size(), 1u);
  EXPECT_EQ(view.node_addresses[0], address("192.168.1.7"));
  ASSERT_EQ(view.addresses.size(), 2u);
  EXPECT_EQ(view.addresses[1], address("fd00::7"));
  ASSERT_EQ(view.services.size(), 2u);
  EXPECT_EQ(view.services[0].id, "s1");
  EXPECT_EQ(view.services[0].name, "front");
  EXPECT_EQ(view.services[0].namespace_name, "shop");
  ASSERT_EQ(view.services[0].ports.size(), 2u);
  EXPECT_EQ(view.services[0].ports[0].target_port, 8080);
  EXPECT_EQ(view.services[0].ports[0].node_port, 30080);
  EXPECT_EQ(view.services[0].ports[1].port, 443);
  EXPECT_EQ(view.services[0].ports[1].protocol, "UDP");
  ASSERT_EQ(view.services[0].addresses.size(), 1u);
  EXPECT_EQ(view.services[0].addresses[0], address("10.96.0.1"));
  EXPECT_TRUE(view.services[1].ports.empty());
}

TEST(PodView, SkipsLabelsThatAreNoObject) {
  for (const char* const text : {"", "[1]", "{\"app\":", "nonsense"}) {
    sysflow::Pod record;
    record.labels = text;
    EXPECT_TRUE(PodView(record).view.labels.empty()) << text;
  }
}

}  // namespace
}  // namespace sfkit::library
