// Does a little of everything that makes SysFlow records, and says on standard output what it did: one JSON
// object a line, which the test of live capture compares with the records. Linux only; some parts need root.
// Usage: workload DIRECTORY
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

// A line of the log, written at once and whole, so that children may write as well.
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

// A child that does `work` and ends with `code`; says so and waits for it.
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
  const std::string a = in("a"), b = in("b"), hard = in("hard"), soft = in("soft"), made = in("made");
  const int pid = ::getpid();
  std::vector<char> bytes(4096, 'x');

  int fd = static_cast<int>(check(::open(a.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0640), "open"));
  for (const size_t size : {100, 200, 300}) check(::write(fd, bytes.data(), size), "write");
  iovec pieces[] = {{bytes.data(), 40}, {bytes.data(), 60}};
  check(::writev(fd, pieces, 2), "writev");
  check(::pwrite(fd, bytes.data(), 50, 0), "pwrite");
  ::close(fd);
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":750,"wops":5,"rbytes":0,"rops":0})", a.c_str(), pid);

  check(::rename(a.c_str(), b.c_str()), "rename");
  say(R"({"did":"RENAME","path":"%s","newpath":"%s","pid":%d})", a.c_str(), b.c_str(), pid);
  check(::link(b.c_str(), hard.c_str()), "link");
  say(R"({"did":"LINK","path":"%s","newpath":"%s","pid":%d})", b.c_str(), hard.c_str(), pid);
  check(::symlink(b.c_str(), soft.c_str()), "symlink");
  say(R"({"did":"SYMLINK","path":"%s","newpath":"%s","pid":%d})", b.c_str(), soft.c_str(), pid);

  // openat2, as a name below a directory that is open.
  const int at = static_cast<int>(check(::open(directory.c_str(), O_DIRECTORY | O_RDONLY), "open directory"));
  struct {
    uint64_t flags, mode, resolve;
  } how{O_RDONLY, 0, 0};
  fd = static_cast<int>(check(::syscall(SYS_openat2, at, "b", &how, sizeof(how)), "openat2"));
  check(::read(fd, bytes.data(), 500), "read");
  check(::pread(fd, bytes.data(), 100, 10), "pread");
  check(::readv(fd, pieces, 2), "readv");
  ::close(fd);
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":0,"wops":0,"rbytes":700,"rops":3})", b.c_str(), pid);
  ::close(at);

  check(::mkdir(made.c_str(), 0700), "mkdir");
  say(R"({"did":"MKDIR","path":"%s","pid":%d})", made.c_str(), pid);
  check(::chdir(made.c_str()), "chdir");
  fd = static_cast<int>(check(::open("below", O_CREAT | O_RDWR, 0600), "open below"));
  check(::write(fd, bytes.data(), 11), "write below");
  ::close(fd);
  say(R"({"did":"file","path":"%s/below","pid":%d,"wbytes":11,"wops":1,"rbytes":0,"rops":0})", made.c_str(),
      pid);
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

// The path of an open file, as the kernel has it now.
std::string path_of(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = check(::readlink(link.c_str(), path, sizeof(path)), "readlink");
  return {path, static_cast<size_t>(size)};
}

// Makes a file by a path below `at`, and says by which one the kernel knows it.
void make_file(int at, const char* name, uint64_t resolve = 0) {
  struct {
    uint64_t flags, mode, resolve;
  } how{O_CREAT | O_WRONLY, 0600, resolve};
  const int fd = static_cast<int>(check(::syscall(SYS_openat2, at, name, &how, sizeof(how)), "openat2"));
  check(::write(fd, "x", 1), "write");
  say(R"({"did":"file","path":"%s","pid":%d,"wbytes":1,"wops":1,"rbytes":0,"rops":0})", path_of(fd).c_str(),
      ::getpid());
  ::close(fd);
}

// Paths that are not where their text leads at first sight.
void paths() {
  constexpr uint64_t kBeneath = 8, kInRoot = 16;  // RESOLVE_ of openat2
  constexpr int kDeep = 10;
  const int pid = ::getpid();
  const std::string top = in("paths"), before = top + "/r1", after = top + "/r2";
  check(::mkdir(top.c_str(), 0700), "mkdir");
  check(::chdir(top.c_str()), "chdir");

  // Deep down and up again.
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

  // A directory renamed below a process and what it has open.
  check(::mkdir("r1", 0700), "mkdir r1");
  const int at = static_cast<int>(check(::open("r1", O_DIRECTORY | O_RDONLY), "open r1"));
  const int held = static_cast<int>(check(::open("r1/held", O_CREAT | O_WRONLY, 0600), "open held"));
  check(::write(held, "123", 3), "write held");
  check(::chdir("r1"), "chdir r1");
  check(::rename(before.c_str(), after.c_str()), "rename r1");
  check(::write(held, "1234", 4), "write held");
  say(R"({"did":"moved","path":"%s/held","newpath":"%s","pid":%d,"wbytes":3,"newbytes":4})", before.c_str(),
      path_of(held).c_str(), pid);
  ::close(held);
  make_file(at, "by-descriptor");
  make_file(AT_FDCWD, "by-directory");
  in_child("renamed directory", 9, [] { make_file(AT_FDCWD, "by-child"); });

  // A directory that is the root, or the end, of a path.
  make_file(at, "/in-root", kInRoot);
  make_file(at, "../../in-root-too", kInRoot);
  check(::mkdir("x", 0700), "mkdir x");
  make_file(at, "x/../beneath", kBeneath);
  ::close(at);

  check(::symlink("../secret", "link"), "symlink");
  say(R"({"did":"SYMLINK","path":"%s/secret","newpath":"%s/link","pid":%d})", top.c_str(), after.c_str(),
      pid);
  check(::chdir("/"), "chdir /");
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  const void* from = address.ss_family == AF_INET
                         ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
                         : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return ::inet_ntop(address.ss_family, from, text, sizeof(text));
}

int port_of(const sockaddr_storage& address) {
  // The port is in the same place in both kinds.
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

// The client is another process, so that each end has its own flow.
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
  const int fd = static_cast<int>(
      check(::accept4(listener, reinterpret_cast<sockaddr*>(&client), &size, SOCK_CLOEXEC), "accept4"));
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
    check(::sendto(fd, bytes.data(), request, 0, reinterpret_cast<const sockaddr*>(&server), size_of(family)),
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
    say(R"({"did":"unix","path":"%s","pid":%d,"wbytes":123,"rbytes":45})", path.c_str(), ::getpid());
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

// Runs this program again as something that execs once more and ends with 7.
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

  // A program that is in no file system.
  const pid_t nameless = static_cast<pid_t>(check(::fork(), "fork"));
  if (nameless == 0) {
    const int memory = static_cast<int>(check(::memfd_create("in-memory", MFD_CLOEXEC), "memfd_create"));
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
      const int fd = static_cast<int>(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
      const std::vector<char> bytes(static_cast<size_t>(10 * (i + 1)), 't');
      check(::write(fd, bytes.data(), bytes.size()), "write");
      ::close(fd);
      say(R"({"did":"file","path":"%s","pid":%d,"wbytes":%zu,"wops":1,"rbytes":0,"rops":0})", path.c_str(),
          ::getpid(), bytes.size());
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
  // The first process of a new pid namespace: it knows itself as 1.
  in_child("pid namespace", 6, [] {
    check(::unshare(CLONE_NEWPID), "unshare");
    const pid_t inner = static_cast<pid_t>(check(::fork(), "fork"));
    if (inner == 0) {
      const std::string path = in("namespaced");
      const int fd = static_cast<int>(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
      check(::write(fd, "inner", 5), "write");
      ::close(fd);
      ::_exit(8);
    }
    check(::waitpid(inner, nullptr, 0), "waitpid");
    say(R"({"did":"file","path":"%s","pid":%d,"wbytes":5,"wops":1,"rbytes":0,"rops":0})",
        in("namespaced").c_str(), inner);
    say(R"({"did":"exit","pid":%d,"code":8})", inner);
  });
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
  if (argc != 2) return 2;
  directory = argv[1];
  files();
  paths();
  stream(AF_INET, 1000, 2000);
  stream(AF_INET6, 300, 400);
  datagrams(AF_INET, 50, 70);
  datagrams(AF_INET6, 60, 80);
  unix_sockets();
  exec_chain();
  threads();
  if (::geteuid() == 0) {
    identities();
    namespaces();
  }
  say(R"({"did":"exit","pid":%d,"code":0})", ::getpid());
  return 0;
}
