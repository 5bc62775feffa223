// Counts records by type in a class, and prints the counts and the code of the error as JSON.
// Arguments: a capture, then settings such as fileOnly=0.
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
  void process(SFHeader* /*header*/, Container* cont, Process* proc, File* f1, File* f2,
               SysFlow* rec) {
    counts_[rec->rec.idx()]++;
    if (proc == nullptr) std::abort();
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
  std::map<size_t, int> counts_;
  int with_container_ = 0;
  int files_ = 0;
};

static void set(SysFlowConfig* config, const std::string& name, const std::string& value) {
  const std::map<std::string, std::string*> texts = {
      {"falcoFilter", &config->falcoFilter}, {"filePath", &config->filePath},
      {"exporterID", &config->exporterID},   {"nodeIP", &config->nodeIP},
      {"socketPath", &config->socketPath},   {"appName", &config->appName}};
  const std::map<std::string, bool*> flags = {{"filterContainers", &config->filterContainers},
                                              {"enableProcessFlow", &config->enableProcessFlow},
                                              {"fileOnly", &config->fileOnly},
                                              {"enableStats", &config->enableStats},
                                              {"debugMode", &config->debugMode}};
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

int main(int argc, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  if (argc > 1) config->scapInputPath = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string setting = argv[i];
    const auto equals = setting.find('=');
    set(config, setting.substr(0, equals), setting.substr(equals + 1));
  }
  Counter counter;
  config->callback = std::bind(&Counter::process, &counter, _1, _2, _3, _4, _5, _6);
  int code = -1;
  try {
    sysflowlibscpp::SysFlowDriver* driver = new sysflowlibscpp::SysFlowDriver(config);
    driver->run();
    delete driver;
  } catch (SysFlowException& e) {
    std::fprintf(stderr, "%s\n", e.what());
    code = e.getErrorCode();
  }
  counter.print(code);
  delete config;
}
