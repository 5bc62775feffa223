#include "testing/webserver.h"

#include <string>

#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

constexpr uint32_t kReadOnly = 1;
constexpr uint32_t kWriteOnly = 2;
constexpr uint32_t kReadWrite = 3;
constexpr uint32_t kCreate = 4;
constexpr uint32_t kAppend = 8;
constexpr uint32_t kTruncate = 256;
constexpr uint32_t kCloexec = 4096;
constexpr int64_t kAtFdcwd = -100;
constexpr int64_t kRefused = -111;
constexpr int64_t kNotEmpty = -39;
constexpr uint64_t kMillisecond = 1'000'000;

constexpr const char* kContainerPath =
    "/docker/4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7c3a5d21f4be7";
constexpr const char* kContainerJson =
    R"({"container":{"id":"4be7c3a5d21f","type":0,"name":"shop-web","image":"nginx","imagetag":"1.27",)"
    R"("imageid":"c0ffee","privileged":false,"is_pod_sandbox":false}})";

ProcessFacts nginx() {
  return {.exe = "/usr/sbin/nginx",
          .comm = "nginx",
          .args = {"-g", "daemon off;"},
          .env = {"LANG=C.UTF-8"},
          .tid = 1201,
          .pid = 1201,
          .ptid = 1200,
          .uid = 101,
          .gid = 101,
          .vtid = 7,
          .vpid = 7,
          .cgroup = kContainerPath};
}

ProcessFacts shell() {
  return {.exe = "/usr/bin/bash",
          .comm = "bash",
          .args = {"-l"},
          .env = {"USER=ana", "LANG=en_GB.UTF-8"},
          .tid = 2000,
          .pid = 2000,
          .ptid = 900,
          .uid = 1000,
          .gid = 1000,
          .vtid = 2000,
          .vpid = 2000,
          .tty = 34816};
}

// A child of the shell, before its exec.
ProcessFacts shell_child(int64_t pid) {
  ProcessFacts facts = shell();
  facts.tid = facts.pid = facts.vtid = facts.vpid = pid;
  facts.ptid = 2000;
  return facts;
}

ProcessFacts with_program(ProcessFacts facts, const std::string& exe,
                          std::vector<std::string> args) {
  facts.exe = exe;
  facts.comm = exe.substr(exe.rfind('/') + 1);
  facts.args = std::move(args);
  return facts;
}

std::string argument_list(const ProcessFacts& facts) {
  std::string bytes;
  for (const std::string& argument : facts.args) bytes += argument + '\0';
  return bytes;
}

void write_lists(Scenario& world) {
  scap::CaptureWriter& out = world.writer();
  out.begin();
  scap::MachineInfo machine;
  machine.cpus = 2;
  machine.memory_bytes = uint64_t{4} << 30;
  machine.max_pid = 32768;
  machine.hostname = "shop-host";
  out.machine(machine);
  const auto interface = [](Endpoint address, Endpoint mask, std::string_view name) {
    scap::InterfaceEntry entry;
    entry.ipv6 = address.ipv6;
    entry.address = address.ip;
    entry.netmask = mask.ip;
    entry.name = name;
    return entry;
  };
  out.interfaces({interface(ipv4(127, 0, 0, 1, 0), ipv4(255, 0, 0, 0, 0), "lo"),
                  interface(ipv4(10, 0, 0, 7, 0), ipv4(255, 255, 255, 0, 0), "eth0")});
  out.users({{0, 0, "root", "/root", "/bin/bash"}, {1000, 1000, "ana", "/home/ana", "/bin/bash"}},
            {{0, "root"}, {1000, "ana"}});

  const ProcessFacts worker = nginx();
  const ProcessFacts bash = shell();
  const std::string worker_args = argument_list(worker);
  const std::string bash_args = argument_list(bash);
  const std::string cgroups = std::string("cpuset=") + kContainerPath + '\0';
  const std::string host_cgroups = std::string("cpuset=/") + '\0';
  const auto thread = [&](int64_t pid, int64_t parent, std::string_view comm, std::string_view exe,
                          std::string_view args, std::string_view cwd, uint32_t uid, int64_t vpid,
                          std::string_view groups) {
    scap::ThreadEntry entry;
    entry.tid = entry.pid = pid;
    entry.ptid = parent;
    entry.sid = pid;
    entry.comm = comm;
    entry.exe = entry.exepath = exe;
    entry.args = args;
    entry.cwd = cwd;
    entry.fdlimit = 1024;
    entry.uid = entry.gid = uid;
    entry.vtid = entry.vpid = vpid;
    entry.cgroups = groups;
    entry.root = "/";
    return entry;
  };
  out.processes({
      thread(1, 0, "systemd", "/usr/lib/systemd/systemd", "", "/", 0, 1, host_cgroups),
      thread(900, 1, "sshd", "/usr/sbin/sshd", "", "/", 0, 900, host_cgroups),
      thread(1200, 1, "nginx", "/usr/sbin/nginx", worker_args, "/", 0, 1, cgroups),
      thread(1201, 1200, "nginx", "/usr/sbin/nginx", worker_args, "/", 101, 7, cgroups),
      thread(2000, 900, "bash", "/usr/bin/bash", bash_args, "/home/ana", 1000, 2000, host_cgroups),
  });

  scap::FdEntry log;
  log.fd = 4;
  log.type = scap::FdType::kFileV2;
  log.open_flags = kWriteOnly | kCreate | kAppend;
  log.name = "/var/log/nginx/access.log";
  scap::FdEntry listener;
  listener.fd = 6;
  listener.type = scap::FdType::kIpv4Server;
  listener.source_port = 8080;
  listener.l4 = scap::L4::kTcp;
  out.descriptors(1201, {log, listener});
  scap::FdEntry terminal;
  terminal.fd = 1;
  terminal.type = scap::FdType::kFileV2;
  terminal.open_flags = kReadWrite;
  terminal.name = "/dev/pts/0";
  out.descriptors(2000, {terminal});
}

// Reads what programs read at startup.
void load_libraries(Scenario& world, int64_t pid) {
  world.openat(pid, 3, kAtFdcwd, "/etc/ld.so.cache", kReadOnly | kCloexec);
  world.mmap(pid, 3, 20000);
  world.close(pid, 3);
  world.openat(pid, 3, kAtFdcwd, "/lib/x86_64-linux-gnu/libc.so.6", kReadOnly | kCloexec);
  world.read(pid, 3, 832);
  world.mmap(pid, 3, 2000000);
  world.close(pid, 3);
}

// curl sends a request; the server reads the page and logs the access.
void request(Scenario& world, int64_t pid, uint16_t port, bool over_ipv6, int64_t page_bytes) {
  const Endpoint client = over_ipv6 ? ipv6(7, port) : ipv4(10, 0, 0, 7, port);
  const Endpoint server = over_ipv6 ? ipv6(5, 8080) : ipv4(10, 0, 0, 5, 8080);
  const Endpoint resolver = ipv4(10, 0, 0, 2, 53);
  const Endpoint asker = ipv4(10, 0, 0, 7, static_cast<uint16_t>(port + 1000));
  const ProcessFacts child = shell_child(pid);
  world.fork(shell(), child);
  world.exec(with_program(child, "/usr/bin/curl", {"-s", "http://shop.test:8080/"}), 0);
  load_libraries(world, pid);
  world.openat(pid, 3, kAtFdcwd, "/etc/resolv.conf", kReadOnly | kCloexec);
  world.read(pid, 3, 42);
  world.read(pid, 3, 0);
  world.close(pid, 3);
  world.socket(pid, 3, false, true);
  world.sendto(pid, 3, 27, asker, resolver);
  world.recvfrom(pid, 3, 43, resolver, asker);
  world.close(pid, 3);
  world.socket(pid, 3, over_ipv6, false);
  world.connect(pid, 3, client, server, 0);
  world.accept(1201, 12, client, server);
  world.sendto(pid, 3, 78, client, server);
  world.recvfrom(1201, 12, 78, client, server);
  world.open(1201, 13, "/usr/share/nginx/html/index.html", kReadOnly);
  world.read(1201, 13, page_bytes);
  world.close(1201, 13);
  world.write(1201, 12, 240 + page_bytes);
  world.write(1201, 4, 96);
  world.recvfrom(pid, 3, 240 + page_bytes, server, client);
  world.write(pid, 1, page_bytes);
  world.close(1201, 12);
  world.close(pid, 3);
  world.exit(pid, 0);
}

// A shell script installs a new page; sudo runs a program.
void deploy(Scenario& world, int64_t pid) {
  const ProcessFacts child = shell_child(pid);
  world.fork(shell(), child);
  world.exec(with_program(child, "/usr/bin/sh", {"deploy.sh"}), 0);
  world.chdir(pid, "/srv/www");
  world.mkdir(pid, "new");
  world.open(pid, 3, "new/index.html", kWriteOnly | kCreate | kTruncate);
  for (int part = 0; part < 3; ++part) world.write(pid, 3, 4096);
  world.close(pid, 3);
  world.link(pid, "new/index.html", "/srv/www/index.bak");
  world.rename(pid, "new/index.html", "index.html");
  world.symlink(pid, "index.html", "current.html");
  world.unlink(pid, "/srv/www/./old//index.html");
  world.rmdir(pid, "new", kNotEmpty);
  world.socket(pid, 3, false, false);
  world.connect(pid, 3, ipv4(10, 0, 0, 7, 47000), ipv4(10, 0, 0, 9, 5432), kRefused);
  world.close(pid, 3);

  ProcessFacts helper = shell_child(pid + 1);
  helper.ptid = pid;
  ProcessFacts script = with_program(child, "/usr/bin/sh", {"deploy.sh"});
  helper.exe = script.exe;
  helper.comm = script.comm;
  helper.args = script.args;
  world.fork(script, helper);
  world.exec(with_program(helper, "/usr/bin/sudo", {"systemctl", "reload", "nginx"}), 0);
  world.setuid(helper.pid, 0);
  helper.uid = 0;
  world.exec(with_program(helper, "/usr/bin/systemctl", {"reload", "nginx"}), 0);
  world.open(helper.pid, 3, "/run/systemd/reload", kReadWrite | kCreate);
  world.write(helper.pid, 3, 12);
  world.dup2(helper.pid, 3, 5);
  world.write(helper.pid, 5, 8);
  world.close(helper.pid, 3);
  world.exit(helper.pid, 0);
  world.exit(pid, 256);
}

void webserver(Scenario& world) {
  write_lists(world);
  world.container(kContainerJson);
  world.spawn_thread(nginx(), 1202);
  world.write(1202, 4, 64);
  for (int i = 0; i < 12; ++i) {
    request(world, 3000 + i, static_cast<uint16_t>(40000 + i), i % 3 == 2, 1000 + 100 * i);
    world.wait(4000 * kMillisecond);
    if (i == 5) deploy(world, 3500);
  }
  world.exit(1202, 0);
}

}  // namespace

std::vector<Fixture> webserver_captures() {
  constexpr struct {
    const char* name;
    Age age;
  } kFiles[] = {{"webserver-2017.scap", Age::k2017},
                {"webserver.scap", Age::k2023},
                {"webserver-2026.scap", Age::k2026}};
  std::vector<Fixture> fixtures;
  for (const auto& file : kFiles) {
    Scenario world(file.age);
    webserver(world);
    fixtures.push_back({file.name, world.writer().bytes()});
  }
  return fixtures;
}

}  // namespace sfkit::testing
