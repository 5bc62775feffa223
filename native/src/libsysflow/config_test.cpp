#include "libsysflow/config.h"

#include <gtest/gtest.h>
#include <sysflow/sysflowexception.h>

#include <functional>
#include <string>

#include "live_limits.gen.h"

namespace sfkit::libsysflow {
namespace {

// A configuration that is permitted.
SysFlowConfig for_capture() {
  SysFlowConfig config;
  config.scapInputPath = "a.scap";
  config.filePath = "a.sf";
  return config;
}

DriverConfig converted(const std::function<void(SysFlowConfig&)>& change) {
  SysFlowConfig config = for_capture();
  change(config);
  return driver_config(config, {});
}

// The message of the exception; empty if there is none.
std::string refusal(const std::function<void(SysFlowConfig&)>& change) {
  try {
    converted(change);
    return "";
  } catch (const sfexception::SysFlowException& error) {
    EXPECT_EQ(error.getErrorCode(), sfexception::LibsError);
    return error.what();
  }
}

TEST(LibSysFlowConfig, HasTheDefaultsOfTheContract) {
  const DriverConfig config = driver_config(for_capture(), {});
  EXPECT_EQ(config.input_path, "a.scap");
  EXPECT_EQ(config.output_path, "a.sf");
  EXPECT_EQ(config.socket_path, "");
  EXPECT_EQ(config.file_reads, FileReads::kOutsideSystemDirectories);
  EXPECT_EQ(config.file_tracking, FileTracking::kFlows);
  EXPECT_TRUE(config.files_only);
  EXPECT_TRUE(config.process_flows);
  EXPECT_FALSE(config.containers_only);
  EXPECT_FALSE(config.compat);
  EXPECT_EQ(config.stats_seconds, 0);
  EXPECT_FALSE(config.live.all_calls);
  EXPECT_EQ(config.live.sampling_ratio, 1u);
  EXPECT_EQ(config.live.ring_bytes, uint32_t{live::kDefaultRingBytes});
  EXPECT_EQ(config.live.cpus_per_ring, 0u);
  EXPECT_EQ(config.live.runtime_timeout_seconds, 30);
  EXPECT_EQ(SysFlowConfig().singleBufferDimension, uint64_t{live::kDefaultRingBytes});
}

TEST(LibSysFlowConfig, PassesEveryField) {
  const DriverConfig config = converted([](SysFlowConfig& from) {
    from.filterContainers = true;
    from.rotateInterval = 60;
    from.exporterID = "box";
    from.nodeIP = "10.0.0.1";
    from.filePath = "flows/";
    from.socketPath = "/tmp/socket";
    from.falcoFilter = "proc.name = a";
    from.samplingRatio = 4;
    from.criPath = "/run/cri.sock";
    from.criTO = 0;
    from.enableStats = true;
    from.enableProcessFlow = false;
    from.fileOnly = false;
    from.fileReadMode = 1;
    from.dropMode = false;
    from.collectionMode = SFConsumerMode;
    from.cpuBuffers = 2;
    from.singleBufferDimension = 12288;
    from.k8sAPIURL = "https://10.0.0.1:6443";
    from.k8sAPICert = "/ca.crt";
  });
  EXPECT_EQ(config.live.k8s_api_url, "https://10.0.0.1:6443");
  EXPECT_EQ(config.live.k8s_api_cert, "/ca.crt");
  EXPECT_TRUE(config.containers_only);
  EXPECT_EQ(config.rotate_seconds, 60);
  EXPECT_EQ(config.exporter, "box");
  EXPECT_EQ(config.node_ip, "10.0.0.1");
  EXPECT_EQ(config.output_path, "flows/");
  EXPECT_EQ(config.socket_path, "/tmp/socket");
  EXPECT_EQ(config.filter, "proc.name = a");
  EXPECT_EQ(config.live.sampling_ratio, 4u);
  EXPECT_EQ(config.live.cri_socket, "/run/cri.sock");
  EXPECT_EQ(config.live.runtime_timeout_seconds, 0);
  EXPECT_EQ(config.stats_seconds, 30);
  EXPECT_FALSE(config.process_flows);
  EXPECT_FALSE(config.files_only);
  EXPECT_EQ(config.file_reads, FileReads::kNone);
  EXPECT_TRUE(config.live.all_calls);
  EXPECT_EQ(config.file_tracking, FileTracking::kOpens);
  EXPECT_EQ(config.live.cpus_per_ring, 2u);
  EXPECT_EQ(config.live.ring_bytes, 16384u) << "the kernel needs a power of two";
}

TEST(LibSysFlowConfig, RoundsBuffersUpToAPowerOfTwo) {
  const auto bytes = [](uint64_t dimension) {
    return converted([&](SysFlowConfig& from) { from.singleBufferDimension = dimension; })
        .live.ring_bytes;
  };
  EXPECT_EQ(bytes(0), uint32_t{live::kDefaultRingBytes});
  EXPECT_EQ(bytes(4096), 4096u);
  EXPECT_EQ(bytes(8192), 8192u);
  EXPECT_EQ(bytes(12288), 16384u);
  EXPECT_EQ(bytes(live::kMaxRingBytes), uint32_t{live::kMaxRingBytes});
  for (const uint64_t wrong : {uint64_t{1}, uint64_t{4097}, uint64_t{live::kMaxRingBytes} + 4096}) {
    const std::string text =
        refusal([&](SysFlowConfig& from) { from.singleBufferDimension = wrong; });
    EXPECT_NE(text.find("singleBufferDimension"), std::string::npos) << wrong;
  }
}

TEST(LibSysFlowConfig, RotatesLiveFilesByDefaultAndCapturesOnRequest) {
  const auto seconds = [](const char* input, int interval) {
    return converted([&](SysFlowConfig& from) {
             from.scapInputPath = input;
             from.rotateInterval = interval;
           })
        .rotate_seconds;
  };
  EXPECT_EQ(seconds("", 300), 300);
  EXPECT_EQ(seconds(NULL, 0), 0);
  EXPECT_EQ(seconds("a.scap", 300), 0);
  EXPECT_EQ(seconds("a.scap", 10), 10);
}

TEST(LibSysFlowConfig, TakesTheNameOfTheProgramFromItsPath) {
  const auto name = [](const char* app) {
    SysFlowConfig config = for_capture();
    config.appName = app;
    driver_config(config, {});
    return name_of_app(config);
  };
  EXPECT_EQ(name("shop"), "shop");
  EXPECT_EQ(name("./shop"), "shop");
  EXPECT_EQ(name("/usr/bin/shop"), "shop");
  for (const char* none : {"", "/", "bin/", static_cast<const char*>(nullptr)})
    EXPECT_EQ(name(none), "sysflowlibs");
  EXPECT_EQ(name_of_app(SysFlowConfig()), "sysflowlibs");
}

TEST(LibSysFlowConfig, FollowsTheEnvironment) {
  EnvironmentSettings environment;
  environment.node_ip = "10.9.9.9";
  environment.stats = true;
  environment.drop_mode = false;
  const DriverConfig config = driver_config(for_capture(), environment);
  EXPECT_EQ(config.node_ip, "10.9.9.9");
  EXPECT_EQ(config.stats_seconds, 30);
  EXPECT_TRUE(config.live.all_calls);
}

TEST(LibSysFlowConfig, IgnoresAWrongAddressUnlessTheProgramAsksForKubernetes) {
  for (const char* url : {"localhost", "ftp://k8s", "//k8s", "https://", "k8s:6443/x y"}) {
    EnvironmentSettings environment;
    environment.k8s_api_url = url;
    SysFlowConfig config = for_capture();
    EXPECT_EQ(driver_config(config, environment).live.k8s_api_url, "");
    EXPECT_EQ(problem_of_address(environment),
              "SF_K8S_API_URL='" + std::string(url) +
                  "' in the environment: expected an http or https URL");
    config.k8sAPIURL = "https://k8s";
    try {
      driver_config(config, environment);
      ADD_FAILURE() << url;
    } catch (const sfexception::SysFlowException& error) {
      EXPECT_EQ(error.getErrorCode(), sfexception::LibsError);
      EXPECT_EQ(error.what(), problem_of_address(environment));
    }
  }
  EXPECT_EQ(problem_of_address({}), "");
}

TEST(LibSysFlowConfig, RefusesFilesForTheApiThatCannotBeRead) {
  const auto live = [](const char* url, const char* files) {
    return refusal([&](SysFlowConfig& from) {
      from.scapInputPath = NULL;
      from.k8sAPIURL = url;
      from.k8sAPICert = files;
    });
  };
  EXPECT_NE(live("https://k8s", "/missing").find("/missing: cannot read it"), std::string::npos);
  EXPECT_NE(live("https://user:secret@k8s", "").find("without a password"), std::string::npos);
  EXPECT_EQ(live("https://user:secret@k8s", "").find("secret"), std::string::npos);
  EXPECT_NE(live("http://k8s", "/ca").find("need an https URL"), std::string::npos);
  EXPECT_EQ(live("https://k8s", ""), "");
}

TEST(LibSysFlowConfig, RefusesWhatContradicts) {
  EXPECT_EQ(refusal([](SysFlowConfig&) {}), "");
  EXPECT_NE(refusal([](SysFlowConfig& from) { from.driverType = KMOD; }), "");
  EXPECT_NE(refusal([](SysFlowConfig& from) { from.filePath = NULL; }), "");
  EXPECT_NE(refusal([](SysFlowConfig& from) {
              from.enableConsumerMode = true;
              from.collectionMode = SFNoFilesMode;
            }),
            "");
  EXPECT_NE(refusal([](SysFlowConfig& from) { from.filePath = std::string("a\0b", 3); }), "");
  EXPECT_EQ(refusal([](SysFlowConfig& from) { from.singleBufferDimension = 0; }), "");
}

}  // namespace
}  // namespace sfkit::libsysflow
