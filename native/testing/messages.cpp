#include "testing/messages.h"

#include <string>
#include <string_view>
#include <vector>

#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;

constexpr int64_t kApp = 3000;
constexpr int64_t kResolver = 3;
constexpr int64_t kConnection = 4;
constexpr size_t kSnapLength = 80;
constexpr uint64_t kMillisecond = 1'000'000;

std::string big_endian(uint16_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

std::string encoded_name(const std::vector<std::string_view>& labels) {
  std::string out;
  for (const std::string_view label : labels)
    out.append(1, static_cast<char>(label.size())).append(label);
  return out.append(1, '\0');
}

constexpr uint16_t kAddress = 1;
constexpr uint16_t kAlias = 5;

std::string dns(uint16_t id, uint16_t flags, uint16_t answers,
                const std::vector<std::string_view>& name) {
  return big_endian(id) + big_endian(flags) + big_endian(1) + big_endian(answers) + big_endian(0) +
         big_endian(0) + encoded_name(name) + big_endian(kAddress) + big_endian(1);
}

// An answer about the name at `name_place`, valid for 300 seconds.
std::string dns_answer(uint16_t name_place, uint16_t type, const std::string& data) {
  return big_endian(static_cast<uint16_t>(0xc000 | name_place)) + big_endian(type) + big_endian(1) +
         big_endian(0) + big_endian(300) + big_endian(static_cast<uint16_t>(data.size())) + data;
}

class Messages {
 public:
  Messages() : world_(Age::k2026) {
    scap::ThreadEntry app;
    app.tid = app.pid = app.vtid = app.vpid = kApp;
    app.ptid = 1;
    app.comm = "app";
    app.exe = "/usr/bin/app";
    app.exepath = "/usr/bin/app";
    world_.writer().begin();
    world_.writer().processes({app});
  }

  std::vector<uint8_t> take() {
    look_up();
    request();
    return world_.writer().take();
  }

 private:
  void send(int64_t fd, const std::string& data) { move(ev::SYSCALL_WRITE_X, fd, data); }
  void receive(int64_t fd, const std::string& data) {
    world_.wait(5 * kMillisecond);
    move(ev::SYSCALL_READ_X, fd, data);
  }
  void move(uint16_t code, int64_t fd, const std::string& data) {
    world_.wait(kMillisecond);
    world_.event(kApp, code,
                 {value::i64(static_cast<int64_t>(data.size())), data.substr(0, kSnapLength),
                  value::i64(fd), value::u32(static_cast<uint32_t>(data.size()))});
  }

  // A name with an alias, one that does not exist, and one without a response.
  void look_up() {
    constexpr uint16_t kQuery = 0x0100;
    constexpr uint16_t kResponse = 0x8180;
    constexpr uint16_t kNoSuchName = 0x8183;
    const std::vector<std::string_view> shop = {"shop", "example"};
    const std::vector<std::string_view> none = {"none", "example"};
    world_.socket(kApp, kResolver, false, true);
    world_.connect(kApp, kResolver, ipv4(10, 0, 0, 7, 40000), ipv4(10, 0, 0, 2, 53), 0);
    send(kResolver, dns(1, kQuery, 0, shop));
    receive(kResolver, dns(1, kResponse, 2, shop) +
                           dns_answer(12, kAlias, std::string("\x03www\xc0\x11", 6)) +
                           dns_answer(42, kAddress, "\xc0\x01\x02\x03"));
    send(kResolver, dns(2, kQuery, 0, none));
    receive(kResolver, dns(2, kNoSuchName, 0, none));
    send(kResolver, dns(3, kQuery, 0, {"late", "example"}));
    world_.close(kApp, kResolver);
  }

  // Two requests on one connection; the second has a longer target than the capture keeps.
  void request() {
    world_.socket(kApp, kConnection, false, false);
    world_.connect(kApp, kConnection, ipv4(10, 0, 0, 7, 40001), ipv4(192, 1, 2, 3, 8080), 0);
    send(kConnection, "GET /cart HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    receive(kConnection, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n");
    send(kConnection, "POST /search?q=" + std::string(kSnapLength, 'x') +
                          " HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    receive(kConnection, "HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n");
    world_.close(kApp, kConnection);
  }

  Scenario world_;
};

}  // namespace

std::vector<Fixture> message_captures() {
  return {{"messages.scap", Messages().take()}};
}

}  // namespace sfkit::testing
