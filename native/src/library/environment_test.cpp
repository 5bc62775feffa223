#include <sfkit/config.h>
#include <sfkit/environment.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace sfkit {
namespace {

EnvironmentSettings read(const std::map<std::string, std::string>& variables) {
  return read_environment([&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

DriverConfig applied(const std::map<std::string, std::string>& variables,
                     DriverConfig config = {}) {
  apply_environment(read(variables), config);
  return config;
}

TEST(Environment, ChangesNothingWithoutVariables) {
  const DriverConfig config = applied({});
  EXPECT_TRUE(config.files_only);
  EXPECT_TRUE(config.process_flows);
  EXPECT_EQ(config.file_reads, FileReads::kOutsideSystemDirectories);
  EXPECT_EQ(config.stats_seconds, 0);
  EXPECT_FALSE(config.live.all_calls);
  EXPECT_FALSE(read({}).debug.has_value());
  EXPECT_FALSE(read({}).k8s_api_url.has_value());
}

TEST(Environment, KnowsBooleansInAnyCase) {
  DriverConfig off;
  off.files_only = off.process_flows = false;
  for (const char* yes : {"1", "true", "True", "TRUE", "yes", "YES"}) {
    EXPECT_TRUE(applied({{"FILE_ONLY", yes}}, off).files_only) << yes;
    EXPECT_TRUE(applied({{"ENABLE_PROC_FLOW", yes}}, off).process_flows) << yes;
    EXPECT_FALSE(applied({{"ENABLE_DROP_MODE", yes}}).live.all_calls) << yes;
    EXPECT_EQ(applied({{"ENABLE_STATS", yes}}).stats_seconds, 30) << yes;
    EXPECT_EQ(read({{"DRIVER_LOG", yes}}).debug, true) << yes;
  }
  for (const char* no : {"0", "false", "NO", "", "2", "on"}) {
    EXPECT_FALSE(applied({{"FILE_ONLY", no}}).files_only) << no;
    EXPECT_FALSE(applied({{"ENABLE_PROC_FLOW", no}}).process_flows) << no;
    EXPECT_TRUE(applied({{"ENABLE_DROP_MODE", no}}).live.all_calls) << no;
    EXPECT_EQ(applied({{"ENABLE_STATS", no}}).stats_seconds, 0) << no;
    EXPECT_EQ(read({{"DRIVER_LOG", no}}).debug, false) << no;
  }
}

TEST(Environment, WarnsAboutWrongValues) {
  EXPECT_TRUE(
      read({{"FILE_ONLY", "YES"}, {"DRIVER_LOG", "no"}, {"FILE_READ_MODE", "2"}}).warnings.empty());
  EXPECT_TRUE(read({{"FILE_READ_MODE", ""}, {"NODE_IP", ""}, {"HOST_ROOT", ""}}).warnings.empty());
  EXPECT_EQ(
      read({{"ENABLE_STATS", "on\x1b[2J"}, {"FILE_READ_MODE", "3"}}).warnings,
      (std::vector<std::string>{
          "ENABLE_STATS='on\\x1b[2J' in the environment: expected 1, true, yes, 0, false or no; "
          "it counts as off",
          "FILE_READ_MODE='3' in the environment: expected 0, 1 or 2; it is ignored"}));
  const std::string text = read({{"FILE_ONLY", std::string(100'000, 'x')}}).warnings.at(0);
  EXPECT_LT(text.size(), 200u);
}

TEST(Environment, KeepsAnIntervalOfStatistics) {
  DriverConfig config;
  config.stats_seconds = 5;
  EXPECT_EQ(applied({{"ENABLE_STATS", "1"}}, config).stats_seconds, 5);
  EXPECT_EQ(applied({{"ENABLE_STATS", "0"}}, config).stats_seconds, 5);
}

TEST(Environment, IgnoresWrongModes) {
  EXPECT_EQ(applied({{"FILE_READ_MODE", "0"}}).file_reads, FileReads::kAll);
  EXPECT_EQ(applied({{"FILE_READ_MODE", "1"}}).file_reads, FileReads::kNone);
  EXPECT_EQ(applied({{"FILE_READ_MODE", "2"}}).file_reads, FileReads::kOutsideSystemDirectories);
  DriverConfig config;
  config.file_reads = FileReads::kAll;
  for (const char* wrong : {"", "3", "-1", "1x", " 1", "11"})
    EXPECT_EQ(applied({{"FILE_READ_MODE", wrong}}, config).file_reads, FileReads::kAll) << wrong;
}

TEST(Environment, TakesTextsAsTheyAre) {
  DriverConfig config;
  config.node_ip = "10.0.0.1";
  EXPECT_EQ(applied({{"NODE_IP", "10.0.0.2"}}, config).node_ip, "10.0.0.2");
  // It removes the configured address.
  EXPECT_EQ(applied({{"NODE_IP", ""}}, config).node_ip, "");
  const EnvironmentSettings settings = read({{"SF_K8S_API_URL", "https://k"},
                                             {"SF_K8S_API_CERT", "/ca"},
                                             {"HOST_ROOT", "/host"},
                                             {"FALCO_BPF_PROBE", "/probe.o"}});
  EXPECT_EQ(settings.k8s_api_url, "https://k");
  EXPECT_EQ(settings.k8s_api_certificate, "/ca");
  EXPECT_EQ(settings.bpf_probe, "/probe.o");
  EXPECT_EQ(applied({{"HOST_ROOT", "/host"}}).live.host_root, "/host");
  EXPECT_FALSE(read({{"SF_K8S_API_URL", ""}}).k8s_api_url.has_value());
  EXPECT_FALSE(read({{"HOST_ROOT", ""}}).host_root.has_value());
}

TEST(Environment, IgnoresAWrongAddressUnlessTheProgramAsksForKubernetes) {
  EXPECT_EQ(applied({{"SF_K8S_API_URL", "https://k"}}).live.k8s_api_url, "https://k");
  EXPECT_EQ(applied({{"SF_K8S_API_CERT", "/ca"}}).live.k8s_api_cert, "/ca");
  DriverConfig asking;
  asking.live.k8s_api_url = "https://mine";
  EXPECT_EQ(applied({{"SF_K8S_API_URL", "https://k"}}, asking).live.k8s_api_url, "https://k");
  for (const char* wrong : {"localhost", "ftp://k8s", "//k8s", "https://", "https://k8s/x y"}) {
    EXPECT_EQ(applied({{"SF_K8S_API_URL", wrong}}).live.k8s_api_url, "") << wrong;
    // run() refuses it.
    EXPECT_EQ(applied({{"SF_K8S_API_URL", wrong}}, asking).live.k8s_api_url, wrong) << wrong;
  }
}

TEST(Environment, ReadsTheProcessWithoutALookup) {
  ::setenv("SF_K8S_API_URL", "https://own", 1);
  EXPECT_EQ(read_environment().k8s_api_url, "https://own");
  ::unsetenv("SF_K8S_API_URL");
  EXPECT_FALSE(read_environment().k8s_api_url.has_value());
}

}  // namespace
}  // namespace sfkit
