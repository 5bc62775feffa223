#include "sysflow_file/schema.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/hash.h"
#include "base/json.h"

namespace sfkit::sysflow_file {

namespace {

constexpr size_t kMaxNodes = 10000;
constexpr uint64_t kMaxFixed = 1 << 20;

struct SlotName {
  std::string_view name;
  Slot slot;
};

// Sorted by name.
constexpr SlotName kSlots[] = {
    {"action", Slot::kAction},
    {"args", Slot::kArgs},
    {"clusterIP", Slot::kClusterIp},
    {"containerId", Slot::kContainerId},
    {"createTS", Slot::kCreateTs},
    {"cwd", Slot::kCwd},
    {"dip", Slot::kDip},
    {"dport", Slot::kDport},
    {"endTs", Slot::kEndTs},
    {"entry", Slot::kEntry},
    {"env", Slot::kEnv},
    {"exe", Slot::kExe},
    {"exeArgs", Slot::kExeArgs},
    {"exporter", Slot::kExporter},
    {"fd", Slot::kFd},
    {"fileOID", Slot::kFileOid},
    {"filename", Slot::kFilename},
    {"gid", Slot::kGid},
    {"groupName", Slot::kGroupName},
    {"hostIP", Slot::kHostIp},
    {"hpid", Slot::kHpid},
    {"id", Slot::kId},
    {"image", Slot::kImage},
    {"imageid", Slot::kImageId},
    {"internalIP", Slot::kInternalIp},
    {"ip", Slot::kIp},
    {"kind", Slot::kKind},
    {"labels", Slot::kLabels},
    {"message", Slot::kMessage},
    {"name", Slot::kName},
    {"namespace", Slot::kNamespace},
    {"newFileOID", Slot::kNewFileOid},
    {"nodeName", Slot::kNodeName},
    {"nodePort", Slot::kNodePort},
    {"numCloneErrors", Slot::kNumCloneErrors},
    {"numRRecvBytes", Slot::kNumReadBytes},
    {"numRRecvOps", Slot::kNumReadOps},
    {"numThreadsCloned", Slot::kNumThreadsCloned},
    {"numThreadsExited", Slot::kNumThreadsExited},
    {"numWSendBytes", Slot::kNumWriteBytes},
    {"numWSendOps", Slot::kNumWriteOps},
    {"oid", Slot::kOid},
    {"opFlags", Slot::kOpFlags},
    {"openFlags", Slot::kOpenFlags},
    {"path", Slot::kPath},
    {"podId", Slot::kPodId},
    {"poid", Slot::kPoid},
    {"port", Slot::kPort},
    {"portList", Slot::kPortList},
    {"privileged", Slot::kPrivileged},
    {"procOID", Slot::kProcOid},
    {"proto", Slot::kProto},
    {"rec", Slot::kRec},
    {"restartCount", Slot::kRestartCount},
    {"restype", Slot::kRestype},
    {"ret", Slot::kRet},
    {"selectors", Slot::kSelectors},
    {"services", Slot::kServices},
    {"sip", Slot::kSip},
    {"sport", Slot::kSport},
    {"state", Slot::kState},
    {"targetPort", Slot::kTargetPort},
    {"tid", Slot::kTid},
    {"ts", Slot::kTs},
    {"tty", Slot::kTty},
    {"type", Slot::kType},
    {"uid", Slot::kUid},
    {"userName", Slot::kUserName},
    {"version", Slot::kVersion},
};
static_assert(std::is_sorted(std::begin(kSlots), std::end(kSlots),
                             [](const SlotName& a, const SlotName& b) { return a.name < b.name; }));

Slot slot_of(std::string_view name) {
  const auto found =
      std::lower_bound(std::begin(kSlots), std::end(kSlots), name,
                       [](const SlotName& slot, std::string_view key) { return slot.name < key; });
  return found != std::end(kSlots) && found->name == name ? found->slot : Slot::kUnknown;
}

struct RecordName {
  std::string_view name;
  RecordKind kind;
};

constexpr RecordName kRecords[] = {
    {"sysflow.entity.SFHeader", RecordKind::kHeader},
    {"sysflow.entity.Container", RecordKind::kContainer},
    {"sysflow.entity.Process", RecordKind::kProcess},
    {"sysflow.entity.File", RecordKind::kFile},
    {"sysflow.event.ProcessEvent", RecordKind::kProcessEvent},
    {"sysflow.flow.NetworkFlow", RecordKind::kNetworkFlow},
    {"sysflow.flow.FileFlow", RecordKind::kFileFlow},
    {"sysflow.event.FileEvent", RecordKind::kFileEvent},
    {"sysflow.event.NetworkEvent", RecordKind::kNetworkEvent},
    {"sysflow.flow.ProcessFlow", RecordKind::kProcessFlow},
    {"sysflow.entity.Pod", RecordKind::kPod},
    {"sysflow.event.K8sEvent", RecordKind::kK8sEvent},
};

// Names are compared without namespace, as in Avro's schema resolution: writers use different ones.
std::string_view short_name(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

RecordKind record_kind(std::string_view name) {
  for (const RecordName& record : kRecords) {
    if (short_name(record.name) == short_name(name)) return record.kind;
  }
  return RecordKind::kOther;
}

struct PrimitiveName {
  std::string_view name;
  Node::Kind kind;
};

constexpr PrimitiveName kPrimitives[] = {
    {"null", Node::Kind::kNull},   {"boolean", Node::Kind::kBoolean},
    {"int", Node::Kind::kInt},     {"long", Node::Kind::kLong},
    {"float", Node::Kind::kFloat}, {"double", Node::Kind::kDouble},
    {"bytes", Node::Kind::kBytes}, {"string", Node::Kind::kString},
};

class Compiler {
 public:
  Result<Schema> run(std::string_view text) {
    const auto json = json::parse(text);
    if (!json.is_ok()) {
      return Status(ErrorCode::kBadFormat,
                    "the schema in the header cannot be parsed: " + json.status().message());
    }
    uint32_t root = 0;
    if (!compile(json.value(), "", root)) {
      return Status(ErrorCode::kBadFormat, "the schema in the header is not valid: " + problem_);
    }
    const Node& top = schema_.nodes[root];
    const bool is_sysflow =
        top.kind == Node::Kind::kRecord &&
        std::any_of(top.fields.begin(), top.fields.end(), [&](const Node::Field& field) {
          const Node& type = schema_.nodes[field.node];
          if (field.slot != Slot::kRec) return false;
          if (type.kind == Node::Kind::kRecord) return type.record != RecordKind::kOther;
          const auto& branches = type.branches;
          return std::any_of(branches.begin(), branches.end(), [&](uint32_t branch) {
            return schema_.nodes[branch].record != RecordKind::kOther;
          });
        });
    if (!is_sysflow) {
      return Status(ErrorCode::kNotSupported,
                    "the file is Avro but not SysFlow: expected a record with a union field "
                    "\"rec\" of SysFlow "
                    "records, found " +
                        describe(json.value()));
    }
    schema_.root = root;
    return std::move(schema_);
  }

 private:
  static std::string describe(const json::Value& json) {
    const json::Value* name = json.find("name");
    if (name != nullptr && name->is_string())
      return "\"" + std::string(name->as_string().substr(0, 80)) + "\"";
    return "another schema";
  }

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool add(Node node, uint32_t& place) {
    if (schema_.nodes.size() >= kMaxNodes) return fail("more than 10000 types");
    place = static_cast<uint32_t>(schema_.nodes.size());
    schema_.nodes.push_back(std::move(node));
    return true;
  }

  bool compile(const json::Value& json, const std::string& space, uint32_t& place) {
    if (json.is_string()) return compile_name(json.as_string(), space, place);
    if (json.is_array()) return compile_union(json, space, place);
    const json::Value* type = json.find("type");
    if (type == nullptr) return fail("a type without \"type\"");
    // {"type": {...}} and {"type": "long", "logicalType": ...} stand for the inner type.
    if (!type->is_string()) return compile(*type, space, place);
    const std::string_view name = type->as_string();
    if (name == "record" || name == "error") return compile_record(json, space, place);
    if (name == "enum") return compile_enum(json, space, place);
    if (name == "fixed") return compile_fixed(json, space, place);
    if (name == "array") return compile_items(json, "items", Node::Kind::kArray, space, place);
    if (name == "map") return compile_items(json, "values", Node::Kind::kMap, space, place);
    return compile_name(name, space, place);
  }

  bool compile_name(std::string_view name, const std::string& space, uint32_t& place) {
    for (const PrimitiveName& primitive : kPrimitives) {
      if (primitive.name != name) continue;
      Node node;
      node.kind = primitive.kind;
      return add(std::move(node), place);
    }
    auto found = names_.find(full_name(name, space));
    if (found == names_.end()) found = names_.find(std::string(name));
    if (found == names_.end())
      return fail("unknown type \"" + std::string(name.substr(0, 80)) + "\"");
    place = found->second;
    return true;
  }

  bool compile_union(const json::Value& json, const std::string& space, uint32_t& place) {
    Node node;
    node.kind = Node::Kind::kUnion;
    for (const json::Value& item : json.items()) {
      uint32_t branch = 0;
      if (item.is_array()) return fail("a union inside a union");
      if (!compile(item, space, branch)) return false;
      node.branches.push_back(branch);
    }
    return add(std::move(node), place);
  }

  bool compile_items(const json::Value& json, std::string_view key, Node::Kind kind,
                     const std::string& space, uint32_t& place) {
    const json::Value* items = json.find(key);
    if (items == nullptr) return fail("an array or map without a value type");
    Node node;
    node.kind = kind;
    return compile(*items, space, node.item) && add(std::move(node), place);
  }

  static std::string full_name(std::string_view name, const std::string& space) {
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return space + "." + std::string(name);
  }

  // Aliases: other names under which the reader may know a type or field.
  template <typename Visit>
  static void each_alias(const json::Value& json, Visit&& visit) {
    const json::Value* aliases = json.find("aliases");
    if (aliases == nullptr) return;
    for (const json::Value& alias : aliases->items()) visit(alias.as_string());
  }

  // Registers a named type before its fields, which can refer to it. `inner` becomes their
  // namespace.
  bool declare(const json::Value& json, Node node, const std::string& space, uint32_t& place,
               std::string& inner) {
    const json::Value* name = json.find("name");
    if (name == nullptr || !name->is_string() || name->as_string().empty())
      return fail("a type without a name");
    const json::Value* own_space = json.find("namespace");
    const std::string full = full_name(
        name->as_string(), own_space != nullptr ? std::string(own_space->as_string()) : space);
    const size_t dot = full.rfind('.');
    inner = dot == std::string::npos ? std::string() : full.substr(0, dot);
    if (node.kind == Node::Kind::kRecord) {
      node.record = record_kind(full);
      each_alias(json, [&node](std::string_view alias) {
        if (node.record == RecordKind::kOther) node.record = record_kind(alias);
      });
    }
    if (!add(std::move(node), place)) return false;
    if (!names_.emplace(full, place).second)
      return fail("duplicate type \"" + full.substr(0, 80) + "\"");
    return true;
  }

  bool compile_record(const json::Value& json, const std::string& space, uint32_t& place) {
    const json::Value* fields = json.find("fields");
    if (fields == nullptr || !fields->is_array()) return fail("a record without fields");
    Node node;
    node.kind = Node::Kind::kRecord;
    std::string inner;
    if (!declare(json, std::move(node), space, place, inner)) return false;
    for (const json::Value& field : fields->items()) {
      const json::Value* name = field.find("name");
      const json::Value* type = field.find("type");
      if (name == nullptr || type == nullptr) return fail("a field without name or type");
      uint32_t field_place = 0;
      if (!compile(*type, inner, field_place)) return false;
      Slot slot = slot_of(name->as_string());
      each_alias(field, [&slot](std::string_view alias) {
        if (slot == Slot::kUnknown) slot = slot_of(alias);
      });
      schema_.nodes[place].fields.push_back({slot, field_place});
    }
    return true;
  }

  bool compile_enum(const json::Value& json, const std::string& space, uint32_t& place) {
    const json::Value* symbols = json.find("symbols");
    if (symbols == nullptr || !symbols->is_array()) return fail("an enum without symbols");
    Node node;
    node.kind = Node::Kind::kEnum;
    for (const json::Value& symbol : symbols->items())
      node.symbols.emplace_back(symbol.as_string());
    std::string inner;
    return declare(json, std::move(node), space, place, inner);
  }

  bool compile_fixed(const json::Value& json, const std::string& space, uint32_t& place) {
    const json::Value* size = json.find("size");
    const int64_t bytes = size != nullptr ? size->as_int(-1) : -1;
    if (bytes < 0 || static_cast<uint64_t>(bytes) > kMaxFixed)
      return fail("a fixed type with an invalid size");
    Node node;
    node.kind = Node::Kind::kFixed;
    node.size = static_cast<uint64_t>(bytes);
    std::string inner;
    return declare(json, std::move(node), space, place, inner);
  }

  Schema schema_;
  std::unordered_map<std::string, uint32_t, TextHash> names_;
  std::string problem_;
};

}  // namespace

Result<Schema> compile_schema(std::string_view text) {
  return Compiler().run(text);
}

}  // namespace sfkit::sysflow_file
