#include "sysflow/ops.h"

#include <array>

#include "events.gen.h"

namespace sfkit::sysflow {
namespace {

namespace ev = scap::ev;

enum Since : uint8_t {
  kAlways,       // the collector 0.7 knows it
  kCompatOnly,   // only the collector counts it so
  kDefaultOnly,  // the collector overlooks it
};

struct Meaning {
  uint32_t op;
  uint16_t code;
  Since since = kAlways;
};

constexpr Meaning kMeanings[] = {
    {kOpExec, ev::SYSCALL_EXECVE_8_X},
    {kOpExec, ev::SYSCALL_EXECVE_13_X},
    {kOpExec, ev::SYSCALL_EXECVE_14_X},
    {kOpExec, ev::SYSCALL_EXECVE_15_X},
    {kOpExec, ev::SYSCALL_EXECVE_16_X},
    {kOpExec, ev::SYSCALL_EXECVE_17_X},
    {kOpExec, ev::SYSCALL_EXECVE_18_X},
    {kOpExec, ev::SYSCALL_EXECVE_19_X},
    {kOpExec, ev::SYSCALL_EXECVEAT_X, kDefaultOnly},
    {kOpClone, ev::SYSCALL_CLONE_11_X},
    {kOpClone, ev::SYSCALL_CLONE_16_X},
    {kOpClone, ev::SYSCALL_CLONE_17_X},
    {kOpClone, ev::SYSCALL_CLONE_20_X},
    {kOpClone, ev::SYSCALL_CLONE3_X, kDefaultOnly},
    {kOpClone, ev::SYSCALL_FORK_X},
    {kOpClone, ev::SYSCALL_FORK_17_X},
    {kOpClone, ev::SYSCALL_FORK_20_X},
    {kOpClone, ev::SYSCALL_VFORK_X},
    {kOpClone, ev::SYSCALL_VFORK_17_X},
    {kOpClone, ev::SYSCALL_VFORK_20_X},
    {kOpExit, ev::PROCEXIT_E},
    {kOpExit, ev::PROCEXIT_1_E},
    {kOpSetuid, ev::SYSCALL_SETUID_X},
    {kOpSetuid, ev::SYSCALL_SETRESUID_X},
    {kOpSetuid, ev::SYSCALL_SETREUID_X, kDefaultOnly},
    {kOpOpen, ev::SYSCALL_OPEN_X},
    {kOpOpen, ev::SYSCALL_OPENAT_X},
    {kOpOpen, ev::SYSCALL_OPENAT_2_X},
    {kOpOpen, ev::SYSCALL_OPENAT2_X, kDefaultOnly},
    {kOpOpen, ev::SYSCALL_CREAT_X, kDefaultOnly},
    {kOpOpen, ev::SYSCALL_OPEN_BY_HANDLE_AT_X, kDefaultOnly},
    {kOpClose, ev::SYSCALL_CLOSE_X},
    {kOpAccept, ev::SOCKET_ACCEPT_X},
    {kOpAccept, ev::SOCKET_ACCEPT4_X},
    {kOpAccept, ev::SOCKET_ACCEPT_5_X},
    {kOpAccept, ev::SOCKET_ACCEPT4_5_X},
    {kOpAccept, ev::SOCKET_ACCEPT4_6_X, kDefaultOnly},
    {kOpConnect, ev::SOCKET_CONNECT_X},
    {kOpWriteSend, ev::SOCKET_SEND_X},
    {kOpWriteSend, ev::SOCKET_SENDTO_X},
    {kOpWriteSend, ev::SOCKET_SENDMSG_X},
    {kOpWriteSend, ev::SOCKET_SENDMMSG_X, kDefaultOnly},
    {kOpWriteSend, ev::SYSCALL_WRITE_X},
    {kOpWriteSend, ev::SYSCALL_WRITEV_X},
    {kOpWriteSend, ev::SYSCALL_PWRITE_X},
    {kOpWriteSend, ev::SYSCALL_PWRITEV_X},
    {kOpReadRecv, ev::SOCKET_RECV_X},
    {kOpReadRecv, ev::SOCKET_RECVFROM_X},
    {kOpReadRecv, ev::SOCKET_RECVMSG_X},
    {kOpReadRecv, ev::SOCKET_RECVMMSG_X, kDefaultOnly},
    {kOpReadRecv, ev::SYSCALL_READ_X},
    {kOpReadRecv, ev::SYSCALL_READV_X},
    {kOpReadRecv, ev::SYSCALL_PREAD_X},
    {kOpReadRecv, ev::SYSCALL_PREADV_X},
    {kOpTransfer, ev::SYSCALL_SENDFILE_X, kDefaultOnly},
    {kOpTransfer, ev::SYSCALL_SPLICE_X, kDefaultOnly},
    {kOpTransfer, ev::SYSCALL_COPY_FILE_RANGE_X, kDefaultOnly},
    {kOpShutdown, ev::SOCKET_SHUTDOWN_X},
    {kOpSetns, ev::SYSCALL_SETNS_X},
    {kOpMmap, ev::SYSCALL_MMAP_E, kCompatOnly},
    {kOpMmap, ev::SYSCALL_MMAP2_E, kCompatOnly},
    {kOpMmap, ev::SYSCALL_MMAP_X},
    {kOpMmap, ev::SYSCALL_MMAP2_X},
    {kOpMkdir, ev::SYSCALL_MKDIR_X},
    {kOpMkdir, ev::SYSCALL_MKDIR_2_X},
    {kOpMkdir, ev::SYSCALL_MKDIRAT_X},
    {kOpRmdir, ev::SYSCALL_RMDIR_X},
    {kOpRmdir, ev::SYSCALL_RMDIR_2_X},
    {kOpLink, ev::SYSCALL_LINK_X},
    {kOpLink, ev::SYSCALL_LINK_2_X},
    {kOpLink, ev::SYSCALL_LINKAT_X},
    {kOpLink, ev::SYSCALL_LINKAT_2_X},
    {kOpUnlink, ev::SYSCALL_UNLINK_X},
    {kOpUnlink, ev::SYSCALL_UNLINK_2_X},
    {kOpUnlink, ev::SYSCALL_UNLINKAT_X},
    {kOpUnlink, ev::SYSCALL_UNLINKAT_2_X},
    {kOpSymlink, ev::SYSCALL_SYMLINK_X},
    {kOpSymlink, ev::SYSCALL_SYMLINKAT_X},
    {kOpRename, ev::SYSCALL_RENAME_X},
    {kOpRename, ev::SYSCALL_RENAMEAT_X},
    {kOpRename, ev::SYSCALL_RENAMEAT2_X},
};

using OpTable = std::array<uint32_t, scap::kEventCount>;

constexpr OpTable make_table(Since left_out) {
  OpTable table{};
  for (const Meaning& meaning : kMeanings) {
    if (meaning.since != left_out) table[meaning.code] = meaning.op;
  }
  return table;
}

constexpr OpTable kDefaultOps = make_table(kCompatOnly);
constexpr OpTable kCompatOps = make_table(kDefaultOnly);

}  // namespace

uint32_t op_of(uint16_t code, bool compat) {
  return compat ? kCompatOps[code] : kDefaultOps[code];
}

bool is_at_call(uint16_t code) {
  switch (code) {
    case ev::SYSCALL_MKDIRAT_X:
    case ev::SYSCALL_LINKAT_X:
    case ev::SYSCALL_LINKAT_2_X:
    case ev::SYSCALL_UNLINKAT_X:
    case ev::SYSCALL_UNLINKAT_2_X:
    case ev::SYSCALL_SYMLINKAT_X:
    case ev::SYSCALL_RENAMEAT_X:
    case ev::SYSCALL_RENAMEAT2_X: return true;
    default: return false;
  }
}

}  // namespace sfkit::sysflow
