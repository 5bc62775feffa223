// What check_modules() looks at; tests replace it. src/live/doctor.ts makes the same checks.
#pragma once

#include <sfkit/checks.h>

#include <functional>
#include <optional>
#include <string>

#include "base/status.h"

namespace sfkit::library {

struct Machine {
  std::string system;  // such as "linux x64"
  std::string kernel;  // its release
  std::function<std::optional<std::string>(const std::string& path)> read;
  std::function<std::optional<std::string>(const std::string& path)> link;
  std::function<bool(const std::string& path)> exists;
  // Loads and unloads the probe.
  std::function<Result<std::string>()> try_probe;
};

Machine this_machine();

// The first requirement of sfkit's own probe that is missing.
std::optional<CheckFailure> check_machine(const Machine& machine);

// Reads a file into `content`; returns 0 or errno.
using ReadFile = std::function<int(const std::string& path, std::string& content)>;

int read_file(const std::string& path, std::string& content);
// Checks an eBPF object file, and the list of kernel modules.
std::optional<CheckFailure> check_probe_file(const std::string& path, const ReadFile& read);
std::optional<CheckFailure> check_kernel_module(const ReadFile& read);

}  // namespace sfkit::library
