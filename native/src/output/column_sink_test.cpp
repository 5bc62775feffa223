#include "output/column_sink.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sysflow/ops.h"
#include "testing/record_log.h"

namespace sfkit::output {
namespace {

using sysflow::Foid;
using sysflow::ObjectState;
using sysflow::Oid;

// Batches by table, and cells as text ("-" if missing).
class Rows {
 public:
  explicit Rows(std::vector<Table> tables, uint32_t batch_rows = 1000)
      : sink(tables, batch_rows, [this](ColumnBatch batch) {
          batches[batch.table].push_back(std::move(batch));
          return true;
        }) {}

  static std::string cell(const ColumnBatch& batch, size_t row, const std::string& name) {
    const auto columns = kTables[static_cast<size_t>(batch.table)].columns;
    for (size_t i = 0; i < columns.size(); ++i) {
      const ColumnSpec& spec = kColumns[static_cast<size_t>(columns[i].column)];
      if (spec.name != name) continue;
      const ColumnValues& column = batch.columns[i];
      EXPECT_EQ(column.type, spec.type);
      if (column.valid && (column.valid.data()[row / 8] >> (row % 8) & 1) == 0) return "-";
      switch (column.type) {
        case ColumnType::kI32: return std::to_string(column.values.as<int32_t>()[row]);
        case ColumnType::kI64: return std::to_string(column.values.as<int64_t>()[row]);
        case ColumnType::kBool: return column.values.as<uint8_t>()[row] != 0 ? "true" : "false";
        case ColumnType::kStr: {
          const uint32_t number = column.values.as<uint32_t>()[row];
          EXPECT_LT(number, batch.string_count);
          const uint32_t* offsets = batch.string_offsets.as<uint32_t>();
          return std::string(batch.string_bytes.as<char>() + offsets[number],
                             offsets[number + 1] - offsets[number]);
        }
      }
    }
    ADD_FAILURE() << "no column " << name;
    return "";
  }

  std::string cell(Table table, size_t row, const std::string& name) {
    for (const ColumnBatch& batch : batches[table]) {
      if (row < batch.rows) return cell(batch, row, name);
      row -= batch.rows;
    }
    ADD_FAILURE() << "no row";
    return "";
  }

  std::map<Table, std::vector<ColumnBatch>> batches;
  ColumnSink sink;
};

sysflow::Process process(Oid oid, std::optional<Oid> poid, std::string exe) {
  sysflow::Process record;
  record.oid = oid;
  record.poid = poid;
  record.exe = std::move(exe);
  return record;
}

sysflow::ProcessFlow flow_of(Oid oid) {
  sysflow::ProcessFlow record;
  record.proc_oid = oid;
  return record;
}

const std::vector<Table> kAllTables = {
    Table::kProcessEvent, Table::kFileEvent, Table::kNetworkFlow, Table::kFileFlow,
    Table::kProcessFlow,  Table::kK8sEvent,  Table::kProcess,     Table::kFile,
    Table::kContainer,    Table::kPod,       Table::kHeader,      Table::kSysflow,
    Table::kNetworkEvent};

TEST(ColumnSink, FillsEveryTable) {
  Rows rows(kAllTables);
  emit_one_of_each(rows.sink);
  EXPECT_EQ(rows.batches.size(), kTableCount - kCaptureTableCount);

  const auto is = [&](Table table, size_t row, const char* column, const char* expected) {
    EXPECT_EQ(rows.cell(table, row, column), expected)
        << kTables[static_cast<size_t>(table)].name << " " << column;
  };
  is(Table::kProcessEvent, 0, "idx", "0");
  is(Table::kProcessEvent, 0, "type", "PE");
  is(Table::kProcessEvent, 0, "state", "CREATED");
  is(Table::kProcessEvent, 0, "opflags_bitmap", "8");
  is(Table::kProcessEvent, 0, "ts_uts", "1600000000123456793");
  is(Table::kProcessEvent, 0, "ret", "-13");
  is(Table::kProcessEvent, 0, "evt_args", "root ");
  is(Table::kProcessEvent, 0, "proc_pid", "4242");
  is(Table::kProcessEvent, 0, "proc_tid", "4243");
  is(Table::kProcessEvent, 0, "proc_createts", "1600000000123456789");
  is(Table::kProcessEvent, 0, "proc_exe", "/bin/caf\xC3\xA9");
  is(Table::kProcessEvent, 0, "proc_name", "caf\xC3\xA9");
  is(Table::kProcessEvent, 0, "proc_cmdline", "/bin/caf\xC3\xA9 -x  y");
  is(Table::kProcessEvent, 0, "proc_env", "A=1;B=2");
  is(Table::kProcessEvent, 0, "proc_tty", "true");
  is(Table::kProcessEvent, 0, "pproc_pid", "1");
  is(Table::kProcessEvent, 0, "pproc_createts", "0");
  is(Table::kProcessEvent, 0, "pproc_cmdline", "/sbin/init");
  is(Table::kProcessEvent, 0, "pproc_entry", "false");
  is(Table::kProcessEvent, 0, "pproc_gid", "-1");
  is(Table::kProcessEvent, 0, "container_id", "c1");
  is(Table::kProcessEvent, 0, "container_type", "CT_CONTAINERD");
  is(Table::kProcessEvent, 0, "container_privileged", "true");
  is(Table::kProcessEvent, 0, "pod_ns", "default");
  is(Table::kProcessEvent, 0, "pod_rstrtcnt", "3");
  is(Table::kProcessEvent, 0, "node_id", "exporter");
  is(Table::kProcessEvent, 0, "schema", "5");
  is(Table::kNetworkFlow, 0, "idx", "1");
  is(Table::kNetworkFlow, 0, "res", "10.1.2.203:65535-192.168.0.254:443");
  is(Table::kNetworkFlow, 0, "net_sip", "10.1.2.203");
  is(Table::kNetworkFlow, 0, "flow_rbytes", "3000000000");
  is(Table::kFileFlow, 0, "file_path", "/etc/passwd");
  is(Table::kFileFlow, 0, "file_name", "passwd");
  is(Table::kFileFlow, 0, "file_directory", "/etc");
  is(Table::kFileFlow, 0, "file_type", "f");
  is(Table::kFileFlow, 0, "file_is_open_read", "true");
  is(Table::kFileFlow, 0, "file_is_open_write", "false");
  is(Table::kFileFlow, 0, "res", "/etc/passwd");
  is(Table::kFileFlow, 0, "flow_wops", "6");
  is(Table::kFileEvent, 0, "file_newpath", "/tmp");
  is(Table::kFileEvent, 0, "res", "/etc/passwd, /tmp");
  is(Table::kFileEvent, 0, "file_newoid", "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedec");
  is(Table::kFileEvent, 1, "file_newoid", "-");
  is(Table::kFileEvent, 1, "res", "/tmp");
  is(Table::kProcessFlow, 0, "pf_nexits", "11");
  is(Table::kK8sEvent, 0, "k8s_action", "DELETED");
  is(Table::kNetworkEvent, 0, "type", "NE");
  is(Table::kNetworkEvent, 0, "idx", "5");
  is(Table::kNetworkEvent, 0, "ret", "-111");
  is(Table::kNetworkEvent, 0, "failed", "true");
  is(Table::kNetworkEvent, 0, "error", "ECONNREFUSED");
  is(Table::kNetworkEvent, 0, "net_proto", "17");
  is(Table::kNetworkEvent, 0, "res", "10.9.8.7:50000-1.2.3.4:22");
  is(Table::kNetworkEvent, 0, "proc_tid", "4247");
  is(Table::kNetworkEvent, 0, "pod_name", "web");
  for (const auto& [table, name] :
       {std::pair{Table::kPod, "ts_uts"}, std::pair{Table::kProcessEvent, "pod_ts"}})
    is(table, 0, name, "1600000000123456789");
  for (const Table table : {Table::kPod, Table::kProcessEvent, Table::kNetworkEvent}) {
    is(table, 0, "pod_labels", R"({"app":"w\"b","":"x"})");
    is(table, 0, "pod_selectors", R"({"disk":"ssd"})");
    is(table, 0, "pod_hostip", R"(["192.168.59.100","127.0.0.1"])");
    is(table, 0, "pod_internalip", R"(["172.17.0.16"])");
    is(table, 0, "pod_services",
       R"([{"name":"front","id":"s1","namespace":"default","portList":[)"
       R"({"port":80,"targetPort":8080,"nodePort":30080,"proto":"TCP"},)"
       R"({"port":53,"targetPort":54,"nodePort":0,"proto":"UDP"}],"clusterIP":["10.0.0.11"]},)"
       R"({"name":"none","id":"s2","namespace":"other","portList":[],"clusterIP":[]}])");
  }
  is(Table::kK8sEvent, 0, "idx", "7");
  is(Table::kProcess, 0, "pproc_pid", "-");
  is(Table::kProcess, 0, "container_id", "-");
  is(Table::kProcess, 1, "pproc_pid", "1");
  is(Table::kProcess, 1, "container_id", "c1");
  is(Table::kFile, 1, "container_id", "c1");
  is(Table::kFile, 1, "state", "REUP");
  is(Table::kContainer, 0, "pod_id", "pod1");
  is(Table::kContainer, 1, "pod_id", "-");
  is(Table::kContainer, 1, "container_id", "c2");
  is(Table::kPod, 0, "pod_nname", "node7");
  is(Table::kHeader, 0, "filename", "a.sf");

  is(Table::kSysflow, 0, "type", "PE");
  is(Table::kSysflow, 0, "file_path", "-");
  is(Table::kSysflow, 0, "endts_uts", "-");
  is(Table::kSysflow, 1, "ret", "-");
  is(Table::kSysflow, 1, "net_dport", "443");
  is(Table::kSysflow, 1, "net_dname", "www.example.org");
  is(Table::kSysflow, 2, "file_openflags", "4097");
  is(Table::kSysflow, 6, "proc_tid", "-");
  is(Table::kSysflow, 7, "type", "KE");
  is(Table::kSysflow, 7, "proc_pid", "-");
  is(Table::kSysflow, 7, "opflags_bitmap", "-");
  is(Table::kSysflow, 7, "node_ip", "10.0.0.1");
}

TEST(ColumnSink, MissingEntitiesAreNull) {
  Rows rows({Table::kFileFlow});
  sysflow::FileFlow flow;
  flow.proc_oid = {5, 6};
  flow.file_oid.fill(0x0f);
  rows.sink.file_flow(flow);
  rows.sink.finish();
  for (const char* column : {"state", "proc_exe", "proc_uid", "pproc_pid", "pproc_exe", "file_path",
                             "res", "container_id", "container_name", "pod_id"}) {
    EXPECT_EQ(rows.cell(Table::kFileFlow, 0, column), "-") << column;
  }
  EXPECT_EQ(rows.cell(Table::kFileFlow, 0, "proc_pid"), "6");
  EXPECT_EQ(rows.cell(Table::kFileFlow, 0, "file_oid"), "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f");
  EXPECT_EQ(rows.cell(Table::kFileFlow, 0, "file_is_open_read"), "false");
}

TEST(ColumnSink, UsesTheNewestEntityAndKeepsEarlierRows) {
  Rows rows({Table::kProcessFlow});
  rows.sink.process(process({1, 1}, std::nullopt, "/old"));
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.process(process({1, 1}, std::nullopt, "/new"));
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "proc_exe"), "/old");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "proc_exe"), "/new");
}

TEST(ColumnSink, DecodesTheResultOfAnEvent) {
  Rows rows({Table::kProcessEvent, Table::kFileEvent});
  const auto add = [&](uint32_t op, int32_t ret) {
    sysflow::ProcessEvent event;
    event.op_flags = op;
    event.ret = ret;
    rows.sink.process_event(event);
  };
  add(sysflow::kOpExec, -2);
  add(sysflow::kOpExec, 0);
  add(sysflow::kOpClone, -512);
  add(sysflow::kOpClone, -100000);
  add(sysflow::kOpExit, 3 << 8);
  add(sysflow::kOpExit, 9);
  add(sysflow::kOpExit, 11 | 0x80);  // with a core dump
  add(sysflow::kOpExit, -1);         // unknown
  sysflow::FileEvent failed;
  failed.ret = -17;
  rows.sink.file_event(failed);
  rows.sink.finish();
  const auto row = [&](Table table, size_t at) {
    const auto cell = [&](const char* name) { return rows.cell(table, at, name); };
    const std::string result = cell("failed") + " " + cell("error");
    return table == Table::kFileEvent ? result
                                      : result + " " + cell("exit_code") + " " + cell("signal");
  };
  EXPECT_EQ(row(Table::kProcessEvent, 0), "true ENOENT - -");
  EXPECT_EQ(row(Table::kProcessEvent, 1), "false - - -");
  EXPECT_EQ(row(Table::kProcessEvent, 2), "true ERESTARTSYS - -");
  EXPECT_EQ(row(Table::kProcessEvent, 3), "true - - -");
  EXPECT_EQ(row(Table::kProcessEvent, 4), "false - 3 0");
  EXPECT_EQ(row(Table::kProcessEvent, 5), "false - - 9");
  EXPECT_EQ(row(Table::kProcessEvent, 6), "false - - 11");
  EXPECT_EQ(row(Table::kProcessEvent, 7), "false - - -");
  EXPECT_EQ(row(Table::kFileEvent, 0), "true EEXIST");
}

TEST(ColumnSink, KnowsTheRoleOfAFlowFromItsOperationsAndElseFromTheRecord) {
  constexpr int32_t kTcp = 6;
  constexpr int32_t kUdp = 17;
  using sysflow::FlowRole;
  const auto role = [](uint32_t ops, int32_t proto, FlowRole known) {
    Rows rows({Table::kNetworkFlow});
    sysflow::NetworkFlow flow;
    flow.op_flags = ops;
    flow.proto = proto;
    flow.role = known;
    rows.sink.network_flow(flow);
    rows.sink.finish();
    return rows.cell(Table::kNetworkFlow, 0, "role") + " " +
           rows.cell(Table::kNetworkFlow, 0, "direction");
  };
  EXPECT_EQ(role(sysflow::kOpAccept, kTcp, FlowRole::kUnknown), "server in");
  EXPECT_EQ(role(sysflow::kOpConnect, kTcp, FlowRole::kUnknown), "client out");
  EXPECT_EQ(role(sysflow::kOpReadRecv, kTcp, FlowRole::kUnknown), "- -");
  EXPECT_EQ(role(sysflow::kOpReadRecv, kTcp, FlowRole::kServer), "server in");
  // A bound datagram socket that connects is the server.
  EXPECT_EQ(role(sysflow::kOpConnect, kUdp, FlowRole::kServer), "server in");
  EXPECT_EQ(role(sysflow::kOpConnect, kUdp, FlowRole::kUnknown), "- -");
}

TEST(ColumnSink, MeasuresFlowsBetweenPossibleTimes) {
  Rows rows({Table::kProcessFlow});
  const auto add = [&](int64_t ts, int64_t end_ts) {
    sysflow::ProcessFlow flow = flow_of({1, 1});
    flow.ts = ts;
    flow.end_ts = end_ts;
    rows.sink.process_flow(flow);
  };
  add(1000, 4500);
  add(INT64_MIN, 1);
  add(1, INT64_MAX);
  add(5, 2);
  rows.sink.finish();
  const auto duration = [&](size_t row) { return rows.cell(Table::kProcessFlow, row, "duration"); };
  EXPECT_EQ(duration(0), "3500");
  EXPECT_EQ(duration(1), "-");
  EXPECT_EQ(duration(2), "-");
  EXPECT_EQ(duration(3), "-3");
}

TEST(ColumnSink, ShowsTheFactsOfAProcessAsTheyAreAtTheRow) {
  Rows rows({Table::kProcessFlow, Table::kProcess});
  sysflow::Process parent = process({1, 1}, std::nullopt, "/sbin/init");
  parent.facts.comm = "systemd";
  sysflow::Process child = process({2, 2}, Oid{1, 1}, "/usr/bin/python3");
  child.facts = {"worker", 1};
  rows.sink.process(parent);
  rows.sink.process(child);
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process_facts({2, 2}, {"worker-2", 40});
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process_facts({3, 3}, {"no such process", 4});
  // As read from a file.
  rows.sink.process(process({2, 2}, Oid{1, 1}, "/usr/bin/python3"));
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.finish();
  const auto row = [&](size_t at) {
    const auto cell = [&](const char* name) { return rows.cell(Table::kProcessFlow, at, name); };
    return cell("proc_name") + " " + cell("proc_comm") + " " + cell("proc_ppid") + " " +
           cell("pproc_pid") + " " + cell("pproc_comm");
  };
  EXPECT_EQ(row(0), "python3 worker 1 1 systemd");
  EXPECT_EQ(row(1), "python3 worker-2 40 1 systemd");
  EXPECT_EQ(row(2), "python3 - - 1 systemd");
  EXPECT_EQ(rows.cell(Table::kProcess, 1, "proc_comm"), "worker");
}

TEST(ColumnSink, HoldsTheListsOfAPodOnceInABatch) {
  constexpr uint32_t kRows = 5000;
  Rows rows({Table::kProcessFlow}, kRows);
  sysflow::Pod pod;
  pod.id = "p1";
  pod.services.resize(500);
  for (sysflow::Service& service : pod.services) service.name = std::string(50, 's');
  rows.sink.pod(pod);
  sysflow::Container container;
  container.id = "c1";
  container.pod_id = "p1";
  rows.sink.container(container);
  sysflow::Process inside = process({1, 1}, std::nullopt, "/x");
  inside.container_id = "c1";
  rows.sink.process(inside);
  for (uint32_t i = 0; i < kRows; ++i) rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  ASSERT_EQ(rows.batches[Table::kProcessFlow].size(), 1u);
  const size_t once = rows.cell(Table::kProcessFlow, kRows - 1, "pod_services").size();
  EXPECT_GT(once, 50000u);
  EXPECT_LT(rows.batches[Table::kProcessFlow][0].string_size, once + 1000);
}

TEST(ColumnSink, ShowsLabels) {
  Rows rows({Table::kProcessFlow, Table::kContainer, Table::kPod});
  sysflow::Container container;
  container.id = "c1";
  container.name = "web";
  container.image = "nginx:1";
  container.labels = R"({"app":"web"})";
  container.pod_labels = R"({"tier":"front"})";
  rows.sink.container(container);
  sysflow::Process inside = process({1, 1}, std::nullopt, "/x");
  inside.container_id = "c1";
  rows.sink.process(inside);
  rows.sink.process_flow(flow_of({1, 1}));
  // A record of the pod says more.
  sysflow::Pod pod;
  pod.id = "p1";
  pod.labels = R"({"tier":"back"})";
  rows.sink.pod(pod);
  container.pod_id = "p1";
  container.labels.clear();
  rows.sink.container(container);
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kContainer, 0, "container_labels"), R"({"app":"web"})");
  EXPECT_EQ(rows.cell(Table::kContainer, 0, "pod_labels"), R"({"tier":"front"})");
  EXPECT_EQ(rows.cell(Table::kPod, 0, "pod_labels"), R"({"tier":"back"})");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "container_labels"), R"({"app":"web"})");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "pod_labels"), R"({"tier":"front"})");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "container_labels"), "-");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "pod_labels"), R"({"tier":"back"})");
}

TEST(ColumnSink, JoinsAParentThatEnded) {
  Rows rows({Table::kProcessFlow});
  rows.sink.process(process({1, 1}, std::nullopt, "/parent"));
  rows.sink.process(process({2, 2}, Oid{1, 1}, "/child"));
  rows.sink.process_gone({1, 1});
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process(process({2, 2}, Oid{1, 1}, "/child2"));
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process(process({1, 1}, std::nullopt, "/parent-anew"));
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process_gone({2, 2});
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "pproc_exe"), "/parent");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "pproc_exe"), "/parent");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 2, "pproc_exe"), "/parent-anew");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 3, "proc_exe"), "-");
}

TEST(ColumnSink, JoinsAParentWrittenLater) {
  Rows rows({Table::kProcessFlow});
  rows.sink.process(process({2, 2}, Oid{1, 1}, "/child"));
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.process(process({1, 1}, std::nullopt, "/parent"));
  rows.sink.process_flow(flow_of({2, 2}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "pproc_exe"), "-");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "pproc_pid"), "1");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "pproc_exe"), "/parent");
}

TEST(ColumnSink, SurvivesCyclesAndLongChainsOfParents) {
  Rows rows({Table::kProcessFlow});
  rows.sink.process(process({7, 7}, Oid{7, 7}, "/self"));
  for (int64_t i = 0; i < 300000; ++i) rows.sink.process(process({i, -1}, Oid{i - 1, -1}, "/x"));
  for (int64_t i = 0; i < 100000; ++i) rows.sink.process_gone({i, -1});
  rows.sink.process_flow(flow_of({7, 7}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "pproc_exe"), "/self");
}

TEST(ColumnSink, JoinsAContainerWrittenLater) {
  Rows rows({Table::kProcessFlow});
  sysflow::Process record = process({1, 1}, std::nullopt, "/x");
  record.container_id = "c";
  rows.sink.process(record);
  rows.sink.process_flow(flow_of({1, 1}));
  sysflow::Container container;
  container.id = "c";
  container.name = "web";
  container.type = 11;
  rows.sink.container(container);
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "container_id"), "c");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "container_name"), "-");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "container_name"), "web");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "container_type"), "CT_CUSTOM");
}

TEST(ColumnSink, ForgetsEntitiesAtAHeader) {
  Rows rows({Table::kProcessFlow});
  rows.sink.header({4, "one", "", ""});
  rows.sink.process(process({1, 1}, std::nullopt, "/x"));
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.header({5, "two", "", ""});
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "node_id"), "one");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 0, "schema"), "4");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "node_id"), "two");
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "proc_exe"), "-");
}

TEST(ColumnSink, LimitsBatchesWithTheirOwnStrings) {
  Rows rows({Table::kProcessFlow, Table::kSysflow, Table::kProcess}, 3);
  rows.sink.header({5, "node", "", ""});
  for (int64_t i = 0; i < 10; ++i) {
    rows.sink.process(process({i, i}, std::nullopt, "/exe" + std::to_string(i)));
    rows.sink.process_flow(flow_of({i, i}));
    rows.sink.process_flow(flow_of({0, 0}));
  }
  rows.sink.finish();
  ASSERT_EQ(rows.batches[Table::kProcessFlow].size(), 7u);
  ASSERT_EQ(rows.batches[Table::kProcess].size(), 4u);
  EXPECT_EQ(rows.batches[Table::kProcess][3].rows, 1u);
  for (size_t i = 0; i < 20; ++i) {
    const std::string exe = i % 2 == 0 ? "/exe" + std::to_string(i / 2) : "/exe0";
    for (const Table table : {Table::kProcessFlow, Table::kSysflow}) {
      EXPECT_EQ(rows.cell(table, i, "proc_exe"), exe);
      EXPECT_EQ(rows.cell(table, i, "idx"), std::to_string(i));
      EXPECT_EQ(rows.cell(table, i, "node_id"), "node");
      EXPECT_EQ(rows.cell(table, i, "pproc_exe"), "-");
    }
  }
}

TEST(ColumnSink, OmitsTheBitmapIfEveryRowHasAValue) {
  Rows rows({Table::kProcessFlow});
  sysflow::Process one = process({1, 1}, std::nullopt, "/x");
  one.user_name = one.group_name = "root";
  one.cwd = "/";
  one.facts = {"x", 1};
  rows.sink.process(one);
  for (int i = 0; i < 2000; ++i) rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  const ColumnBatch& first = rows.batches[Table::kProcessFlow].at(0);
  const auto columns = kTables[static_cast<size_t>(Table::kProcessFlow)].columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name(kColumns[static_cast<size_t>(columns[i].column)].name);
    const bool absent = name.substr(0, 5) == "pproc" || name.substr(0, 9) == "container" ||
                        name.substr(0, 3) == "pod";
    EXPECT_EQ(static_cast<bool>(first.columns[i].valid), absent) << name;
  }
}

TEST(ColumnSink, TextIsValidUtf8AndStoredOnce) {
  Rows rows({Table::kProcessFlow});
  rows.sink.process(process({1, 1}, std::nullopt, "/bin/\xFF"));
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.process_flow(flow_of({1, 1}));
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kProcessFlow, 1, "proc_name"), "\uFFFD");
  // "", the record types, the state, the executable and its base name.
  EXPECT_EQ(rows.batches[Table::kProcessFlow].at(0).string_count, 1 + 7 + 3 + 2u);
}

TEST(ColumnSink, SplitsPathsLikeDirnameAndBasename) {
  const std::vector<std::array<const char*, 3>> cases = {{"/etc/passwd", "passwd", "/etc"},
                                                         {"/x", "x", "/"},
                                                         {"/", "", "/"},
                                                         {"x", "x", ""},
                                                         {"a//b", "b", "a"},
                                                         {"/a/b/", "", "/a/b"},
                                                         {"", "", ""},
                                                         {"//x", "x", "//"}};
  Rows rows({Table::kFile});
  uint8_t number = 0;
  for (const auto& parts : cases) {
    sysflow::File file;
    file.oid.fill(number++);
    file.path = parts[0];
    file.restype = 1000000;
    rows.sink.file(file);
  }
  rows.sink.finish();
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(rows.cell(Table::kFile, i, "file_name"), cases[i][1]) << cases[i][0];
    EXPECT_EQ(rows.cell(Table::kFile, i, "file_directory"), cases[i][2]) << cases[i][0];
    EXPECT_EQ(rows.cell(Table::kFile, i, "file_type"), "?");
  }
}

// One row per process: its executable, arguments, user and directory, as SysFlow and the table have
// them.
TEST(ColumnSink, HasNullForUnknownValues) {
  struct Case {
    const char *exe, *args, *user, *cwd;
    std::array<const char*, 6>
        expected;  // proc_exe, proc_name, proc_args, proc_cmdline, proc_user, proc_cwd
  };
  const std::vector<Case> cases = {
      {"/bin/a", "x", "ana", "/", {"/bin/a", "a", "x", "/bin/a x", "ana", "/"}},
      {"/bin/a", "", "<NA>", "", {"/bin/a", "a", "", "/bin/a", "-", "-"}},
      {"<NA>", "", "", "./", {"-", "-", "-", "-", "-", "-"}},
      {"<NA>", "x", "<NA>", "/", {"-", "-", "x", "-", "-", "/"}},
      {"", "", "root", "/<NA>/", {"", "", "", "", "root", "/<NA>/"}},
      {"<UNKNOWN>/a", "", "<NAB>", "/", {"<UNKNOWN>/a", "a", "", "<UNKNOWN>/a", "<NAB>", "/"}},
  };
  const std::array<const char*, 6> columns = {"proc_exe",     "proc_name", "proc_args",
                                              "proc_cmdline", "proc_user", "proc_cwd"};
  Rows rows({Table::kProcess, Table::kProcessFlow});
  for (size_t i = 0; i < cases.size(); ++i) {
    sysflow::Process record = process({1, static_cast<int64_t>(i)}, std::nullopt, cases[i].exe);
    record.exe_args = cases[i].args;
    record.user_name = record.group_name = cases[i].user;
    record.cwd = cases[i].cwd;
    rows.sink.process(record);
    rows.sink.process(process({2, static_cast<int64_t>(i)}, record.oid, "/child"));
    rows.sink.process_flow(flow_of({2, static_cast<int64_t>(i)}));
  }
  rows.sink.finish();
  for (size_t i = 0; i < cases.size(); ++i) {
    for (size_t column = 0; column < columns.size(); ++column) {
      const std::string name = columns[column];
      EXPECT_EQ(rows.cell(Table::kProcess, 2 * i, name), cases[i].expected[column]) << i << name;
      EXPECT_EQ(rows.cell(Table::kProcessFlow, i, "p" + name), cases[i].expected[column])
          << i << name;
    }
    EXPECT_EQ(rows.cell(Table::kProcess, 2 * i, "proc_group"), cases[i].expected[4]);
  }
}

TEST(ColumnSink, HasNullForUnknownContainersFilesAndUsers) {
  Rows rows({Table::kContainer, Table::kFile, Table::kProcessEvent, Table::kHeader});
  rows.sink.header({5, "x", "NA", ""});
  rows.sink.container({"a", "incomplete", "incomplete:incomplete", "", 0, false, std::nullopt});
  rows.sink.container({"b", "", ":", "", 0, false, std::nullopt});
  rows.sink.container({"c", "incomplete", "incomplete:incomplete", "", 6, false, std::nullopt});
  rows.sink.container({"d", "incomplete", "web:1", "", 0, false, std::nullopt});
  for (const char* path : {"<NA>", "<UNKNOWN>", "/a"}) {
    sysflow::File file;
    file.path = path;
    rows.sink.file(file);
  }
  for (const char* user : {"<NA>", "ana"}) {
    for (const std::optional<uint32_t> id :
         {std::optional<uint32_t>(), std::optional<uint32_t>(7777)}) {
      rows.sink.process_event({{1, 1}, 1, 1, sysflow::kOpSetuid, {user}, 0, id});
    }
  }
  rows.sink.finish();
  const auto column = [&rows](Table table, const char* name, size_t count) {
    std::string text;
    for (size_t row = 0; row < count; ++row) text += rows.cell(table, row, name) + "|";
    return text;
  };
  EXPECT_EQ(column(Table::kContainer, "container_id", 4), "a|b|c|d|");
  EXPECT_EQ(column(Table::kContainer, "container_name", 4), "-|-|-|incomplete|");
  EXPECT_EQ(column(Table::kContainer, "container_image", 4), "-|-|-|web:1|");
  EXPECT_EQ(column(Table::kContainer, "container_imageid", 4), "-|-|-||");
  EXPECT_EQ(column(Table::kContainer, "container_type", 4), "-|-|CT_CRI|CT_DOCKER|");
  EXPECT_EQ(column(Table::kContainer, "container_privileged", 4), "-|-|false|false|");
  EXPECT_EQ(column(Table::kFile, "file_path", 3), "-|-|/a|");
  EXPECT_EQ(column(Table::kFile, "file_name", 3), "-|-|a|");
  EXPECT_EQ(column(Table::kFile, "file_directory", 3), "-|-|/|");
  EXPECT_EQ(column(Table::kProcessEvent, "evt_args", 4), "-|7777|ana|ana|");
  EXPECT_EQ(column(Table::kHeader, "node_ip", 1), "-|");
}

TEST(ColumnSink, MarksImpossibleTimes) {
  const std::vector<int64_t> times = {0, 1, INT64_MAX - 1, INT64_MAX, -1, INT64_MIN};
  Rows rows({Table::kSysflow});
  for (const int64_t time : times) {
    sysflow::ProcessFlow flow = flow_of({1, 1});
    flow.ts = time;
    flow.end_ts = 5;
    rows.sink.process_flow(flow);
  }
  rows.sink.process_event({{1, 1}, INT64_MIN, 1, sysflow::kOpExit, {}, 0, std::nullopt});
  rows.sink.finish();
  EXPECT_EQ(rows.sink.impossible_times(), 4u);
  const ColumnBatch& batch = rows.batches[Table::kSysflow].at(0);
  const auto columns = kTables[static_cast<size_t>(Table::kSysflow)].columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnValues& column = batch.columns[i];
    EXPECT_EQ(static_cast<bool>(column.possible), columns[i].column == Column::kTsUts);
    if (!column.possible) continue;
    EXPECT_FALSE(column.valid);
    EXPECT_EQ(column.possible.size(), 1u);
    EXPECT_EQ(column.possible.data()[0], 0b0000111);
  }
  EXPECT_EQ(rows.cell(Table::kSysflow, 3, "ts_uts"), "9223372036854775807");
}

TEST(ColumnSink, LimitsTextsAndBatches) {
  Rows rows({Table::kFile}, 100000);
  const size_t most = Dictionary::kMaxText;
  sysflow::File file;
  std::vector<std::string> paths;
  for (const size_t size : {most - 1, most, most + 1, most + 2}) {
    // A two-byte character across the limit is dropped completely.
    paths.push_back(std::string(size - 3, static_cast<char>('a' + paths.size())) + "\xC3\xA9z");
    file.path = paths.back();
    file.oid[0]++;
    rows.sink.file(file);
  }
  for (int i = 0; i < 20; ++i) {
    file.path = std::string(most / 2, static_cast<char>('A' + i));
    file.oid[0]++;
    rows.sink.file(file);
  }
  rows.sink.finish();
  EXPECT_EQ(rows.cell(Table::kFile, 0, "file_path"), paths[0]);
  EXPECT_EQ(rows.cell(Table::kFile, 1, "file_path"), paths[1]);
  EXPECT_EQ(rows.cell(Table::kFile, 2, "file_path"), paths[2].substr(0, most));
  EXPECT_EQ(rows.cell(Table::kFile, 3, "file_path"), paths[3].substr(0, most - 1));
  // file_name has the same text.
  EXPECT_EQ(rows.sink.cut_texts(), 4u);
  ASSERT_EQ(rows.batches[Table::kFile].size(), 2u);
  for (const ColumnBatch& batch : rows.batches[Table::kFile])
    EXPECT_LT(batch.string_size, size_t{10} << 20);
}

TEST(ColumnSink, StopsWhenTheConsumerStops) {
  int calls = 0;
  ColumnSink sink({Table::kProcessFlow}, 2, [&](ColumnBatch) {
    ++calls;
    return false;
  });
  for (int i = 0; i < 100; ++i) sink.process_flow(flow_of({1, 1}));
  sink.finish();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sfkit::output
