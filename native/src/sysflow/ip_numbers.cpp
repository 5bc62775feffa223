#include "sysflow/ip_numbers.h"

namespace sfkit::sysflow {
namespace {

constexpr size_t kBytesPerNumber = 8;
constexpr size_t kIpv4Bytes = 4;

// Reads bytes as a little-endian number.
int64_t number_of(const uint8_t* bytes, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number |= uint64_t{bytes[i]} << (8 * i);
  return static_cast<int64_t>(number);
}

void put_bytes(int64_t number, uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(number) >> (8 * i));
}

bool fits_ipv4(int64_t number) {
  return number >= 0 && number <= int64_t{UINT32_MAX};
}

}  // namespace

IpNumbers ip_numbers(const std::vector<IpAddress>& addresses) {
  IpNumbers numbers;
  for (const IpAddress& address : addresses) {
    if (!address.ipv6) numbers.push_back(number_of(address.bytes.data(), kIpv4Bytes));
  }
  for (const IpAddress& address : addresses) {
    if (!address.ipv6) continue;
    numbers.push_back(number_of(address.bytes.data(), kBytesPerNumber));
    numbers.push_back(number_of(address.bytes.data() + kBytesPerNumber, kBytesPerNumber));
  }
  return numbers;
}

void each_address(const IpNumbers& numbers, const std::function<void(const IpAddress&)>& visit) {
  size_t ipv4 = numbers.size();
  while (ipv4 >= 2 && !(fits_ipv4(numbers[ipv4 - 2]) && fits_ipv4(numbers[ipv4 - 1]))) ipv4 -= 2;
  for (size_t i = 0; i < ipv4; ++i) {
    IpAddress address;
    put_bytes(numbers[i], address.bytes.data(), kIpv4Bytes);
    visit(address);
  }
  for (size_t i = ipv4; i < numbers.size(); i += 2) {
    IpAddress address{{}, true};
    put_bytes(numbers[i], address.bytes.data(), kBytesPerNumber);
    put_bytes(numbers[i + 1], address.bytes.data() + kBytesPerNumber, kBytesPerNumber);
    visit(address);
  }
}

}  // namespace sfkit::sysflow
