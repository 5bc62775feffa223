#include "runtimes/watcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "testing/stub_server.h"

namespace sfkit::runtimes {
namespace {

using namespace std::chrono_literals;

std::string http(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

class Answers {
 public:
  ContainerWatcher::Describe describe() {
    return [this](const std::string& json) {
      const std::lock_guard lock(mutex_);
      all_.push_back(json);
    };
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

void wait_for_all(const ContainerWatcher& watcher) {
  while (watcher.waiting() > 0) std::this_thread::sleep_for(1ms);
}

TEST(ContainerWatcher, DescribesContainers) {
  const testing::StubServer server(http(R"({"Id":"full","Name":"/web"})"));
  Answers answers;
  ContainerWatcher watcher({{.docker = {server.path()}}, 60s}, answers.describe());
  watcher.add("0123456789ab", "");
  wait_for_all(watcher);
  ASSERT_EQ(answers.all().size(), 1u);
  EXPECT_NE(answers.all()[0].find("\"name\":\"web\""), std::string::npos) << answers.all()[0];
}

TEST(ContainerWatcher, AsksAgainUntilTheTimeIsOver) {
  const testing::StubServer server(http("", "404 Not Found"));
  Answers answers;
  ContainerWatcher watcher({{.docker = {server.path()}}, 1s}, answers.describe());
  watcher.add("0123456789ab", "");
  wait_for_all(watcher);
  EXPECT_TRUE(answers.all().empty());
  EXPECT_GT(server.clients(), 1u);
}

TEST(ContainerWatcher, AsksOnceWithoutTimeToWait) {
  const testing::StubServer server(http("", "404 Not Found"));
  ContainerWatcher watcher({{.docker = {server.path()}}, 0s}, [](const std::string&) {});
  watcher.add("0123456789ab", "");
  wait_for_all(watcher);
  EXPECT_EQ(server.clients(), 1u);
}

TEST(ContainerWatcher, DescribesManyContainersAtOnce) {
  const testing::StubServer server(http(R"({"Id":"full","Name":"/web"})"));
  Answers answers;
  ContainerWatcher watcher({{.docker = {server.path()}}, 0s}, answers.describe());
  for (int i = 0; i < 40; ++i) watcher.add(std::to_string(i), "");
  wait_for_all(watcher);
  EXPECT_EQ(answers.all().size(), 40u);
}

TEST(ContainerWatcher, NeverAsksAboutIdsThatAreNoIds) {
  const testing::StubServer server(http("{}"));
  ContainerWatcher watcher({{.docker = {server.path()}}, 60s}, [](const std::string&) {});
  for (const char* id : {"", "../images", "a b", "a\r\nX: y", "a?b", "\xc3\xa4"})
    watcher.add(id, "");
  wait_for_all(watcher);
  EXPECT_EQ(server.clients(), 0u);
}

TEST(ContainerWatcher, IsNotDelayedByASilentRuntime) {
  const testing::StubServer silent("", false);
  const testing::StubServer server(http(R"({"Id":"full","Name":"/web"})"));
  Answers answers;
  ContainerWatcher watcher({{.docker = {server.path()}, .podman = {silent.path()}}, 60s},
                           answers.describe());
  for (int i = 0; i < 100; ++i) watcher.add(std::to_string(i), "pids=/libpod-");
  watcher.add("0123456789ab", "pids=/docker/");
  const auto has_web = [&answers] {
    for (const std::string& json : answers.all()) {
      if (json.find("0123456789ab") != std::string::npos) return true;
    }
    return false;
  };
  while (!has_web() && watcher.waiting() > 0) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(has_web());
}

TEST(ContainerWatcher, EndsWhileRequestsRun) {
  const testing::StubServer silent("", false);
  {
    ContainerWatcher watcher({{.docker = {silent.path()}}, 3600s}, [](const std::string&) {});
    watcher.add("0123456789ab", "");
    while (silent.clients() == 0) std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(silent.clients(), 1u);
}

TEST(ContainerWatcher, FindsTheSocketsOfTheHost) {
  const RuntimeSockets sockets = usual_sockets("/host");
  EXPECT_EQ(sockets.docker, std::vector<std::string>{"/host/var/run/docker.sock"});
  EXPECT_EQ(sockets.users, "/host/run/user");
  EXPECT_EQ(usual_sockets("").cri.front(), "/run/containerd/containerd.sock");
}

}  // namespace
}  // namespace sfkit::runtimes
