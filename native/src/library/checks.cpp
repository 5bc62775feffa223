#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/file_descriptor.h"
#include "library/machine_checks.h"
#include "library/variables.h"
#include "live/source.h"

namespace sfkit {
namespace library {
namespace {

// A probe file is far smaller.
constexpr size_t kMaxFile = size_t{64} << 20;
constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";
// The kernel fixes the number of the first user namespace.
constexpr std::string_view kFirstUserNamespace = "user:[4026531837]";
// linux/capability.h
constexpr int kSysAdmin = 21;
constexpr int kPerfmon = 38;
constexpr int kBpf = 39;
// The section with a probe's version.
constexpr std::string_view kVersionSection = "api_version";

CheckFailure failure(DriverError error, const std::string& name, const std::string& found,
                     const std::string& advice) {
  return {error, name + ": " + found + "; " + advice};
}

std::optional<CheckFailure> check_system(const Machine& machine) {
  const std::string found = machine.system + ", kernel " + machine.kernel;
  const auto fails = [&found](const char* advice) {
    return failure(DriverError::kOperationNotSupported, "system", found, advice);
  };
  if (machine.system != "linux x64")
    return fails("live capture needs Linux on x86-64; reading captures works here");
  const int major = leading_number(machine.kernel).value_or(0);
  const size_t dot = machine.kernel.find('.');
  const int minor =
      dot == std::string::npos
          ? 0
          : leading_number(std::string_view(machine.kernel).substr(dot + 1)).value_or(0);
  if (major < 5 || (major == 5 && minor < 10)) return fails("the probe needs Linux 5.10 or later");
  return std::nullopt;
}

std::optional<CheckFailure> check_types(const Machine& machine) {
  if (machine.exists(kBtf)) return std::nullopt;
  return failure(
      DriverError::kOperationNotSupported, "kernel types (BTF)", std::string(kBtf) + " is missing",
      "use a kernel built with CONFIG_DEBUG_INFO_BTF, like those of current distributions");
}

std::optional<CheckFailure> check_capabilities(const Machine& machine) {
  const std::optional<std::string> status = machine.read("/proc/self/status");
  if (!status) return std::nullopt;
  constexpr std::string_view kKey = "CapEff:";
  uint64_t held = 0;
  if (const size_t at = status->find(kKey); at != std::string::npos) {
    const std::string_view digits = trimmed(std::string_view(*status).substr(
        at + kKey.size(), status->find('\n', at) - at - kKey.size()));
    std::from_chars(digits.data(), digits.data() + digits.size(), held, 16);
  }
  const auto has = [held](int capability) { return (held >> capability & 1) != 0; };
  std::string missing;
  if (!has(kBpf) && !has(kSysAdmin)) missing = "CAP_BPF";
  if (!has(kPerfmon) && !has(kSysAdmin))
    missing += missing.empty() ? "CAP_PERFMON" : " and CAP_PERFMON";
  if (!missing.empty()) {
    return failure(
        DriverError::kProbeAccessDenied, "capabilities", "without " + missing,
        "run as root, or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
  }
  // Kernels without user namespaces have no such link.
  const std::optional<std::string> user = machine.link("/proc/self/ns/user");
  if (!user || *user == kFirstUserNamespace) return std::nullopt;
  return failure(DriverError::kProbeAccessDenied, "capabilities", "of a user namespace",
                 "run outside of it: eBPF needs privileges of the host (containers: not rootless, "
                 "--userns=host)");
}

std::optional<CheckFailure> check_lockdown(const Machine& machine) {
  // Kernels without lockdown have no such file.
  const std::optional<std::string> modes = machine.read("/sys/kernel/security/lockdown");
  if (!modes || modes->find("[confidentiality]") == std::string::npos) return std::nullopt;
  return failure(DriverError::kProbeAccessDenied, "lockdown", "confidentiality",
                 "start the kernel with lockdown=integrity or without lockdown: in this mode eBPF "
                 "programs cannot read kernel memory");
}

std::optional<CheckFailure> check_proc(const Machine& machine) {
  if (machine.exists("/proc/1/status") || machine.exists("/proc/self/status")) return std::nullopt;
  return failure(DriverError::kProcResourceNotFound, "/proc", "not mounted",
                 "mount it: it shows the running processes");
}

DriverError probe_error_of(const Status& status) {
  // The host's can be in another place.
  if (status.message().find("/proc is not mounted") != std::string::npos)
    return DriverError::kProcResourceNotFound;
  if (status.message().find("this build of sfkit has no probe") != std::string::npos)
    return DriverError::kProbeNotExist;
  return status.code() == ErrorCode::kUnreadable ? DriverError::kProbeAccessDenied
                                                 : DriverError::kProbeNotLoaded;
}

std::optional<CheckFailure> check_probe(const Machine& machine) {
  const Result<std::string> loaded = machine.try_probe();
  if (loaded.is_ok()) return std::nullopt;
  const DriverError error = probe_error_of(loaded.status());
  return failure(error, "probe", loaded.status().message(),
                 error == DriverError::kProbeAccessDenied
                     ? "see the other checks"
                     : "report it with this text and the kernel version");
}

struct FileProblem {
  int error;
  DriverError code;
  const char* reason;
};

constexpr FileProblem kFileProblems[] = {
    {EACCES, DriverError::kProbeAccessDenied, "permission denied; run as a user who can read it"},
    {EPERM, DriverError::kProbeAccessDenied, "not permitted; run as a user who can read it"},
    {ENOENT, DriverError::kProbeNotExist, "no such file; set FALCO_BPF_PROBE to its path"},
    {EIO, DriverError::kErrorReadingFileSystem, "the file system is unreadable"},
    {ENAMETOOLONG, DriverError::kNameTooLong, "the name is too long"},
    {ENOTDIR, DriverError::kProbeCheckError, "a part of the path is a file and not a directory"},
};

}  // namespace

Machine this_machine() {
  Machine machine;
#if defined(__linux__) && defined(__x86_64__)
  machine.system = "linux x64";
#else
  machine.system = "this system";
#endif
  utsname names{};
  if (::uname(&names) == 0) machine.kernel = names.release;
  machine.read = [](const std::string& path) -> std::optional<std::string> {
    std::string content;
    if (read_file(path, content) != 0) return std::nullopt;
    return content;
  };
  machine.link = [](const std::string& path) -> std::optional<std::string> {
    std::array<char, 256> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return std::nullopt;
    return std::string(target.data(), static_cast<size_t>(size));
  };
  machine.exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  machine.try_probe = [] { return live::LiveSource::try_probe({}); };
  return machine;
}

std::optional<CheckFailure> check_machine(const Machine& machine) {
  for (const auto check :
       {check_system, check_types, check_capabilities, check_lockdown, check_proc, check_probe}) {
    if (auto failed = check(machine)) return failed;
  }
  return std::nullopt;
}

int read_file(const std::string& path, std::string& content) {
  content.clear();
  // A named pipe must not block the check.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return errno;
  std::array<char, 65536> part;
  while (content.size() < kMaxFile) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    if (size == 0) break;
    content.append(part.data(), static_cast<size_t>(size));
  }
  return 0;
}

std::optional<CheckFailure> check_probe_file(const std::string& path, const ReadFile& read) {
  std::string content;
  if (const int error = read(path, content); error != 0) {
    DriverError code = DriverError::kProbeCheckError;
    std::string reason = std::strerror(error);
    for (const FileProblem& problem : kFileProblems) {
      if (problem.error != error) continue;
      code = problem.code;
      reason = problem.reason;
    }
    return CheckFailure{code, path + ": unusable eBPF probe: " + reason};
  }
  const bool is_elf = content.starts_with(
      "\x7f"
      "ELF");
  if (is_elf && content.find(kVersionSection) != std::string::npos) return std::nullopt;
  return CheckFailure{
      DriverError::kDriverLibsMismatch,
      path + ": expected an eBPF probe, found " +
          (is_elf ? "an object file without an api_version section" : "another kind of file")};
}

std::optional<CheckFailure> check_kernel_module(const ReadFile& read) {
  const std::string path = "/proc/modules";
  std::string modules;
  if (read(path, modules) != 0) {
    return CheckFailure{DriverError::kProcResourceNotFound,
                        path + ": unreadable, so the kernel module cannot be found"};
  }
  if (modules.starts_with("falco ") || modules.find("\nfalco ") != std::string::npos)
    return std::nullopt;
  return CheckFailure{
      DriverError::kProbeNotLoaded,
      path + ": the kernel module falco is not loaded; load it with modprobe falco"};
}

}  // namespace library

const char* driver_error_name(DriverError error) {
  switch (error) {
    case DriverError::kLibsError: return "LibsError";
    case DriverError::kProbeAccessDenied: return "ProbeAccessDenied";
    case DriverError::kProbeNotExist: return "ProbeNotExist";
    case DriverError::kErrorReadingFileSystem: return "ErrorReadingFileSystem";
    case DriverError::kNameTooLong: return "NameTooLong";
    case DriverError::kProbeCheckError: return "ProbeCheckError";
    case DriverError::kProbeNotLoaded: return "ProbeNotLoaded";
    case DriverError::kDriverLibsMismatch: return "DriverLibsMismatch";
    case DriverError::kEventParsingError: return "EventParsingError";
    case DriverError::kProcResourceNotFound: return "ProcResourceNotFound";
    case DriverError::kOperationNotSupported: return "OperationNotSupported";
  }
  return "LibsError";
}

std::optional<CheckFailure> check_modules(ProbeKind kind, const EnvironmentLookup& lookup) {
  const library::Variables variables(lookup);
  switch (kind) {
    case ProbeKind::kOwn: return library::check_machine(library::this_machine());
    case ProbeKind::kEbpfFile: {
      // An empty value means the default path of other tools.
      const std::string home = variables.find("HOME") == nullptr ? "/root" : variables.text("HOME");
      const std::string path =
          variables.filled("FALCO_BPF_PROBE").value_or(home + "/.falco/falco-bpf.o");
      return library::check_probe_file(path, library::read_file);
    }
    case ProbeKind::kKernelModule: return library::check_kernel_module(library::read_file);
  }
  return std::nullopt;
}

DriverError driver_error_of(const Status& status, bool live) {
  switch (status.code()) {
    case ErrorCode::kNotSupported:
      return live ? library::probe_error_of(status) : DriverError::kOperationNotSupported;
    case ErrorCode::kNotFound:
    case ErrorCode::kNotAFile:
    case ErrorCode::kUnreadable:
    case ErrorCode::kEmpty:
    case ErrorCode::kBadFormat:
    case ErrorCode::kDamaged:
      return live ? library::probe_error_of(status) : DriverError::kLibsError;
    case ErrorCode::kOk:
    case ErrorCode::kCancelled:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnwritable: return DriverError::kLibsError;
  }
  return DriverError::kLibsError;
}

}  // namespace sfkit
