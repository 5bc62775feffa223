#include "sysflow/ip_numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace sfkit::sysflow {
namespace {

IpNumbers numbers_of(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(parse_ip(text).value());
  return ip_numbers(addresses);
}

std::vector<std::string> texts_of(const IpNumbers& numbers) {
  std::vector<std::string> texts;
  each_address(numbers, [&](const IpAddress& address) {
    std::string& text = texts.emplace_back();
    if (address.ipv6) {
      append_ipv6(text, address.bytes.data());
    } else {
      append_ipv4(text, address.bytes.data());
    }
  });
  return texts;
}

TEST(IpNumbers, AreLittleEndianAndUnsigned) {
  EXPECT_EQ(numbers_of({"1.2.3.4"}), IpNumbers{0x04030201});
  EXPECT_EQ(numbers_of({"255.255.255.255"}), IpNumbers{0xFFFFFFFF});
  EXPECT_EQ(numbers_of({"fd00::1"}), (IpNumbers{0xFD, 0x0100000000000000}));
  EXPECT_EQ(numbers_of({}), IpNumbers{});
}

TEST(IpNumbers, GiveTheSameAddressesAgain) {
  using Texts = std::vector<std::string>;
  for (const Texts& texts :
       {Texts{}, Texts{"10.0.0.7"}, Texts{"10.0.0.7", "10.0.0.8"}, Texts{"fd00::7"},
        Texts{"10.0.0.7", "fd00::7"}, Texts{"10.0.0.7", "10.0.0.8", "fd00::7", "2001:db8::9"},
        Texts{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}) {
    EXPECT_EQ(texts_of(numbers_of(texts)), texts);
  }
  EXPECT_EQ(texts_of(numbers_of({"fd00::7", "10.0.0.7"})), (Texts{"10.0.0.7", "fd00::7"}));
}

TEST(IpNumbers, AnyNumbersAreAddresses) {
  EXPECT_EQ(texts_of({-1}), std::vector<std::string>{"255.255.255.255"});
  EXPECT_EQ(texts_of({1, 2, INT64_MIN}).size(), 2u);
}

}  // namespace
}  // namespace sfkit::sysflow
