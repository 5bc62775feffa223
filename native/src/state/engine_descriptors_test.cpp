#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fields/parameter_text.h"
#include "scap/writer.h"
#include "state/engine.h"
#include "state/values.h"

namespace sfkit::state {
namespace {

using namespace scap::value;
namespace ev = scap::ev;

constexpr int64_t kApp = 100;
constexpr uint32_t kThreadFlags = kCloneThread | kCloneFiles;
constexpr int64_t kInterruptedCall = -4;
constexpr int64_t kWouldBlock = -11;
constexpr int64_t kFault = -14;
constexpr int64_t kUnreachable = -101;
constexpr int64_t kTimedOut = -110;
constexpr int64_t kRefused = -111;
constexpr int64_t kAlready = -114;

struct IpPort {
  std::vector<uint8_t> ip;
  uint16_t port = 0;
};

std::string bytes_of(const IpPort& endpoint) {
  return std::string(endpoint.ip.begin(), endpoint.ip.end()) + u16(endpoint.port);
}
std::string tuple(const IpPort& a, const IpPort& b) {
  return u8(a.ip.size() == 4 ? 2 : 10) + bytes_of(a) + bytes_of(b);
}
std::string address(const IpPort& endpoint) {
  return u8(endpoint.ip.size() == 4 ? 2 : 10) + bytes_of(endpoint);
}
std::string unix_address(std::string_view path) {
  return u8(1) + text(path);
}
std::string unix_tuple(uint64_t source, uint64_t destination, std::string_view path) {
  return u8(1) + u64(source) + u64(destination) + text(path);
}
// ::ffff:a.b.c.d
IpPort mapped(const IpPort& endpoint) {
  std::vector<uint8_t> ip(12);
  ip[10] = ip[11] = 0xff;
  ip.insert(ip.end(), endpoint.ip.begin(), endpoint.ip.end());
  return {ip, endpoint.port};
}

const IpPort kClient{{10, 0, 0, 5}, 54321};
const IpPort kServer{{203, 0, 113, 7}, 443};
const IpPort kOther{{198, 51, 100, 9}, 6666};
const IpPort kResolver{{192, 0, 2, 53}, 53};
const IpPort kNone{{0, 0, 0, 0}, 0};
constexpr std::string_view kName = "10.0.0.5:54321->203.0.113.7:443";

// An engine with init and one process. Tests apply events and check its descriptors.
class Machine {
 public:
  explicit Machine(std::vector<scap::FdEntry> descriptors = {}, bool compat = false)
      : engine_(compat) {
    for (const int64_t tid : {int64_t{1}, kApp}) {
      scap::ThreadEntry entry;
      entry.tid = entry.pid = entry.vtid = entry.vpid = tid;
      entry.ptid = tid == 1 ? 0 : 1;
      entry.exe = "/bin/app";
      entry.cwd = "/home";
      engine_.add_thread(entry);
    }
    for (const scap::FdEntry& entry : descriptors) engine_.add_descriptor(kApp, entry);
    engine_.lists_complete();
  }

  void event(int64_t tid, uint16_t code, const std::vector<std::string>& params) {
    std::string body;
    for (const std::string& param : params) body += u16(static_cast<uint16_t>(param.size()));
    for (const std::string& param : params) body += param;
    scap::EventView view(code, static_cast<uint32_t>(params.size()), Bytes(std::string_view(body)));
    view.tid = tid;
    view.ts = ++ts_;
    view.number = ++number_;
    engine_.apply(view, [](const Context&) {});
  }

  void open(int64_t tid, int64_t fd, std::string_view path, uint32_t flags = 1) {
    event(tid, ev::SYSCALL_OPENAT_2_X,
          {i64(fd), i64(-100), text(path), u32(flags), u32(0), u32(5), u64(6)});
  }
  void close(int64_t tid, int64_t fd, int64_t result = 0) {
    event(tid, ev::SYSCALL_CLOSE_X, {i64(result), i64(fd)});
  }
  void write(int64_t tid, int64_t fd, int64_t result) {
    event(tid, ev::SYSCALL_WRITE_X, {i64(result), "data", i64(fd), u32(4)});
  }
  void dup(int64_t tid, int64_t fd, int64_t result) {
    event(tid, ev::SYSCALL_DUP_1_X, {i64(result), i64(fd)});
  }
  void dup2(int64_t tid, int64_t from, int64_t to) {
    event(tid, ev::SYSCALL_DUP2_X, {i64(to), i64(from), i64(to)});
  }
  void dup3(int64_t tid, int64_t from, int64_t to, uint32_t flags) {
    event(tid, ev::SYSCALL_DUP3_X, {i64(to), i64(from), i64(to), u32(flags)});
  }
  void fcntl(int64_t tid, int64_t fd, uint8_t command, uint64_t argument, int64_t result) {
    event(tid, ev::SYSCALL_FCNTL_X, {i64(result), i64(fd), u8(command), u64(argument)});
  }
  void socket(int64_t tid, int64_t fd, uint32_t domain, uint32_t type, uint32_t protocol = 0) {
    event(tid, ev::SOCKET_SOCKET_X, {i64(fd), u32(domain), u32(type), u32(protocol)});
  }
  void tcp(int64_t fd) { socket(kApp, fd, 2, 1); }
  void udp(int64_t fd) { socket(kApp, fd, 2, 2); }
  void bind(int64_t tid, int64_t fd, const std::string& to) {
    event(tid, ev::SOCKET_BIND_X, {i64(0), to, i64(fd)});
  }
  void connect(int64_t tid, int64_t fd, const std::string& ends, const std::string& to,
               int64_t result = 0) {
    event(tid, ev::SOCKET_CONNECT_X, {i64(result), ends, i64(fd), to});
  }
  void enter_connect(int64_t tid, int64_t fd, const std::string& to) {
    event(tid, ev::SOCKET_CONNECT_E, {i64(fd), to});
  }
  void so_error(int64_t tid, int64_t fd, int64_t error) {
    event(tid, ev::SOCKET_GETSOCKOPT_X,
          {i64(0), i64(fd), u8(1), u8(4), u8(1) + i64(error), u32(4)});
  }
  void send(int64_t tid, int64_t fd, const IpPort& from, const IpPort& to, int64_t result = 5) {
    event(tid, ev::SOCKET_SENDTO_X, {i64(result), "data", i64(fd), u32(5), tuple(from, to)});
  }
  void receive(int64_t tid, int64_t fd, const IpPort& from, const IpPort& to, int64_t result = 5) {
    event(tid, ev::SOCKET_RECVMSG_X, {i64(result), u32(5), "data", tuple(from, to), "", i64(fd)});
  }
  void receive_control(int64_t fd, const std::string& control, int64_t result = 1) {
    event(kApp, ev::SOCKET_RECVMSG_X, {i64(result), u32(1), "x", "", control, i64(fd)});
  }
  void accept(int64_t fd, const std::string& ends) {
    event(kApp, ev::SOCKET_ACCEPT4_6_X, {i64(fd), ends, u8(0), u32(0), u32(0), u32(0)});
  }
  void close_range(int64_t tid, uint32_t first, uint32_t last, uint32_t flags = 0) {
    event(tid, ev::SYSCALL_CLOSE_RANGE_X, {i64(0), u32(first), u32(last), u32(flags)});
  }
  void unshare(int64_t tid, uint32_t flags, int64_t result = 0) {
    event(tid, ev::SYSCALL_UNSHARE_X, {i64(result), u32(flags)});
  }
  void chdir(int64_t tid, std::string_view path) {
    event(tid, ev::SYSCALL_CHDIR_X, {i64(0), text(path)});
  }
  // One of the two exit events of a clone: `tid` reports it; `result` is the child's tid, 0 in the
  // child.
  void clone(int64_t tid, int64_t result, int64_t pid, int64_t ptid, uint32_t flags) {
    event(tid, ev::SYSCALL_CLONE_20_X,
          {i64(result), text("/bin/app"), "",     i64(tid), i64(pid), i64(ptid), text(""),
           i64(1024),   u64(0),           u64(0), u32(0),   u32(0),   u32(0),    text("app"),
           list({}),    u32(flags),       u32(0), u32(0),   i64(tid), i64(pid)});
  }
  void spawn(int64_t parent, int64_t child, uint32_t flags) {
    const bool is_thread = (flags & kCloneThread) != 0;
    clone(parent, child, engine_.find_thread(parent)->pid, 1, flags);
    clone(child, 0, is_thread ? engine_.find_thread(parent)->pid : child, is_thread ? 1 : parent,
          flags);
  }
  void exec(int64_t tid) {
    event(tid, ev::SYSCALL_EXECVE_19_X,
          {i64(0),    text("x"),   "",     i64(tid), i64(tid), i64(1), text(""),
           i64(1024), u64(0),      u64(0), u32(0),   u32(0),   u32(0), text("x"),
           list({}),  text("A=1"), u32(0), i64(tid), u32(0),   u32(0)});
  }
  void exit(int64_t tid) { event(tid, ev::PROCEXIT_1_E, {i64(0), i64(0), u8(0), u8(0), i64(0)}); }

  Thread& thread(int64_t tid) { return *engine_.find_thread(tid); }
  const Descriptor* find(int64_t tid, int64_t fd) {
    const DescriptorTable* const table = thread(tid).table();
    const FdSlot* const slot = table == nullptr ? nullptr : table->find(fd);
    return slot == nullptr ? nullptr : &*slot->descriptor;
  }
  // As fd.name shows it; "?" for an unknown descriptor.
  std::string name(int64_t tid, int64_t fd) {
    const Descriptor* const descriptor = find(tid, fd);
    if (descriptor == nullptr) return "?";
    std::string text;
    fields::append_descriptor_name(text, *descriptor);
    return text;
  }
  std::string name(int64_t fd) { return name(kApp, fd); }
  bool is_connected(int64_t fd) { return find(kApp, fd)->is_connected(); }
  bool is_server(int64_t fd) { return find(kApp, fd)->role == Role::kServer; }
  std::string cwd(int64_t tid) { return engine_.cwd_of(thread(tid)).str(); }

 private:
  Engine engine_;
  uint64_t ts_ = 1'700'000'000'000'000'000;
  uint64_t number_ = 0;
};

scap::FdEntry listed_server(int64_t fd, uint16_t port, bool ipv6, scap::L4 l4) {
  scap::FdEntry entry;
  entry.fd = fd;
  entry.type = ipv6 ? scap::FdType::kIpv6Server : scap::FdType::kIpv4Server;
  entry.source_port = port;
  entry.l4 = l4;
  return entry;
}

// ---- client and server

TEST(Messages, AnUnboundSocketThatSendsFirstIsTheClient) {
  Machine machine;
  // The process also serves that port, and has another client of the same server.
  machine.udp(3);
  machine.bind(kApp, 3, address({{0, 0, 0, 0}, 53}));
  machine.udp(4);
  machine.send(kApp, 4, {{10, 0, 0, 5}, 40001}, kResolver);
  machine.udp(5);
  machine.send(kApp, 5, {{10, 0, 0, 5}, 40002}, kResolver);
  machine.receive(kApp, 5, kResolver, {{10, 0, 0, 5}, 40002});
  EXPECT_EQ(machine.name(4), "10.0.0.5:40001->192.0.2.53:53");
  EXPECT_EQ(machine.name(5), "10.0.0.5:40002->192.0.2.53:53");
  EXPECT_FALSE(machine.is_server(5));
  // A bound socket is the server even when it sends first.
  machine.send(kApp, 3, {{10, 0, 0, 5}, 53}, {{10, 0, 0, 9}, 50000});
  EXPECT_EQ(machine.name(3), "10.0.0.9:50000->10.0.0.5:53");
  EXPECT_TRUE(machine.is_server(3));
}

TEST(Messages, AListedServerThatExchangesMessagesUsesDatagrams) {
  const IpPort client = mapped({{172, 17, 0, 7}, 46162});
  const IpPort any{std::vector<uint8_t>(16), 53};
  Machine machine({listed_server(6, 53, true, scap::L4::kTcp),
                   listed_server(7, 53, false, scap::L4::kTcp),
                   listed_server(8, 41000, false, scap::L4::kUdp)});
  machine.receive(kApp, 6, client, any);
  EXPECT_EQ(machine.name(6), "172.17.0.7:46162->0.0.0.0:53");
  EXPECT_EQ(machine.find(kApp, 6)->l4, L4::kUdp);
  EXPECT_TRUE(machine.is_server(6));
  // A reply to a request from before the capture.
  machine.send(kApp, 7, {{10, 0, 0, 5}, 53}, {{172, 17, 0, 7}, 46162});
  EXPECT_EQ(machine.name(7), "172.17.0.7:46162->10.0.0.5:53");
  // Lists show an unconnected client as a server, with the port that the kernel chose.
  machine.send(kApp, 8, {{10, 0, 0, 5}, 41000}, kResolver);
  EXPECT_EQ(machine.name(8), "10.0.0.5:41000->192.0.2.53:53");
  EXPECT_FALSE(machine.is_server(8));
  // Listed as a connection without a peer.
  scap::FdEntry alone = listed_server(9, 53, false, scap::L4::kTcp);
  alone.type = scap::FdType::kIpv4;
  Machine other({alone});
  EXPECT_FALSE(other.is_connected(9));
  for (const uint8_t host : {7, 8}) {
    other.receive(kApp, 9, {{172, 17, 0, host}, 46162}, {{10, 0, 0, 5}, 53});
    EXPECT_EQ(other.name(9), "172.17.0." + std::to_string(host) + ":46162->10.0.0.5:53");
  }
}

TEST(Messages, OnAStreamShowThatItIsConnected) {
  Machine machine;
  machine.tcp(4);
  machine.receive(kApp, 4, kServer, kClient);
  machine.tcp(5);
  machine.bind(kApp, 5, address(kClient));
  machine.receive(kApp, 5, kServer, kClient);
  machine.tcp(6);
  machine.connect(kApp, 6, "", address(kOther), kRefused);
  machine.receive(kApp, 6, kServer, kClient);
  for (const int64_t fd : {4, 5, 6}) {
    EXPECT_EQ(machine.name(fd), kName) << fd;
    EXPECT_TRUE(machine.is_connected(fd)) << fd;
    EXPECT_EQ(machine.find(kApp, fd)->l4, L4::kTcp) << fd;
  }
}

TEST(Messages, ReplaceAStaleDescriptor) {
  scap::FdEntry file;
  file.fd = 4;
  file.type = scap::FdType::kFileV2;
  file.name = "/old";
  scap::FdEntry netlink = file;
  netlink.fd = 5;
  netlink.type = scap::FdType::kNetlink;
  Machine machine({file, netlink});
  machine.dup(kApp, 4, 9);
  machine.send(kApp, 4, kClient, kResolver);
  machine.receive(kApp, 5, kOther, kClient);
  EXPECT_EQ(machine.name(4), "10.0.0.5:54321->192.0.2.53:53");
  EXPECT_EQ(machine.name(5), "198.51.100.9:6666->10.0.0.5:54321");
  EXPECT_EQ(machine.name(9), "/old") << "nothing shows that the other descriptor changed";
}

TEST(Messages, PortZeroIsNeverAServerPort) {
  scap::FdEntry raw = listed_server(5, 0, false, scap::L4::kRaw);
  scap::FdEntry connected = raw;
  connected.fd = 6;
  connected.type = scap::FdType::kIpv4;
  connected.source = {10, 0, 2, 15};
  connected.destination = {192, 0, 2, 1};
  Machine machine({raw, connected});
  EXPECT_EQ(machine.name(6), "10.0.2.15:0->192.0.2.1:0");
  machine.socket(kApp, 3, 2, 3, 1);
  machine.send(kApp, 3, {{10, 0, 2, 15}, 1}, {{192, 0, 2, 1}, 0});
  machine.receive(kApp, 3, {{192, 0, 2, 1}, 0}, {{10, 0, 2, 15}, 1});
  EXPECT_EQ(machine.name(3), "10.0.2.15:1->192.0.2.1:0");
  machine.socket(kApp, 4, 2, 3, 1);
  machine.receive(kApp, 4, {{192, 0, 2, 1}, 0}, {{10, 0, 2, 15}, 0});
  EXPECT_EQ(machine.name(4), "10.0.2.15:0->192.0.2.1:0");
  // A datagram socket for ICMP receives only replies to its own requests.
  machine.socket(kApp, 7, 2, 2, 1);
  machine.receive(kApp, 7, {{192, 0, 2, 1}, 0}, {{10, 0, 2, 15}, 77});
  EXPECT_EQ(machine.name(7), "10.0.2.15:77->192.0.2.1:0");
}

TEST(Messages, TheEnterEventSuppliesWhatTheExitEventLacks) {
  Machine machine;
  machine.udp(3);
  machine.event(kApp, ev::SOCKET_SENDTO_E, {i64(3), u32(5), tuple(kClient, kResolver)});
  machine.send(kApp, 3, {{0, 0, 0, 0}, 54321}, kNone);
  EXPECT_EQ(machine.name(3), "10.0.0.5:54321->192.0.2.53:53");
}

// ---- connect

TEST(Connect, AFailureKeepsThePeer) {
  for (const int64_t error : {kIsConnected, kFault, kUnreachable, kRefused}) {
    Machine machine;
    machine.tcp(4);
    machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
    machine.connect(kApp, 4, "", address(kOther), error);
    EXPECT_EQ(machine.name(4), kName) << error;
    EXPECT_TRUE(machine.is_connected(4)) << error;
  }
}

TEST(Connect, AnEnterEventKeepsThePeer) {
  Machine machine;
  machine.tcp(4);
  machine.enter_connect(kApp, 4, address(kServer));
  EXPECT_FALSE(machine.is_connected(4));
  machine.connect(kApp, 4, tuple(kClient, kServer), "");
  EXPECT_EQ(machine.name(4), kName);
  machine.enter_connect(kApp, 4, address(kOther));
  EXPECT_EQ(machine.name(4), kName);
  machine.connect(kApp, 4, "", "", kIsConnected);
  EXPECT_EQ(machine.name(4), kName);
}

TEST(Connect, LaterCallsDecideAPendingConnect) {
  const auto begin = [](Machine& machine, int64_t result = kInProgress) {
    machine.tcp(4);
    machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer), result);
    EXPECT_EQ(machine.name(4), kName);
    EXPECT_FALSE(machine.is_connected(4)) << "not yet";
  };
  const auto expect = [](Machine& machine, bool connected) {
    EXPECT_EQ(machine.is_connected(4), connected);
    EXPECT_EQ(machine.name(4), connected ? kName : "");
  };
  for (const int64_t result : {kInProgress, kInterruptedCall}) {
    Machine machine;
    begin(machine, result);
    // These calls do not decide it.
    machine.connect(kApp, 4, "", address(kOther), kAlready);
    machine.connect(kApp, 4, "", address(kOther), kFault);
    machine.write(kApp, 4, kWouldBlock);
    EXPECT_EQ(machine.name(4), kName);
    EXPECT_FALSE(machine.is_connected(4));
    machine.so_error(kApp, 4, 0);
    expect(machine, true);
    machine.so_error(kApp, 4, kRefused);
    expect(machine, true);
  }
  for (const int64_t error : {kRefused, -kRefused}) {
    Machine machine;
    begin(machine);
    machine.so_error(kApp, 4, error);
    expect(machine, false);
  }
  struct Answer {
    int64_t result;
    bool connected;
  };
  for (const Answer answer : {Answer{0, true}, Answer{kIsConnected, true}, Answer{kRefused, false},
                              Answer{kTimedOut, false}, Answer{kUnreachable, false}}) {
    // The kernel ignores the address of that call.
    Machine machine;
    begin(machine);
    machine.connect(kApp, 4, "", address(kOther), answer.result);
    expect(machine, answer.connected);
  }
  for (const Answer answer : {Answer{5, true}, Answer{kRefused, false}}) {
    Machine written;
    begin(written);
    written.write(kApp, 4, answer.result);
    expect(written, answer.connected);
    Machine sent;
    begin(sent);
    sent.send(kApp, 4, kClient, kServer, answer.result);
    expect(sent, answer.connected);
  }
}

TEST(Connect, AFailedFirstConnectLeavesNoPeer) {
  for (const int64_t error : {kRefused, kTimedOut, kUnreachable}) {
    Machine machine;
    machine.tcp(4);
    machine.connect(kApp, 4, tuple(kClient, kOther), address(kOther), error);
    EXPECT_EQ(machine.name(4), "");
    EXPECT_FALSE(machine.is_connected(4));
    machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
    EXPECT_EQ(machine.name(4), kName);
    EXPECT_TRUE(machine.is_connected(4));
  }
  // The failed address does not stay.
  Machine machine;
  machine.udp(4);
  machine.connect(kApp, 4, "", address(kOther), kUnreachable);
  machine.send(kApp, 4, kClient, kResolver);
  EXPECT_EQ(machine.name(4), "10.0.0.5:54321->192.0.2.53:53");
  machine.udp(5);
  machine.bind(kApp, 5, address({{0, 0, 0, 0}, 53}));
  machine.connect(kApp, 5, "", address(kOther), kUnreachable);
  EXPECT_EQ(machine.name(5), "");
  machine.receive(kApp, 5, kOther, {{10, 0, 0, 5}, 53});
  EXPECT_EQ(machine.name(5), "198.51.100.9:6666->10.0.0.5:53");
  machine.udp(6);
  machine.connect(kApp, 6, "", address(kOther), kUnreachable);
  machine.bind(kApp, 6, address({{0, 0, 0, 0}, 53}));
  EXPECT_EQ(machine.name(6), "0.0.0.0:53");
}

TEST(Connect, AConnectWithoutAnAddressRemovesThePeer) {
  for (const std::string& ends :
       {std::string(), tuple(kNone, kNone), tuple({{10, 0, 0, 5}, 54321}, kNone)}) {
    Machine machine;
    machine.udp(4);
    machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
    machine.connect(kApp, 4, ends, "");
    EXPECT_EQ(machine.name(4), "");
    EXPECT_FALSE(machine.is_connected(4));
    machine.send(kApp, 4, kClient, kResolver);
    EXPECT_EQ(machine.name(4), "10.0.0.5:54321->192.0.2.53:53");
  }
  // The socket stays bound.
  Machine machine;
  machine.udp(4);
  machine.bind(kApp, 4, address({{10, 0, 0, 5}, 53}));
  machine.connect(kApp, 4, tuple({{10, 0, 0, 5}, 53}, kOther), address(kOther));
  EXPECT_EQ(machine.name(4), "198.51.100.9:6666->10.0.0.5:53");
  machine.connect(kApp, 4, "", "");
  EXPECT_EQ(machine.name(4), "10.0.0.5:53");
  // A stream loses its peer too, even a pending one.
  machine.tcp(5);
  machine.connect(kApp, 5, tuple(kClient, kServer), address(kServer), kInProgress);
  machine.connect(kApp, 5, "", "");
  EXPECT_EQ(machine.name(5), "");
  machine.connect(kApp, 5, tuple(kClient, kOther), address(kOther));
  EXPECT_EQ(machine.name(5), "10.0.0.5:54321->198.51.100.9:6666");
  // Port 0 is a valid address: programs connect to it to find their own address.
  machine.udp(6);
  machine.connect(kApp, 6, tuple(kClient, {{203, 0, 113, 7}, 0}), address({{203, 0, 113, 7}, 0}));
  EXPECT_EQ(machine.name(6), "10.0.0.5:54321->203.0.113.7:0");
  // Older captures have no address parameter.
  machine.udp(7);
  machine.enter_connect(kApp, 7, address(kServer));
  machine.event(kApp, ev::SOCKET_CONNECT_X, {i64(0), tuple(kClient, kServer)});
  machine.event(kApp, ev::SOCKET_CONNECT_E, {i64(7)});
  machine.event(kApp, ev::SOCKET_CONNECT_X, {i64(0), tuple(kNone, kNone)});
  EXPECT_EQ(machine.name(7), "");
}

TEST(Connect, ADatagramSocketChangesItsPeer) {
  Machine machine;
  machine.udp(4);
  machine.connect(kApp, 4, tuple(kClient, kOther), address(kOther));
  machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
  EXPECT_EQ(machine.name(4), kName);
  machine.connect(kApp, 4, "", address(kOther), kUnreachable);
  EXPECT_EQ(machine.name(4), kName);
  EXPECT_TRUE(machine.is_connected(4));
  // A bound socket stays the server.
  machine.udp(5);
  machine.bind(kApp, 5, address({{10, 0, 0, 5}, 53}));
  machine.connect(kApp, 5, tuple({{10, 0, 0, 5}, 53}, kOther), address(kOther));
  machine.connect(kApp, 5, "", address(kServer));
  EXPECT_EQ(machine.name(5), "203.0.113.7:443->10.0.0.5:53");
}

TEST(Connect, AStreamThatConnectsIsTheClientEvenIfBound) {
  Machine machine;
  machine.tcp(4);
  machine.bind(kApp, 4, address(kClient));
  EXPECT_TRUE(machine.is_server(4));
  machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
  EXPECT_EQ(machine.name(4), kName);
  EXPECT_FALSE(machine.is_server(4));
}

TEST(Connect, TheAddressSuppliesWhatTheTupleLacks) {
  const IpPort source = mapped({{172, 17, 0, 3}, 35375});
  const IpPort target{{198, 51, 100, 98}, 80};
  const std::string ends = tuple(source, {std::vector<uint8_t>(16), 80});
  for (const bool has_enter : {false, true}) {
    Machine machine;
    machine.socket(kApp, 7, 10, 2);
    if (has_enter) machine.enter_connect(kApp, 7, address(target));
    machine.connect(kApp, 7, ends, has_enter ? "" : address(mapped(target)));
    EXPECT_EQ(machine.name(7), "172.17.0.3:35375->198.51.100.98:80") << has_enter;
  }
  Machine machine;
  machine.tcp(4);
  machine.connect(kApp, 4, tuple(kClient, {{203, 0, 113, 7}, 0}), address(kServer));
  EXPECT_EQ(machine.name(4), kName);
}

TEST(Connect, UnixSocketsKeepTheirPeersToo) {
  Machine machine;
  machine.socket(kApp, 4, 1, 1);
  machine.connect(kApp, 4, "", unix_address("/run/none"), kRefused);
  EXPECT_EQ(machine.name(4), "");
  EXPECT_FALSE(machine.is_connected(4));
  machine.connect(kApp, 4, unix_tuple(1, 2, "/run/bus"), unix_address("/run/bus"));
  machine.connect(kApp, 4, "", unix_address("/run/none"), kIsConnected);
  EXPECT_EQ(machine.name(4), "1->2 /run/bus");
  EXPECT_TRUE(machine.is_connected(4));
  machine.connect(kApp, 4, "", "");
  EXPECT_EQ(machine.name(4), "");
  EXPECT_FALSE(machine.is_connected(4));
  machine.socket(kApp, 5, 1, 2);
  machine.bind(kApp, 5, unix_address("/run/own"));
  machine.connect(kApp, 5, "", unix_address("/run/none"), kRefused);
  EXPECT_EQ(machine.name(5), "/run/own");
}

TEST(Connect, ReplacesAStaleDescriptor) {
  Machine machine;
  machine.open(kApp, 4, "/old");
  machine.dup(kApp, 4, 9);
  machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
  EXPECT_EQ(machine.name(4), kName);
  EXPECT_EQ(machine.name(9), "/old");
}

// ---- stale descriptors

TEST(Stale, DescriptorsBecomeUnknown) {
  const auto expect_unknown = [](std::string_view what, auto change) {
    Machine machine;
    machine.open(kApp, 5, "/old");
    change(machine);
    machine.event(kApp, ev::SYSCALL_READ_X, {i64(1), "x", i64(5), u32(1)});
    EXPECT_EQ(machine.name(5), "?") << what;
  };
  expect_unknown("dup2", [](Machine& m) { m.dup2(kApp, 42, 5); });
  expect_unknown("dup3", [](Machine& m) { m.dup3(kApp, 42, 5, 0); });
  expect_unknown("dup", [](Machine& m) { m.dup(kApp, 42, 5); });
  expect_unknown("dup of 2017", [](Machine& m) {
    m.event(kApp, ev::SYSCALL_DUP_E, {i64(42)});
    m.event(kApp, ev::SYSCALL_DUP_X, {i64(5)});
  });
  expect_unknown("dup without its source",
                 [](Machine& m) { m.event(kApp, ev::SYSCALL_DUP_X, {i64(5)}); });
  expect_unknown("F_DUPFD", [](Machine& m) { m.fcntl(kApp, 42, kFcntlDupfd, 0, 5); });
  expect_unknown("F_DUPFD_CLOEXEC",
                 [](Machine& m) { m.fcntl(kApp, 42, kFcntlDupfdCloexec, 0, 5); });
  expect_unknown("accept", [](Machine& m) { m.accept(5, ""); });
  expect_unknown("pidfd_getfd", [](Machine& m) {
    m.event(kApp, ev::SYSCALL_PIDFD_GETFD_X, {i64(5), i64(42), i64(3), u32(0)});
  });
  expect_unknown("close, EIO", [](Machine& m) { m.close(kApp, 5, -5); });
  expect_unknown("close, EINTR", [](Machine& m) { m.close(kApp, 5, -4); });
  expect_unknown("SCM_RIGHTS", [](Machine& m) {
    m.receive_control(3, u64(16 + 8) + i32(1) + i32(1) + i32(77) + i32(5));
  });
  expect_unknown("SCM_RIGHTS after other messages", [](Machine& m) {
    m.receive_control(3, u64(16 + 12) + i32(1) + i32(2) + std::string(12, 'u') + std::string(4, 0) +
                             u64(16 + 4) + i32(1) + i32(1) + i32(5));
  });
  expect_unknown("SCM_PIDFD",
                 [](Machine& m) { m.receive_control(3, u64(16 + 4) + i32(1) + i32(4) + i32(5)); });
  expect_unknown("SCM_RIGHTS, cut off", [](Machine& m) {
    m.receive_control(3, u64(16 + 400) + i32(1) + i32(1) + i32(5));
  });
  expect_unknown("SCM_RIGHTS of another byte order", [](Machine& m) {
    m.receive_control(3, std::string("\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\5", 20));
  });

  Machine machine;
  machine.open(kApp, 5, "/old");
  machine.receive_control(3, u64(20) + i32(1) + i32(1) + i32(5), -11);
  machine.receive_control(3, u64(20) + i32(1) + i32(2) + i32(5));
  machine.receive_control(3, u64(3) + i32(1) + i32(1) + i32(5));
  machine.dup2(kApp, 42, -9);
  machine.dup2(kApp, 5, 5);
  machine.fcntl(kApp, 42, 4, 0, 5);
  machine.close(kApp, 5, -9);
  machine.accept(-11, "");
  machine.close(kApp, 77);
  EXPECT_EQ(machine.name(5), "/old") << "no call changed it";
}

TEST(Stale, OnlySomeCommandsOfBpfMakeADescriptor) {
  constexpr uint32_t kMapCreate = 0;
  constexpr uint32_t kMapUpdate = 2;
  Machine machine;
  machine.open(kApp, 0, "/dev/tty");
  machine.event(kApp, ev::SYSCALL_BPF_2_X, {i64(0), u32(kMapUpdate)});
  machine.event(kApp, ev::SYSCALL_BPF_X, {u8(1) + i64(0)});
  EXPECT_EQ(machine.name(0), "/dev/tty");
  machine.open(kApp, 6, "/old");
  machine.open(kApp, 7, "/old");
  machine.event(kApp, ev::SYSCALL_BPF_2_X, {i64(6), u32(kMapCreate)});
  machine.event(kApp, ev::SYSCALL_BPF_X, {u8(0) + i64(7)});
  for (const int64_t fd : {6, 7}) EXPECT_EQ(machine.find(kApp, fd)->type, FdType::kBpf) << fd;
}

TEST(Stale, CompatModeKeepsThem) {
  Machine machine({}, true);
  machine.open(kApp, 5, "/old");
  machine.dup2(kApp, 42, 5);
  machine.accept(5, "");
  machine.close(kApp, 5, -5);
  machine.receive_control(3, u64(20) + i32(1) + i32(1) + i32(5));
  EXPECT_EQ(machine.name(5), "/old");
  machine.tcp(4);
  machine.dup(kApp, 4, 6);
  machine.connect(kApp, 4, tuple(kClient, kServer), address(kServer));
  EXPECT_FALSE(machine.find(kApp, 6)->has_address());
  machine.spawn(kApp, 200, kCloneFiles | kCloneFs);
  machine.open(200, 7, "/child");
  machine.chdir(200, "/srv");
  EXPECT_EQ(machine.name(7), "?");
  EXPECT_EQ(machine.cwd(kApp), "/home/");
}

// ---- sharing

TEST(Sharing, DuplicatesShareTheOpenFileDescription) {
  Machine machine;
  machine.tcp(4);
  machine.dup(kApp, 4, 5);
  machine.dup2(kApp, 4, 6);
  machine.dup3(kApp, 4, 7, kOpenCloexec);
  machine.fcntl(kApp, 4, kFcntlDupfd, 0, 8);
  machine.connect(kApp, 6, tuple(kClient, kServer), address(kServer));
  for (int64_t fd = 4; fd <= 8; ++fd) EXPECT_EQ(machine.name(fd), kName) << fd;
  machine.close(kApp, 4);
  machine.udp(3);
  EXPECT_EQ(machine.name(4), "?");
  EXPECT_EQ(machine.name(5), kName);
  machine.dup(kApp, 3, 9);
  machine.bind(kApp, 9, address(kResolver));
  EXPECT_EQ(machine.name(3), "192.0.2.53:53");
  // Each duplicate has its own close-on-exec flag.
  machine.fcntl(kApp, 5, 3, 1, 0);
  machine.exec(kApp);
  EXPECT_EQ(machine.name(5), "?");
  EXPECT_EQ(machine.name(6), kName);
  EXPECT_EQ(machine.name(7), "?");
}

TEST(Sharing, ChildrenShareOpenFileDescriptions) {
  Machine machine;
  machine.tcp(4);
  machine.tcp(5);
  machine.spawn(kApp, 200, 0);
  machine.connect(200, 4, tuple(kClient, kServer), address(kServer));
  EXPECT_EQ(machine.name(4), kName);
  machine.connect(kApp, 5, tuple(kClient, kOther), address(kOther));
  EXPECT_EQ(machine.name(200, 5), "10.0.0.5:54321->198.51.100.9:6666");
  // Their tables are separate.
  machine.close(200, 4);
  machine.open(200, 6, "/child");
  EXPECT_EQ(machine.name(4), kName);
  EXPECT_EQ(machine.name(6), "?");
  // pidfd_getfd shares as well.
  machine.tcp(7);
  machine.event(200, ev::SYSCALL_PIDFD_OPEN_X, {i64(8), i64(kApp), u32(0)});
  machine.event(200, ev::SYSCALL_PIDFD_GETFD_X, {i64(9), i64(8), i64(7), u32(0)});
  machine.connect(kApp, 7, tuple(kClient, kServer), address(kServer));
  EXPECT_EQ(machine.name(200, 9), kName);
}

TEST(Sharing, AProcessCanShareItsDescriptorTable) {
  for (const bool child_first : {false, true}) {
    Machine machine;
    machine.open(kApp, 3, "/both");
    if (!child_first) machine.clone(kApp, 200, kApp, 1, kCloneFiles);
    machine.clone(200, 0, 200, kApp, kCloneFiles);
    if (child_first) machine.clone(kApp, 200, kApp, 1, kCloneFiles);
    machine.open(200, 7, "/child");
    machine.open(kApp, 8, "/parent");
    machine.close(200, 3);
    machine.spawn(200, 201, kThreadFlags);
    machine.open(201, 9, "/thread");
    EXPECT_EQ(machine.name(7), "/child");
    EXPECT_EQ(machine.name(200, 8), "/parent");
    EXPECT_EQ(machine.name(9), "/thread");
    EXPECT_EQ(machine.name(3), "?");
    // The table outlives its first process.
    machine.exit(kApp);
    machine.open(201, 10, "/later");
    EXPECT_EQ(machine.name(200, 7), "/child");
    EXPECT_EQ(machine.name(200, 10), "/later");
  }
}

TEST(Sharing, EndsWithExecUnshareOrCloseRange) {
  enum class Way { kExec, kUnshare, kCloseRange };
  for (const Way way : {Way::kExec, Way::kUnshare, Way::kCloseRange}) {
    Machine machine;
    machine.open(kApp, 3, "/kept");
    machine.open(kApp, 4, "/marked", 1 | kOpenCloexec);
    machine.spawn(kApp, 200, kCloneFiles);
    if (way == Way::kExec) machine.exec(200);
    if (way == Way::kUnshare) machine.unshare(200, kCloneFiles);
    if (way == Way::kCloseRange) machine.close_range(200, 4, 9, 2);
    machine.open(200, 7, "/child");
    machine.close(200, 3);
    machine.open(kApp, 8, "/parent");
    EXPECT_EQ(machine.name(3), "/kept");
    EXPECT_EQ(machine.name(4), "/marked");
    EXPECT_EQ(machine.name(7), "?");
    EXPECT_EQ(machine.name(200, 8), "?");
    EXPECT_EQ(machine.name(200, 4), way == Way::kUnshare ? "/marked" : "?");
  }
}

TEST(Sharing, OneThreadCanUnshareTheTable) {
  for (const int64_t leaver : {kApp, int64_t{101}}) {
    const int64_t stayer = leaver == kApp ? 101 : kApp;
    Machine machine;
    machine.spawn(kApp, 101, kThreadFlags);
    machine.spawn(kApp, 102, kThreadFlags);
    machine.open(kApp, 3, "/both");
    machine.unshare(leaver, kCloneFiles, -1);
    machine.open(kApp, 4, "/too");
    EXPECT_EQ(machine.name(leaver, 4), "/too");
    machine.unshare(leaver, kCloneFiles);
    machine.open(leaver, 5, "/own");
    machine.close(stayer, 3);
    machine.open(102, 6, "/others");
    EXPECT_EQ(machine.name(leaver, 3), "/both");
    EXPECT_EQ(machine.name(leaver, 5), "/own");
    EXPECT_EQ(machine.name(leaver, 6), "?");
    EXPECT_EQ(machine.name(stayer, 3), "?");
    EXPECT_EQ(machine.name(stayer, 5), "?");
    EXPECT_EQ(machine.name(stayer, 6), "/others");
    // A thread that it starts shares its table.
    machine.spawn(leaver, 103, kThreadFlags);
    EXPECT_EQ(machine.name(103, 5), "/own");
  }
}

TEST(Sharing, TheWorkingDirectoryIsSharedWithClones) {
  Machine machine;
  machine.spawn(kApp, 101, kThreadFlags);
  machine.spawn(kApp, 200, kCloneFs);
  machine.spawn(kApp, 300, 0);
  machine.chdir(200, "/srv");
  EXPECT_EQ(machine.cwd(kApp), "/srv/");
  EXPECT_EQ(machine.cwd(101), "/srv/");
  machine.chdir(101, "www");
  EXPECT_EQ(machine.cwd(200), "/srv/www/");
  EXPECT_EQ(machine.cwd(300), "/home/");
  machine.exec(200);
  machine.chdir(200, "/var");
  EXPECT_EQ(machine.cwd(kApp), "/var/") << "an exec does not end the sharing";
  machine.unshare(101, kCloneFs);
  machine.chdir(101, "/usr");
  EXPECT_EQ(machine.cwd(kApp), "/var/");
  machine.open(101, 4, "d");
  EXPECT_EQ(machine.name(101, 4), "/usr/d");
  machine.unshare(200, kCloneNewNs);
  machine.chdir(200, "/opt");
  EXPECT_EQ(machine.cwd(kApp), "/var/");
  // The child's event may lack flags that the caller's event has.
  machine.clone(400, 0, 400, kApp, 0);
  machine.clone(kApp, 400, kApp, 1, kCloneFs);
  machine.chdir(400, "/tmp");
  EXPECT_EQ(machine.cwd(kApp), "/tmp/");
}

TEST(Sharing, SetnsToAMountNamespaceMovesToItsRoot) {
  const auto enter = [](std::string_view name, uint32_t types) {
    Machine machine;
    machine.open(kApp, 3, name);
    machine.event(kApp, ev::SYSCALL_SETNS_X, {i64(0), i64(3), u32(types)});
    return machine.cwd(kApp);
  };
  EXPECT_EQ(enter("/proc/9/ns/mnt", kCloneNewNs), "/");
  EXPECT_EQ(enter("/proc/9/ns/mnt", 0), "/");
  EXPECT_EQ(enter("/proc/9/ns/net", 0), "/home/");
  EXPECT_EQ(enter("/proc/9/ns/net", 1u << 4), "/home/");
}

TEST(Sharing, ListedThreadsShareInAnyOrder) {
  Engine engine(false);
  for (const int64_t tid : {101, 100}) {
    scap::ThreadEntry entry;
    entry.tid = entry.vtid = tid;
    entry.pid = entry.vpid = 100;
    entry.ptid = 1;
    entry.cwd = "/home";
    engine.add_thread(entry);
  }
  engine.lists_complete();
  EXPECT_EQ(engine.find_thread(101)->table(), engine.find_thread(100)->table());
  EXPECT_EQ(engine.cwd_of(*engine.find_thread(101)), "/home/");
}

// ---- close-on-exec

TEST(CloseOnExec, IsSetByManyCalls) {
  struct Case {
    std::string_view what;
    uint16_t code;
    std::vector<std::string> params;
    bool closes;
  };
  constexpr uint32_t kSocketFlag = 0x80000;
  const std::vector<Case> cases = {
      {"open", ev::SYSCALL_OPEN_X, {i64(5), text("/f"), u32(1 | kOpenCloexec), u32(0)}, true},
      {"open without", ev::SYSCALL_OPEN_X, {i64(5), text("/f"), u32(1), u32(0)}, false},
      {"socket", ev::SOCKET_SOCKET_X, {i64(5), u32(2), u32(1 | kSocketFlag), u32(0)}, true},
      {"socket of 2026",
       ev::SOCKET_SOCKET_X,
       {i64(5), u32(2), u32(1), u32(0), u32(kOpenCloexec)},
       true},
      {"socketpair",
       ev::SOCKET_SOCKETPAIR_X,
       {i64(0), i64(5), i64(6), u64(1), u64(2), u32(1), u32(1 | kSocketFlag), u32(0)},
       true},
      {"socketpair without",
       ev::SOCKET_SOCKETPAIR_X,
       {i64(0), i64(5), i64(6), u64(1), u64(2), u32(1), u32(1), u32(0)},
       false},
      {"pipe2", ev::SYSCALL_PIPE2_X, {i64(0), i64(5), i64(6), u64(1), u32(kOpenCloexec)}, true},
      {"memfd", ev::SYSCALL_MEMFD_CREATE_X, {i64(5), text("m"), u32(1)}, true},
      {"memfd without", ev::SYSCALL_MEMFD_CREATE_X, {i64(5), text("m"), u32(2)}, false},
      {"epoll", ev::SYSCALL_EPOLL_CREATE1_X, {i64(5), u32(1)}, true},
      {"epoll without", ev::SYSCALL_EPOLL_CREATE1_X, {i64(5), u32(0)}, false},
      {"pidfd", ev::SYSCALL_PIDFD_OPEN_X, {i64(5), i64(1), u32(0)}, true},
      {"bpf", ev::SYSCALL_BPF_2_X, {i64(5), u32(0)}, true},
      {"io_uring",
       ev::SYSCALL_IO_URING_SETUP_X,
       {i64(5), u32(1), u32(1), u32(1), u32(0), u32(0), u32(0), u32(0)},
       true},
      {"eventfd2", ev::SYSCALL_EVENTFD2_X, {i64(5), u16(0), u64(0)}, false},
      {"accept4",
       ev::SOCKET_ACCEPT4_6_X,
       {i64(5), tuple(kOther, kServer), u8(0), u32(0), u32(0), u32(kSocketFlag)},
       true},
  };
  for (const Case& one : cases) {
    Machine machine;
    machine.event(kApp, one.code, one.params);
    ASSERT_NE(machine.find(kApp, 5), nullptr) << one.what;
    machine.exec(kApp);
    EXPECT_EQ(machine.find(kApp, 5) == nullptr, one.closes) << one.what;
  }
}

TEST(CloseOnExec, IsSetForRanges) {
  Machine machine;
  for (const int64_t fd : {2, 3, 64, 70, 1000}) machine.open(kApp, fd, "/f" + std::to_string(fd));
  machine.close_range(kApp, 3, 100, 4);
  // Later descriptors in the range do not get the flag, and it can be cleared.
  machine.open(kApp, 5, "/later");
  machine.open(kApp, 80, "/later");
  machine.fcntl(kApp, 70, 3, 0, 0);
  EXPECT_EQ(machine.name(3), "/f3");
  machine.exec(kApp);
  for (const int64_t fd : {3, 64}) EXPECT_EQ(machine.name(fd), "?") << fd;
  for (const int64_t fd : {2, 70, 1000}) EXPECT_EQ(machine.name(fd), "/f" + std::to_string(fd));
  for (const int64_t fd : {5, 80}) EXPECT_EQ(machine.name(fd), "/later");
}

}  // namespace
}  // namespace sfkit::state
