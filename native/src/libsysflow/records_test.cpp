#include "libsysflow/records.h"

#include <gtest/gtest.h>
#include <sysflow/op_flags.h>
#include <sysflow/enums.hh>

#include <string>
#include <vector>

namespace sfkit::libsysflow {
namespace {

TEST(LibSysFlowRecords, GiveAnUnknownProcessItsIdentity) {
  const Header header;
  Joined joined;
  joined.header = &header;
  ProcessFlow flow;
  flow.process = {17, 42};
  Records records;
  const Arguments arguments = records.convert(joined, &flow);
  ASSERT_NE(arguments.process, nullptr);
  EXPECT_EQ(arguments.process->oid.createTS, 17);
  EXPECT_EQ(arguments.process->oid.hpid, 42);
  EXPECT_TRUE(arguments.process->poid.is_null());
  EXPECT_EQ(arguments.process->exe, "");
  EXPECT_EQ(arguments.container, nullptr);
  EXPECT_EQ(arguments.file1, nullptr);
  EXPECT_EQ(arguments.file2, nullptr);
}

TEST(LibSysFlowRecords, LeaveNothingOfTheRecordBefore) {
  const Header header;
  Process process;
  process.parent = ProcessId{1, 2};
  process.container_id = "abc";
  process.env = TextView(std::string_view("A=1\0B=2\0", 8));
  Joined joined;
  joined.header = &header;
  joined.process = &process;
  const std::vector<std::string> two = {"x", "y"};
  const std::vector<std::string> none;
  FileEvent rename;
  rename.new_file = FileId{7};
  ProcessEvent event;
  event.args = &two;

  Records records;
  EXPECT_EQ(records.convert(joined, &rename).process->env.size(), 2u);
  EXPECT_EQ(records.convert(joined, &event).record->rec.get_ProcessEvent().args, two);
  process.parent.reset();
  process.container_id.reset();
  process.env = TextView();
  event.args = &none;
  rename.new_file.reset();
  const Arguments arguments = records.convert(joined, &event);
  EXPECT_EQ(arguments.record->rec.idx(), size_t{SF_PROC_EVT});
  EXPECT_TRUE(arguments.record->rec.get_ProcessEvent().args.empty());
  EXPECT_TRUE(arguments.process->poid.is_null());
  EXPECT_TRUE(arguments.process->containerId.is_null());
  EXPECT_TRUE(arguments.process->env.empty());
  EXPECT_TRUE(records.convert(joined, &rename).record->rec.get_FileEvent().newFileOID.is_null());
}

TEST(LibSysFlowRecords, HaveAddressesInNetworkOrder) {
  const Header header;
  Joined joined;
  joined.header = &header;
  NetworkFlow flow;
  flow.source = {10, 0, 0, 1};
  flow.source_port = 65535;
  Records records;
  const auto converted = records.convert(joined, &flow).record->rec.get_NetworkFlow();
  EXPECT_EQ(converted.sip, 0x0100000a);
  EXPECT_EQ(converted.sport, 65535);
  EXPECT_TRUE(has_room(&flow));
  flow.ipv6 = true;
  EXPECT_FALSE(has_room(&flow));
}

TEST(LibSysFlowRecords, HaveEventsOfConnections) {
  const Header header;
  Joined joined;
  joined.header = &header;
  NetworkEvent event;
  event.process = {17, 42};
  event.time = 5;
  event.tid = 43;
  event.operations = Operations(static_cast<uint32_t>(Operation::kConnect));
  event.source = {10, 0, 0, 1};
  event.source_port = 40000;
  event.destination = {10, 0, 0, 2};
  event.destination_port = 443;
  event.protocol = Protocol::kTcp;
  event.result = -111;
  Records records;
  const Arguments arguments = records.convert(joined, &event);
  EXPECT_EQ(arguments.process->oid.hpid, 42);
  ASSERT_EQ(arguments.record->rec.idx(), size_t{SF_NET_EVT});
  const auto converted = arguments.record->rec.get_NetworkEvent();
  EXPECT_EQ(converted.procOID.createTS, 17);
  EXPECT_EQ(converted.ts, 5);
  EXPECT_EQ(converted.tid, 43);
  EXPECT_EQ(converted.opFlags, OP_CONNECT);
  EXPECT_EQ(converted.sip, 0x0100000a);
  EXPECT_EQ(converted.sport, 40000);
  EXPECT_EQ(converted.dip, 0x0200000a);
  EXPECT_EQ(converted.dport, 443);
  EXPECT_EQ(converted.proto, 6);
  EXPECT_EQ(converted.ret, -111);
}

}  // namespace
}  // namespace sfkit::libsysflow
