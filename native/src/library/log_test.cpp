#include <sfkit/log.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

namespace sfkit {
namespace {

namespace fs = std::filesystem;

EnvironmentLookup lookup(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sfkit-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  // What the log prints with these variables.
  std::string printed(std::map<std::string, std::string> variables, bool debug = false) {
    ::testing::internal::CaptureStderr();
    {
      const Log log(log_settings("name", debug, lookup(variables)));
      log({LogSeverity::kInfo, 0, "driver", "info"});
      log({LogSeverity::kInfo, 1, "driver", "verbose"});
      log({LogSeverity::kInfo, 2, "socket", "very verbose"});
      log({LogSeverity::kWarning, 0, "socket", "warning"});
      log({LogSeverity::kError, 0, "socket", "error"});
    }
    return ::testing::internal::GetCapturedStderr();
  }
  // The texts of its lines.
  static std::string texts(const std::string& lines) {
    std::string all;
    static const std::regex kLine(
        "([IWE]) \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z name (driver|socket)\\] "
        "(.*)\n");
    size_t matched = 0;
    for (std::sregex_iterator at(lines.begin(), lines.end(), kLine), end; at != end; ++at) {
      all += (all.empty() ? "" : ",") + (*at)[3].str();
      matched += static_cast<size_t>(at->length());
    }
    EXPECT_EQ(matched, lines.size()) << lines;
    return all;
  }
  std::string file(const std::string& name) const {
    std::ifstream in(directory_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path directory_;
};

TEST_F(LogTest, PrintsErrorsByDefault) {
  EXPECT_EQ(texts(printed({})), "error");
}

TEST_F(LogTest, FollowsTheVariablesOfGlog) {
  for (const char* yes : {"1", "true", "TRUE", "yes", "Yes"})
    EXPECT_EQ(texts(printed({{"GLOG_logtostderr", yes}})), "info,warning,error") << yes;
  for (const char* no : {"0", "no", "False", "", "2"})
    EXPECT_EQ(texts(printed({{"GLOG_logtostderr", no}})), "error") << no;
  EXPECT_EQ(texts(printed({{"GLOG_stderrthreshold", "1"}})), "warning,error");
  EXPECT_EQ(texts(printed({{"GLOG_stderrthreshold", "3"}})), "");
  EXPECT_EQ(texts(printed({{"GLOG_stderrthreshold", "-1"}})), "error");
  EXPECT_EQ(texts(printed({{"GLOG_stderrthreshold", "text"}})), "error");
  EXPECT_EQ(texts(printed({{"GLOG_minloglevel", "1"}, {"GLOG_logtostderr", "1"}})),
            "warning,error");
  EXPECT_EQ(texts(printed({{"GLOG_minloglevel", "9"}})), "");
  EXPECT_EQ(texts(printed({{"GLOG_v", "1"}, {"GLOG_logtostderr", "1"}})),
            "info,verbose,warning,error");
  EXPECT_EQ(texts(printed({{"GLOG_vmodule", "sock*=2, d?iver=0"}, {"GLOG_logtostderr", "1"}})),
            "info,very verbose,warning,error");
  EXPECT_EQ(texts(printed({{"GLOG_vmodule", "driver=one,=2,,[ds]*=2"}, {"GLOG_logtostderr", "1"}})),
            "info,warning,error");
}

TEST_F(LogTest, PrintsEverythingForDebugging) {
  EXPECT_EQ(texts(printed({}, true)), "info,verbose,very verbose,warning,error");
}

TEST_F(LogTest, WritesAFileForEachSeverity) {
  EXPECT_EQ(texts(printed({{"GLOG_log_dir", directory_.string()}})), "error");
  EXPECT_EQ(texts(file("name.INFO")), "info,warning,error");
  EXPECT_EQ(texts(file("name.WARNING")), "warning,error");
  EXPECT_EQ(texts(file("name.ERROR")), "error");
  // The next run appends.
  printed({{"GLOG_log_dir", directory_.string()}, {"GLOG_minloglevel", "2"}});
  EXPECT_EQ(texts(file("name.ERROR")), "error,error");
  EXPECT_EQ(texts(file("name.WARNING")), "warning,error");
}

TEST_F(LogTest, WritesNoFilesBesideStandardError) {
  EXPECT_EQ(texts(printed({{"GLOG_log_dir", directory_.string()}, {"GLOG_logtostderr", "1"}})),
            "info,warning,error");
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(LogTest, SaysWhyThereAreNoFiles) {
  const std::string text = printed({{"GLOG_log_dir", (directory_ / "missing\x1b").string()}});
  EXPECT_EQ(text.find("name: no log files: "), 0u) << text;
  EXPECT_NE(text.find("missing\\x1b: No such file or directory\n"), std::string::npos) << text;
}

TEST_F(LogTest, KeepsCapturedTextOnItsLine) {
  ::testing::internal::CaptureStderr();
  Log(log_settings("name", false, lookup({})))({LogSeverity::kError, 0, "driver", "a\n\x1b[2J"});
  EXPECT_EQ(texts(::testing::internal::GetCapturedStderr()), "a\\x0a\\x1b[2J");
}

}  // namespace
}  // namespace sfkit
