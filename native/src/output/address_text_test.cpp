#include "output/address_text.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace sfkit::output {
namespace {

std::string ipv6(std::initializer_list<unsigned> groups) {
  sysflow::Address address;
  size_t i = 0;
  for (const unsigned group : groups) {
    address.bytes[i++] = static_cast<uint8_t>(group >> 8);
    address.bytes[i++] = static_cast<uint8_t>(group);
  }
  std::string text;
  append_address(text, address, true);
  return text;
}

TEST(AddressText, WritesIpv6AsRfc5952) {
  EXPECT_EQ(ipv6({0, 0, 0, 0, 0, 0, 0, 0}), "::");
  EXPECT_EQ(ipv6({0, 0, 0, 0, 0, 0, 0, 1}), "::1");
  EXPECT_EQ(ipv6({1, 0, 0, 0, 0, 0, 0, 0}), "1::");
  EXPECT_EQ(ipv6({0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}), "2001:db8::1:0:0:1");
  EXPECT_EQ(ipv6({0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(ipv6({0x2001, 0, 0, 1, 0, 0, 0, 1}), "2001:0:0:1::1");
  EXPECT_EQ(ipv6({0xfe80, 0, 0, 0, 0xABCD, 2, 3, 4}), "fe80::abcd:2:3:4");
  EXPECT_EQ(ipv6({1, 2, 3, 4, 5, 6, 7, 8}), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(ipv6({0, 0, 3, 4, 5, 6, 7, 8}), "::3:4:5:6:7:8");
  EXPECT_EQ(ipv6({1, 2, 3, 4, 5, 6, 0, 0}), "1:2:3:4:5:6::");
  EXPECT_EQ(ipv6({0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x0001}), "::ffff:10.0.0.1");
}

TEST(AddressText, WritesConnections) {
  sysflow::NetworkFlow flow;
  flow.sip.bytes = {10, 0, 0, 255};
  flow.sport = 65535;
  flow.dip.bytes = {127, 0, 0, 1};
  std::string text;
  append_connection(text, flow);
  EXPECT_EQ(text, "10.0.0.255:65535-127.0.0.1:0");
  flow = {};
  flow.ipv6 = true;
  flow.sip.bytes[15] = 1;
  flow.sport = 80;
  flow.dport = 443;
  text.clear();
  append_connection(text, flow);
  EXPECT_EQ(text, "[::1]:80-[::]:443");
}

}  // namespace
}  // namespace sfkit::output
