// Uses the types of libSysFlow in every way that programs do, and checks the results. Argument: a
// capture.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "op_flags.h"
#include "sysflow.h"
#include "sysflowexception.h"
#include "sysflowlibs.hpp"

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      std::cout << "line " << __LINE__ << ": " #condition << std::endl; \
      std::exit(1);                                                   \
    }                                                                 \
  } while (false)

namespace {

std::string by_reference(const std::string& text) { return text; }
std::string by_value(std::string text) { return text; }
size_t by_view(std::string_view text) { return text.size(); }

struct Named {
  operator std::string() const { return "named"; }
};

void null_becomes_empty() {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  config->filePath = "x";
  config->filePath = NULL;
  CHECK(config->filePath.empty());
  config->socketPath = nullptr;
  config->scapInputPath = 0;
  const char* missing = std::getenv("SFKIT_NO_SUCH_VARIABLE");
  config->exporterID = missing;
  char* none = nullptr;
  config->nodeIP = none;
  config->criPath = missing != nullptr ? missing : NULL;
  config->falcoFilter = {};
  CHECK(config->exporterID == "" && config->nodeIP.empty() && config->criPath.length() == 0);
  delete config;
}

void fields_are_strings() {
  SysFlowConfig config;
  config.filePath = std::string("a");
  std::string copy = config.filePath;
  config.filePath = copy;
  config.filePath = std::move(copy);
  config.filePath += "b";
  CHECK(config.filePath == "ab" && "ab" == config.filePath && config.filePath != std::string("c"));
  config.filePath = config.filePath + "/" + config.filePath + 'c';
  CHECK("x" + config.filePath == "xab/abc");
  config.filePath = 'q';
  CHECK(config.filePath == "q");
  const std::string_view view = "view";
  config.filePath = view;
  CHECK(by_view(config.filePath) == 4);
  char buffer[16] = "buffer";
  config.filePath = buffer;
  CHECK(by_reference(config.filePath) == "buffer" && by_value(config.filePath) == "buffer");
  config.filePath = Named();
  CHECK(config.filePath == "named");
  config.filePath = {"abc", 2};
  CHECK(config.filePath == "ab");
  config.filePath = {'a', 'b', 'c'};
  CHECK(strcmp(config.filePath.c_str(), "abc") == 0);

  std::ostringstream out;
  out << config.filePath;
  CHECK(out.str() == "abc");
  std::istringstream in("word\nline of words");
  in >> config.filePath;
  CHECK(config.filePath == "word");
  std::getline(in, config.filePath);
  std::getline(in, config.filePath);
  CHECK(config.filePath == "line of words");

  std::string* pointer = &config.filePath;
  *pointer = "pointed";
  std::string& reference = config.filePath;
  reference += "!";
  CHECK(config.filePath == "pointed!");
  std::map<std::string, std::string*> options{{"file", &config.filePath},
                                              {"socket", &config.socketPath}};
  *options["socket"] = "s";
  CHECK(config.socketPath == "s");
  std::string local = "local";
  std::swap(config.filePath, local);
  std::swap(config.filePath, config.socketPath);
  CHECK(config.filePath == "s" && config.socketPath == "local" && local == "pointed!");
  const bool yes = !local.empty();
  std::string chosen = yes ? config.filePath : local;
  chosen = yes ? config.filePath : "literal";
  chosen = yes ? config.filePath : std::string("temporary");
  CHECK(chosen == "s");
  std::vector<std::string> all{config.filePath, config.socketPath};
  all.push_back(config.exporterID);
  CHECK(all.size() == 3 && std::find(all.begin(), all.end(), config.filePath) == all.begin());

  std::filesystem::path path(config.filePath);
  const std::filesystem::path from = config.filePath;
  CHECK(path == from && path == config.filePath && path.filename() == "s");
  path = config.socketPath;
  path /= config.filePath;
  path += config.filePath;
  CHECK(path == "local/ss" && path / config.filePath == "local/ss/s");
  CHECK(!std::filesystem::is_directory(config.socketPath));
  CHECK(std::filesystem::path(std::move(path)).parent_path() == config.socketPath);
  std::ifstream input(config.filePath);
  input.open(config.socketPath);

  SysFlowConfig other = config;
  other.filePath = "other";
  CHECK(config.filePath == "s");
  config = other;
  CHECK(config.filePath == "other");
}

void defaults() {
  const SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  CHECK(!config->filterContainers && config->rotateInterval == 300 && config->samplingRatio == 1);
  CHECK(config->criTO == 30 && !config->enableStats && config->enableProcessFlow);
  CHECK(config->fileOnly && config->fileReadMode == 2 && config->dropMode && !config->debugMode);
  CHECK(config->callback == nullptr && config->moduleChecks && config->cpuBuffers == 0);
  CHECK(config->appName == "sysflowlibs" && config->collectionMode == SFSysCallMode::SFFlowMode);
  CHECK(!config->enableConsumerMode && config->driverType == DriverType::NO_DRIVER);
  CHECK(config->singleBufferDimension > 0);
  CHECK(config->exporterID.empty() && config->nodeIP.empty() && config->filePath.empty());
  CHECK(config->socketPath.empty() && config->scapInputPath.empty() && config->criPath.empty());
  CHECK(config->falcoFilter.empty() && config->k8sAPIURL.empty() && config->k8sAPICert.empty());
  delete config;
}

void unions() {
  sysflow::Process proc;
  CHECK(proc.poid.is_null() && proc.poid.idx() == 0 && proc.containerId.is_null());
  sysflow::OID oid;
  oid.createTS = 5;
  oid.hpid = 7;
  proc.poid.set_OID(oid);
  CHECK(proc.poid.idx() == 1 && !proc.poid.is_null() && proc.poid.get_OID().hpid == 7);
  sysflow::Process::containerId_t id;
  id.set_string("abc");
  proc.containerId = id;
  CHECK(proc.containerId.get_string() == "abc");
  proc.containerId.set_null();
  CHECK(proc.containerId.is_null());

  sysflow::FileEvent event;
  std::array<uint8_t, 20> foid{};
  foid[19] = 9;
  event.newFileOID.set_FOID(foid);
  sysflow::FileEvent::newFileOID_t second = event.newFileOID;
  CHECK(second.get_FOID()[19] == 9);
  sysflow::Container container;
  sysflow::Container::podId_t pod = container.podId;
  CHECK(pod.is_null() && (int)container.type == 0);

  sysflow::SysFlow flow;
  CHECK(flow.rec.idx() == SF_HEADER && flow.rec.get_SFHeader().version == 5);
  flow.rec.set_Container(container);
  CHECK(flow.rec.idx() == SF_CONT);
  flow.rec.set_Process(proc);
  CHECK(flow.rec.idx() == SF_PROC && flow.rec.get_Process().poid.get_OID().createTS == 5);
  flow.rec.set_File(sysflow::File());
  CHECK(flow.rec.idx() == SF_FILE_OBJ);
  flow.rec.set_ProcessEvent(sysflow::ProcessEvent());
  CHECK(flow.rec.idx() == SF_PROC_EVT);
  flow.rec.set_NetworkFlow(sysflow::NetworkFlow());
  CHECK(flow.rec.idx() == SF_NET_FLOW);
  flow.rec.set_FileFlow(sysflow::FileFlow());
  CHECK(flow.rec.idx() == SF_FILE_FLOW);
  flow.rec.set_FileEvent(event);
  CHECK(flow.rec.idx() == SF_FILE_EVT && flow.rec.get_FileEvent().newFileOID.idx() == 1);
  flow.rec.set_NetworkEvent(sysflow::NetworkEvent());
  CHECK(flow.rec.idx() == SF_NET_EVT);
  flow.rec.set_ProcessFlow(sysflow::ProcessFlow());
  CHECK(flow.rec.idx() == SF_PROC_FLOW);
  sysflow::Pod details;
  details.labels["app"] = "shop";
  details.services.emplace_back();
  details.services[0].portList.emplace_back();
  details.services[0].portList[0].proto = "TCP";
  details.services[0].clusterIP.push_back(1);
  details.hostIP.push_back(2);
  flow.rec.set_Pod(details);
  CHECK(flow.rec.idx() == SF_POD && flow.rec.get_Pod().labels["app"] == "shop");
  sysflow::K8sEvent k8s;
  k8s.kind = sysflow::K8sComponent::K8S_PODS;
  k8s.action = sysflow::K8sAction::K8S_COMPONENT_DELETED;
  flow.rec.set_K8sEvent(k8s);
  CHECK(flow.rec.idx() == SF_K8S_EVT && (int)flow.rec.get_K8sEvent().kind == 2);
  const sysflow::SysFlow same = flow;
  CHECK(same.rec.idx() == SF_K8S_EVT);
  bool threw = false;
  try {
    flow.rec.get_FileFlow();
  } catch (const std::exception&) {
    threw = true;
  }
  CHECK(threw);
}

void operations() {
  int32_t flags = 0;
  flags |= OP_OPEN;
  flags |= OP_CLOSE;
  CHECK(flags == ((1 << 7) | (1 << 10)) && (flags & OP_OPEN) && !(flags & OP_MMAP));
  CHECK(OP_CLONE == 1 && OP_RENAME == 1 << 20);
  for (int flag : {OP_MKDIR, OP_RMDIR, OP_LINK, OP_UNLINK, OP_SYMLINK, OP_RENAME})
    CHECK(IS_FILE_EVT(flag));
  CHECK(!IS_FILE_EVT(OP_DIGEST) && !IS_FILE_EVT(OP_MKDIR | OP_RMDIR) && !IS_FILE_EVT(flags));
}

void exceptions(const char* capture) {
  try {
    throw SysFlowException("text", SysFlowError::NameTooLong);
  } catch (std::runtime_error& error) {
    CHECK(std::string(error.what()) == "text");
    CHECK(dynamic_cast<sfexception::SysFlowException&>(error).getErrorCode() == NameTooLong);
  }
  CHECK(SysFlowException("text").getErrorCode() == sfexception::LibsError);
  CHECK(sfexception::OperationNotSupported == 10);

  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  int calls = 0;
  config->scapInputPath = capture;
  config->callback = [&calls](sysflow::SFHeader*, sysflow::Container*, sysflow::Process*,
                              sysflow::File*, sysflow::File*, sysflow::SysFlow*) {
    if (++calls == 3) throw std::logic_error("enough");
  };
  sysflowlibscpp::SysFlowDriver driver(config);
  delete config;  // the driver has a copy
  bool threw = false;
  try {
    driver.run();
  } catch (const std::logic_error& error) {
    threw = std::string(error.what()) == "enough";
  }
  CHECK(threw && calls == 3);
  try {
    driver.run();
    CHECK(!"a second run");
  } catch (const SysFlowException& error) {
    CHECK(error.getErrorCode() == OperationNotSupported);
  }
  try {
    sysflowlibscpp::SysFlowDriver none(nullptr);
    CHECK(!"a driver without configuration");
  } catch (const SysFlowException& error) {
    CHECK(error.getErrorCode() == LibsError);
  }
}

// Programs can change what they get, and keep copies.
void arguments_are_theirs(const char* capture) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  config->scapInputPath = capture;
  std::vector<sysflow::Process> kept;
  std::vector<sysflow::SysFlow> records;
  config->callback = [&](sysflow::SFHeader* header, sysflow::Container*, sysflow::Process* proc,
                         sysflow::File* f1, sysflow::File*, sysflow::SysFlow* rec) {
    CHECK(header->exporter != "changed" && proc->exe != "changed");
    kept.push_back(std::move(*proc));
    records.push_back(*rec);
    header->exporter = "changed";
    proc->exe = "changed";
    proc->env.clear();
    if (f1 != nullptr) f1->path.clear();
    rec->rec.set_Pod(sysflow::Pod());
  };
  sysflowlibscpp::SysFlowDriver driver(config);
  CHECK(driver.run() == 0);
  CHECK(!kept.empty() && kept.size() == records.size());
  for (const auto& record : records) CHECK(record.rec.idx() != SF_POD);
  delete config;
}

}  // namespace

int main(int, char** argv) {
  null_becomes_empty();
  fields_are_strings();
  defaults();
  unions();
  operations();
  exceptions(argv[1]);
  arguments_are_theirs(argv[1]);
  std::cout << "all well" << std::endl;
}
