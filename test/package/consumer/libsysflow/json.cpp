// Prints every field of every argument of the callback as JSON, one line for each record.
#include <iomanip>
#include <iostream>
#include <sstream>

#include "sysflowlibs.hpp"

using std::string;

namespace {

template <typename Number>
string number(Number value) {
  return '"' + std::to_string(value) + '"';
}

string text(const string& value) {
  std::ostringstream out;
  out << '"';
  for (unsigned char c : value) {
    if (c < 0x20 || c == '"' || c == '\\') {
      out << "\\u" << std::hex << std::setw(4) << std::setfill('0') << int(c) << std::dec;
    } else {
      out << c;
    }
  }
  out << '"';
  return out.str();
}

string list(const std::vector<string>& values) {
  string result = "[";
  for (const auto& value : values) result += (result.size() > 1 ? "," : "") + text(value);
  return result + "]";
}

string hex(const std::array<uint8_t, 20>& bytes) {
  std::ostringstream out;
  for (int byte : bytes) out << std::hex << std::setw(2) << std::setfill('0') << byte;
  return text(out.str());
}

class Object {
 public:
  Object& add(const char* name, const string& json) {
    json_ += (json_.size() > 1 ? ",\"" : "\"") + string(name) + "\":" + json;
    return *this;
  }
  string str() const { return json_ + "}"; }

 private:
  string json_ = "{";
};

string oid(const sysflow::OID& value) {
  return Object().add("createTS", number(value.createTS)).add("hpid", number(value.hpid)).str();
}

template <typename Union>
string optional_text(const Union& value) {
  return value.is_null() ? "null" : text(value.get_string());
}

string json(sysflow::SFHeader* header) {
  return Object()
      .add("version", number(header->version))
      .add("exporter", text(header->exporter))
      .add("ip", text(header->ip))
      .add("filename", text(header->filename))
      .str();
}

string json(sysflow::Container* cont) {
  if (cont == nullptr) return "null";
  return Object()
      .add("id", text(cont->id))
      .add("name", text(cont->name))
      .add("image", text(cont->image))
      .add("imageid", text(cont->imageid))
      .add("type", number((int)cont->type))
      .add("privileged", number(cont->privileged))
      .add("podId", optional_text(cont->podId))
      .str();
}

string json(sysflow::Process* proc) {
  return Object()
      .add("state", number((int)proc->state))
      .add("oid", oid(proc->oid))
      .add("poid", proc->poid.is_null() ? "null" : oid(proc->poid.get_OID()))
      .add("ts", number(proc->ts))
      .add("exe", text(proc->exe))
      .add("exeArgs", text(proc->exeArgs))
      .add("uid", number(proc->uid))
      .add("userName", text(proc->userName))
      .add("gid", number(proc->gid))
      .add("groupName", text(proc->groupName))
      .add("tty", number(proc->tty))
      .add("containerId", optional_text(proc->containerId))
      .add("entry", number(proc->entry))
      .add("cwd", text(proc->cwd))
      .add("env", list(proc->env))
      .str();
}

string json(sysflow::File* file) {
  if (file == nullptr) return "null";
  return Object()
      .add("state", number((int)file->state))
      .add("oid", hex(file->oid))
      .add("ts", number(file->ts))
      .add("restype", number(file->restype))
      .add("path", text(file->path))
      .add("containerId", optional_text(file->containerId))
      .str();
}

template <typename Record>
Object common(const Record& record) {
  return Object()
      .add("procOID", oid(record.procOID))
      .add("ts", number(record.ts))
      .add("opFlags", number(record.opFlags));
}

template <typename Record>
Object& add_counters(Object& object, const Record& record) {
  return object.add("endTs", number(record.endTs))
      .add("fd", number(record.fd))
      .add("numRRecvOps", number(record.numRRecvOps))
      .add("numWSendOps", number(record.numWSendOps))
      .add("numRRecvBytes", number(record.numRRecvBytes))
      .add("numWSendBytes", number(record.numWSendBytes));
}

string json(sysflow::SysFlow* flow) {
  switch (flow->rec.idx()) {
    case SF_PROC_EVT: {
      sysflow::ProcessEvent pe = flow->rec.get_ProcessEvent();
      return common(pe)
          .add("tid", number(pe.tid))
          .add("args", list(pe.args))
          .add("ret", number(pe.ret))
          .str();
    }
    case SF_NET_FLOW: {
      sysflow::NetworkFlow nf = flow->rec.get_NetworkFlow();
      Object object = common(nf);
      return add_counters(object, nf)
          .add("tid", number(nf.tid))
          .add("sip", number(nf.sip))
          .add("sport", number(nf.sport))
          .add("dip", number(nf.dip))
          .add("dport", number(nf.dport))
          .add("proto", number(nf.proto))
          .str();
    }
    case SF_FILE_FLOW: {
      sysflow::FileFlow ff = flow->rec.get_FileFlow();
      Object object = common(ff);
      return add_counters(object, ff)
          .add("tid", number(ff.tid))
          .add("openFlags", number(ff.openFlags))
          .add("fileOID", hex(ff.fileOID))
          .str();
    }
    case SF_FILE_EVT: {
      sysflow::FileEvent fe = flow->rec.get_FileEvent();
      return common(fe)
          .add("tid", number(fe.tid))
          .add("fileOID", hex(fe.fileOID))
          .add("ret", number(fe.ret))
          .add("newFileOID", fe.newFileOID.is_null() ? "null" : hex(fe.newFileOID.get_FOID()))
          .str();
    }
    case SF_PROC_FLOW: {
      sysflow::ProcessFlow pf = flow->rec.get_ProcessFlow();
      return common(pf)
          .add("endTs", number(pf.endTs))
          .add("numThreadsCloned", number(pf.numThreadsCloned))
          .add("numThreadsExited", number(pf.numThreadsExited))
          .add("numCloneErrors", number(pf.numCloneErrors))
          .str();
    }
    case SF_HEADER:
    case SF_CONT:
    case SF_PROC:
    case SF_FILE_OBJ:
    case SF_NET_EVT:
    case SF_POD:
    case SF_K8S_EVT:
    default: return "null";
  }
}

}  // namespace

int main(int, char** argv) {
  SysFlowConfig* config = sysflowlibscpp::InitializeSysFlowConfig();
  config->scapInputPath = argv[1];
  config->fileReadMode = 0;
  config->fileOnly = false;
  config->enableProcessFlow = false;
  config->callback = [](sysflow::SFHeader* header, sysflow::Container* cont,
                        sysflow::Process* proc, sysflow::File* f1, sysflow::File* f2,
                        sysflow::SysFlow* rec) {
    std::cout << Object()
                     .add("header", json(header))
                     .add("container", json(cont))
                     .add("process", json(proc))
                     .add("file1", json(f1))
                     .add("file2", json(f2))
                     .add("record", json(rec))
                     .str()
              << '\n';
  };
  sysflowlibscpp::SysFlowDriver driver(config);
  return driver.run();
}
