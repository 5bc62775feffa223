#include "live/socket_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace sfkit::live {
namespace {

// A directory with the layout of /proc/PID.
class Process {
 public:
  explicit Process(const std::string& space) {
    std::string pattern = (std::filesystem::temp_directory_path() / "sfkit-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(path_ / "ns");
    std::filesystem::create_directories(path_ / "net");
    std::filesystem::create_symlink(space, path_ / "ns" / "net");
  }
  ~Process() { std::filesystem::remove_all(path_); }

  std::string path() const { return path_.string(); }
  void write(const char* table, const std::string& text) {
    std::ofstream(path_ / "net" / table) << text;
  }

 private:
  std::filesystem::path path_;
};

constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 77 "
    "1 0\n";
constexpr const char* kUnixHeading = "Num       RefCount Protocol Flags    Type St Inode Path\n";
constexpr const char* kUnixRow = "0000000000000000: 00000002 00000000 00010000 0001 01 ";

TEST(SocketTable, FindsConnectionsAndNames) {
  Process process("net:[1]");
  process.write("tcp", kTcp);
  process.write("unix", std::string(kUnixHeading) + kUnixRow + "88 /run/a b\n" + kUnixRow + "89\n" +
                            kUnixRow + "90 @hidden\n");
  SocketTable table;
  table.add_namespace_of(process.path());
  scap::FdEntry entry;
  ASSERT_TRUE(table.find(77, entry));
  EXPECT_EQ(entry.type, scap::FdType::kIpv4);
  EXPECT_EQ(entry.source_port, 8080);
  EXPECT_EQ(entry.destination_port, 50000);
  ASSERT_TRUE(table.find(88, entry));
  EXPECT_EQ(entry.name, "/run/a b");
  ASSERT_TRUE(table.find(89, entry));
  EXPECT_EQ(entry.name, "");
  ASSERT_TRUE(table.find(90, entry));
  EXPECT_EQ(entry.name, "hidden");
  EXPECT_FALSE(table.find(91, entry));
}

// The kernel does not escape line feeds in names, so a socket's name can forge rows of the table.
TEST(SocketTable, IgnoresRowsForgedInSocketNames) {
  Process process("net:[1]");
  process.write("tcp", kTcp);
  const std::string forged = std::string("\n") + kUnixRow;
  process.write("unix", std::string(kUnixHeading) + kUnixRow + "88 @x" + forged + "77 /dev/log" +
                            forged + "89 /dev/log\n" + kUnixRow + "89 /run/true\n");
  SocketTable table;
  table.add_namespace_of(process.path());
  scap::FdEntry entry;
  ASSERT_TRUE(table.find(77, entry));
  EXPECT_EQ(entry.type, scap::FdType::kIpv4);
  ASSERT_TRUE(table.find(89, entry));
  EXPECT_EQ(entry.type, scap::FdType::kUnix);
  EXPECT_EQ(entry.name, "");
}

TEST(SocketTable, IgnoresRowsForgedInAnotherNamespace) {
  Process forging("net:[1]");
  forging.write("tcp", std::string(kTcp).substr(0, std::string_view(kTcp).find('\n') + 1));
  forging.write("unix",
                std::string(kUnixHeading) + kUnixRow + "88 @x\n" + kUnixRow + "77 /run/forged\n");
  Process other("net:[2]");
  other.write("tcp", kTcp);
  SocketTable table;
  table.add_namespace_of(forging.path());
  table.add_namespace_of(other.path());
  scap::FdEntry entry;
  ASSERT_TRUE(table.find(77, entry));
  EXPECT_EQ(entry.type, scap::FdType::kIpv4);
}

TEST(SocketTable, ReadsANamespaceThroughALaterProcess) {
  const Process gone("net:[1]");
  Process there("net:[1]");
  there.write("tcp", kTcp);
  SocketTable table;
  table.add_namespace_of(gone.path());
  table.add_namespace_of(there.path());
  scap::FdEntry entry;
  EXPECT_TRUE(table.find(77, entry));
}

}  // namespace
}  // namespace sfkit::live
