#include "base/ip_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sfkit {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = parse_ip(text);
  if (!address) return "none";
  std::string out;
  address->ipv6 ? append_ipv6(out, address->bytes.data()) : append_ipv4(out, address->bytes.data());
  return out;
}

TEST(ParseIp, RoundTripsText) {
  for (const char* text : {"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "fe80::1",
                           "1::", "1:2:3:4:5:6:7:8", "2001:db8::8:800:200c:417a"}) {
    EXPECT_EQ(round_trip(text), text);
  }
  EXPECT_EQ(round_trip("1:0:0:0:0:0:0:1"), "1::1");
  EXPECT_EQ(round_trip("64:FF9B::1.2.3.4"), "64:ff9b::102:304");
}

TEST(ParseIp, RejectsInvalidText) {
  for (const char* text : {"",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "256.1.1.1",
                           "1..2.3",
                           "a.b.c.d",
                           "1.2.3.-4",
                           "1.2.3.4 ",
                           ":",
                           ":::",
                           "1:2",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1.2.3",
                           "1:",
                           "::1:"}) {
    EXPECT_EQ(round_trip(text), "none") << text;
  }
}

}  // namespace
}  // namespace sfkit
