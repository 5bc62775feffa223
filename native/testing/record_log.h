// A sink for tests that keeps each record as a line of text.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sysflow/records.h"

namespace sfkit {

class RecordLog : public sysflow::RecordSink {
 public:
  std::vector<std::string> lines;
  std::map<std::string, uint64_t> counts;
  bool finished = false;

  void header(const sysflow::Header& r) override {
    add("SFHeader", r.version, r.exporter, r.ip, r.filename);
  }
  void container(const sysflow::Container& r) override {
    add("Container", r.id, r.name, r.image, r.imageid, r.type, r.privileged, text(r.pod_id));
  }
  void process(const sysflow::Process& r) override {
    std::string env;
    for (const std::string_view variable : r.env) env.append(variable).append(";");
    add("Process", static_cast<int>(r.state), text(r.oid), r.poid ? text(*r.poid) : "-", r.ts,
        r.exe, r.exe_args, r.uid, r.user_name, r.gid, r.group_name, r.tty, text(r.container_id),
        r.entry, r.cwd, env);
  }
  void file(const sysflow::File& r) override {
    add("File", static_cast<int>(r.state), text(r.oid), r.ts, r.restype, r.path,
        text(r.container_id));
  }
  void process_event(const sysflow::ProcessEvent& r) override {
    std::string args;
    for (const auto& argument : r.args) args += argument + ";";
    add("ProcessEvent", text(r.proc_oid), r.ts, r.tid, r.op_flags, args, r.ret);
  }
  void network_flow(const sysflow::NetworkFlow& r) override {
    add("NetworkFlow", text(r.proc_oid), r.ts, r.tid, r.op_flags, r.end_ts, text(r.sip), r.sport,
        text(r.dip), r.dport, r.proto, r.fd, text(r.counters));
  }
  void file_flow(const sysflow::FileFlow& r) override {
    add("FileFlow", text(r.proc_oid), r.ts, r.tid, r.op_flags, r.open_flags, r.end_ts,
        text(r.file_oid), r.fd, text(r.counters));
  }
  void file_event(const sysflow::FileEvent& r) override {
    add("FileEvent", text(r.proc_oid), r.ts, r.tid, r.op_flags, text(r.file_oid), r.ret,
        r.new_file_oid ? text(*r.new_file_oid) : "-");
  }
  void process_flow(const sysflow::ProcessFlow& r) override {
    add("ProcessFlow", text(r.proc_oid), r.ts, r.threads_cloned, r.op_flags, r.end_ts,
        r.threads_exited, r.clone_errors);
  }
  void network_event(const sysflow::NetworkEvent& r) override {
    add("NetworkEvent", text(r.proc_oid), r.ts, r.tid, r.op_flags, text(r.sip), r.sport,
        text(r.dip), r.dport, r.proto, r.ret);
  }
  void pod(const sysflow::Pod& r) override {
    std::string services;
    for (const sysflow::Service& service : r.services) services += text(service);
    add("Pod", r.ts, r.id, r.name, r.node_name, r.namespace_, r.restart_count, r.labels,
        r.selectors, text(r.host_ip), text(r.internal_ip), services);
  }
  void k8s_event(const sysflow::K8sEvent& r) override {
    add("K8sEvent", r.kind, r.action, r.ts, r.message);
  }
  void finish() override { finished = true; }

 private:
  template <typename Text>
  static std::string text(const std::optional<Text>& value) {
    return value ? std::string(std::string_view(*value)) : "-";
  }
  static std::string text(const sysflow::Oid& oid) {
    return std::to_string(oid.create_ts) + "/" + std::to_string(oid.hpid);
  }
  template <size_t N>
  static std::string text(const std::array<uint8_t, N>& bytes) {
    std::ostringstream out;
    for (const uint8_t byte : bytes) out << std::hex << int{byte} << '.';
    return out.str();
  }
  static std::string text(const sysflow::Address& address) { return text(address.bytes); }
  static std::string text(const sysflow::IpNumbers& numbers) {
    std::string out;
    for (const int64_t number : numbers) out += std::to_string(number) + ';';
    return out;
  }
  static std::string text(const sysflow::Service& s) {
    std::ostringstream out;
    out << s.name << ',' << s.id << ',' << s.namespace_ << ',' << text(s.cluster_ip);
    for (const sysflow::ServicePort& p : s.ports)
      out << ',' << p.port << '/' << p.target_port << '/' << p.node_port << '/' << p.proto;
    return out.str() + ' ';
  }
  static std::string text(const sysflow::Counters& c) {
    std::ostringstream out;
    out << c.read_ops << ',' << c.write_ops << ',' << c.read_bytes << ',' << c.write_bytes;
    return out.str();
  }

  template <typename... Values>
  void add(const std::string& type, const Values&... values) {
    std::ostringstream out;
    out << type;
    ((out << '|' << values), ...);
    lines.push_back(out.str());
    ++counts[type];
  }
};

// One record of each kind, with distinct values in all fields, so that swapped fields show.
inline void emit_one_of_each(sysflow::RecordSink& sink) {
  using namespace sysflow;
  Foid one{};
  Foid two{};
  for (size_t i = 0; i < one.size(); ++i) {
    one[i] = static_cast<uint8_t>(i * 7);
    two[i] = static_cast<uint8_t>(255 - i);
  }
  const int64_t now = 1600000000123456789;
  const Oid oid{now, 4242};
  sink.header({5, "exporter", "10.0.0.1", "a.sf"});
  sink.pod(
      {now,
       "pod1",
       "web",
       "node7",
       "default",
       3,
       R"({"app":"w\"b","":"x"})",
       R"({"disk":"ssd"})",
       {1681631424, 16777343},
       {268439980},
       {{"front", "s1", "default", {{80, 8080, 30080, "TCP"}, {53, 54, 0, "UDP"}}, {184549386}},
        {"none", "s2", "other", {}, {}}}});
  sink.container({"c1", "name", "image:tag", "sha", 7, true, "pod1"});
  sink.container({"c2", "", "", "", 0, false, std::nullopt});
  sink.process({ObjectState::kReup,
                {0, 1},
                std::nullopt,
                now,
                "/sbin/init",
                "",
                0,
                "root",
                -1,
                "",
                false,
                std::nullopt,
                false,
                "",
                {}});
  sink.process({ObjectState::kCreated,
                oid,
                Oid{0, 1},
                now + 1,
                "/bin/caf\xC3\xA9",
                "-x  y",
                1000,
                "u",
                100,
                "g",
                true,
                "c1",
                true,
                "/home/",
                {"A=1", "", "B=2"}});
  sink.file({ObjectState::kModified, one, now + 2, 'f', "/etc/passwd", std::nullopt});
  sink.file({ObjectState::kReup, two, now + 3, 'd', "/tmp", "c1"});
  sink.process_event({oid, now + 4, 4243, kOpSetuid, {"root", ""}, -13, std::nullopt});
  NetworkFlow net;
  net.proc_oid = oid;
  net.ts = now + 5;
  net.tid = 4244;
  net.op_flags = kOpConnect | kOpClose;
  net.end_ts = now + 6;
  net.sip.bytes = {10, 1, 2, 203};
  net.sport = 65535;
  net.dip.bytes = {192, 168, 0, 254};
  net.dport = 443;
  net.dip_name = "www.example.org";
  net.proto = 6;
  net.fd = 9;
  net.counters = {1, 2, 3000000000, 4};
  sink.network_flow(net);
  sink.file_flow({oid, now + 7, 4245, kOpOpen | kOpReadRecv, 4097, now + 8, one, 3, {5, 6, 7, 8}});
  sink.file_event({oid, now + 9, 4246, kOpRename, one, -2, two});
  sink.file_event({oid, now + 10, 4246, kOpUnlink, two, 0, std::nullopt});
  NetworkEvent connection;
  connection.proc_oid = oid;
  connection.ts = now + 11;
  connection.tid = 4247;
  connection.op_flags = kOpConnect;
  connection.sip.bytes = {10, 9, 8, 7};
  connection.sport = 50000;
  connection.dip.bytes = {1, 2, 3, 4};
  connection.dport = 22;
  connection.proto = 17;
  connection.ret = -111;
  sink.network_event(connection);
  sink.process_flow({oid, now + 11, 12, kOpClone | kOpExit, now + 12, 11, 1});
  sink.k8s_event({"PODS", "DELETED", now + 13, "{\"a\":1}"});
  sink.finish();
}

}  // namespace sfkit
