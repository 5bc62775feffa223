// Prints a line for each event and flow of a capture, or of the running kernel. Written for
// libSysFlow, and compiled unchanged against sfkit. The Makefile builds it.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "sysflowlibs.hpp"

namespace {

sysflowlibscpp::SysFlowDriver* g_driver = nullptr;

void on_signal(int) {
  g_driver->exit();
}

// Captured text can contain terminal control sequences.
std::string shown(const std::string& text) {
  std::string result;
  for (const char letter : text) result += letter < ' ' || letter == '\x7f' ? '?' : letter;
  return result;
}

void process_sysflow(sysflow::SFHeader* header, sysflow::Container* cont, sysflow::Process* proc,
                     sysflow::File* f1, sysflow::File* f2, sysflow::SysFlow* rec) {
  std::printf("%s pid %lld %s", header->exporter.c_str(), static_cast<long long>(proc->oid.hpid),
              shown(proc->exe).c_str());
  if (cont != nullptr) std::printf(" in %s", shown(cont->name).c_str());
  switch (rec->rec.idx()) {
    case SF_PROC_EVT: {
      const sysflow::ProcessEvent event = rec->rec.get_ProcessEvent();
      std::printf(" %s", event.opFlags == OP_EXEC ? "started" : "process event");
      break;
    }
    case SF_NET_FLOW: {
      const sysflow::NetworkFlow flow = rec->rec.get_NetworkFlow();
      std::printf(" network flow from port %d to %d", flow.sport, flow.dport);
      break;
    }
    case SF_FILE_FLOW: std::printf(" file flow"); break;
    case SF_FILE_EVT: std::printf(" file event"); break;
    case SF_PROC_FLOW: std::printf(" process flow"); break;
    default: break;
  }
  if (f1 != nullptr) std::printf(" %s", shown(f1->path).c_str());
  if (f2 != nullptr) std::printf(" -> %s", shown(f2->path).c_str());
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  config->callback = process_sysflow;
  config->filePath = NULL;
  if (argc > 1) config->scapInputPath = argv[1];
  int status = 0;
  try {
    sysflowlibscpp::SysFlowDriver driver(config);
    g_driver = &driver;
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    status = driver.run();
  } catch (const sfexception::SysFlowException& error) {
    std::fprintf(stderr, "error %d: %s\n", error.getErrorCode(), error.what());
    status = 1;
  }
  delete config;
  return status;
}
