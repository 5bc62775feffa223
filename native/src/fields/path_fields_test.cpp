// Tests how events show paths.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "events/listing.h"
#include "scap/writer.h"

namespace sfkit::fields {
namespace {

namespace value = scap::value;
namespace ev = scap::ev;

constexpr int64_t kCwd = -100;
constexpr int64_t kApp = 100;
constexpr int64_t kOther = 200;
constexpr uint32_t kRead = 1;
constexpr uint32_t kDirectory = 1u << 10;
constexpr uint64_t kStart = 1'700'000'000'000'000'000;

scap::ThreadEntry listed(int64_t pid, std::string_view cwd) {
  scap::ThreadEntry entry;
  entry.tid = entry.pid = entry.vtid = entry.vpid = pid;
  entry.ptid = 1;
  entry.comm = entry.exe = entry.exepath = "/bin/app";
  entry.cwd = cwd;
  entry.root = "/";
  return entry;
}

class Capture {
 public:
  explicit Capture(std::string_view cwd = "/home/ana") {
    out_.begin();
    out_.processes({listed(1, "/"), listed(kApp, cwd), listed(kOther, cwd)});
    scap::FdEntry file;
    file.fd = 9;
    file.type = scap::FdType::kFileV2;
    file.name = "/srv/r1/listed";
    out_.descriptors(kApp, {file});
  }

  Capture& event(uint16_t code, const std::vector<std::string>& params, int64_t tid = kApp) {
    out_.event(kStart + 1000 * ++count_, tid, 1, code, params);
    return *this;
  }
  Capture& open(int64_t fd, std::string_view path, int64_t dirfd = kCwd, uint32_t flags = kRead) {
    return event(ev::SYSCALL_OPENAT_2_X,
                 {value::i64(fd), value::i64(dirfd), value::text(path), value::u32(flags),
                  value::u32(0), value::u32(0), value::u64(0)});
  }
  Capture& open_by(int64_t tid, int64_t fd, std::string_view path) {
    return event(ev::SYSCALL_OPENAT_2_X,
                 {value::i64(fd), value::i64(kCwd), value::text(path), value::u32(kRead),
                  value::u32(0), value::u32(0), value::u64(0)},
                 tid);
  }
  Capture& openat2(int64_t fd, std::string_view path, int64_t dirfd, uint32_t resolve) {
    return event(ev::SYSCALL_OPENAT2_X,
                 {value::i64(fd), value::i64(dirfd), value::text(path), value::u32(kRead),
                  value::u32(0), value::u32(resolve), value::u32(0), value::u64(0)});
  }
  Capture& chdir(std::string_view path, int64_t tid = kApp) {
    return event(ev::SYSCALL_CHDIR_X, {value::i64(0), value::text(path)}, tid);
  }
  Capture& fchdir(int64_t fd) {
    return event(ev::SYSCALL_FCHDIR_X, {value::i64(0), value::i64(fd)});
  }
  Capture& read(int64_t fd) {
    return event(ev::SYSCALL_READ_X, {value::i64(1), "x", value::i64(fd), value::u32(1)});
  }
  Capture& rename(std::string_view from, std::string_view to, int64_t result = 0) {
    return event(ev::SYSCALL_RENAME_X, {value::i64(result), value::text(from), value::text(to)});
  }
  Capture& renameat2(int64_t olddir, std::string_view from, int64_t newdir, std::string_view to,
                     uint32_t flags) {
    return event(ev::SYSCALL_RENAMEAT2_X, {value::i64(0), value::i64(olddir), value::text(from),
                                           value::i64(newdir), value::text(to), value::u32(flags)});
  }

  // The last event, formatted with `shape`.
  std::string last(std::string_view shape) const {
    std::string text;
    const std::atomic<bool> cancel{false};
    events::ListOptions options;
    options.line = shape;
    InputSummary summary;
    uint64_t shown = 0;
    auto input = scap::Input::over(Bytes(out_.bytes().data(), out_.bytes().size()));
    const auto take = [&text](const std::vector<uint8_t>& part) {
      text.append(part.begin(), part.end());
      return true;
    };
    EXPECT_TRUE(list_events(*input.value(), "test", options, take, cancel, summary, shown).is_ok());
    text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

 private:
  scap::CaptureWriter out_;
  uint64_t count_ = 0;
};

std::string name_of(Capture& capture) {
  return capture.last("%fd.name");
}

// ---- long paths

TEST(LongPaths, KeepTheWholeWorkingDirectory) {
  const std::string name(200, 'd');
  for (const int depth : {6, 20, 40}) {
    Capture capture("/w");
    for (int i = 0; i < depth; ++i) capture.chdir(name);
    capture.open(3, "f");
    const std::string at_the_bottom = name_of(capture);
    for (int i = 0; i < depth; ++i) capture.chdir("..");
    EXPECT_EQ(name_of(capture.open(3, "etc/passwd")), "/w/etc/passwd") << depth;
    const size_t size = 2 + static_cast<size_t>(depth) * 201 + 2;
    EXPECT_EQ(at_the_bottom.size(), size > 4095 ? std::string_view("<UNKNOWN>f").size() : size)
        << depth;
  }
}

TEST(LongPaths, RelativePathsBeyondTheLimitAreUnknown) {
  Capture capture("/w");
  for (int i = 0; i < 50; ++i) capture.chdir(std::string(200, 'd'));
  for (int i = 0; i < 50; ++i) capture.chdir("..");
  EXPECT_EQ(capture.open(3, "./etc/../passwd").last("%fd.name %proc.cwd"), "<UNKNOWN>passwd <NA>");
  EXPECT_EQ(name_of(capture.open(3, "/etc/passwd")), "/etc/passwd");
  EXPECT_EQ(name_of(capture.chdir("/srv").open(3, "f")), "/srv/f");
}

TEST(LongPaths, ArgumentsBeyondTheKernelLimitAreUnknown) {
  Capture capture;
  EXPECT_EQ(name_of(capture.open(3, "/" + std::string(5000, 'x'))), "<UNKNOWN>");
  EXPECT_EQ(name_of(capture.chdir("/" + std::string(5000, 'x')).open(3, "f")), "<UNKNOWN>f");
}

// ---- openat2

TEST(Openat2, ResolvesInTheDirectoryAsRoot) {
  Capture capture;
  capture.open(3, "/home/root", kCwd, kRead | kDirectory);
  constexpr uint32_t kInRoot = 2;
  EXPECT_EQ(name_of(capture.openat2(4, "/etc/shadow", 3, kInRoot)), "/home/root/etc/shadow");
  EXPECT_EQ(name_of(capture.openat2(4, "../../etc/shadow", 3, kInRoot)), "/home/root/etc/shadow");
  EXPECT_EQ(name_of(capture.openat2(-2, "/../etc/shadow", 3, kInRoot)), "/home/root/etc/shadow");
  EXPECT_EQ(name_of(capture.openat2(4, "/x", kCwd, kInRoot | 8)), "/home/ana/x");
  EXPECT_EQ(name_of(capture.openat2(4, "/x", 77, kInRoot)), "<UNKNOWN>x");
  EXPECT_EQ(
      capture.openat2(4, "/x", 3, kInRoot).last("%fs.path.name %fs.path.nameraw %evt.arg.name"),
      "/home/root/x /x /home/root/x");
  EXPECT_EQ(name_of(capture.openat2(4, "/x", 3, 0)), "/x");
}

TEST(Openat2, DoesNotLeaveTheDirectoryWithResolveBeneath) {
  Capture capture;
  capture.open(3, "/home/root", kCwd, kRead | kDirectory);
  constexpr uint32_t kBeneath = 1;
  EXPECT_EQ(name_of(capture.openat2(4, "a/../b", 3, kBeneath)), "/home/root/b");
  EXPECT_EQ(name_of(capture.openat2(4, "/etc/shadow", 3, kBeneath)), "<UNKNOWN>");
  EXPECT_EQ(name_of(capture.openat2(4, "a/../../etc", 3, kBeneath)), "<UNKNOWN>");
  EXPECT_EQ(name_of(capture.openat2(-18, "/etc/shadow", 3, kBeneath)), "/etc/shadow")
      << "a failed open shows its argument";
}

TEST(Openat2, PrefersPathAndFlagsOfTheEnterEvent) {
  Capture capture;
  capture.open(3, "/home/root", kCwd, kRead | kDirectory);
  capture.event(ev::SYSCALL_OPENAT2_E, {value::i64(3), value::text("/a"), value::u32(kRead),
                                        value::u32(0), value::u32(2)});
  EXPECT_EQ(name_of(capture.openat2(4, "/b", kCwd, 0)), "/home/root/a");
}

// ---- failed opens, and names as given

TEST(OpenNames, AreNormalizedForFailedOpensToo) {
  for (const int64_t result : {int64_t{3}, int64_t{-13}}) {
    Capture capture;
    EXPECT_EQ(capture.open(result, "/tmp/../etc//shadow").last("%fd.name %fd.nameraw"),
              "/etc/shadow /tmp/../etc//shadow");
    EXPECT_EQ(capture.open(result, "./x/../f").last("%fd.name %fd.nameraw"),
              "/home/ana/f ./x/../f");
    EXPECT_EQ(capture.open(result, "/etc/hosts").last("%fd.name %fd.nameraw"),
              "/etc/hosts /etc/hosts");
    EXPECT_EQ(capture.open(result, "./rel", 77).last("%fd.name %fd.nameraw"), "<UNKNOWN>rel ./rel");
    EXPECT_EQ(capture.open(result, "/rel", 77).last("%fd.name %evt.abspath"), "/rel /rel");
    capture.event(ev::SYSCALL_CREAT_X, {value::i64(result), value::text("../new"), value::u32(0),
                                        value::u32(0), value::u64(0), std::string(2, '\0')});
    EXPECT_EQ(capture.last("%fd.name %fd.nameraw"), "/home/new ../new");
    capture.event(ev::SYSCALL_OPEN_X,
                  {value::i64(result), value::text("a/./b"), value::u32(kRead), value::u32(0)});
    EXPECT_EQ(capture.last("%fd.name %fd.nameraw"), "/home/ana/a/b a/./b");
    capture.event(ev::SYSCALL_OPEN_BY_HANDLE_AT_X,
                  {value::i64(result), value::i64(4), value::u32(kRead), value::text("/srv/../f")});
    EXPECT_EQ(capture.last("%fd.name %fd.nameraw"), "/f /srv/../f");
  }
}

TEST(OpenNames, BelowANonDirectoryAreUnknown) {
  Capture capture;
  capture.event(ev::SOCKET_SOCKET_X, {value::i64(5), value::u32(2), value::u32(1), value::u32(0)});
  EXPECT_EQ(name_of(capture.open(-20, "rel", 5)), "<UNKNOWN>rel");
}

TEST(OpenNames, OfUnknownProcessesStayRelative) {
  Capture capture;
  EXPECT_EQ(name_of(capture.open_by(999, 3, "./a/../rel")), "rel");
  EXPECT_EQ(name_of(capture.open_by(999, -2, "rel")), "rel");
}

TEST(OpenNames, SplitUnknownDirectoryAndFileName) {
  Capture capture;
  EXPECT_EQ(capture.open(3, "f", 77).last("%fd.directory %fd.filename"), "<UNKNOWN> f");
  EXPECT_EQ(capture.open(3, "d/f", 77).last("%fd.directory %fd.filename"), "<UNKNOWN>d f");
}

// ---- unreadable and changed paths

TEST(Paths, UnreadableInOneEventComeFromTheOther) {
  const auto entered = [](std::string_view path) {
    return std::vector<std::string>{value::i64(kCwd), value::text(path), value::u32(kRead),
                                    value::u32(0)};
  };
  Capture capture;
  capture.event(ev::SYSCALL_OPENAT_2_E, entered("<NA>"));
  EXPECT_EQ(capture.open(3, "/etc/hosts").last("%fd.name %fs.path.name"), "/etc/hosts /etc/hosts");
  capture.event(ev::SYSCALL_OPENAT_2_E, entered("/etc/hosts"));
  EXPECT_EQ(capture.open(3, "<NA>").last("%fd.name %fs.path.name"), "/etc/hosts /etc/hosts");
  capture.event(ev::SYSCALL_OPENAT_2_E, entered("<NA>"));
  EXPECT_EQ(name_of(capture.open(3, "<NA>")), "<UNKNOWN>");
  EXPECT_EQ(name_of(capture.open(3, "x/<NA>")), "/home/ana/x/<NA>")
      << "only the whole text marks an unreadable path";
}

TEST(Paths, UnreadablePathsAreUnknownInEveryCall) {
  Capture capture;
  capture.event(ev::SYSCALL_UNLINK_2_X, {value::i64(0), value::text("<NA>")});
  EXPECT_EQ(capture.last("%fs.path.name"), "<NA>");
  capture.rename("<NA>", "/b");
  EXPECT_EQ(capture.last("%fs.path.source %fs.path.target"), "<NA> /b");
  EXPECT_EQ(capture.chdir("<NA>").open(3, "f").last("%fd.name %proc.cwd"), "<UNKNOWN>f <NA>");
}

TEST(Paths, ExecUsesThePathThatTheKernelRead) {
  const auto exec = [](Capture& capture, std::string_view filename) {
    std::vector<std::string> params(31);
    params[0] = value::i64(0);
    params[1] = value::text("tool");
    params[4] = value::i64(kApp);
    params[13] = value::text("tool");
    params[30] = value::text(filename);
    capture.event(ev::SYSCALL_EXECVE_19_X, params);
    return capture.last("%proc.exepath");
  };
  Capture capture;
  EXPECT_EQ(exec(capture, "bin/tool"), "/home/ana/bin/tool");
  EXPECT_EQ(exec(capture, "<NA>"), "<NA>");
  capture.event(ev::SYSCALL_EXECVE_19_E, {value::text("/bin/one")});
  EXPECT_EQ(exec(capture, "/bin/two"), "/bin/one");
  capture.event(ev::SYSCALL_EXECVE_19_E, {value::text("<NA>")});
  EXPECT_EQ(exec(capture, "/bin/two"), "/bin/two");
  EXPECT_EQ(exec(capture.chdir("<NA>"), "bin/tool"), "<NA>") << "relative to an unknown directory";
  capture.event(ev::SYSCALL_MEMFD_CREATE_X, {value::i64(7), value::text("code"), value::u32(0)});
  capture.event(ev::SYSCALL_EXECVEAT_E, {value::i64(7), value::text(""), value::u32(0x1000)});
  EXPECT_EQ(exec(capture, ""), "/memfd:code");
}

TEST(Paths, EnterEventsTakePrecedence) {
  Capture capture;
  capture.event(ev::SYSCALL_OPENAT2_E, {value::i64(kCwd), value::text("/tmp/file"),
                                        value::u32(kRead), value::u32(0), value::u32(0)});
  EXPECT_EQ(capture.openat2(8, "/tmp/other", kCwd, 0).last("%fd.name %fd.nameraw %fs.path.name"),
            "/tmp/file /tmp/file /tmp/file");
  capture.event(ev::SYSCALL_OPEN_E, {value::text("../file"), value::u32(kRead), value::u32(0)});
  capture.event(ev::SYSCALL_OPEN_X,
                {value::i64(-2), value::text("other"), value::u32(kRead), value::u32(0)});
  EXPECT_EQ(capture.last("%fd.name %fd.nameraw %fs.path.name %fs.path.nameraw"),
            "/home/file ../file /home/file ../file");
}

// ---- links

TEST(Links, ResolveTargetsFromTheirOwnDirectory) {
  const auto symlink = [](Capture& capture, std::string_view target, std::string_view path) {
    capture.event(ev::SYSCALL_SYMLINK_X, {value::i64(0), value::text(target), value::text(path)});
    return capture.last("%fs.path.source %fs.path.target %fs.path.targetraw");
  };
  Capture capture;
  EXPECT_EQ(symlink(capture, "../x/secret", "d/l"), "/home/ana/d/l /home/ana/x/secret ../x/secret");
  EXPECT_EQ(symlink(capture, "x", "l"), "/home/ana/l /home/ana/x x");
  EXPECT_EQ(symlink(capture, "../../x", "/l"), "/l /x ../../x");
  EXPECT_EQ(symlink(capture, "/a/../x", "/d/l"), "/d/l /x /a/../x");
  capture.open(3, "/srv", kCwd, kRead | kDirectory);
  capture.event(ev::SYSCALL_SYMLINKAT_X,
                {value::i64(0), value::text("x"), value::i64(3), value::text("d/l")});
  EXPECT_EQ(capture.last("%fs.path.source %fs.path.target"), "/srv/d/l /srv/d/x");
  capture.event(ev::SYSCALL_SYMLINKAT_X,
                {value::i64(0), value::text("../../x"), value::i64(77), value::text("d/l")});
  EXPECT_EQ(capture.last("%fs.path.source %fs.path.target"), "<UNKNOWN>d/l <UNKNOWN>../x");
}

// ---- renamed directories

TEST(RenamedDirectories, UpdateWorkingDirectoriesAndDescriptors) {
  Capture capture;
  capture.chdir("/home/r1/sub").open(3, "/home/r1", kCwd, kRead | kDirectory).open(4, "/home/r1/f");
  capture.chdir("/home/r1", kOther).rename("/home/r1", "/home/r2");
  EXPECT_EQ(name_of(capture.open(5, "g")), "/home/r2/sub/g");
  EXPECT_EQ(name_of(capture.open(5, "g", 3)), "/home/r2/g");
  EXPECT_EQ(capture.read(4).last("%fd.name %fd.nameraw"), "/home/r2/f /home/r1/f");
  EXPECT_EQ(name_of(capture.open_by(kOther, 5, "g")), "/home/r2/g");
  EXPECT_EQ(capture.read(4).last("%proc.cwd"), "/home/r2/sub/");
  EXPECT_EQ(name_of(capture.open(5, "/home/r1/f")), "/home/r1/f") << "a new file";
}

TEST(RenamedDirectories, WorkWithEveryRenameCall) {
  Capture capture("/home/r1");
  capture.open(3, "/home", kCwd, kRead | kDirectory);
  capture.event(ev::SYSCALL_RENAMEAT_X, {value::i64(0), value::i64(3), value::text("r1"),
                                         value::i64(3), value::text("./x/../r2")});
  EXPECT_EQ(name_of(capture.open(5, "g")), "/home/r2/g");
  capture.renameat2(kCwd, "../r2", 3, "r3", 1);
  EXPECT_EQ(name_of(capture.open(5, "g")), "/home/r3/g");
  capture.open(6, "/srv/d/f").renameat2(kCwd, "/srv/d", 3, "r3", 2);
  EXPECT_EQ(name_of(capture.open(5, "g")), "/srv/d/g") << "RENAME_EXCHANGE";
  EXPECT_EQ(name_of(capture.read(6)), "/home/r3/f");
  capture.rename("/srv", "/home/srv", -13);
  EXPECT_EQ(name_of(capture.open(5, "g")), "/srv/d/g") << "failed rename";
}

TEST(RenamedDirectories, UpdateForkedChildren) {
  Capture capture("/home/r1");
  std::vector<std::string> params(21);
  params[0] = value::i64(300);
  params[1] = value::text("app");
  params[4] = value::i64(kApp);
  params[18] = value::i64(kApp);
  params[19] = value::i64(kApp);
  capture.open(3, "f").event(ev::SYSCALL_CLONE_20_X, params);
  capture.rename("/home/r1", "/home/r2");
  EXPECT_EQ(name_of(capture.open_by(300, 5, "g")), "/home/r2/g");
  capture.event(ev::SYSCALL_READ_X, {value::i64(1), "x", value::i64(3), value::u32(1)}, 300);
  EXPECT_EQ(name_of(capture), "/home/r2/f");
}

TEST(RenamedDirectories, DoNotChangePathsOfRenamedFiles) {
  Capture capture;
  capture.open(3, "/home/d/f").rename("/home/d/f", "/home/d/g");
  EXPECT_EQ(name_of(capture.read(3)), "/home/d/f");
}

TEST(RenamedDirectories, WorkIfOpenedWithoutTheDirectoryFlag) {
  Capture capture;
  capture.open(3, "/home/r1").rename("/home/r1", "/home/r2");
  EXPECT_EQ(name_of(capture.open(4, "f", 3)), "/home/r2/f");
  EXPECT_EQ(name_of(capture.read(3)), "/home/r2");
  capture.open(5, "/home/s1").rename("/home/s1", "/home/s2").fchdir(5);
  EXPECT_EQ(name_of(capture.open(4, "f")), "/home/s2/f");
  capture.open(6, "/home/t1")
      .event(ev::SYSCALL_GETDENTS64_X, {value::i64(48), value::i64(6)})
      .rename("/home/t1", "/home/t2");
  EXPECT_EQ(name_of(capture.read(6)), "/home/t2");
}

TEST(RenamedDirectories, MovedToAnUnknownDirectory) {
  Capture capture("/home/r1/sub");
  capture.open(3, "/home/r1/f").renameat2(kCwd, "/home/r1", 77, "r2", 0);
  EXPECT_EQ(name_of(capture.read(3)), "<UNKNOWN>r2/f");
  EXPECT_EQ(name_of(capture.open(4, "g")), "<UNKNOWN>g");
}

TEST(RenamedDirectories, OnlyAffectTheSameRoot) {
  Capture capture("/home/r1");
  capture.event(ev::SYSCALL_CHROOT_X, {value::i64(0), value::text("/jail")}, kOther);
  capture.event(ev::SYSCALL_RENAME_X,
                {value::i64(0), value::text("/home/r1"), value::text("/home/r2")}, kOther);
  EXPECT_EQ(name_of(capture.open(4, "f")), "/home/r1/f");
}

TEST(RenamedDirectories, OnlyAffectTheSameContainer) {
  const std::string cgroup = "cpuset=/docker/" + std::string(64, 'a') + '\0';
  std::vector<std::string> params(31);
  params[0] = value::i64(0);
  params[1] = params[13] = value::text("tool");
  params[4] = value::i64(kApp);
  params[14] = cgroup;
  Capture capture("/home/r1");
  capture.event(ev::SYSCALL_EXECVE_19_X, params);
  capture.event(ev::SYSCALL_RENAME_X,
                {value::i64(0), value::text("/home/r1"), value::text("/home/r2")}, kOther);
  EXPECT_EQ(name_of(capture.open(4, "f")), "/home/r1/f") << "renamed on the host";
  capture.rename("/home/r1", "/home/r2");
  EXPECT_EQ(name_of(capture.open(4, "f")), "/home/r2/f");
}

TEST(RenamedDirectories, UpdateListedDescriptors) {
  Capture capture;
  capture.open(3, "x")
      .rename("/srv/r1", "/srv/r2")
      .event(ev::SYSCALL_READ_X, {value::i64(1), "x", value::i64(9), value::u32(1)});
  EXPECT_EQ(name_of(capture), "/srv/r2/listed");
}

TEST(RenamedDirectories, DoNotAffectRemovedDirectories) {
  Capture capture("/home/r1");
  capture.event(ev::SYSCALL_RMDIR_2_X, {value::i64(0), value::text("/home/r1")}, kOther);
  capture.event(ev::SYSCALL_MKDIR_2_X, {value::i64(0), value::text("/home/r1"), value::u32(0)},
                kOther);
  capture.chdir("/home/r1", kOther).rename("/home/r1", "/home/r2");
  EXPECT_EQ(name_of(capture.open(-2, "f")), "/home/r1/f");
  EXPECT_EQ(name_of(capture.open_by(kOther, 4, "f")), "/home/r2/f");
}

// ---- working directories

TEST(WorkingDirectories, FollowDescriptorsOfDirectories) {
  Capture capture;
  capture.open(3, "/srv/d", kCwd, kRead | kDirectory).fchdir(3);
  EXPECT_EQ(name_of(capture.open(4, "f")), "/srv/d/f");
  EXPECT_EQ(name_of(capture.fchdir(77).open(4, "f")), "<UNKNOWN>f") << "unknown descriptor";
  capture.event(ev::SYSCALL_GETCWD_X, {value::i64(8), value::text("/srv/e")});
  EXPECT_EQ(name_of(capture.open(4, "f")), "/srv/e/f");
  capture.event(ev::SYSCALL_GETCWD_X, {value::i64(20), value::text("(unreachable)/srv/e")});
  EXPECT_EQ(name_of(capture.open(4, "f")), "/srv/e/f");
}

TEST(WorkingDirectories, AreUnknownIfTheListHasNone) {
  Capture capture("");
  EXPECT_EQ(capture.open(4, "f").last("%fd.name %proc.cwd"), "<UNKNOWN>f <NA>");
}

}  // namespace
}  // namespace sfkit::fields
