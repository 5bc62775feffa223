// Counts records by type in a class, and prints the counts and the code of the error as JSON.
// Arguments: a capture, or "live" for the running kernel until SIGTERM; then settings such as
// fileOnly=0. With only=NAME it counts the records of programs whose path ends in NAME, and prints a
// line when it sees another program for the first time.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "sysflow/enums.hh"
#include "sysflow/sysflowlibs.hpp"

using namespace sysflow;
using namespace std::placeholders;

class Counter {
 public:
  std::string only;

  void process(SFHeader* /*header*/, Container* cont, Process* proc, File* f1, File* f2,
               SysFlow* rec) {
    if (!ends_with(proc->exe, only)) {
      if (seen_[proc->exe]++ == 0) {
        std::printf("%s\n", proc->exe.c_str());
        std::fflush(stdout);
      }
      return;
    }
    counts_[rec->rec.idx()]++;
    if (cont != nullptr) with_container_++;
    if (f1 != nullptr) files_++;
    if (f2 != nullptr) files_++;
  }

  void print(int code) const {
    static const std::map<size_t, const char*> names = {
        {SF_PROC_EVT, "ProcessEvent"}, {SF_NET_FLOW, "NetworkFlow"}, {SF_FILE_FLOW, "FileFlow"},
        {SF_FILE_EVT, "FileEvent"},    {SF_PROC_FLOW, "ProcessFlow"}};
    std::printf("{\"code\":%d,\"containers\":%d,\"files\":%d", code, with_container_, files_);
    for (const auto& count : counts_)
      std::printf(",\"%s\":%d", names.at(count.first), count.second);
    std::printf("}\n");
  }

 private:
  static bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
  }

  std::map<size_t, int> counts_;
  std::map<std::string, int> seen_;
  int with_container_ = 0;
  int files_ = 0;
};

static void set(SysFlowConfig* config, const std::string& name, const std::string& value) {
  const std::map<std::string, std::string*> texts = {
      {"falcoFilter", &config->falcoFilter}, {"filePath", &config->filePath},
      {"exporterID", &config->exporterID},   {"nodeIP", &config->nodeIP},
      {"socketPath", &config->socketPath},   {"appName", &config->appName},
      {"k8sAPIURL", &config->k8sAPIURL}};
  const std::map<std::string, bool*> flags = {{"filterContainers", &config->filterContainers},
                                              {"enableProcessFlow", &config->enableProcessFlow},
                                              {"fileOnly", &config->fileOnly},
                                              {"enableStats", &config->enableStats},
                                              {"debugMode", &config->debugMode},
                                              {"enableConsumerMode", &config->enableConsumerMode}};
  const std::map<std::string, int*> numbers = {{"rotateInterval", &config->rotateInterval},
                                               {"fileReadMode", &config->fileReadMode},
                                               {"criTO", &config->criTO},
                                               {"samplingRatio", &config->samplingRatio}};
  if (texts.count(name)) *texts.at(name) = value;
  if (flags.count(name)) *flags.at(name) = value == "1";
  if (numbers.count(name)) *numbers.at(name) = std::stoi(value);
  if (name == "collectionMode")
    config->collectionMode = static_cast<SFSysCallMode>(std::stoi(value));
  if (name == "singleBufferDimension") config->singleBufferDimension = std::stoull(value);
}

static sysflowlibscpp::SysFlowDriver* driver = nullptr;

static void stop(int) { driver->exit(); }

int main(int argc, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  if (argc > 1 && strcmp(argv[1], "live") != 0) config->scapInputPath = argv[1];
  Counter counter;
  for (int i = 2; i < argc; ++i) {
    const std::string setting = argv[i];
    const auto equals = setting.find('=');
    set(config, setting.substr(0, equals), setting.substr(equals + 1));
    if (setting.compare(0, equals, "only") == 0) counter.only = setting.substr(equals + 1);
  }
  config->callback = std::bind(&Counter::process, &counter, _1, _2, _3, _4, _5, _6);
  int code = -1;
  try {
    driver = new sysflowlibscpp::SysFlowDriver(config);
    std::signal(SIGTERM, stop);
    driver->run();
    delete driver;
  } catch (SysFlowException& e) {
    std::fprintf(stderr, "%s\n", e.what());
    code = e.getErrorCode();
  }
  counter.print(code);
  delete config;
}
