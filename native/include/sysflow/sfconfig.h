// The configuration of libSysFlow. For the fields, see docs/libsysflow.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "enums.hh"
#include "op_flags.h"
#include "sysflow.hh"

enum SFSysCallMode {
  SFFlowMode,      // reads and writes of an open file become one flow
  SFConsumerMode,  // each open is a flow; there are no other records of files
  SFNoFilesMode    // no records of files and pipes
};

enum DriverType { EBPF, CORE_EBPF, KMOD, NO_DRIVER };

// Called for every event and flow. Only `cont`, `file1` and `file2` can be null. The pointers are
// valid during the call.
using SysFlowCallback =
    std::function<void(sysflow::SFHeader* header, sysflow::Container* cont, sysflow::Process* proc,
                       sysflow::File* file1, sysflow::File* file2, sysflow::SysFlow* record)>;

namespace sysflowlibscpp {

// A std::string to which a null pointer can be assigned: it becomes empty. libSysFlow's
// documentation says to set fields to NULL that are not used.
class ConfigString : public std::string {
 public:
  ConfigString() = default;
  ConfigString(const char* text) { *this = text; }
  ConfigString(const std::string& text) : std::string(text) {}
  ConfigString(std::string&& text) noexcept : std::string(std::move(text)) {}

  ConfigString& operator=(const char* text) {
    if (text == nullptr) {
      clear();
    } else {
      assign(text);
    }
    return *this;
  }
  ConfigString& operator=(const std::string& text) {
    assign(text);
    return *this;
  }
  ConfigString& operator=(std::string&& text) noexcept {
    assign(std::move(text));
    return *this;
  }
  ConfigString& operator=(std::initializer_list<char> letters) {
    assign(letters);
    return *this;
  }
  // A template, so that NULL is no letter.
  template <typename Char, std::enable_if_t<std::is_same_v<Char, char>, int> = 0>
  ConfigString& operator=(Char letter) {
    assign(1, letter);
    return *this;
  }
  template <typename View, std::enable_if_t<std::is_convertible_v<const View&, std::string_view> &&
                                                !std::is_convertible_v<const View&, const char*> &&
                                                !std::is_base_of_v<std::string, View>,
                                            int> = 0>
  ConfigString& operator=(const View& text) {
    assign(std::string_view(text));
    return *this;
  }

  // A path takes std::string itself, not types that derive from it.
  operator std::filesystem::path() const { return static_cast<const std::string&>(*this); }
};

}  // namespace sysflowlibscpp

struct SysFlowConfig {
  bool filterContainers = false;  // write only records of processes in containers
  int rotateInterval = 300;       // seconds; captures: only if it is not 300
  sysflowlibscpp::ConfigString exporterID;
  sysflowlibscpp::ConfigString nodeIP;
  sysflowlibscpp::ConfigString filePath;
  sysflowlibscpp::ConfigString socketPath;
  sysflowlibscpp::ConfigString scapInputPath;  // empty: the running kernel
  sysflowlibscpp::ConfigString falcoFilter;
  int samplingRatio = 1;
  sysflowlibscpp::ConfigString criPath;
  int criTO = 30;  // seconds; 0: do not wait
  bool enableStats = false;
  bool enableProcessFlow = true;
  bool fileOnly = true;
  int fileReadMode = 2;
  bool dropMode = true;
  SysFlowCallback callback = nullptr;
  bool debugMode = false;
  sysflowlibscpp::ConfigString k8sAPIURL;
  sysflowlibscpp::ConfigString k8sAPICert;
  bool moduleChecks = true;
  uint64_t singleBufferDimension = 8 * 1024 * 1024;      // bytes; 0: this default
  sysflowlibscpp::ConfigString appName = "sysflowlibs";  // argv[0] is possible
  SFSysCallMode collectionMode = SFFlowMode;
  ssize_t cpuBuffers = 0;  // processors that share a buffer; 0: all
  DriverType driverType = NO_DRIVER;
  bool enableConsumerMode = false;  // the same as SFConsumerMode
};
