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
  });
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
