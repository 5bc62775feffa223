#include "testing/hostile_kinds.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "testing/scenario.h"

namespace sfkit::testing {
namespace {

using namespace scap::value;
namespace ev = scap::ev;
using Capture = std::vector<uint8_t>;

constexpr int64_t kInit = 1;
constexpr int64_t kMain = 100;
constexpr int64_t kCwd = -100;      // AT_FDCWD
constexpr int64_t kFirst = 10'000;  // tid of the first of many threads
constexpr uint32_t kThread = 0x2001;
constexpr uint32_t kRead = 1;
constexpr uint32_t kCloneFiles = 1;
constexpr uint32_t kCloneFs = 2;
constexpr uint32_t kCloexec = 4;  // for close_range
constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kMaxParameterSize = 65'535;

// Bucket counts of a common standard library: numbers that differ by a multiple of one share a
// bucket.
constexpr int64_t kPrimes[] = {5087, 10273, 20753, 42043, 85229, 172933, 351061};

int64_t bucket_count(uint32_t elements) {
  return *std::find_if(std::begin(kPrimes), std::end(kPrimes) - 1,
                       [elements](int64_t prime) { return prime >= elements; });
}

scap::ThreadEntry listed(int64_t tid, int64_t parent) {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = tid;
  entry.ptid = parent;
  entry.sid = entry.vpgid = entry.pgid = 1;
  entry.comm = "p";
  entry.exe = entry.exepath = "/bin/p";
  entry.cwd = entry.root = "/";
  entry.fdlimit = 1024;
  return entry;
}

ProcessFacts process(int64_t pid, int64_t parent) {
  ProcessFacts facts;
  facts.exe = "/bin/p";
  facts.comm = "p";
  facts.tid = facts.pid = facts.vtid = facts.vpid = pid;
  facts.ptid = parent;
  return facts;
}

ProcessFacts thread_of(int64_t pid, int64_t tid, int64_t parent) {
  ProcessFacts facts = process(pid, parent);
  facts.tid = facts.vtid = tid;
  return facts;
}

class World : public Scenario {
 public:
  World() : Scenario(Age::k2026) {
    writer().begin();
    scap::MachineInfo machine;
    machine.cpus = 2;
    machine.hostname = "h";
    writer().machine(machine);
    writer().processes({listed(kInit, 0), listed(kMain, kInit)});
  }

  void clone(int64_t pid, int64_t parent) { born(process(pid, parent), 0); }
  void clone_thread(int64_t pid, int64_t tid) { born(thread_of(pid, tid, kMain), kThread); }
  void open_file(int64_t tid, int64_t fd, std::string_view path) {
    openat(tid, fd, kCwd, path, kRead);
  }
  void dup3(int64_t tid, int64_t from, int64_t to) {
    event(tid, ev::SYSCALL_DUP3_X, {i64(to), i64(from), i64(to), u32(0)});
  }
  void user(uint16_t code, uint32_t uid, std::string_view name) {
    event(-1, code, {u32(uid), u32(uid), text(name), text("/home"), text("/bin/sh"), text("")});
  }
  void group(uint16_t code, uint32_t gid, std::string_view name) {
    event(-1, code, {u32(gid), text(name), text("")});
  }
  void close_range(int64_t tid, uint32_t first, uint32_t last, uint32_t flags = 0) {
    event(tid, ev::SYSCALL_CLOSE_RANGE_X, {i64(0), u32(first), u32(last), u32(flags)});
  }
  void set_close_on_exec(int64_t tid, int64_t fd, bool mark) {
    constexpr uint8_t kSetfd = 3;
    event(tid, ev::SYSCALL_FCNTL_X, {i64(0), i64(fd), u8(kSetfd), u64(mark ? 1 : 0)});
  }
  void unshare(int64_t tid, uint32_t flags) {
    event(tid, ev::SYSCALL_UNSHARE_X, {i64(0), u32(flags)});
  }

  Capture take() { return writer().take(); }
};

std::string numbered(std::string_view name, uint32_t number) {
  return std::string(name) + std::to_string(number);
}

std::string container_cgroup(uint32_t number) {
  std::string id = std::to_string(number);
  id.insert(0, 12 - id.size(), 'a');
  return "/docker/" + id + std::string(52, 'b');
}

std::string container_json(uint32_t number, std::string_view more) {
  const std::string cgroup = container_cgroup(number);
  const std::string id = cgroup.substr(cgroup.rfind('/') + 1, 12);
  return R"({"container":{"id":")" + id + R"(","name":"c","type":0,"image":"i:1")" +
         std::string(more) + "}}";
}

// --- One text in many rows or processes. Text and count grow together, so their product grows
// quadratically.

constexpr uint32_t kTextPerUnit = 25;

std::string text_of(uint32_t n) {
  return std::string(std::min<size_t>(size_t{n} * kTextPerUnit, kMaxParameterSize - 1), 'z');
}

std::vector<std::string> empty_variables(uint32_t n) {
  return std::vector<std::string>(std::min<size_t>(size_t{n} * kTextPerUnit, kMaxParameterSize));
}

// Process records repeat the whole environment, so output grows with both numbers: one is fixed.
constexpr uint32_t kRepeated = 20000;

Capture fork_env(uint32_t n) {
  World world;
  ProcessFacts facts = process(kMain, kInit);
  facts.env = empty_variables(kRepeated);
  world.exec(facts, 0);
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  return world.take();
}

Capture fork_long_texts(uint32_t n) {
  World world;
  ProcessFacts facts = process(kMain, kInit);
  facts.exe = "/" + text_of(n / 2);
  world.exec(facts, 0);
  world.chdir(kMain, "/" + text_of(n));
  world.event(kMain, ev::SYSCALL_CHROOT_X, {i64(0), text("/" + text_of(n))});
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  return world.take();
}

Capture thread_long_texts(uint32_t n) {
  World world;
  ProcessFacts facts = process(kMain, kInit);
  facts.exe = "/" + text_of(n / 2);
  world.exec(facts, 0);
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  return world.take();
}

Capture rows_of_env(uint32_t n) {
  World world;
  ProcessFacts facts = process(kMain, kInit);
  facts.args = {text_of(n)};
  facts.env = {text_of(n)};
  world.exec(facts, 0);
  for (uint32_t i = 0; i < n; ++i) world.mkdir(kMain, "/d");
  return world.take();
}

Capture rows_of_parent_env(uint32_t n) {
  World world;
  ProcessFacts facts = process(kMain, kInit);
  facts.args = {text_of(kRepeated)};
  facts.env = {text_of(kRepeated)};
  world.exec(facts, 0);
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(kFirst, kMain);
    world.exec(process(kFirst, kMain), 0);
    world.exit(kFirst, 0);
  }
  return world.take();
}

Capture rows_of_container(uint32_t n) {
  World world;
  world.container(container_json(1, R"(,"imageid":")" + text_of(n) + '"'));
  ProcessFacts facts = process(kFirst, kMain);
  facts.cgroup = container_cgroup(1);
  world.born(facts, 0);
  for (uint32_t i = 0; i < n; ++i) world.mkdir(kFirst, "/d");
  return world.take();
}

Capture long_cwd(uint32_t n) {
  World world;
  world.chdir(kMain, "/" + text_of(n));
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 3, numbered("f", i));
    world.close(kMain, 3);
  }
  return world.take();
}

Capture long_directory(uint32_t n) {
  World world;
  world.openat(kMain, 4, kCwd, "/" + text_of(n), 0x200);
  for (uint32_t i = 0; i < n; ++i) {
    world.openat(kMain, 3, 4, numbered("f", i), kRead);
    world.close(kMain, 3);
  }
  return world.take();
}

Capture cgroups_in_turn(uint32_t n) {
  World world;
  scap::ThreadEntry one = listed(200, kInit);
  scap::ThreadEntry other = listed(201, kInit);
  const std::string cgroups = "cpu=/docker/" + std::string(64, 'a') + std::string(3000, 'c');
  one.cgroups = cgroups;
  other.cgroups = std::string_view(cgroups).substr(0, 2000);
  world.writer().processes({one, other});
  ProcessFacts facts = process(kFirst, kMain);
  for (uint32_t i = 0; i < n; ++i) {
    facts.tid = facts.pid = facts.vtid = facts.vpid = kFirst + i;
    facts.cgroup = container_cgroup(i % 2);
    world.born(facts, 0);
  }
  return world.take();
}

// --- Descriptions of containers.

Capture container_numbers(uint32_t n) {
  World world;
  std::string numbers;
  for (uint32_t i = 0; i < 10'000; ++i) numbers += "1,";
  for (uint32_t i = 0; i < n; ++i) world.container(container_json(i, R"(,"x":[)" + numbers + "1]"));
  return world.take();
}

Capture container_members(uint32_t n) {
  World world;
  std::string members;
  for (uint32_t i = 0; i < n; ++i) members += R"(,"m)" + std::to_string(i) + R"(":"")";
  world.container(container_json(1, members + R"(,"labels":{"a":"b")" + members + "}"));
  return world.take();
}

Capture container_deep(uint32_t n) {
  World world;
  world.container(container_json(1, R"(,"x":)" + std::string(n, '[') + std::string(n, ']')));
  return world.take();
}

Capture container_mounts(uint32_t n) {
  World world;
  std::string mounts;
  for (uint32_t i = 0; i < n; ++i) {
    mounts += R"({"Source":"/s","Destination":"/d)" + std::to_string(i) + R"(","RW":true},)";
  }
  mounts.pop_back();
  world.container(container_json(1, R"(,"Mounts":[)" + mounts + "]"));
  return world.take();
}

Capture container_described_again(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.container(container_json(1, R"(,"imageid":")" + std::to_string(i) + '"'));
  }
  return world.take();
}

Capture containers(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.container(container_json(i, ""));
    ProcessFacts facts = process(kFirst + i, kMain);
    facts.cgroup = container_cgroup(i);
    world.born(facts, 0);
  }
  return world.take();
}

Capture containers_gone(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.container(container_json(i, ""));
    ProcessFacts facts = process(kFirst, kMain);
    facts.cgroup = container_cgroup(i);
    world.born(facts, 0);
    world.mkdir(kFirst, "/d");
    world.exit(kFirst, 0);
  }
  return world.take();
}

// --- Kubernetes.

void kubernetes(World& world, std::string_view action, std::string_view kind,
                const std::string& item) {
  world.event(-1, ev::K8S_E,
              {text(R"({"type":")" + std::string(action) + R"(","kind":")" + std::string(kind) +
                    R"(","items":[)" + item + "]}")});
}

std::string object(uint32_t number, const std::string& more) {
  const std::string id = std::to_string(number);
  return R"({"uid":"u)" + id + R"(","name":"n)" + id + R"(","namespace":"shop")" + more + "}";
}

// A process in the container of pod 0.
void run_in_pod(World& world) {
  const std::string cgroup = container_cgroup(1);
  kubernetes(world, "ADDED", "Pod",
             object(0, R"(,"labels":{"a":"b"},"containerStatuses":[{"containerID":"docker://)" +
                           cgroup.substr(cgroup.rfind('/') + 1) + "\"}]"));
  ProcessFacts facts = process(kFirst, kMain);
  facts.cgroup = cgroup;
  world.born(facts, 0);
  world.mkdir(kFirst, "/d");
}

Capture pods_deleted(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    const std::string pod = object(i, R"(,"staticUid":"s)" + std::to_string(i) + '"');
    kubernetes(world, "ADDED", "Pod", pod);
    kubernetes(world, "DELETED", "Pod", pod);
    kubernetes(world, "DELETED", "Service",
               R"({"uid":"u","namespace":")" + std::to_string(i) + "\"}");
  }
  return world.take();
}

Capture pods_of_changing_services(uint32_t n) {
  World world;
  run_in_pod(world);
  for (uint32_t i = 0; i < n; ++i) {
    kubernetes(world, "ADDED", "Service", object(i, R"(,"selector":{"a":"b"})"));
    kubernetes(world, "ADDED", "Pod", object(i + 1, R"(,"labels":{"a":"b"})"));
    world.mkdir(kFirst, "/d");
  }
  return world.take();
}

Capture pod_with_many_labels(uint32_t n) {
  World world;
  std::string labels = R"("io.kubernetes.pod.uid":"u","io.kubernetes.pod.name":"n")";
  for (uint32_t i = 0; i < 1000; ++i) labels += ",\"" + numbered("label", i) + R"(":"x")";
  world.container(container_json(
      1, R"(,"labels":{"io.kubernetes.pod.uid":"u"},"pod_sandbox_labels":{)" + labels + "}"));
  ProcessFacts facts = process(kFirst, kMain);
  facts.cgroup = container_cgroup(1);
  world.born(facts, 0);
  for (uint32_t i = 0; i < n; ++i) {
    world.container(container_json(1, R"(,"labels":{"io.kubernetes.pod.uid":"u"},"ip":"10.0.)" +
                                          std::to_string(i / 256 % 256) + "." +
                                          std::to_string(i % 256) + '"'));
    world.mkdir(kFirst, "/d" + std::to_string(i));
  }
  return world.take();
}

// --- Colliding numbers.

Capture descriptors_apart(uint32_t n, int64_t stride) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, stride * (i + 1), "/f");
  return world.take();
}

Capture fds_of_one_bucket(uint32_t n) {
  return descriptors_apart(n, bucket_count(n));
}

Capture fds_of_equal_low_bits(uint32_t n) {
  return descriptors_apart(n, int64_t{1} << 32);
}

Capture fds_spread(uint32_t n) {
  return descriptors_apart(n, 2);
}

Capture fds_listed(uint32_t n) {
  World world;
  std::vector<scap::FdEntry> entries(n);
  const int64_t stride = bucket_count(n);
  for (uint32_t i = 0; i < n; ++i) {
    entries[i].fd = stride * (i + 1);
    entries[i].type = scap::FdType::kFile;
    entries[i].name = "/f";
  }
  world.writer().descriptors(kMain, entries);
  return world.take();
}

Capture threads_apart(uint32_t n, int64_t stride) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone(stride * (i + 1), kMain);
  return world.take();
}

Capture tids_of_one_bucket(uint32_t n) {
  return threads_apart(n, bucket_count(n));
}

Capture tids_of_equal_low_bits(uint32_t n) {
  return threads_apart(n, int64_t{1} << 32);
}

Capture users_of_one_bucket(uint32_t n) {
  World world;
  const int64_t stride = bucket_count(n);
  for (uint32_t i = 0; i < n; ++i) {
    const auto id = static_cast<uint32_t>(stride * (i + 1));
    world.user(ev::USER_ADDED_E, id, "u");
    world.group(ev::GROUP_ADDED_E, id, "g");
  }
  return world.take();
}

// --- Creation and exit of threads and processes.

Capture threads_die_in_turn(uint32_t n) {
  World world;
  world.clone(5000, kMain);
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(5000, kFirst + i);
  const int64_t children = kFirst + n;
  for (uint32_t i = 0; i < n; ++i) world.clone(children + i, kFirst);
  for (uint32_t i = 0; i + 1 < n; ++i) world.exit(kFirst + i, 0, kFirst + i + 1);
  return world.take();
}

Capture threads_die_unasked(uint32_t n) {
  World world;
  world.clone(5000, kMain);
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(5000, kFirst + i);
  const int64_t children = kFirst + n;
  for (uint32_t i = 0; i < n; ++i) world.clone(children + i, kFirst);
  for (uint32_t i = 0; i < n; ++i) world.exit(kFirst + i, 0);
  return world.take();
}

Capture orphans_passed_on(uint32_t n) {
  World world;
  // A family of n generations, each with one more child; the eldest exits first.
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, i == 0 ? kMain : kFirst + i - 1);
    world.clone(kFirst + n + i, kFirst + i);
  }
  for (uint32_t i = 0; i < n; ++i) world.exit(kFirst + i, 0);
  return world.take();
}

Capture orphans_of_reapers(uint32_t n) {
  World world;
  // Each process in a chain of reapers passes all its children to its parent.
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, i == 0 ? kMain : kFirst + i - 1);
    world.event(kFirst + i, ev::SYSCALL_PRCTL_X, {i64(0), u32(36), text(""), i64(1)});
  }
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + n + i, kFirst + n - 1);
  for (uint32_t i = n; i-- > 0;) world.exit(kFirst + i, 0);
  return world.take();
}

Capture siblings_die(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  for (uint32_t i = 0; i < n; ++i) world.exit(kFirst + (i % 2 == 0 ? i : n - i - (n % 2)), 0);
  return world.take();
}

Capture group_leaves_first_to_last(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  for (uint32_t i = 0; i < n; ++i) world.exit(kFirst + i, 0);
  return world.take();
}

Capture group_leaves_last_to_first(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  for (uint32_t i = n; i-- > 0;) world.exit(kFirst + i, 0);
  return world.take();
}

Capture group_without_leader(uint32_t n) {
  World world;
  world.clone(5000, kMain);
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(5000, kFirst + i);
  world.exit(5000, 0);
  for (uint32_t i = 0; i < n; ++i) world.mkdir(kFirst + i, "/d");
  return world.take();
}

Capture group_comes_and_goes(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  for (uint32_t i = 0; i < n; ++i) {
    world.exit(kFirst + i, 0);
    world.clone_thread(kMain, kFirst + n + i);
  }
  return world.take();
}

Capture threads_take_over(uint32_t n) {
  World world;
  // Threads that exec become the leader; the others exit.
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    for (uint32_t k = 0; k < 3; ++k) world.clone_thread(kMain, kFirst + 3 * i + k);
    ProcessFacts facts = process(kMain, kInit);
    facts.tid = facts.vtid = kFirst + 3 * i;
    world.exec(facts, 0);
  }
  return world.take();
}

Capture tid_reused(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(5000, kMain);
    world.open_file(5000, 3, "/f");
  }
  return world.take();
}

Capture tid_reused_after_exit(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(5000, kMain);
    world.open_file(5000, 3, "/f");
    world.exit(5000, 0);
  }
  return world.take();
}

Capture thread_reused(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone_thread(kMain, 5000);
    world.mkdir(5000, "/d");
  }
  return world.take();
}

Capture pids_in_turn(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(kFirst + i % 500, kMain);
    world.exec(process(kFirst + i % 500, kMain), 0);
    world.mkdir(kFirst + i % 500, "/d");
  }
  return world.take();
}

Capture processes_gone(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(kFirst + i, kMain);
    world.exec(process(kFirst + i, kMain), 0);
    world.exit(kFirst + i, 0);
  }
  return world.take();
}

Capture daemons(uint32_t n) {
  World world;
  // Each is the child of the previous one, which then exits.
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(3 * kSecond);
    world.clone(kFirst + i, i == 0 ? kMain : kFirst + i - 1);
    world.mkdir(kFirst + i, "/d");
    if (i > 0) world.exit(kFirst + i - 1, 0);
  }
  return world.take();
}

Capture generations(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, i == 0 ? kMain : kFirst + i - 1);
  for (uint32_t i = 0; i < n; ++i) world.mkdir(kFirst + n - 1, "/d");
  return world.take();
}

Capture unknown_threads_end(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.exit(kFirst + i, 0);
  return world.take();
}

Capture unknown_threads(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.mkdir(kFirst + i, "/d");
  return world.take();
}

Capture pid_namespaces(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    ProcessFacts facts = process(kFirst + i, kMain);
    facts.vtid = facts.vpid = 1 + i % 7;
    world.born(facts, 0x20000000);
    world.mkdir(kFirst + i, "/d");
  }
  return world.take();
}

Capture execs(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    ProcessFacts facts = process(kMain, kInit);
    facts.args = {numbered("a", i) + std::string(900, 'x')};
    facts.env = {numbered("e", i) + std::string(900, 'x')};
    world.exec(facts, 0);
  }
  return world.take();
}

Capture long_arguments(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    ProcessFacts facts = process(kFirst + i, kMain);
    facts.args = {numbered("a", i) + std::string(32'000, 'x')};
    world.exec(facts, 0);
  }
  return world.take();
}

Capture changes_of_user(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.setuid(kMain, i);
  return world.take();
}

// --- Descriptors and flows.

Capture setuid_of_many_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) world.setuid(kMain, i % 5);
  return world.take();
}

Capture setuid_beside_many_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kInit, 3 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) world.setuid(kMain, i % 5);
  return world.take();
}

Capture exec_of_many_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) world.exec(process(kMain, kInit), 0);
  return world.take();
}

Capture threads_of_many_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.clone_thread(kMain, kFirst + i);
    world.read(kFirst + i, 3 + i, 10);
    world.exit(kFirst + i, 0);
  }
  return world.take();
}

Capture fork_fds(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  return world.take();
}

Capture fork_low_fds(uint32_t n) {
  World world;
  // Many processes, each with a descriptor table of the usual size.
  world.open_file(kMain, 1000, "/f");
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  return world.take();
}

Capture fork_fds_and_change(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    world.close(kFirst + i, 2000);
  }
  return world.take();
}

Capture fork_fds_and_exit(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst, kMain);
    world.exec(process(kFirst, kMain), 0);
    world.exit(kFirst, 0);
  }
  return world.take();
}

Capture fork_fds_and_open(uint32_t n) {
  World world;
  // The parent changes its table between two children.
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    world.open_file(kMain, 3, "/g");
  }
  return world.take();
}

Capture opened_again(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3, numbered("/f", i));
  return world.take();
}

Capture opened_again_by_threads(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.clone_thread(kMain, kFirst + i);
    world.open_file(kFirst + i, 3, "/f");
    world.read(kFirst + i, 3, 10);
  }
  return world.take();
}

Capture flows_of_one_descriptor(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 10 + i, numbered("/f", i));
    world.dup3(kMain, 10 + i, 5);
    world.write(kMain, 5, 10);
  }
  for (uint32_t i = 0; i < n; ++i) world.dup3(kMain, 10 + i, 5);
  return world.take();
}

Capture dup_chain(uint32_t n) {
  World world;
  world.open_file(kMain, 3, "/f");
  for (uint32_t i = 0; i < n; ++i) world.dup3(kMain, 3 + i, 4 + i);
  for (uint32_t i = 0; i < n; ++i) world.write(kMain, 3 + i, 10);
  for (uint32_t i = 0; i < n; ++i) world.close(kMain, 3 + i);
  return world.take();
}

Capture close_ranges(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 100'000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) world.close_range(kMain, 2000, 90'000);
  for (uint32_t i = 0; i < n; ++i) world.close_range(kMain, 1'000'000, UINT32_MAX);
  return world.take();
}

Capture close_ranges_beside_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 100'000 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 5000, "/g");
    world.close_range(kMain, 2000, 90'000);
  }
  return world.take();
}

Capture close_ranges_of_children(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst, kMain);
    world.close_range(kFirst, 3, UINT32_MAX, i % 2 == 0 ? 0 : kCloexec);
    world.open_file(kFirst, 2000 + i, "/g");
    world.exec(process(kFirst, kMain), 0);
    world.exit(kFirst, 0);
  }
  return world.take();
}

Capture marks_of_many_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, numbered("/f", i));
  world.exec(process(kMain, kInit), 0);
  for (uint32_t i = 0; i < n; ++i) world.close_range(kMain, 2000, UINT32_MAX, kCloexec);
  for (uint32_t i = 0; i < n; ++i) world.set_close_on_exec(kMain, 2000 + i, false);
  for (uint32_t i = 0; i < n; ++i) {
    world.set_close_on_exec(kMain, 2000 + i, true);
    world.set_close_on_exec(kMain, 2000 + i, i % 2 == 0);
    world.exec(process(kMain, kInit), 0);
  }
  return world.take();
}

Capture dups_onto_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  world.open_file(kMain, 3, "/f");
  world.open_file(kMain, 4, "/g");
  for (uint32_t i = 0; i < n; ++i) world.read(kFirst + i, 4, 1);
  for (uint32_t i = 0; i < n; ++i) {
    world.read(kFirst + i, 5, 1);
    world.dup3(kMain, 3, 5);
  }
  return world.take();
}

// One thread has its own table and closes a descriptor on which the other threads have flows.
Capture table_of_a_thread(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone_thread(kMain, kFirst + i);
  world.open_file(kMain, 4, "/f");
  for (uint32_t i = 0; i < n; ++i) world.read(kFirst + i, 4, 1);
  world.unshare(kMain, kCloneFiles);
  for (uint32_t i = 0; i < n; ++i) {
    world.close(kMain, 4);
    world.open_file(kMain, 4, "/f");
  }
  return world.take();
}

Capture tables_of_threads(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, "/f");
  for (uint32_t i = 0; i < n; ++i) {
    world.clone_thread(kMain, kFirst + i);
    world.unshare(kFirst + i, kCloneFiles);
    world.read(kFirst + i, 2000 + i, 1);
    world.close(kFirst + i, 2000 + i);
  }
  return world.take();
}

Capture tables_of_children(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 2000 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.born(process(kFirst + i, kMain), kCloneFiles | kCloneFs);
    world.read(kFirst + i, 2000 + i, 1);
    if (i % 3 == 1) world.exec(process(kFirst + i, kMain), 0);
    if (i % 3 == 2) world.unshare(kMain, kCloneFiles | kCloneFs);
    world.chdir(kMain, numbered("/d", i));
    world.close(kFirst + i, 2000 + i);
  }
  return world.take();
}

Capture descriptors_received(uint32_t n) {
  constexpr uint32_t kMaxPerMessage = 253;
  World world;
  std::string control = u64(16 + 4 * kMaxPerMessage) + u32(1) + u32(1);
  for (uint32_t i = 0; i < kMaxPerMessage; ++i) control += u32(i % 2 == 0 ? 10 + i : 100'000 + i);
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 10 + 2 * (i % 100), "/f");
    world.event(kMain, ev::SOCKET_RECVMSG_X, {i64(1), u32(1), "x", "", control, i64(3)});
  }
  return world.take();
}

// The close ends the flows of all attempts.
Capture connects_of_one_socket(uint32_t n) {
  World world;
  world.socket(kMain, 3, false, true);
  for (uint32_t i = 0; i < n; ++i) {
    const Endpoint peer = ipv4(10, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i), 53);
    world.connect(kMain, 3, ipv4(10, 0, 0, 1, 4000), peer, i % 3 == 0 ? -101 : 0);
  }
  world.close(kMain, 3);
  return world.take();
}

Capture close_unknown(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.close(kMain, int64_t{1} << (i % 63));
  return world.take();
}

Capture idle_flows(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3 + i, numbered("/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(31 * kSecond);
    world.mkdir(kInit, "/d");
  }
  return world.take();
}

Capture clock_jumps(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 3 + i, numbered("/f", i));
    world.wait(i % 2 == 0 ? 3600 * kSecond : -3600 * kSecond);
  }
  return world.take();
}

Capture flows_of_processes(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    world.clone_thread(kFirst + i, kFirst + n + i);
  }
  for (uint32_t i = 0; i < 20; ++i) {
    world.wait(31 * kSecond);
    world.mkdir(kInit, "/d");
  }
  return world.take();
}

Capture accepts(uint32_t n) {
  World world;
  world.socket(kMain, 3, false, false);
  world.bind(kMain, 3, ipv4(10, 0, 0, 1, 80));
  for (uint32_t i = 0; i < n; ++i) {
    const auto port = static_cast<uint16_t>(1024 + i % 60'000);
    world.accept(kMain, 4 + i, ipv4(10, 0, 1, static_cast<uint8_t>(i >> 16), port),
                 ipv4(10, 0, 0, 1, 80));
    world.sendto(kMain, 4 + i, 10, ipv4(10, 0, 0, 1, 80), ipv4(10, 0, 1, 0, port));
  }
  return world.take();
}

Capture datagrams(uint32_t n) {
  World world;
  world.socket(kMain, 3, false, true);
  for (uint32_t i = 0; i < n; ++i) {
    const Endpoint peer = ipv4(10, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i),
                               static_cast<uint16_t>(i));
    world.sendto(kMain, 3, 10, ipv4(10, 0, 0, 1, 4000), peer);
    world.recvfrom(kMain, 3, 10, peer, ipv4(10, 0, 0, 1, 4000));
  }
  return world.take();
}

Capture datagram_sockets(uint32_t n) {
  World world;
  // The direction of a datagram is inferred from the process's other sockets.
  for (uint32_t i = 0; i < n; ++i) {
    const auto port = static_cast<uint16_t>(1024 + i % 60'000);
    world.socket(kMain, 3 + i, false, true);
    world.sendto(kMain, 3 + i, 10, ipv4(10, 0, 0, 1, port), ipv4(10, 1, 0, 1, port));
  }
  return world.take();
}

Capture binds(uint32_t n) {
  World world;
  world.socket(kMain, 3, true, true);
  for (uint32_t i = 0; i < n; ++i) {
    world.bind(kMain, 3, ipv6(static_cast<uint16_t>(i >> 16), static_cast<uint16_t>(i)));
  }
  return world.take();
}

Capture interfaces_and_connects(uint32_t n) {
  World world;
  std::vector<scap::InterfaceEntry> entries(n);
  for (uint32_t i = 0; i < n; ++i) {
    entries[i].address = {10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                          static_cast<uint8_t>(i)};
    entries[i].netmask = {255, 255, 255, 255};
    entries[i].name = "e";
  }
  world.writer().interfaces(entries);
  for (uint32_t i = 0; i < n; ++i) {
    world.socket(kMain, 3, false, false);
    world.connect(kMain, 3, ipv4(0, 0, 0, 0, 0), ipv4(192, 168, 0, 1, 80), 0);
    world.close(kMain, 3);
  }
  return world.take();
}

Capture unix_sockets(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    const int64_t fd = 10 + 2 * int64_t{i};
    world.event(kMain, ev::SOCKET_SOCKETPAIR_X,
                {i64(0), i64(fd), i64(fd + 1), u64(i), u64(i), u32(1), u32(1), u32(0)});
    world.write(kMain, fd, 10);
    world.read(kMain, fd + 1, 10);
  }
  return world.take();
}

Capture pipes(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    const int64_t fd = 10 + 2 * int64_t{i};
    world.event(kMain, ev::SYSCALL_PIPE2_X, {i64(0), i64(fd), i64(fd + 1), u64(i), u32(0)});
    world.write(kMain, fd + 1, 10);
  }
  return world.take();
}

Capture polls(uint32_t n) {
  World world;
  constexpr uint16_t kPolled = 300;
  std::string fds = u16(kPolled);
  for (uint16_t i = 0; i < kPolled; ++i) fds += i64(i) + u16(1);
  for (uint32_t i = 0; i < n; ++i) world.event(kMain, ev::SYSCALL_POLL_X, {i64(1), fds, i64(-1)});
  return world.take();
}

Capture unpaired_enters(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.event(kMain, ev::SYSCALL_OPENAT_2_E,
                {i64(kCwd), text(std::string(900, 'e')), u32(kRead), u32(0)});
  }
  return world.take();
}

// --- Names. Files are kept until many others have been seen since.

Capture unique_paths(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(1'000'000);
    world.open_file(kMain, 3, numbered("/", i) + std::string(950, 'p'));
    world.close(kMain, 3);
  }
  return world.take();
}

Capture names_made_and_removed(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.wait(1'000'000);
    world.mkdir(kMain, numbered("/d", i));
    world.rename(kMain, numbered("/d", i), numbered("/e", i));
    world.unlink(kMain, numbered("/e", i));
  }
  return world.take();
}

Capture opens_fail(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i)
    world.open_file(kMain, -2, numbered("/", i) + std::string(950, 'p'));
  return world.take();
}

Capture paths_of_dots(uint32_t n) {
  World world;
  std::string path = "/a";
  while (path.size() < 4000) path += "/../a/./b";
  for (uint32_t i = 0; i < n; ++i) {
    world.chdir(kMain, path);
    world.open_file(kMain, 3, path);
  }
  return world.take();
}

Capture cwd_goes_down(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.chdir(kMain, "d");
  world.open_file(kMain, 3, "f");
  return world.take();
}

// --- Renamed directories, and directories with long paths.

constexpr uint32_t kDirectoryFlag = 1u << 10;
constexpr uint32_t kLongElement = 200;

// Changes to a directory whose path has `bytes` bytes.
void go_deep(World& world, uint32_t bytes) {
  for (uint32_t deep = 0; deep < bytes; deep += kLongElement + 1)
    world.chdir(kMain, std::string(kLongElement, 'd'));
}
constexpr uint32_t kDeepForFiles = 3800;
constexpr uint32_t kDeepForDirectories = 7800;

Capture renames_above_many(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, kFirst + i, numbered("/a/b/f", i));
  for (uint32_t i = 0; i < n; ++i) {
    world.rename(kMain, i % 2 == 0 ? "/a" : "/z", i % 2 == 0 ? "/z" : "/a");
    world.read(kMain, kFirst + i, 1);
  }
  return world.take();
}

Capture renames_beside_many(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, kFirst + i, numbered("/a/f", i));
    world.rename(kMain, numbered("/b/f", i), numbered("/c/f", i));
  }
  return world.take();
}

Capture renames_of_open_files(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, kFirst + i, numbered("/a/f", i));
    world.rename(kMain, numbered("/a/f", i), numbered("/a/g", i));
  }
  return world.take();
}

Capture renames_above_processes(uint32_t n) {
  World world;
  world.chdir(kMain, "/a");
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    if (i % 2 == 0) world.chdir(kFirst + i, numbered("d", i));
  }
  for (uint32_t i = 0; i < n; ++i) {
    world.rename(kMain, i % 2 == 0 ? "/a" : "/z", i % 2 == 0 ? "/z" : "/a");
    world.mkdir(kFirst + i, "m");
  }
  return world.take();
}

// Each directory moves into the next one, so paths grow with every rename.
Capture rename_chain(uint32_t n) {
  World world;
  world.open_file(kMain, 3, "/d0/f");
  world.openat(kMain, 4, kCwd, "/d0", kRead | kDirectoryFlag);
  for (uint32_t i = 0; i < n; ++i) {
    world.rename(kMain, numbered("/d", i), numbered("/d", i + 1) + "/e");
    world.read(kMain, 3, 1);
    world.openat(kMain, 5, 4, "g", kRead);
    world.close(kMain, 5);
  }
  return world.take();
}

// The same, but every directory on the path is open.
Capture rename_chain_of_open(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.openat(kMain, kFirst + i, kCwd, numbered("/d", i), kRead | kDirectoryFlag);
    world.rename(kMain, numbered("/d", i), numbered("/d", i + 1) + "/e");
    world.read(kMain, kFirst + i / 2, 1);
  }
  return world.take();
}

Capture exchanges(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, kFirst + i, numbered(i % 2 == 0 ? "/a/f" : "/b/c/f", i));
    world.event(kMain, ev::SYSCALL_RENAMEAT2_X,
                {i64(0), i64(kCwd), text("/a"), i64(kCwd), text("/b/c"), u32(2)});
    world.read(kMain, kFirst + i / 2, 1);
  }
  return world.take();
}

Capture replaced_directories(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.openat(kMain, kFirst + i, kCwd, "/b", kRead | kDirectoryFlag);
    world.rename(kMain, "/a", "/b");
    world.rmdir(kMain, "/b", 0);
  }
  return world.take();
}

// Paths with many elements, each of them different.
Capture rename_many_elements(uint32_t n) {
  World world;
  std::string rest;
  while (rest.size() < 4000) rest += "/a";
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, kFirst + i, numbered("/b/", i) + rest);
  for (uint32_t i = 0; i < n; ++i) {
    const std::string path = numbered("/b/", i) + rest.substr(0, 1000);
    world.rename(kMain, path, path + "x");
  }
  return world.take();
}

// A rename from a short to a long name makes every name below it longer.
Capture renames_to_long(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, kFirst + i, numbered("/a/f", i));
  world.rename(kMain, "/a", "/" + std::string(4000, 'l'));
  for (uint32_t i = 0; i < n; ++i) world.read(kMain, kFirst + i, 1);
  return world.take();
}

Capture deep_files(uint32_t n) {
  World world;
  go_deep(world, kDeepForFiles);
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, kFirst + i, numbered("f", i));
  return world.take();
}

Capture deep_files_opened_again(uint32_t n) {
  World world;
  go_deep(world, kDeepForFiles);
  for (uint32_t i = 0; i < n; ++i) world.open_file(kMain, 3, numbered("f", i));
  return world.take();
}

Capture deep_copies(uint32_t n) {
  World world;
  go_deep(world, kDeepForFiles);
  world.open_file(kMain, 3, "f");
  for (uint32_t i = 0; i < n; ++i) {
    world.event(kMain, ev::SYSCALL_DUP3_X,
                {i64(kFirst + i), i64(3), i64(kFirst + i), u32(i % 2 == 0 ? 1u << 12 : 0)});
  }
  return world.take();
}

Capture deep_processes(uint32_t n) {
  World world;
  go_deep(world, kDeepForDirectories);
  for (uint32_t i = 0; i < n; ++i) {
    world.clone(kFirst + i, kMain);
    world.chdir(kFirst + i, numbered("d", i));
    world.mkdir(kFirst + i, "m");
  }
  return world.take();
}

Capture deep_events(uint32_t n) {
  World world;
  go_deep(world, kDeepForFiles);
  for (uint32_t i = 0; i < n; ++i) {
    world.mkdir(kMain, numbered("m", i));
    world.chdir(kMain, "..");
    world.chdir(kMain, numbered("d", i));
  }
  return world.take();
}

Capture kinds_of_files(uint32_t n) {
  constexpr uint32_t kWrite = 2;
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.mkdir(kMain, "/f");
    world.openat(kMain, 3, kCwd, "/f", kWrite);
    world.close(kMain, 3);
    world.openat(kMain, 3, kCwd, "/f", kRead);
    world.event(kMain, ev::SYSCALL_GETDENTS64_X, {i64(24), i64(3)});
    world.close(kMain, 3);
  }
  return world.take();
}

Capture control_text(uint32_t n) {
  World world;
  const std::string evil = "\x1b[31mRED\x1b[0m\r\x07";
  ProcessFacts facts = process(kMain, kInit);
  facts.comm = evil;
  facts.args = {"=1+1" + evil, evil};
  world.exec(facts, 0);
  for (uint32_t i = 0; i < n; ++i) {
    world.open_file(kMain, 3, "/" + evil + std::to_string(i));
    world.close(kMain, 3);
  }
  return world.take();
}

// --- Users and groups.

Capture users(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.user(ev::USER_ADDED_E, i, numbered("u", i));
    world.group(ev::GROUP_ADDED_E, i, numbered("g", i));
    world.setuid(kMain, i);
  }
  return world.take();
}

Capture users_added_and_deleted(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.user(ev::USER_ADDED_E, i, "u");
    world.user(ev::USER_DELETED_E, i, "u");
    world.user(ev::USER_DELETED_E, ~i, "u");
    world.group(ev::GROUP_DELETED_E, i, "g");
  }
  return world.take();
}

Capture user_lists(uint32_t n) {
  World world;
  std::vector<scap::UserEntry> entries(n);
  for (uint32_t i = 0; i < n; ++i) entries[i] = {i, i, "user", "/home/user", "/bin/sh"};
  world.writer().users(entries, {});
  for (uint32_t i = 0; i < n; ++i) {
    world.writer().users({{0, 0, "root", "/root", "/bin/sh"}}, {});
    world.mkdir(kMain, "/d");
  }
  return world.take();
}

// --- Lists.

Capture parents_in_a_circle(uint32_t n) {
  World world;
  std::vector<scap::ThreadEntry> entries;
  entries.reserve(n);
  for (uint32_t i = 0; i < n; ++i) entries.push_back(listed(kFirst + i, kFirst + (i + 1) % n));
  world.writer().processes(entries);
  for (uint32_t i = 0; i < n; ++i) {
    world.mkdir(kFirst + i, "/d");
    world.exit(kFirst + i, 0);
  }
  return world.take();
}

Capture lists_between_events(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  for (uint32_t i = 0; i < n; ++i) {
    world.writer().processes({listed(kFirst + i, kMain)});
    world.mkdir(kFirst + i, "/d");
  }
  return world.take();
}

Capture listed_again(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.writer().processes({listed(kFirst, kMain)});
    world.mkdir(kFirst, "/d");
  }
  return world.take();
}

Capture descriptors_of_nobody(uint32_t n) {
  World world;
  scap::FdEntry entry;
  entry.fd = 3;
  entry.type = scap::FdType::kFile;
  entry.name = "/f";
  for (uint32_t i = 0; i < n; ++i) world.writer().descriptors(kFirst + i, {entry});
  world.mkdir(kMain, "/d");
  return world.take();
}

Capture sections(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) world.clone(kFirst + i, kMain);
  for (uint32_t i = 0; i < n; ++i) {
    world.writer().begin();
    world.mkdir(kMain, "/d");
  }
  return world.take();
}

Capture broken_events(uint32_t n) {
  World world;
  for (uint32_t i = 0; i < n; ++i) {
    world.mkdir(kMain, "/d");
    const uint8_t body[] = {1, 2, 3, 4, 5, 6, 7, 8};
    world.writer().block(0x216, Bytes(body, sizeof(body)));
  }
  return world.take();
}

}  // namespace

const std::vector<HostileKind>& hostile_kinds() {
  constexpr auto kFlat = HostileKind::Memory::kFlat;
  constexpr auto kLinear = HostileKind::Memory::kLinear;
  static const std::vector<HostileKind> kinds = {
      {"fork_env", "an exec with many empty variables, then children that inherit them", 1200,
       kLinear, fork_env},
      {"fork_long_texts", "a long executable, directory and root, then children", 1200, kLinear,
       fork_long_texts},
      {"thread_long_texts", "a long executable, then threads", 1200, kLinear, thread_long_texts},
      {"rows_of_env", "long arguments and environment, then events of the process", 1200, kFlat,
       rows_of_env},
      {"rows_of_parent_env",
       "long arguments and environment of a parent, then events of its children", 1200, kFlat,
       rows_of_parent_env},
      {"rows_of_container", "a container with a long image, then events in it", 1200, kFlat,
       rows_of_container},
      {"long_cwd", "a long working directory, then files below it", 1200, kFlat, long_cwd},
      {"long_directory", "an open directory of a long name, then files below it", 1200, kFlat,
       long_directory},
      {"cgroups_in_turn", "alternating processes of two cgroups", 8000, kLinear, cgroups_in_turn},

      {"container_numbers", "descriptions of containers with many numbers", 50, kLinear,
       container_numbers},
      {"container_members", "a description with many members and labels", 20000, kLinear,
       container_members},
      {"container_deep", "a deeply nested description", 100000, kLinear, container_deep},
      {"container_mounts", "a description with many mounts", 10000, kLinear, container_mounts},
      {"container_described_again", "one container described again and again", 10000, kFlat,
       container_described_again},
      {"containers", "containers with one process each", 8000, kLinear, containers},
      {"containers_gone", "containers whose only process ends", 8000, kFlat, containers_gone},
      {"pods_deleted", "pods that come and go", 8000, kFlat, pods_deleted},
      {"pods_of_changing_services", "services that select all pods", 2000, kLinear,
       pods_of_changing_services},
      {"pod_with_many_labels", "changes of a pod with many labels", 4000, kLinear,
       pod_with_many_labels},

      {"fds_of_one_bucket", "descriptors that share a bucket of a table of prime size", 20000,
       kLinear, fds_of_one_bucket},
      {"fds_of_equal_low_bits", "descriptors that differ only above bit 32", 20000, kLinear,
       fds_of_equal_low_bits},
      {"fds_spread", "as many descriptors with ordinary numbers", 20000, kLinear, fds_spread},
      {"fds_listed", "a descriptor list with numbers that share a bucket", 20000, kLinear,
       fds_listed},
      {"tids_of_one_bucket", "threads that share a bucket of a table of prime size", 10000, kLinear,
       tids_of_one_bucket},
      {"tids_of_equal_low_bits", "threads that differ only above bit 32", 10000, kLinear,
       tids_of_equal_low_bits},
      {"users_of_one_bucket", "users and groups that share a bucket", 20000, kLinear,
       users_of_one_bucket},

      {"threads_die_in_turn", "threads exit, each passing all children to the next", 10000, kLinear,
       threads_die_in_turn},
      {"threads_die_unasked", "the same, but no event names the reaper", 10000, kLinear,
       threads_die_unasked},
      {"orphans_passed_on", "generations, each with one more child, exit from the eldest on", 8000,
       kLinear, orphans_passed_on},
      {"orphans_of_reapers", "a chain of subreapers passes its orphans up", 8000, kLinear,
       orphans_of_reapers},
      {"siblings_die", "children of one process exit from both ends", 10000, kLinear, siblings_die},
      {"group_leaves_first_to_last", "threads of one process exit in creation order", 10000,
       kLinear, group_leaves_first_to_last},
      {"group_leaves_last_to_first", "threads of one process exit in reverse order", 10000, kLinear,
       group_leaves_last_to_first},
      {"group_without_leader", "a process that continues after its leader exited", 10000, kLinear,
       group_without_leader},
      {"group_comes_and_goes",
       "a process of many threads, where one exits and one is created in turn", 8000, kLinear,
       group_comes_and_goes},
      {"threads_take_over", "threads that exec become their process", 4000, kFlat,
       threads_take_over},
      {"tid_reused", "one tid, reused again and again without an exit", 15000, kFlat, tid_reused},
      {"tid_reused_after_exit", "the same with exits", 15000, kFlat, tid_reused_after_exit},
      {"thread_reused", "one tid of a thread, reused without an exit", 15000, kFlat, thread_reused},
      {"pids_in_turn", "pids recur after some time without an exit", 15000, kFlat, pids_in_turn},
      {"processes_gone", "processes that exec and exit", 10000, kFlat, processes_gone},
      {"daemons", "each process is the child of the previous one, which exits", 10000, kFlat,
       daemons},
      {"generations", "each process is the child of the previous one; the last one is active",
       10000, kLinear, generations},
      {"unknown_threads_end", "exits of unknown threads", 20000, kFlat, unknown_threads_end},
      {"unknown_threads", "events of unknown threads", 10000, kLinear, unknown_threads},
      {"pid_namespaces", "processes in namespaces with the same inner ids", 10000, kLinear,
       pid_namespaces},
      {"execs", "execs with different arguments and environments", 10000, kFlat, execs},
      {"long_arguments", "processes, each with its own 32 KB of arguments", 300, kLinear,
       long_arguments},
      {"changes_of_user", "one process changes its user again and again", 20000, kFlat,
       changes_of_user},

      {"setuid_of_many_flows", "many open files, then changes of the user", 10000, kLinear,
       setuid_of_many_flows},
      {"setuid_beside_many_flows", "the same, but another process has the files", 10000, kLinear,
       setuid_beside_many_flows},
      {"exec_of_many_flows", "many open files, then execs", 8000, kLinear, exec_of_many_flows},
      {"threads_of_many_flows", "many open files, then threads that use one each and exit", 8000,
       kLinear, threads_of_many_flows},
      {"fork_fds", "many open descriptors, then children", 4000, kLinear, fork_fds},
      {"fork_low_fds", "a descriptor of 1000, then children", 4000, kLinear, fork_low_fds},
      {"fork_fds_and_change", "many open descriptors, then children that close one each", 4000,
       kLinear, fork_fds_and_change},
      {"fork_fds_and_exit", "many open descriptors, then children that exec and exit", 4000,
       kLinear, fork_fds_and_exit},
      {"fork_fds_and_open",
       "many open descriptors, then children; the parent opens a file between two of them", 4000,
       kLinear, fork_fds_and_open},
      {"opened_again", "one descriptor opened again and again without a close", 15000, kLinear,
       opened_again},
      {"opened_again_by_threads", "the same by many threads of a process", 8000, kLinear,
       opened_again_by_threads},
      {"flows_of_one_descriptor", "one descriptor refers to many files in turn", 8000, kLinear,
       flows_of_one_descriptor},
      {"dup_chain", "each descriptor is a duplicate of the previous one", 10000, kLinear,
       dup_chain},
      {"close_ranges", "close_range calls without open descriptors", 8000, kLinear, close_ranges},
      {"close_ranges_beside_flows", "many open files, then close_range calls that close one each",
       8000, kLinear, close_ranges_beside_flows},
      {"close_ranges_of_children", "many open files, then children that close or mark all", 4000,
       kLinear, close_ranges_of_children},
      {"marks_of_many_flows", "many open files, marked close-on-exec again and again", 5000,
       kLinear, marks_of_many_flows},
      {"dups_onto_flows", "many threads use a descriptor that another thread replaces", 6000,
       kLinear, dups_onto_flows},
      {"table_of_a_thread", "many threads use a descriptor, one closes it in its own table", 6000,
       kLinear, table_of_a_thread},
      {"tables_of_threads", "many open descriptors, then threads with their own tables", 4000,
       kLinear, tables_of_threads},
      {"tables_of_children", "many open files, then processes that share and leave the table", 4000,
       kLinear, tables_of_children},
      {"descriptors_received", "messages with many descriptors each", 4000, kFlat,
       descriptors_received},
      {"connects_of_one_socket", "one socket connected again and again", 10000, kLinear,
       connects_of_one_socket},
      {"close_unknown", "closes of unknown descriptors", 30000, kFlat, close_unknown},
      {"idle_flows", "many open files, then long idle times", 8000, kLinear, idle_flows},
      {"clock_jumps", "files opened while the clock jumps back and forth", 10000, kLinear,
       clock_jumps},
      {"flows_of_processes", "many processes with a thread, then long idle times", 5000, kLinear,
       flows_of_processes},
      {"accepts", "connections of one server, none closed", 10000, kLinear, accepts},
      {"datagrams", "one socket exchanges messages with many peers", 10000, kLinear, datagrams},
      {"datagram_sockets", "many sockets send one message each", 10000, kLinear, datagram_sockets},
      {"binds", "one socket bound again and again", 20000, kLinear, binds},
      {"interfaces_and_connects", "many interfaces, then connections from an unknown address",
       10000, kLinear, interfaces_and_connects},
      {"unix_sockets", "socket pairs", 8000, kLinear, unix_sockets},
      {"pipes", "pipes", 10000, kLinear, pipes},
      {"polls", "waits for many descriptors", 2000, kFlat, polls},
      {"unpaired_enters", "calls that never return", 10000, kFlat, unpaired_enters},

      {"unique_paths", "files with different long names, opened and closed", 10000, kLinear,
       unique_paths},
      {"names_made_and_removed", "directories created, renamed and removed", 10000, kLinear,
       names_made_and_removed},
      {"opens_fail", "failed opens of different long names", 10000, kFlat, opens_fail},
      {"paths_of_dots", "long paths of dots", 1500, kFlat, paths_of_dots},
      {"cwd_goes_down", "each working directory is in the previous one", 15000, kFlat,
       cwd_goes_down},
      {"renames_above_many", "many open files, then renames of the directory above them", 8000,
       kLinear, renames_above_many},
      {"renames_beside_many", "files opened between renames of others", 8000, kLinear,
       renames_beside_many},
      {"renames_of_open_files", "files that are renamed while they are open", 8000, kLinear,
       renames_of_open_files},
      {"renames_above_processes",
       "many processes below a directory that is renamed again and again", 4000, kLinear,
       renames_above_processes},
      {"rename_chain", "a directory that goes deeper with every rename", 4000, kFlat, rename_chain},
      {"rename_chain_of_open", "the same, but every directory is open", 4000, kLinear,
       rename_chain_of_open},
      {"exchanges", "directories with open files that are exchanged", 6000, kLinear, exchanges},
      {"replaced_directories", "open directories, each replaced by another one", 6000, kLinear,
       replaced_directories},
      {"rename_many_elements",
       "open files with paths of many elements, whose directories are renamed", 400, kLinear,
       rename_many_elements},
      {"renames_to_long", "many open files below a directory that gets a long name", 8000, kLinear,
       renames_to_long},
      {"deep_files", "files open below a directory with a long path", 4000, kLinear, deep_files},
      {"deep_files_opened_again", "one descriptor opened again and again there", 4000, kLinear,
       deep_files_opened_again},
      {"deep_copies", "duplicates of a descriptor of a file there", 8000, kLinear, deep_copies},
      {"deep_processes", "processes that continue from there", 2000, kLinear, deep_processes},
      {"deep_events", "directories created while a process changes directories there", 4000,
       kLinear, deep_events},
      {"kinds_of_files", "a path that is a file and a directory in turn", 3000, kFlat,
       kinds_of_files},
      {"control_text", "control characters in every text", 10000, kLinear, control_text},

      {"users", "many users and groups, each used", 10000, kLinear, users},
      {"users_added_and_deleted", "users that come and go", 15000, kFlat, users_added_and_deleted},
      {"user_lists", "a long list of users, then many short ones", 16000, kLinear, user_lists},

      {"parents_in_a_circle", "a process list in which each is the parent of the previous one",
       8000, kLinear, parents_in_a_circle},
      {"lists_between_events", "lists of one process each between the events of many", 16000,
       kLinear, lists_between_events},
      {"listed_again", "one process listed again and again", 10000, kFlat, listed_again},
      {"descriptors_of_nobody", "descriptors of unknown threads", 10000, kLinear,
       descriptors_of_nobody},
      {"sections", "many threads, then many sections", 10000, kLinear, sections},
      {"broken_events", "every second event is damaged", 15000, kFlat, broken_events},
  };
  return kinds;
}

}  // namespace sfkit::testing
