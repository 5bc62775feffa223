#include <sfkit/checks.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <string>

#include "library/machine_checks.h"
#include "testing/temporary_file.h"

namespace sfkit::library {
namespace {

using Files = std::map<std::string, std::string>;

Files healthy() {
  return {{"/proc/self/status", "Name:\ttest\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n"},
          {"/proc/1/status", ""},
          {"/sys/kernel/btf/vmlinux", ""}};
}

Machine machine(Files files = healthy()) {
  Machine machine;
  machine.system = "linux x64";
  machine.kernel = "6.1.0-13-amd64";
  machine.read = [files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
  machine.link = [](const std::string&) { return std::optional<std::string>("user:[4026531837]"); };
  machine.exists = [files](const std::string& path) { return files.contains(path); };
  machine.try_probe = [] { return Result<std::string>("116 programs"); };
  return machine;
}

Machine changed(const std::string& path, const std::string& content) {
  Files files = healthy();
  files[path] = content;
  return machine(files);
}

Machine without(const std::string& path) {
  Files files = healthy();
  files.erase(path);
  return machine(files);
}

void expect_failure(const std::optional<CheckFailure>& failure, DriverError error,
                    const std::string& message) {
  ASSERT_TRUE(failure.has_value()) << message;
  EXPECT_EQ(failure->error, error) << driver_error_name(failure->error);
  EXPECT_NE(failure->message.find(message), std::string::npos) << failure->message;
}

TEST(MachineChecks, PassOnAHealthyMachine) {
  EXPECT_FALSE(check_machine(machine()).has_value());
  // Older kernels have no lockdown, and some no user namespaces.
  Machine plain = machine();
  plain.link = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_FALSE(check_machine(plain).has_value());
  EXPECT_FALSE(
      check_machine(changed("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n"))
          .has_value());
  // With /proc/1 hidden, live capture works with less.
  EXPECT_FALSE(check_machine(without("/proc/1/status")).has_value());
}

TEST(MachineChecks, NameTheFirstMissingRequirement) {
  Machine other = machine();
  other.system = "darwin arm64";
  expect_failure(check_machine(other), DriverError::kOperationNotSupported, "darwin arm64");
  for (const char* kernel : {"5.9.16", "4.19.0", "3.10", "unknown"}) {
    Machine old = machine();
    old.kernel = kernel;
    expect_failure(check_machine(old), DriverError::kOperationNotSupported, "Linux 5.10");
  }
  Machine first = machine();
  first.kernel = "5.10.0";
  EXPECT_FALSE(check_machine(first).has_value());
  expect_failure(check_machine(without("/sys/kernel/btf/vmlinux")),
                 DriverError::kOperationNotSupported, "CONFIG_DEBUG_INFO_BTF");
  expect_failure(check_machine(changed("/proc/self/status", "CapEff:\t0000000000000000\n")),
                 DriverError::kProbeAccessDenied, "without CAP_BPF and CAP_PERFMON");
  // CAP_BPF only, then both, then CAP_SYS_ADMIN.
  expect_failure(check_machine(changed("/proc/self/status", "CapEff:\t0000008000000000\n")),
                 DriverError::kProbeAccessDenied, "without CAP_PERFMON");
  EXPECT_FALSE(
      check_machine(changed("/proc/self/status", "CapEff:\t000000c000000000\n")).has_value());
  EXPECT_FALSE(
      check_machine(changed("/proc/self/status", "CapEff:\t0000000000200000\n")).has_value());
  Machine rootless = machine();
  rootless.link = [](const std::string&) { return std::optional<std::string>("user:[1]"); };
  expect_failure(check_machine(rootless), DriverError::kProbeAccessDenied, "user namespace");
  expect_failure(
      check_machine(changed("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n")),
      DriverError::kProbeAccessDenied, "lockdown");
  expect_failure(check_machine(machine({{"/sys/kernel/btf/vmlinux", ""}})),
                 DriverError::kProcResourceNotFound, "/proc: not mounted");
}

TEST(MachineChecks, ExplainAProbeThatDoesNotLoad) {
  const std::pair<Status, DriverError> kinds[] = {
      {{ErrorCode::kUnreadable, "permission denied"}, DriverError::kProbeAccessDenied},
      {{ErrorCode::kUnreadable, "/proc is not mounted"}, DriverError::kProcResourceNotFound},
      {{ErrorCode::kNotSupported, "this build of sfkit has no probe"}, DriverError::kProbeNotExist},
      {{ErrorCode::kNotSupported, "rejected"}, DriverError::kProbeNotLoaded},
  };
  for (const auto& [status, error] : kinds) {
    Machine broken = machine();
    broken.try_probe = [status = status] { return Result<std::string>(status); };
    expect_failure(check_machine(broken), error, "probe: " + status.message());
    EXPECT_EQ(driver_error_of(status, true), error);
  }
}

TEST(ProbeFile, NeedsAVersion) {
  const auto with = [](std::string content) {
    return check_probe_file("/probe.o", [content](const std::string&, std::string& to) {
      to = content;
      return 0;
    });
  };
  EXPECT_FALSE(with(std::string("\x7f"
                                "ELF...") +
                    "api_version")
                   .has_value());
  expect_failure(with("\x7f"
                      "ELF"),
                 DriverError::kDriverLibsMismatch, "without an api_version");
  expect_failure(with("text api_version"), DriverError::kDriverLibsMismatch,
                 "another kind of file");
  expect_failure(with(""), DriverError::kDriverLibsMismatch, "another kind of file");
}

TEST(ProbeFile, MapsErrorsOfTheSystemToCodes) {
  const std::pair<int, DriverError> kinds[] = {
      {EACCES, DriverError::kProbeAccessDenied}, {EPERM, DriverError::kProbeAccessDenied},
      {ENOENT, DriverError::kProbeNotExist},     {EIO, DriverError::kErrorReadingFileSystem},
      {ENAMETOOLONG, DriverError::kNameTooLong}, {ENOTDIR, DriverError::kProbeCheckError},
      {EISDIR, DriverError::kProbeCheckError},
  };
  for (const auto& [error, code] : kinds) {
    expect_failure(check_probe_file("/probe.o", [error = error](const std::string&,
                                                                std::string&) { return error; }),
                   code, "/probe.o: unusable eBPF probe: ");
  }
}

TEST(ProbeFile, IsWhereTheVariableSays) {
  const sfkit::testing::TemporaryFile file(std::string_view("no object file"));
  const auto check = [](const std::map<std::string, std::string>& variables) {
    return check_modules(ProbeKind::kEbpfFile, [&variables](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  expect_failure(check({{"FALCO_BPF_PROBE", file.path()}}), DriverError::kDriverLibsMismatch,
                 file.path());
  expect_failure(check({{"FALCO_BPF_PROBE", file.path() + "/below"}}),
                 DriverError::kProbeCheckError, "/below");
  expect_failure(check({{"FALCO_BPF_PROBE", "/" + std::string(300, 'x')}}),
                 DriverError::kNameTooLong, "too long");
  expect_failure(check({{"FALCO_BPF_PROBE", ""}, {"HOME", "/nowhere"}}),
                 DriverError::kProbeNotExist, "/nowhere/.falco/falco-bpf.o");
}

TEST(KernelModule, IsInTheList) {
  const auto with = [](const std::string& modules, int error = 0) {
    return check_kernel_module([&](const std::string& path, std::string& to) {
      EXPECT_EQ(path, "/proc/modules");
      to = modules;
      return error;
    });
  };
  EXPECT_FALSE(with("falco 1 0 - Live\n").has_value());
  EXPECT_FALSE(with("ext4 1 0\nfalco 1 0\n").has_value());
  expect_failure(with("falco_other 1 0\nnotfalco 1\n"), DriverError::kProbeNotLoaded, "modprobe");
  expect_failure(with("", ENOENT), DriverError::kProcResourceNotFound, "/proc/modules");
}

TEST(DriverError, HasTheCodesOfACapture) {
  EXPECT_EQ(driver_error_of({ErrorCode::kNotSupported, ""}, false),
            DriverError::kOperationNotSupported);
  for (const ErrorCode code :
       {ErrorCode::kNotFound, ErrorCode::kNotAFile, ErrorCode::kUnreadable, ErrorCode::kEmpty,
        ErrorCode::kBadFormat, ErrorCode::kInvalidArgument, ErrorCode::kUnwritable})
    EXPECT_EQ(driver_error_of({code, ""}, false), DriverError::kLibsError);
  EXPECT_EQ(driver_error_of({ErrorCode::kInvalidArgument, ""}, true), DriverError::kLibsError);
  EXPECT_STREQ(driver_error_name(DriverError::kOperationNotSupported), "OperationNotSupported");
  EXPECT_EQ(static_cast<int>(DriverError::kOperationNotSupported), 10);
}

}  // namespace
}  // namespace sfkit::library
