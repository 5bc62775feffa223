#include "output/socket_sink.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "testing/seqpacket_listener.h"

namespace sfkit::output {
namespace {

using namespace std::chrono_literals;

constexpr uint8_t kHeader = 0;
constexpr uint8_t kContainer = 1 << 1;
constexpr uint8_t kProcess = 2 << 1;
constexpr uint8_t kFile = 3 << 1;
constexpr uint8_t kProcessEvent = 4 << 1;
constexpr uint8_t kFileFlow = 6 << 1;
constexpr uint8_t kPod = 10 << 1;
constexpr uint8_t kK8sEvent = 11 << 1;
constexpr uint8_t kCreated = 0;
constexpr uint8_t kReup = 2 << 1;

class SocketSinkTest : public ::testing::Test {
 protected:
  SocketSinkTest() {
    limits_.retry = 0ms;
    limits_.linger = 20ms;
  }
  void TearDown() override { std::filesystem::remove(path_); }

  SocketSink& start() {
    return sink_.emplace(
        path_, [this](const LogMessage& message) { log_.emplace_back(message.text); }, ending_,
        limits_);
  }

  static sysflow::Oid oid(int64_t pid) { return {pid * 10, pid}; }
  void header() { sink_->header({}); }
  void container(const std::string& id, const char* pod = nullptr) {
    sysflow::Container record;
    record.id = id;
    if (pod != nullptr) record.pod_id = pod;
    sink_->container(record);
  }
  void pod(const std::string& id, int64_t restarts = 0) {
    sysflow::Pod record;
    record.id = id;
    record.restart_count = restarts;
    sink_->pod(record);
  }
  void process(int64_t pid, int64_t parent = 0, const char* container = nullptr) {
    sysflow::Process record;
    record.state = sysflow::ObjectState::kCreated;
    record.oid = oid(pid);
    if (parent != 0) record.poid = oid(parent);
    if (container != nullptr) record.container_id = SharedText(std::string_view(container));
    sink_->process(record);
  }
  static sysflow::Foid file_id(uint8_t number) { return {number}; }
  void file(uint8_t number) {
    sysflow::File record;
    record.state = sysflow::ObjectState::kCreated;
    record.oid = file_id(number);
    sink_->file(record);
  }
  void event(int64_t pid, int64_t tid = 1) {
    sysflow::ProcessEvent record;
    record.proc_oid = oid(pid);
    record.tid = tid;
    sink_->process_event(record);
  }
  void file_flow(int64_t pid, uint8_t number) {
    sysflow::FileFlow record;
    record.proc_oid = oid(pid);
    record.file_oid = file_id(number);
    sink_->file_flow(record);
  }
  // The branches of the next messages.
  std::vector<uint8_t> branches(size_t count) {
    std::vector<uint8_t> found;
    for (size_t i = 0; i < count; ++i) {
      last_ = listener_.receive();
      found.push_back(last_.empty() ? 255 : last_[0]);
      states_.push_back(last_.size() < 2 ? 255 : last_[1]);
    }
    return found;
  }

  std::string path_ =
      (std::filesystem::temp_directory_path() / ("sfkit-socket-" + std::to_string(::getpid())))
          .string();
  testing::SeqpacketListener listener_{path_};
  std::atomic<bool> ending_{false};
  SocketLimits limits_;
  std::vector<std::string> log_;
  std::vector<uint8_t> last_;
  std::vector<uint8_t> states_;  // second bytes
  std::optional<SocketSink> sink_;
};

using Branches = std::vector<uint8_t>;

TEST_F(SocketSinkTest, SendsEachRecordAsAMessageInOrder) {
  start();
  header();
  listener_.accept();
  container("c");
  process(1, 0, "c");
  file(7);
  file_flow(1, 7);
  EXPECT_EQ(branches(5), (Branches{kHeader, kContainer, kProcess, kFile, kFileFlow}));
  EXPECT_EQ(states_[2], kCreated);
  EXPECT_FALSE(listener_.has_message());
  sink_->close();
  EXPECT_EQ(sink_->sent(), 5u);
  EXPECT_EQ(sink_->dropped(), 0u);
  EXPECT_EQ(log_, std::vector<std::string>{path_ + ": connected"});
}

TEST_F(SocketSinkTest, GivesANewReaderWhatItsPredecessorDidNotReadAndItsEntities) {
  start();
  header();
  listener_.accept();
  container("c");
  process(1);
  process(2, 1, "c");
  event(2, 1);
  EXPECT_EQ(branches(5).back(), kProcessEvent);
  // Nobody reads these two.
  event(2, 2);
  event(2, 3);
  listener_.hang_up();
  states_.clear();
  event(2, 4);
  sink_->flush();
  listener_.accept();
  EXPECT_EQ(branches(7), (Branches{kHeader, kProcess, kContainer, kProcess, kProcessEvent,
                                   kProcessEvent, kProcessEvent}));
  EXPECT_EQ(states_[1], kReup);
  EXPECT_EQ(states_[3], kReup);
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 0u);
}

TEST_F(SocketSinkTest, GivesANewReaderThePodsOfItsContainersOnly) {
  start();
  header();
  listener_.accept();
  pod("p1");
  pod("p2");
  container("c", "p1");
  process(1, 0, "c");
  event(1);
  pod("p1", 7);
  EXPECT_EQ(branches(7).back(), kPod);
  const std::vector<uint8_t> newest = last_;
  sink_->flush();
  listener_.hang_up();
  event(1);
  sink_->k8s_event({});
  sink_->flush();
  listener_.accept();
  EXPECT_EQ(branches(2), (Branches{kHeader, kPod}));
  EXPECT_EQ(last_, newest);
  EXPECT_EQ(branches(4), (Branches{kContainer, kProcess, kProcessEvent, kK8sEvent}));
  // The other pod comes with the first container that is in it.
  container("d", "p2");
  EXPECT_EQ(branches(2), (Branches{kPod, kContainer}));
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 0u);
}

TEST_F(SocketSinkTest, SendsAPodThatTheQueueCouldNotHoldBeforeItsContainer) {
  const std::string path = path_ + "-later";
  limits_.queue = 2;
  sink_.emplace(path, LogHook(), ending_, limits_);
  header();
  event(1, 1);
  pod("p1");
  container("c", "p1");
  process(1, 0, "c");
  EXPECT_EQ(sink_->dropped(), 0u);
  testing::SeqpacketListener later(path);
  sink_->flush();
  later.accept();
  event(1, 2);
  for (const uint8_t branch : {kHeader, kPod, kContainer, kProcess, kProcessEvent, kProcessEvent})
    EXPECT_EQ(later.receive()[0], branch);
  sink_->close();
}

TEST_F(SocketSinkTest, QueuesRecordsUntilAReaderComes) {
  const std::string path = path_ + "-later";
  sink_.emplace(
      path, [this](const LogMessage& message) { log_.emplace_back(message.text); }, ending_,
      limits_);
  header();
  process(1);
  event(1);
  EXPECT_EQ(sink_->sent(), 0u);
  testing::SeqpacketListener later(path);
  event(1);
  later.accept();
  EXPECT_EQ(later.receive()[0], kHeader);
  EXPECT_EQ(later.receive()[0], kProcess);
  EXPECT_EQ(later.receive()[0], kProcessEvent);
  EXPECT_EQ(later.receive()[0], kProcessEvent);
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 0u);
  EXPECT_NE(log_[0].find("No such file or directory; records are queued"), std::string::npos);
}

TEST_F(SocketSinkTest, DropsAndCountsWhatTheQueueCannotHold) {
  const std::string path = path_ + "-later";
  limits_.queue = 4;
  sink_.emplace(path, LogHook(), ending_, limits_);
  header();
  process(1);
  event(1, 1);
  event(1, 2);
  event(1, 3);
  // It does not fit either, but entities are kept.
  process(2, 1);
  event(2, 4);
  EXPECT_EQ(sink_->dropped(), 2u);
  testing::SeqpacketListener later(path);
  sink_->flush();
  later.accept();
  event(2, 5);
  for (const uint8_t branch :
       {kHeader, kProcess, kProcessEvent, kProcessEvent, kProcess, kProcessEvent})
    EXPECT_EQ(later.receive()[0], branch);
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 2u);
}

TEST_F(SocketSinkTest, LimitsTheBytesThatWait) {
  limits_.queue_bytes = 100;
  sink_.emplace(path_ + "-missing", LogHook(), ending_, limits_);
  header();
  sysflow::ProcessEvent record;
  record.args = {std::string(1000, 'a')};
  sink_->process_event(record);
  EXPECT_EQ(sink_->dropped(), 0u);
  sink_->process_event(record);
  EXPECT_EQ(sink_->dropped(), 1u);
}

TEST_F(SocketSinkTest, EndsWithoutAReader) {
  sink_.emplace(
      path_ + "-missing", [this](const LogMessage& message) { log_.emplace_back(message.text); },
      ending_, limits_);
  header();
  process(1);
  event(1);
  event(1);
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 2u);
  EXPECT_NE(log_.back().find("2 records were dropped ("), std::string::npos) << log_.back();
}

TEST_F(SocketSinkTest, WaitsForASlowReaderUntilTheEnd) {
  start();
  header();
  listener_.accept();
  process(1);
  std::atomic<bool> ended{false};
  std::thread reader([this, &ended] {
    while (!ended || listener_.has_message()) {
      if (listener_.receive().empty()) break;
    }
  });
  // Far more than the socket's buffer holds.
  for (int64_t i = 0; i < 20'000; ++i) event(1, i);
  sink_->close();
  ended = true;
  reader.join();
  EXPECT_EQ(sink_->sent(), 20'002u);
  EXPECT_EQ(sink_->dropped(), 0u);
}

TEST_F(SocketSinkTest, LeavesAReaderThatTakesNothing) {
  start();
  header();
  listener_.accept();
  process(1);
  ending_ = true;
  for (int64_t i = 0; i < 5'000; ++i) event(1, i);
  sink_->close();
  EXPECT_GT(sink_->dropped(), 0u);
  EXPECT_LT(sink_->dropped(), 5'000u);
}

TEST_F(SocketSinkTest, SkipsARecordThatIsLongerThanAMessage) {
  start();
  header();
  listener_.accept();
  sysflow::ProcessEvent record;
  record.args = {std::string(size_t{8} << 20, 'a')};
  sink_->process_event(record);
  process(1);
  event(1);
  EXPECT_EQ(branches(3), (Branches{kHeader, kProcess, kProcessEvent}));
  sink_->close();
  EXPECT_EQ(sink_->dropped(), 1u);
}

TEST_F(SocketSinkTest, CountsFlowsOfIpv6) {
  start();
  sysflow::NetworkFlow record;
  record.ipv6 = true;
  sink_->network_flow(record);
  EXPECT_EQ(sink_->dropped_ipv6(), 1u);
  EXPECT_EQ(sink_->dropped(), 0u);
}

TEST_F(SocketSinkTest, SendsEntitiesAgainAfterAHeader) {
  start();
  header();
  listener_.accept();
  process(1);
  event(1);
  header();
  process(1);
  event(1);
  EXPECT_EQ(branches(6),
            (Branches{kHeader, kProcess, kProcessEvent, kHeader, kProcess, kProcessEvent}));
  sink_->close();
}

TEST_F(SocketSinkTest, ForgetsEntitiesThatEnded) {
  start();
  header();
  listener_.accept();
  process(1);
  file(7);
  file_flow(1, 7);
  EXPECT_EQ(branches(4).size(), 4u);
  sink_->flush();
  sink_->process_gone(oid(1));
  sink_->files_forgotten();
  listener_.hang_up();
  file_flow(1, 7);
  sink_->flush();
  listener_.accept();
  // Their ids are unknown to the new reader, as nothing before the flow brought them again.
  EXPECT_EQ(branches(2), (Branches{kHeader, kFileFlow}));
  sink_->close();
}

TEST_F(SocketSinkTest, ForgetsPodsThatEnded) {
  start();
  header();
  listener_.accept();
  pod("p1");
  container("c", "p1");
  EXPECT_EQ(branches(3).size(), 3u);
  sink_->flush();
  sink_->pod_gone("p1");
  listener_.hang_up();
  process(1, 0, "c");
  sink_->flush();
  listener_.accept();
  EXPECT_EQ(branches(3), (Branches{kHeader, kContainer, kProcess}));
  sink_->close();
}

TEST_F(SocketSinkTest, EndsAChainOfForgedParents) {
  start();
  header();
  listener_.accept();
  process(1, 2);
  process(2, 1);
  event(1);
  EXPECT_EQ(branches(4), (Branches{kHeader, kProcess, kProcess, kProcessEvent}));
  sink_->close();
}

}  // namespace
}  // namespace sfkit::output
