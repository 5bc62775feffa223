// The writer's schema of a SysFlow file, compiled once for the decoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sfkit::sysflow_file {

// Known fields by schema name; a name has the same meaning in all records.
enum class Slot : uint8_t {
  kUnknown,
  kAction,
  kArgs,
  kClusterIp,
  kContainerId,
  kCreateTs,
  kCwd,
  kDip,
  kDport,
  kEndTs,
  kEntry,
  kEnv,
  kExe,
  kExeArgs,
  kExporter,
  kFd,
  kFileOid,
  kFilename,
  kGid,
  kGroupName,
  kHostIp,
  kHpid,
  kId,
  kImage,
  kImageId,
  kInternalIp,
  kIp,
  kKind,
  kLabels,
  kMessage,
  kName,
  kNamespace,
  kNewFileOid,
  kNodeName,
  kNodePort,
  kNumCloneErrors,
  kNumReadBytes,
  kNumReadOps,
  kNumThreadsCloned,
  kNumThreadsExited,
  kNumWriteBytes,
  kNumWriteOps,
  kOid,
  kOpFlags,
  kOpenFlags,
  kPath,
  kPodId,
  kPoid,
  kPort,
  kPortList,
  kPrivileged,
  kProcOid,
  kProto,
  kRec,
  kRestartCount,
  kRestype,
  kRet,
  kSelectors,
  kServices,
  kSip,
  kSport,
  kState,
  kTargetPort,
  kTid,
  kTs,
  kTty,
  kType,
  kUid,
  kUserName,
  kVersion,
};

enum class RecordKind : uint8_t {
  kOther,
  kHeader,
  kContainer,
  kProcess,
  kFile,
  kProcessEvent,
  kNetworkFlow,
  kFileFlow,
  kFileEvent,
  kNetworkEvent,
  kProcessFlow,
  kPod,
  kK8sEvent,
};

struct Node {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kFixed,
    kEnum,
    kArray,
    kMap,
    kUnion,
    kRecord,
  };
  struct Field {
    Slot slot;
    uint32_t node;
  };

  Kind kind = Kind::kNull;
  RecordKind record = RecordKind::kOther;
  uint32_t item = 0;                 // node of an array's items or a map's values
  uint64_t size = 0;                 // of kFixed
  std::vector<uint32_t> branches;    // of kUnion
  std::vector<Field> fields;         // of kRecord
  std::vector<std::string> symbols;  // of kEnum
};

// Nodes refer to each other by index; a record can contain itself.
struct Schema {
  std::vector<Node> nodes;
  uint32_t root = 0;  // a record with a field in Slot::kRec
};

// Compiles the text of avro.schema. Fails with kBadFormat if it is invalid or not SysFlow's schema.
Result<Schema> compile_schema(std::string_view text);

}  // namespace sfkit::sysflow_file
