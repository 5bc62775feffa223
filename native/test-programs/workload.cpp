// Does a little of everything that makes SysFlow records. Prints what it did, one JSON object per
// line, for the test of live capture. Linux only; some parts need root.
// Usage: workload DIRECTORY
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string directory;
std::string self;

// Writes a log line atomically, so that children can log too.
__attribute__((format(printf, 1, 2))) void say(const char* format, ...) {
  char line[4096];
  va_list arguments;
  va_start(arguments, format);
  int size = std::vsnprintf(line, sizeof(line) - 1, format, arguments);
  va_end(arguments);
  line[size++] = '\n';
  if (::write(STDOUT_FILENO, line, static_cast<size_t>(size)) != size) std::abort();
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(99);
}

long check(long result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

std::string in(const char* name) {
  return directory + "/" + name;
}

// Starts a child that does `work` and exits with `code`; logs it and waits for it.
void in_child(const char* name, int code, const std::function<void()>& work) {
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  if (child == 0) {
    work();
    ::_exit(code);
  }
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != code) fail(name);
  say(R"({"did":"fork","what":"%s","pid":%d,"child":%d,"code":%d})", name, ::getpid(), child, code);
}

void files() {
  const std::string a = in("a"), b = in("b"), hard = in("hard"), soft = in("soft"),
                    made = in("made");
  const int pid = ::getpid();
  std::vector<char> bytes(4096, 'x');

  int fd = static_cast<int>(check(::open(a.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0640), "open"));
  for (const size_t size : {100, 200, 300}) check(::write(fd, bytes.data(), size), "write");
  iovec pieces[] = {{bytes.data(), 40}, {bytes.data(), 60}};
  check(::writev(fd, pieces, 2), "writev");
  check(::pwrite(fd, bytes.data(), 50, 0), "pwrite");
  ::close(fd);
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":750,"wops":5,"rbytes":0,"rops":0})", a.c_str(),
      pid);

  check(::rename(a.c_str(), b.c_str()), "rename");
  say(R"({"did":"RENAME","path":"%s","newpath":"%s","pid":%d})", a.c_str(), b.c_str(), pid);
  check(::link(b.c_str(), hard.c_str()), "link");
  say(R"({"did":"LINK","path":"%s","newpath":"%s","pid":%d})", b.c_str(), hard.c_str(), pid);
  check(::symlink(b.c_str(), soft.c_str()), "symlink");
  say(R"({"did":"SYMLINK","path":"%s","newpath":"%s","pid":%d})", b.c_str(), soft.c_str(), pid);

  // openat2 with a name relative to an open directory.
  const int at =
      static_cast<int>(check(::open(directory.c_str(), O_DIRECTORY | O_RDONLY), "open directory"));
  struct {
    uint64_t flags, mode, resolve;
  } how{O_RDONLY, 0, 0};
  fd = static_cast<int>(check(::syscall(SYS_openat2, at, "b", &how, sizeof(how)), "openat2"));
  check(::read(fd, bytes.data(), 500), "read");
  check(::pread(fd, bytes.data(), 100, 10), "pread");
  check(::readv(fd, pieces, 2), "readv");
  ::close(fd);
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":0,"wops":0,"rbytes":700,"rops":3})", b.c_str(),
      pid);
  ::close(at);

  check(::mkdir(made.c_str(), 0700), "mkdir");
  say(R"({"did":"MKDIR","path":"%s","pid":%d})", made.c_str(), pid);
  check(::chdir(made.c_str()), "chdir");
  fd = static_cast<int>(check(::open("below", O_CREAT | O_RDWR, 0600), "open below"));
  check(::write(fd, bytes.data(), 11), "write below");
  ::close(fd);
  say(R"({"did":"file","path":"%s/below","pid":%d,"wbytes":11,"wops":1,"rbytes":0,"rops":0})",
      made.c_str(), pid);
  check(::unlink("below"), "unlink below");
  say(R"({"did":"UNLINK","path":"%s/below","pid":%d})", made.c_str(), pid);
  check(::chdir("/"), "chdir /");
  check(::rmdir(made.c_str()), "rmdir");
  say(R"({"did":"RMDIR","path":"%s","pid":%d})", made.c_str(), pid);
  for (const std::string& path : {hard, soft}) {
    check(::unlink(path.c_str()), "unlink");
    say(R"({"did":"UNLINK","path":"%s","pid":%d})", path.c_str(), pid);
  }
}

// The current path of an open file, from the kernel.
std::string path_of(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = check(::readlink(link.c_str(), path, sizeof(path)), "readlink");
  return {path, static_cast<size_t>(size)};
}

// Creates a file by a path relative to `at`; logs the path that the kernel has for it.
void make_file(int at, const char* name, uint64_t resolve = 0) {
  struct {
    uint64_t flags, mode, resolve;
  } how{O_CREAT | O_WRONLY, 0600, resolve};
  const int fd =
      static_cast<int>(check(::syscall(SYS_openat2, at, name, &how, sizeof(how)), "openat2"));
  check(::write(fd, "x", 1), "write");
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":1,"wops":1,"rbytes":0,"rops":0})",
      path_of(fd).c_str(), ::getpid());
  ::close(fd);
}

// Paths that lead somewhere else than their text suggests.
void paths() {
  constexpr uint64_t kBeneath = 8, kInRoot = 16;  // RESOLVE_ flags of openat2
  constexpr int kDeep = 10;
  const int pid = ::getpid();
  const std::string top = in("paths"), before = top + "/r1", after = top + "/r2";
  check(::mkdir(top.c_str(), 0700), "mkdir");
  check(::chdir(top.c_str()), "chdir");

  // Far down and up again.
  const std::string element(200, 'd');
  for (int i = 0; i < kDeep; ++i) {
    check(::mkdir(element.c_str(), 0700), "mkdir deep");
    check(::chdir(element.c_str()), "chdir deep");
  }
  make_file(AT_FDCWD, "deep");
  check(::unlink("deep"), "unlink deep");
  for (int i = 0; i < kDeep; ++i) {
    check(::chdir(".."), "chdir ..");
    check(::unlinkat(AT_FDCWD, element.c_str(), AT_REMOVEDIR), "unlinkat");
  }
  say(R"({"did":"RMDIR","path":"%s/%s","pid":%d})", top.c_str(), element.c_str(), pid);
  make_file(AT_FDCWD, "shallow");

  // A rename of a directory above a process and its open files.
  check(::mkdir("r1", 0700), "mkdir r1");
  const int at = static_cast<int>(check(::open("r1", O_DIRECTORY | O_RDONLY), "open r1"));
  const int held =
      static_cast<int>(check(::open("r1/held", O_CREAT | O_WRONLY, 0600), "open held"));
  check(::write(held, "123", 3), "write held");
  check(::chdir("r1"), "chdir r1");
  check(::rename(before.c_str(), after.c_str()), "rename r1");
  check(::write(held, "1234", 4), "write held");
  say(R"({"did":"moved","path":"%s/held","newpath":"%s","pid":%d,"wbytes":3,"newbytes":4})",
      before.c_str(), path_of(held).c_str(), pid);
  ::close(held);
  make_file(at, "by-descriptor");
  make_file(AT_FDCWD, "by-directory");
  in_child("renamed directory", 9, [] { make_file(AT_FDCWD, "by-child"); });

  // A directory as the root, or the end, of a path.
  make_file(at, "/in-root", kInRoot);
  make_file(at, "../../in-root-too", kInRoot);
  check(::mkdir("x", 0700), "mkdir x");
  make_file(at, "x/../beneath", kBeneath);
  ::close(at);

  check(::symlink("../secret", "link"), "symlink");
  say(R"({"did":"SYMLINK","path":"%s/secret","newpath":"%s/link","pid":%d})", top.c_str(),
      after.c_str(), pid);
  check(::chdir("/"), "chdir /");
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  const void* from =
      address.ss_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
          : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return ::inet_ntop(address.ss_family, from, text, sizeof(text));
}

int port_of(const sockaddr_storage& address) {
  // The port is at the same offset in both kinds.
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

sockaddr_storage own_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return address;
}

sockaddr_storage loopback(int family) {
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
  }
  return address;
}

socklen_t size_of(int family) {
  return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

void exchange(int fd, size_t sent, size_t received) {
  std::vector<char> bytes(std::max(sent, received), 'y');
  if (sent > 0) check(::send(fd, bytes.data(), sent, 0), "send");
  for (size_t got = 0; got < received;)
    got += static_cast<size_t>(check(::recv(fd, bytes.data(), received - got, 0), "recv"));
}

// The client is a separate process, so that each end has its own flow.
void stream(int family, size_t request, size_t reply) {
  const int listener = static_cast<int>(check(::socket(family, SOCK_STREAM, 0), "socket"));
  sockaddr_storage address = loopback(family);
  check(::bind(listener, reinterpret_cast<sockaddr*>(&address), size_of(family)), "bind");
  check(::listen(listener, 5), "listen");
  const sockaddr_storage server = own_address(listener);
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  if (child == 0) {
    const int fd = static_cast<int>(check(::socket(family, SOCK_STREAM, 0), "socket"));
    check(::connect(fd, reinterpret_cast<const sockaddr*>(&server), size_of(family)), "connect");
    const sockaddr_storage client = own_address(fd);
    exchange(fd, request, reply);
    ::close(fd);
    say(R"({"did":"network","pid":%d,"proto":6,"sip":"%s","sport":%d,"dip":"%s","dport":%d,"wbytes":%zu,"rbytes":%zu})",
        ::getpid(), address_text(client).c_str(), port_of(client), address_text(server).c_str(),
        port_of(server), request, reply);
    ::_exit(0);
  }
  sockaddr_storage client{};
  socklen_t size = sizeof(client);
  const int fd = static_cast<int>(check(
      ::accept4(listener, reinterpret_cast<sockaddr*>(&client), &size, SOCK_CLOEXEC), "accept4"));
  std::vector<char> bytes(std::max(request, reply), 'z');
  exchange(fd, 0, request);
  exchange(fd, reply, 0);
  ::close(fd);
  ::close(listener);
  check(::waitpid(child, nullptr, 0), "waitpid");
  say(R"({"did":"network","pid":%d,"proto":6,"sip":"%s","sport":%d,"dip":"%s","dport":%d,"wbytes":%zu,"rbytes":%zu})",
      ::getpid(), address_text(client).c_str(), port_of(client), address_text(server).c_str(),
      port_of(server), reply, request);
}

void datagrams(int family, size_t request, size_t reply) {
  const int receiver = static_cast<int>(check(::socket(family, SOCK_DGRAM, 0), "socket"));
  sockaddr_storage address = loopback(family);
  check(::bind(receiver, reinterpret_cast<sockaddr*>(&address), size_of(family)), "bind");
  const sockaddr_storage server = own_address(receiver);
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  std::vector<char> bytes(4096, 'd');
  if (child == 0) {
    const int fd = static_cast<int>(check(::socket(family, SOCK_DGRAM, 0), "socket"));
    sockaddr_storage any = loopback(family);
    check(::bind(fd, reinterpret_cast<sockaddr*>(&any), size_of(family)), "bind");
    const sockaddr_storage client = own_address(fd);
    check(::sendto(fd, bytes.data(), request, 0, reinterpret_cast<const sockaddr*>(&server),
                   size_of(family)),
          "sendto");
    check(::recvfrom(fd, bytes.data(), bytes.size(), 0, nullptr, nullptr), "recvfrom");
    ::close(fd);
    say(R"({"did":"network","pid":%d,"proto":17,"sip":"%s","sport":%d,"dip":"%s","dport":%d,"wbytes":%zu,"rbytes":%zu})",
        ::getpid(), address_text(client).c_str(), port_of(client), address_text(server).c_str(),
        port_of(server), request, reply);
    ::_exit(0);
  }
  sockaddr_storage client{};
  iovec piece{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_name = &client;
  message.msg_namelen = sizeof(client);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  check(::recvmsg(receiver, &message, 0), "recvmsg");
  piece.iov_len = reply;
  check(::sendmsg(receiver, &message, 0), "sendmsg");
  check(::waitpid(child, nullptr, 0), "waitpid");
  ::close(receiver);
  say(R"({"did":"network","pid":%d,"proto":17,"sip":"%s","sport":%d,"dip":"%s","dport":%d,"wbytes":%zu,"rbytes":%zu})",
      ::getpid(), address_text(client).c_str(), port_of(client), address_text(server).c_str(),
      port_of(server), reply, request);
}

sockaddr_in on_loopback(const char* host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  check(::inet_pton(AF_INET, host, &address.sin_addr), "inet_pton");
  return address;
}

template <typename Address>
int bound(int type, const Address& address) {
  const int fd = static_cast<int>(check(::socket(AF_INET, type, 0), "socket"));
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)), "bind");
  return fd;
}

int connect_to(int fd, const sockaddr_in& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

void say_network(int protocol, int from, int to, size_t written, size_t read) {
  say(R"({"did":"network","pid":%d,"proto":%d,"sip":"127.0.0.1","sport":%d,"dip":"127.0.0.1","dport":%d,"wbytes":%zu,"rbytes":%zu})",
      ::getpid(), protocol, from, to, written, read);
}

// An unbound client in a process that serves the same port on another address.
void forwarder() {
  const int server = bound(SOCK_DGRAM, on_loopback("127.0.0.1", 0));
  const int port = port_of(own_address(server));
  in_child("forwarder", 9, [port] {
    const int own = bound(SOCK_DGRAM, on_loopback("127.0.0.2", port));
    const int fd = static_cast<int>(check(::socket(AF_INET, SOCK_DGRAM, 0), "socket"));
    const sockaddr_in to = on_loopback("127.0.0.1", port);
    check(::sendto(fd, "forward", 7, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
          "sendto");
    say_network(17, port_of(own_address(fd)), port, 7, 0);
    ::close(fd);
    // A second connect changes the peer.
    const int other = static_cast<int>(check(::socket(AF_INET, SOCK_DGRAM, 0), "socket"));
    check(connect_to(other, on_loopback("127.0.0.2", port)), "connect");
    check(connect_to(other, to), "connect again");
    check(::write(other, "again", 5), "write");
    say_network(17, port_of(own_address(other)), port, 5, 0);
    ::close(other);
    ::close(own);
  });
  ::close(server);
}

// Failed connects, before and after a successful one, and one through a duplicate.
void connects() {
  const int listener = bound(SOCK_STREAM, on_loopback("127.0.0.1", 0));
  check(::listen(listener, 5), "listen");
  const int port = port_of(own_address(listener));
  const int closed = bound(SOCK_STREAM, on_loopback("127.0.0.1", 0));
  const int nobody = port_of(own_address(closed));
  ::close(closed);
  in_child("connects", 10, [port, nobody] {
    const sockaddr_in server = on_loopback("127.0.0.1", port);
    const sockaddr_in none = on_loopback("127.0.0.1", nobody);
    const int fd = static_cast<int>(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    if (connect_to(fd, none) == 0) fail("connect to nobody");
    check(connect_to(fd, server), "connect");
    if (connect_to(fd, none) == 0) fail("connect once more");
    const int first = port_of(own_address(fd));
    check(::write(fd, "to the server", 13), "write");
    ::close(fd);
    say_network(6, first, port, 13, 0);

    const int before = static_cast<int>(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    const int copy = static_cast<int>(check(::dup(before), "dup"));
    check(connect_to(before, server), "connect");
    const int second = port_of(own_address(before));
    check(::write(copy, "through the copy", 16), "write");
    ::close(copy);
    ::close(before);
    say_network(6, second, port, 16, 0);
    say(R"({"did":"refused","pid":%d,"dport":%d})", ::getpid(), nobody);
  });
  ::close(listener);
}

int create(const char* name, int flags = 0) {
  return static_cast<int>(check(::open(in(name).c_str(), O_CREAT | O_RDWR | flags, 0600), name));
}

void say_file(const char* name, int pid, size_t written, int times) {
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":%zu,"wops":%d,"rbytes":0,"rops":0})",
      in(name).c_str(), pid, written, times);
}

// Descriptors that are closed implicitly.
void endings() {
  in_child("dup2", 11, [] {
    // A received descriptor replaces a file.
    int pair[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    const int sent = create("handed-over");
    char byte = 'h';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &sent, sizeof(int));
    check(::sendmsg(pair[0], &message, 0), "sendmsg");
    check(::recvmsg(pair[1], &message, 0), "recvmsg");
    int received = -1;
    std::memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    const int replaced = create("replaced");
    check(::write(replaced, "before", 6), "write");
    check(::dup2(received, replaced), "dup2");
    check(::write(replaced, "not there", 9), "write");
    say_file("replaced", ::getpid(), 6, 1);
  });
  in_child("close_range", 12, [] {
    const int fd = create("in-range");
    check(::write(fd, "range", 5), "write");
    check(::syscall(SYS_close_range, fd, ~0u, 0), "close_range");
    say_file("in-range", ::getpid(), 5, 1);
    // Left open until the process exits.
    check(::write(create("left-open"), "left", 4), "write");
  });
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  if (child == 0) {
    check(::write(create("marked", O_CLOEXEC), "marked", 6), "write");
    const int later = create("marked-later");
    check(::write(later, "later", 5), "write");
    check(::fcntl(later, F_SETFD, FD_CLOEXEC), "fcntl");
    const int high = static_cast<int>(check(::fcntl(create("unused"), F_DUPFD, 200), "fcntl"));
    check(::dup2(create("marked-high"), high), "dup2");
    check(::write(high, "high", 4), "write");
    constexpr unsigned kCloexec = 4;
    check(::syscall(SYS_close_range, high, ~0u, kCloexec), "close_range");
    ::execl(self.c_str(), "after-marks", "--end", nullptr);
    ::_exit(98);
  }
  check(::waitpid(child, nullptr, 0), "waitpid");
  say_file("marked", child, 6, 1);
  say_file("marked-later", child, 5, 1);
  say(R"({"did":"bytes","path":"%s","pid":%d,"wbytes":4,"code":1})", in("marked-high").c_str(),
      child);
  say(R"({"did":"exit","pid":%d,"code":7})", child);
}

// A process that shares descriptors, and a thread that unshares the working directory.
void sharing() {
  in_child("sharing", 13, [] {
    int status = 0;
    const pid_t sharer = static_cast<pid_t>(check(
        ::syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr), "clone"));
    if (sharer == 0) {
      const int fd = create("of-both");
      check(::write(fd, "child", 5), "write");
      ::_exit(fd);
    }
    check(::waitpid(sharer, &status, 0), "waitpid");
    const int fd = WEXITSTATUS(status);
    check(::write(fd, "the parent", 10), "write");
    ::close(fd);
    say(R"({"did":"bytes","path":"%s","pid":%d,"wbytes":10,"code":1})", in("of-both").c_str(),
        ::getpid());
  });
  in_child("unshare", 14, [] {
    check(::chdir(directory.c_str()), "chdir");
    const int fd = create("of-threads");
    check(::write(fd, "main", 4), "write");
    std::thread([fd] {
      check(::unshare(CLONE_FS), "unshare");
      check(::chdir("/usr"), "chdir /usr");
      check(::write(fd, "thread", 6), "write");
    }).join();
    check(::write(fd, "again", 5), "write");
    ::close(fd);
    say_file("of-threads", ::getpid(), 9, 2);
    const int relative =
        static_cast<int>(check(::open("relative", O_CREAT | O_RDWR, 0600), "open"));
    check(::write(relative, "here", 4), "write");
    ::close(relative);
    say_file("relative", ::getpid(), 4, 1);
  });
  in_child("shared directory", 15, [] {
    const std::string path = in("of-shared-directory");
    check(::mkdir(in("before-sharing").c_str(), 0700), "mkdir");
    const pid_t sharer = static_cast<pid_t>(check(
        ::syscall(SYS_clone, CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, nullptr), "clone"));
    if (sharer == 0) ::_exit(::chdir("/usr"));
    check(::waitpid(sharer, nullptr, 0), "waitpid");
    check(::mkdir(path.c_str(), 0700), "mkdir");
    say(R"({"did":"cwd","pid":%d,"path":"%s","cwd":"/usr/"})", ::getpid(), path.c_str());
  });
}

void unix_sockets() {
  const std::string path = in("socket");
  const int listener = static_cast<int>(check(::socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof(address.sun_path), "%s", path.c_str());
  check(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), "bind");
  check(::listen(listener, 1), "listen");
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  if (child == 0) {
    const int fd = static_cast<int>(check(::socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
    check(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), "connect");
    exchange(fd, 123, 45);
    ::close(fd);
    say(R"({"did":"unix","path":"%s","pid":%d,"wbytes":123,"rbytes":45})", path.c_str(),
        ::getpid());
    ::_exit(0);
  }
  const int fd = static_cast<int>(check(::accept(listener, nullptr, nullptr), "accept"));
  exchange(fd, 0, 123);
  exchange(fd, 45, 0);
  ::close(fd);
  ::close(listener);
  check(::waitpid(child, nullptr, 0), "waitpid");
  say(R"({"did":"unix","path":"%s","pid":%d,"wbytes":45,"rbytes":123})", path.c_str(), ::getpid());
}

// Executes this program again, which execs once more and exits with 7.
void exec_chain() {
  const pid_t child = static_cast<pid_t>(check(::fork(), "fork"));
  if (child == 0) {
    ::execl(self.c_str(), "first-of-chain", "--chain", "two words", nullptr);
    ::_exit(98);
  }
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid");
  say(R"({"did":"exec","pid":%d,"exe":"%s","args":"--chain two words"})", child, self.c_str());
  say(R"({"did":"exec","pid":%d,"exe":"%s","args":"--end"})", child, self.c_str());
  say(R"({"did":"exit","pid":%d,"code":%d})", child, WEXITSTATUS(status));
  if (WEXITSTATUS(status) != 7) fail("exec chain");

  const pid_t quick = ::vfork();
  if (quick == 0) {
    ::execl(self.c_str(), "vforked", "--end", nullptr);
    ::_exit(98);
  }
  check(::waitpid(quick, &status, 0), "waitpid");
  say(R"({"did":"exec","pid":%d,"exe":"%s","args":"--end"})", quick, self.c_str());
  say(R"({"did":"exit","pid":%d,"code":7})", quick);

  // A program without a file.
  const pid_t nameless = static_cast<pid_t>(check(::fork(), "fork"));
  if (nameless == 0) {
    const int memory =
        static_cast<int>(check(::memfd_create("in-memory", MFD_CLOEXEC), "memfd_create"));
    const int program = ::open(self.c_str(), O_RDONLY);
    while (::sendfile(memory, program, nullptr, 1 << 20) > 0) {
    }
    char name[] = "in-memory";
    char end[] = "--end";
    char* const arguments[] = {name, end, nullptr};
    char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, memory, "", arguments, environment, AT_EMPTY_PATH);
    ::_exit(98);
  }
  check(::waitpid(nameless, &status, 0), "waitpid");
  if (WEXITSTATUS(status) != 7) fail("execveat");
  say(R"({"did":"exit","pid":%d,"code":7})", nameless);
}

void threads() {
  std::vector<std::thread> started;
  for (int i = 0; i < 3; ++i) {
    started.emplace_back([i] {
      const std::string path = in("thread-") + std::to_string(i);
      const int fd =
          static_cast<int>(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
      const std::vector<char> bytes(static_cast<size_t>(10 * (i + 1)), 't');
      check(::write(fd, bytes.data(), bytes.size()), "write");
      ::close(fd);
      say(R"({"did":"file","path":"%s","pid":%d,"wbytes":%zu,"wops":1,"rbytes":0,"rops":0})",
          path.c_str(), ::getpid(), bytes.size());
    });
  }
  for (std::thread& thread : started) thread.join();
  say(R"({"did":"threads","pid":%d,"count":3})", ::getpid());
}

void identities() {
  in_child("setuid", 3, [] {
    check(::setgid(1234), "setgid");
    check(::setuid(1001), "setuid");
    say(R"({"did":"SETUID","pid":%d,"uid":1001})", ::getpid());
  });
  in_child("setresuid", 4, [] {
    check(::setresuid(1002, 1002, 1002), "setresuid");
    say(R"({"did":"SETUID","pid":%d,"uid":1002})", ::getpid());
  });
}

void namespaces() {
  in_child("unshare", 5, [] {
    const int fd = static_cast<int>(check(::open("/proc/self/ns/uts", O_RDONLY), "open"));
    check(::unshare(CLONE_NEWUTS | CLONE_NEWNS), "unshare");
    check(::setns(fd, CLONE_NEWUTS), "setns");
    say(R"({"did":"SETNS","pid":%d})", ::getpid());
  });
  // The first process of a new pid namespace: it sees itself as 1.
  in_child("pid namespace", 6, [] {
    check(::unshare(CLONE_NEWPID), "unshare");
    const pid_t inner = static_cast<pid_t>(check(::fork(), "fork"));
    if (inner == 0) {
      const std::string path = in("namespaced");
      const int fd =
          static_cast<int>(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
      check(::write(fd, "inner", 5), "write");
      ::close(fd);
      ::_exit(8);
    }
    check(::waitpid(inner, nullptr, 0), "waitpid");
    say(R"({"did":"file","path":"%s","pid":%d,"wbytes":5,"wops":1,"rbytes":0,"rops":0})",
        in("namespaced").c_str(), inner);
    say(R"({"did":"exit","pid":%d,"code":8})", inner);
    say(R"({"did":"entry","pid":%d})", inner);
  });
}

// Logs the process's state at a call on `path`, for the event fields.
__attribute__((format(printf, 2, 3))) void say_state(const std::string& path, const char* fields,
                                                     ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, fields);
  std::vsnprintf(text, sizeof(text), fields, arguments);
  va_end(arguments);
  say(R"({"did":"state","pid":%d,"path":"%s","fields":{%s}})", ::getpid(), path.c_str(), text);
}

void states() {
  in_child("session", 9, [] {
    const std::string path = in("of-session");
    check(::prctl(PR_SET_NAME, "renamed"), "prctl");
    check(::setsid(), "setsid");
    check(::mkdir(path.c_str(), 0700), "mkdir");
    say_state(path,
              R"("proc.name":"renamed","proc.sid":%d,"proc.vpgid":%d,"proc.is_sid_leader":true)",
              ::getpid(), ::getpid());
  });
  in_child("process group", 10, [] {
    const std::string path = in("of-group");
    check(::setpgid(0, 0), "setpgid");
    check(::mkdir(path.c_str(), 0700), "mkdir");
    say_state(path, R"("proc.vpgid":%d,"proc.pgid":%d,"proc.is_vpgid_leader":true)", ::getpid(),
              ::getpid());
  });
  in_child("directory", 11, [] {
    const std::string path = in("of-directory");
    check(::chdir(directory.c_str()), "chdir");
    check(::mkdir("of-directory", 0700), "mkdir");
    say(R"({"did":"cwd","pid":%d,"path":"%s","cwd":"%s/"})", ::getpid(), path.c_str(),
        directory.c_str());
  });
  in_child("renamed directory", 16, [] {
    const std::string before = in("cwd-before");
    const std::string after = in("cwd-after");
    check(::mkdir(before.c_str(), 0700), "mkdir");
    check(::chdir(before.c_str()), "chdir");
    check(::mkdir("first", 0700), "mkdir");
    check(::rename(before.c_str(), after.c_str()), "rename");
    check(::mkdir("second", 0700), "mkdir");
    say(R"({"did":"cwd","pid":%d,"path":"%s/second","cwd":"%s/"})", ::getpid(), after.c_str(),
        after.c_str());
    // A directory that is opened like a file shows what it is when a call works below it.
    const int fd = static_cast<int>(check(::open(after.c_str(), O_RDONLY), "open"));
    check(::mkdirat(fd, "third", 0700), "mkdirat");
    ::close(fd);
    say(R"({"did":"type","pid":%d,"path":"%s","type":"d"})", ::getpid(), after.c_str());
  });
}

// Parts that need root.
void privileges() {
  in_child("capabilities", 12, [] {
    const std::string path = in("of-capabilities");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    data[0].effective = data[0].permitted = 1u << CAP_NET_RAW;
    check(::syscall(SYS_capset, &header, data), "capset");
    check(::mkdir(path.c_str(), 0700), "mkdir");
    say_state(path, R"("thread.cap_effective":"CAP_NET_RAW","thread.cap_permitted":"CAP_NET_RAW")");
  });
  in_child("user namespace", 13, [] {
    const std::string path = in("of-user-namespace");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    check(::syscall(SYS_capget, &header, data), "capget");
    data[0].inheritable = 1u << CAP_NET_RAW;
    check(::syscall(SYS_capset, &header, data), "capset");
    // Not always permitted.
    if (::unshare(CLONE_NEWUSER) != 0) return;
    // A failed call is recorded too.
    ::unlink(path.c_str());
    say_state(path, R"("thread.cap_inheritable":null)");
  });
  in_child("group", 14, [] {
    const std::string path = in("of-other-group");
    check(::setgid(4321), "setgid");
    check(::mkdir(path.c_str(), 0700), "mkdir");
    say(R"({"did":"group","pid":%d,"path":"%s","gid":4321})", ::getpid(), path.c_str());
  });
}

// A process in a cgroup below a container's, as created by systemd inside the container.
void containers() {
  for (const char* const root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
    const std::string id = "5fc17" + std::string(59, 'e');
    const std::string groups[] = {std::string(root) + "/sfkit-test",
                                  std::string(root) + "/sfkit-test/" + id,
                                  std::string(root) + "/sfkit-test/" + id + "/init.scope"};
    if (::access((std::string(root) + "/cgroup.procs").c_str(), W_OK) != 0) continue;
    bool is_made = true;
    for (const std::string& group : groups) is_made = is_made && ::mkdir(group.c_str(), 0700) == 0;
    if (is_made) {
      in_child("container", 15, [&groups] {
        const std::string path = in("of-container");
        const int fd = ::open((groups[2] + "/cgroup.procs").c_str(), O_WRONLY);
        const bool is_moved = fd >= 0 && ::write(fd, "0", 1) == 1;
        ::close(fd);
        if (!is_moved) return;
        const pid_t inner = static_cast<pid_t>(check(::fork(), "fork"));
        if (inner == 0) {
          check(::mkdir(path.c_str(), 0700), "mkdir");
          ::_exit(0);
        }
        check(::waitpid(inner, nullptr, 0), "waitpid");
        say(R"({"did":"container","pid":%d,"path":"%s","container":"5fc17eeeeeee"})", inner,
            path.c_str());
      });
    }
    for (const std::string* group = std::end(groups); group != std::begin(groups);)
      ::rmdir((--group)->c_str());
    return;
  }
}

// One system call: its number, and numbers as its arguments.
int make_call(char** texts) {
  std::array<long, 7> numbers{};
  for (size_t i = 0; i < numbers.size() && texts[i] != nullptr; ++i)
    numbers[i] = std::atol(texts[i]);
  const auto& [number, a, b, c, d, e, f] = numbers;
  ::syscall(number, a, b, c, d, e, f);
  return 0;
}

int datagram_socket(sockaddr_storage& address) {
  const int fd = static_cast<int>(check(::socket(AF_INET, SOCK_DGRAM, 0), "socket"));
  address = loopback(AF_INET);
  check(::bind(fd, reinterpret_cast<sockaddr*>(&address), size_of(AF_INET)), "bind");
  address = own_address(fd);
  return fd;
}

// Sends `count` messages of 1, 2, 3... bytes in one call, to two sockets in turn. Then receives as
// many in one call, from two sockets in turn.
void many_messages(unsigned count) {
  std::array<sockaddr_storage, 2> peers{};
  const std::array<int, 2> sockets = {datagram_socket(peers[0]), datagram_socket(peers[1])};
  sockaddr_storage own{};
  const int fd = datagram_socket(own);
  std::vector<char> bytes(count, 'm');
  std::vector<iovec> pieces(count);
  std::vector<sockaddr_storage> addresses(count);
  std::vector<mmsghdr> messages(count);
  for (unsigned i = 0; i < count; ++i) {
    pieces[i] = {bytes.data(), i + 1};
    addresses[i] = peers[i % 2];
    messages[i].msg_hdr = {.msg_name = &addresses[i],
                           .msg_namelen = size_of(AF_INET),
                           .msg_iov = &pieces[i],
                           .msg_iovlen = 1,
                           .msg_control = nullptr,
                           .msg_controllen = 0,
                           .msg_flags = 0};
  }
  check(::sendmmsg(fd, messages.data(), count, 0), "sendmmsg");
  for (unsigned i = 0; i < count; ++i) {
    check(::sendto(sockets[i % 2], bytes.data(), i + 1, 0, reinterpret_cast<const sockaddr*>(&own),
                   size_of(AF_INET)),
          "sendto");
  }
  const long received = ::recvmmsg(fd, messages.data(), count, 0, nullptr);
  if (received != static_cast<long>(count)) fail("recvmmsg");
  say(R"({"count":%u,"own":%d,"peers":[%d,%d]})", count, port_of(own), port_of(peers[0]),
      port_of(peers[1]));
  for (const int used : {sockets[0], sockets[1], fd}) ::close(used);
}

// Calls with these numbers of messages, then one of each that fails.
int send_many(char** texts) {
  for (; *texts != nullptr; ++texts)
    many_messages(static_cast<unsigned>(std::strtoul(*texts, nullptr, 10)));
  mmsghdr none{};
  ::sendmmsg(-1, &none, 1, 0);
  ::recvmmsg(-1, &none, 1, 0, nullptr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof(path) - 1);
  self.assign(path, length > 0 ? static_cast<size_t>(length) : 0);
  if (argc > 1 && std::strcmp(argv[1], "--chain") == 0) {
    ::execl(self.c_str(), "second-of-chain", "--end", nullptr);
    return 97;
  }
  if (argc > 1 && std::strcmp(argv[1], "--end") == 0) return 7;
  if (argc > 2 && std::strcmp(argv[1], "--call") == 0) return make_call(argv + 2);
  if (argc > 2 && std::strcmp(argv[1], "--messages") == 0) return send_many(argv + 2);
  if (argc != 2) return 2;
  directory = argv[1];
  files();
  paths();
  stream(AF_INET, 1000, 2000);
  stream(AF_INET6, 300, 400);
  datagrams(AF_INET, 50, 70);
  datagrams(AF_INET6, 60, 80);
  forwarder();
  connects();
  endings();
  sharing();
  unix_sockets();
  exec_chain();
  threads();
  states();
  if (::geteuid() == 0) {
    identities();
    namespaces();
    privileges();
    containers();
  }
  say(R"({"did":"exit","pid":%d,"code":0})", ::getpid());
  return 0;
}
