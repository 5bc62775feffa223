#include <sfkit/driver.h>
#include <sfkit/version.h>

#include <gtest/gtest.h>

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/ip_text.h"
#include "base/summary.h"
#include "events.gen.h"
#include "live/source.h"
#include "sysflow_file/reader.h"
#include "testing/record_log.h"
#include "testing/scenario.h"
#include "testing/seqpacket_listener.h"
#include "testing/temporary_file.h"

namespace sfkit {
namespace {

const std::string kCapture = std::string(SFKIT_FIXTURES) + "/webserver.scap";

TEST(Driver, PassesJoinedEntitiesToTheCallback) {
  uint64_t records = 0;
  uint64_t with_process = 0;
  uint64_t with_file = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.exporter = "box";
  config.callback = [&](const Joined& joined, const Activity& record) {
    ++records;
    EXPECT_EQ(joined.header->exporter, "box");
    if (joined.process != nullptr) ++with_process;
    if (std::holds_alternative<const FileFlow*>(record)) {
      EXPECT_EQ(joined.file1->id, std::get<const FileFlow*>(record)->file);
      ++with_file;
    }
    return true;
  };
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_GT(records, 10u);
  EXPECT_EQ(with_process, records);
  EXPECT_GT(with_file, 0u);
  EXPECT_GT(driver.summary().events, records);
}

TEST(Driver, EndsWhenTheCallbackReturnsFalse) {
  uint64_t records = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records < 3; };
  Driver driver(std::move(config));
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 3u);
}

TEST(Driver, WritesTheFileAtomically) {
  const std::string path = ::testing::TempDir() + "/driver.sf";
  std::filesystem::remove(path);
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = path;
  Driver driver(std::move(config));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_GT(std::filesystem::file_size(path), 1000u);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST(Driver, ReportsErrors) {
  DriverConfig config;
  config.input_path = "/nowhere/a.scap";
  config.callback = [](const Joined&, const Activity&) { return true; };
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kNotFound);
  config.input_path = kCapture;
  config.filter = "proc.nam = a";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.filter.clear();
  config.output_path = "/nowhere/a.sf";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kUnwritable);
  EXPECT_STREQ(error_code_name(ErrorCode::kUnwritable), "OUTPUT_UNWRITABLE");
  config.output_path.clear();
  config.rotate_seconds = -1;
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.rotate_seconds = 0;
  for (const uint32_t bytes : {0u, 2048u, 12288u}) {
    config.live.ring_bytes = bytes;
    EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument) << bytes;
  }
  config.stats_seconds = -1;
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.stats_seconds = 0;
  config.socket_path = std::string(108, 's');
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
  config.socket_path.clear();
  config.live = {};
  config.live.sampling_ratio = 0;
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kInvalidArgument);
}

TEST(Driver, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "/dev/full is missing";
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = "/dev/full";
  EXPECT_EQ(Driver(config).run().code(), ErrorCode::kUnwritable);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

// A directory that is deleted with the test.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sfkit-driver-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string path(const std::string& name = "") const { return (path_ / name).string(); }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.insert(entry.path().string());
    return names;
  }

 private:
  std::filesystem::path path_;
};

// The records of a file that is complete by itself: a header, and entities before what refers to
// them.
std::vector<std::string> records_of(const std::string& path) {
  RecordLog log;
  std::atomic<bool> cancel{false};
  InputSummary summary;
  EXPECT_TRUE(sysflow_file::read_sysflow_file(path, log, cancel, summary).is_ok()) << path;
  EXPECT_EQ(log.lines.front().find("SFHeader"), 0u) << path;
  return log.lines;
}

bool is_activity(const std::string& line) {
  return line.find("Event") != std::string::npos || line.find("Flow ") != std::string::npos;
}

TEST(Driver, StartsAFileForEachInterval) {
  for (const bool is_directory : {false, true}) {
    const Directory directory;
    const std::string target = directory.path(is_directory ? "new/" : "flow");
    const auto run = [&](int64_t seconds, const std::string& path) {
      DriverConfig config;
      config.input_path = kCapture;
      config.output_path = path;
      config.rotate_seconds = seconds;
      Driver driver(std::move(config));
      EXPECT_TRUE(driver.run().is_ok());
      return driver.summary().files;
    };
    const std::vector<std::string> files = run(1, target);
    ASSERT_GT(files.size(), 1u);
    size_t activities = 0;
    for (const std::string& file : files) {
      ASSERT_EQ(file.find(is_directory ? target : target + "."), 0u) << file;
      const std::vector<std::string> records = records_of(file);
      // The header has the name of the file.
      EXPECT_NE(records.front().find(file), std::string::npos) << records.front();
      activities += static_cast<size_t>(std::count_if(records.begin(), records.end(), is_activity));
    }
    const std::string whole = directory.path("whole.sf");
    EXPECT_EQ(run(0, whole), std::vector<std::string>{whole});
    const std::vector<std::string> all = records_of(whole);
    EXPECT_NE(all.front().find(whole), std::string::npos);
    EXPECT_EQ(static_cast<size_t>(std::count_if(all.begin(), all.end(), is_activity)), activities);
    // A second run takes other names.
    const std::vector<std::string> again = run(1, target);
    ASSERT_EQ(again.size(), files.size());
    EXPECT_EQ(again.front(), files.front() + "-1");
  }
}

TEST(Driver, NamesAFileInADirectoryAfterItsFirstSecond) {
  const Directory directory;
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = directory.path() + "/";
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  const std::string second = std::to_string(driver.summary().first_time / 1'000'000'000);
  ASSERT_EQ(driver.summary().files.size(), 1u);
  EXPECT_EQ(std::filesystem::path(driver.summary().files[0]).filename(), second);
}

TEST(Driver, PutsTheConfiguredFileNameIntoTheHeader) {
  const Directory directory;
  std::string seen;
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = directory.path("flow");
  config.rotate_seconds = 1;
  config.filename = "configured";
  config.callback = [&seen](const Joined& joined, const Activity&) {
    seen = joined.header->filename;
    return true;
  };
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  EXPECT_EQ(seen, "configured");
}

TEST(Driver, GivesTheCallbackTheHeaderOfTheCurrentFile) {
  const Directory directory;
  std::set<std::string> seen;
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = directory.path("flow");
  config.rotate_seconds = 1;
  config.callback = [&seen](const Joined& joined, const Activity&) {
    seen.insert(std::string(joined.header->filename));
    return true;
  };
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  const std::vector<std::string>& files = driver.summary().files;
  EXPECT_GT(seen.size(), 1u);
  for (const std::string& name : seen)
    EXPECT_NE(std::find(files.begin(), files.end(), name), files.end()) << name;
}

TEST(Driver, FailsIfALaterFileCannotBeWritten) {
  const Directory directory;
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = directory.path("below/");
  config.rotate_seconds = 1;
  uint64_t records = 0;
  config.callback = [&](const Joined&, const Activity&) {
    if (records++ == 0) std::filesystem::remove_all(directory.path("below"));
    return true;
  };
  Driver driver(std::move(config));
  EXPECT_EQ(driver.run().code(), ErrorCode::kUnwritable);
  EXPECT_TRUE(driver.summary().files.empty());
}

TEST(Driver, SendsRecordsToASocket) {
  const Directory directory;
  testing::SeqpacketListener listener(directory.path("socket"));
  DriverConfig config;
  config.input_path = kCapture;
  config.socket_path = directory.path("socket");
  config.output_path = directory.path("flow.sf");
  uint64_t messages = 0;
  std::thread reader([&] {
    listener.accept();
    EXPECT_EQ(listener.receive()[0], 0);
    for (messages = 1; !listener.receive().empty();) ++messages;
  });
  Driver driver(std::move(config));
  EXPECT_TRUE(driver.run().is_ok());
  reader.join();
  EXPECT_EQ(driver.summary().socket_sent, messages);
  EXPECT_EQ(driver.summary().socket_dropped, 0u);
  EXPECT_EQ(driver.summary().records, messages + driver.summary().socket_dropped_ipv6);
  EXPECT_EQ(records_of(directory.path("flow.sf")).size(), messages);
}

TEST(Driver, ReportsStatisticsAndLogs) {
  const Directory directory;
  std::vector<Statistics> statistics;
  std::vector<std::string> lines;
  DriverConfig config;
  config.input_path = kCapture;
  config.output_path = directory.path("flow");
  config.rotate_seconds = 20;
  config.stats_seconds = 3600;
  config.statistics = [&](const Statistics& now) { statistics.push_back(now); };
  config.log = [&](const LogMessage& message) {
    EXPECT_EQ(message.module, "driver");
    EXPECT_EQ(message.severity, LogSeverity::kInfo);
    lines.push_back(std::to_string(message.verbosity) + " " + std::string(message.text));
  };
  Driver driver(std::move(config));
  ASSERT_TRUE(driver.run().is_ok());
  const size_t rotations = driver.summary().files.size() - 1;
  ASSERT_GT(rotations, 0u);
  ASSERT_EQ(statistics.size(), rotations + 1);
  for (size_t i = 0; i < rotations; ++i) {
    EXPECT_EQ(statistics[i].reason, Statistics::Reason::kRotation);
    EXPECT_LT(statistics[i].records, statistics[i + 1].records);
    EXPECT_GT(statistics[i].processes, 0u);
  }
  EXPECT_EQ(statistics.back().reason, Statistics::Reason::kEnd);
  EXPECT_EQ(statistics.back().records, driver.summary().records);
  ASSERT_EQ(lines.size(), statistics.size() + 2);
  EXPECT_EQ(lines.front(), "1 reading " + kCapture);
  EXPECT_EQ(lines[1].find("0 Container Table: "), 0u) << lines[1];
  EXPECT_NE(lines[1].find(" Num Records Written: " + std::to_string(statistics[0].records)),
            std::string::npos);
  EXPECT_EQ(lines.back(), "1 read " + std::to_string(driver.summary().events) + " events");
}

TEST(Driver, DeliversViewsOfTheRecords) {
  std::set<Protocol> protocols;
  std::set<FileType> types;
  std::set<Operation> operations;
  uint64_t renames = 0;
  uint64_t read_bytes = 0;
  uint64_t variables = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.file_reads = FileReads::kAll;
  config.files_only = false;
  config.callback = [&](const Joined& joined, const Activity& record) {
    EXPECT_EQ(joined.header->version, 5);
    const ProcessId process =
        std::visit([](const auto* activity) { return activity->process; }, record);
    EXPECT_NE(joined.process, nullptr);
    EXPECT_EQ(joined.process->id, process);
    if (const auto* flow = std::get_if<const NetworkFlow*>(&record)) {
      protocols.insert((*flow)->protocol);
      EXPECT_GE((*flow)->end_time, (*flow)->time);
      if ((*flow)->operations.has(Operation::kConnect)) operations.insert(Operation::kConnect);
    }
    if (const auto* flow = std::get_if<const FileFlow*>(&record)) {
      read_bytes += static_cast<uint64_t>((*flow)->counters.read_bytes);
      EXPECT_EQ(joined.file1->id, (*flow)->file);
    }
    if (const auto* event = std::get_if<const FileEvent*>(&record)) {
      if ((*event)->operations.has(Operation::kRename)) {
        ++renames;
        EXPECT_EQ(joined.file2->id, (*event)->new_file);
      }
    }
    if (const auto* event = std::get_if<const ProcessEvent*>(&record)) {
      if ((*event)->operations == Operations(static_cast<uint32_t>(Operation::kExec)))
        operations.insert(Operation::kExec);
      EXPECT_NE((*event)->args, nullptr);
    }
    for (const std::string_view variable : joined.process->env) {
      ++variables;
      EXPECT_NE(variable.find('='), std::string_view::npos) << variable;
    }
    if (joined.container != nullptr) {
      EXPECT_EQ(joined.container->id, joined.process->container_id);
      EXPECT_EQ(joined.container->type, ContainerType::kDocker);
    }
    if (joined.file1 != nullptr) types.insert(joined.file1->type);
    return true;
  };
  ASSERT_TRUE(Driver(config).run().is_ok());
  EXPECT_EQ(protocols, (std::set<Protocol>{Protocol::kTcp, Protocol::kUdp}));
  EXPECT_TRUE(types.contains(FileType::kFile));
  EXPECT_TRUE(types.contains(FileType::kDirectory));
  EXPECT_EQ(operations, (std::set<Operation>{Operation::kConnect, Operation::kExec}));
  EXPECT_GT(renames, 0u);
  EXPECT_GT(read_bytes, 0u);
  EXPECT_GT(variables, 0u);
}

// A process in a container of a pod, which a service selects.
std::vector<uint8_t> capture_with_pod() {
  constexpr int64_t kPid = 50;
  const std::string id = "0123456789ab" + std::string(52, '0');
  const std::string cgroups = "cpu=/kubepods/podu1/" + id;
  const auto api = [](const std::string& action, const char* kind, const std::string& item) {
    return scap::value::text(R"({"type":")" + action + R"(","kind":")" + kind + R"(","items":[{)" +
                             item + "}]}");
  };
  const std::string pod =
      R"("uid":"u1","name":"web-1","namespace":"shop","nodeName":"n7","podIP":"10.0.0.7",)"
      R"("labels":{"app":"web"},"containerStatuses":[{"containerID":"containerd://)" +
      id + R"(","restartCount":)";
  testing::Scenario world(testing::Age::k2026);
  world.writer().begin();
  scap::ThreadEntry app;
  app.tid = app.pid = app.vtid = app.vpid = kPid;
  app.ptid = 1;
  app.exe = app.exepath = "/bin/app";
  app.cwd = "/";
  app.cgroups = cgroups;
  world.writer().processes({app});
  world.event(-1, scap::ev::K8S_E,
              {api("ADDED", "Service",
                   R"("uid":"s1","name":"front","namespace":"shop","selector":{"app":"web"})")});
  world.event(-1, scap::ev::K8S_E, {api("ADDED", "Pod", pod + "0}]")});
  world.mkdir(kPid, "/tmp/x");
  world.event(-1, scap::ev::K8S_E, {api("MODIFIED", "Pod", pod + "1}]")});
  world.mkdir(kPid, "/tmp/y");
  return world.writer().bytes();
}

TEST(Driver, JoinsPodsAndReportsChangesOfTheCluster) {
  const testing::TemporaryFile capture(capture_with_pod());
  std::vector<int64_t> restarts;
  std::vector<std::pair<K8sKind, K8sAction>> changes;
  DriverConfig config;
  config.input_path = capture.path();
  config.callback = [&](const Joined& joined, const Activity& record) {
    EXPECT_TRUE(std::holds_alternative<const FileEvent*>(record));
    if (joined.pod == nullptr) return false;
    const Pod& pod = *joined.pod;
    EXPECT_EQ(joined.container->pod_id, pod.id);
    EXPECT_EQ(pod.id, "u1");
    EXPECT_EQ(pod.name, "web-1");
    EXPECT_EQ(pod.node_name, "n7");
    EXPECT_EQ(pod.addresses[0], *parse_ip("10.0.0.7"));
    EXPECT_EQ(pod.labels[0].value, "web");
    EXPECT_EQ(pod.selectors[0].name, "app");
    EXPECT_EQ(pod.services[0].name, "front");
    EXPECT_GT(pod.time, 0);
    restarts.push_back(pod.restart_count);
    return true;
  };
  config.k8s_callback = [&](const Header* header, const K8sEvent& event) {
    EXPECT_EQ(header->version, 5);
    EXPECT_GT(event.time, 0);
    EXPECT_EQ(event.message.substr(0, 9), R"({"type":")");
    changes.emplace_back(event.kind, event.action);
    return true;
  };
  ASSERT_TRUE(Driver(config).run().is_ok());
  EXPECT_EQ(restarts, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(changes,
            (std::vector<std::pair<K8sKind, K8sAction>>{{K8sKind::kServices, K8sAction::kAdded},
                                                        {K8sKind::kPods, K8sAction::kAdded},
                                                        {K8sKind::kPods, K8sAction::kModified}}));

  // Either callback alone works, and each ends the run for both.
  restarts.clear();
  DriverConfig records = config;
  records.k8s_callback = nullptr;
  ASSERT_TRUE(Driver(records).run().is_ok());
  EXPECT_EQ(restarts.size(), 2u);
  changes.clear();
  config.callback = nullptr;
  config.k8s_callback = [&](const Header*, const K8sEvent& event) {
    changes.emplace_back(event.kind, event.action);
    return changes.size() < 2;
  };
  ASSERT_TRUE(Driver(config).run().is_ok());
  EXPECT_EQ(changes.size(), 2u);
}

TEST(Escape, MakesCapturedTextSafe) {
  EXPECT_EQ(escape("a\x1b[2J\n"), "a\\x1b[2J\\x0a");
}

TEST(Driver, ConfiguresTheConversion) {
  const auto records = [](const auto& change) {
    uint64_t count = 0;
    DriverConfig config;
    config.input_path = kCapture;
    config.callback = [&count](const Joined&, const Activity&) { return ++count != 0; };
    change(config);
    EXPECT_TRUE(Driver(config).run().is_ok());
    return count;
  };
  const uint64_t all = records([](DriverConfig& config) { config.file_reads = FileReads::kAll; });
  EXPECT_LT(records([](DriverConfig& config) { config.file_reads = FileReads::kNone; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.file_tracking = FileTracking::kNone; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.containers_only = true; }), all);
  EXPECT_LT(records([](DriverConfig& config) { config.filter = "proc.name = curl"; }), all);
  EXPECT_GT(records([](DriverConfig& config) {
              config.file_reads = FileReads::kAll;
              config.files_only = false;
            }),
            0u);
}

TEST(Driver, EndsBeforeTheFirstRecordAfterExit) {
  uint64_t records = 0;
  DriverConfig config;
  config.input_path = kCapture;
  config.callback = [&records](const Joined&, const Activity&) { return ++records != 0; };
  Driver driver(std::move(config));
  driver.exit();
  EXPECT_TRUE(driver.run().is_ok());
  EXPECT_EQ(records, 0u);
}

TEST(Driver, KnowsItsVersion) {
  EXPECT_STREQ(version(), SFKIT_VERSION);
  EXPECT_EQ(std::to_string(SFKIT_VERSION_MAJOR) + "." + std::to_string(SFKIT_VERSION_MINOR) + "." +
                std::to_string(SFKIT_VERSION_PATCH),
            SFKIT_VERSION);
}

TEST(Driver, CapturesTheRunningKernel) {
  if (const auto works = live::LiveSource::try_probe({}); !works.is_ok()) {
    GTEST_SKIP() << "live capture is unavailable: " << works.status().message();
  }
  const std::string path = ::testing::TempDir() + "sfkit-driver-live";
  const Directory directory;
  bool seen = false;
  bool was_private = false;
  std::atomic<bool> ended{false};
  const auto is_private = [](const std::string& name) {
    return std::filesystem::status(name).permissions() == std::filesystem::perms(0600);
  };
  DriverConfig config;
  config.output_path = directory.path("flows/");
  config.rotate_seconds = 3600;
  config.file_reads = FileReads::kAll;
  config.callback = [&](const Joined& joined, const Activity&) {
    // Unfinished files have another name.
    was_private = is_private(std::string(joined.header->filename) + ".part");
    seen = seen || (joined.file1 != nullptr && joined.file1->path == path);
    return !seen;
  };
  Driver driver(std::move(config));
  // This process is not captured, so another one has to act.
  std::thread worker([&] {
    for (int i = 0; i < 200 && !ended; ++i) {
      EXPECT_EQ(std::system(("echo something > " + path).c_str()), 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    driver.exit();
  });
  const Status status = driver.run();
  ended = true;
  worker.join();
  std::filesystem::remove(path);
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_TRUE(seen);
  EXPECT_TRUE(was_private);
  ASSERT_EQ(driver.summary().files.size(), 1u);
  EXPECT_TRUE(is_private(driver.summary().files[0]));
  EXPECT_GT(records_of(driver.summary().files[0]).size(), 1u);
}

}  // namespace
}  // namespace sfkit
