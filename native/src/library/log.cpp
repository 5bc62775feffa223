#include <sfkit/log.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "base/file_descriptor.h"
#include "base/glob.h"
#include "library/variables.h"
#include "variables.gen.h"

namespace sfkit {
namespace {

constexpr std::array<const char*, 3> kSeverities = {"INFO", "WARNING", "ERROR"};

// Above ERROR is FATAL, which sfkit never logs.
int severity_of(std::string_view text, int fallback) {
  const std::optional<int> number = library::leading_number(text);
  if (!number || *number < 0) return fallback;
  return std::min(*number, static_cast<int>(kSeverities.size()));
}

// UTC in the format of ISO 8601, with milliseconds.
std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ",
                static_cast<int>(milliseconds % 1000));
  return text.data();
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    // An unwritable log must not end the run.
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

struct ModuleLevel {
  std::string pattern;
  int level = 0;
};

// What is not of the form PATTERN=LEVEL is ignored.
std::vector<ModuleLevel> module_levels(std::string_view text) {
  std::vector<ModuleLevel> levels;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view entry = library::trimmed(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const size_t equal = entry.find('=');
    if (equal == std::string_view::npos || equal == 0) continue;
    const std::string_view pattern = entry.substr(0, equal);
    const std::string_view level = entry.substr(equal + 1);
    // Only these wildcards; the others of base/glob.h are no part of a module's name.
    if (pattern.find_first_of("[]\\") != std::string_view::npos) continue;
    if (level.empty() || level.find_first_not_of("0123456789") != std::string_view::npos) continue;
    levels.push_back({std::string(pattern), library::leading_number(level).value_or(0)});
  }
  return levels;
}

}  // namespace

LogSettings log_settings(std::string name, bool debug, const EnvironmentLookup& lookup) {
  namespace glog = library::glog;
  const library::Variables variables(lookup);
  LogSettings settings;
  settings.name = std::move(name);
  settings.to_stderr = variables.flag(glog::kLogtostderr).value_or(false);
  settings.stderr_threshold =
      debug || settings.to_stderr ? 0 : severity_of(variables.text(glog::kStderrthreshold), 2);
  settings.min_severity = severity_of(variables.text(glog::kMinloglevel), 0);
  settings.directory = variables.text(glog::kLogDir);
  settings.verbosity = debug ? 2 : library::leading_number(variables.text(glog::kV)).value_or(0);
  settings.modules = variables.text(glog::kVmodule);
  return settings;
}

class Log::Writer {
 public:
  explicit Writer(LogSettings settings)
      : settings_(std::move(settings)), modules_(module_levels(settings_.modules)) {
    if (!settings_.directory.empty() && !settings_.to_stderr) open_files();
  }

  void write(const LogMessage& message) {
    if (message.verbosity > verbosity_of(message.module)) return;
    const int severity = static_cast<int>(message.severity);
    if (severity < settings_.min_severity) return;
    std::string line;
    line += kSeverities[static_cast<size_t>(severity)][0];
    line += ' ' + now_text() + ' ' + settings_.name + ' ';
    line += message.module;
    line += "] ";
    append_escaped(line, message.text);
    line += '\n';
    const std::lock_guard lock(mutex_);
    if (settings_.to_stderr || severity >= settings_.stderr_threshold)
      write_all(STDERR_FILENO, line);
    for (int level = 0; level <= severity; ++level) {
      const FileDescriptor& file = files_[static_cast<size_t>(level)];
      if (file.is_open()) write_all(file.get(), line);
    }
  }

 private:
  void open_files() {
    struct stat info = {};
    if (::stat(settings_.directory.c_str(), &info) != 0) return complain(std::strerror(errno));
    if (!S_ISDIR(info.st_mode)) return complain("not a directory");
    for (size_t level = static_cast<size_t>(settings_.min_severity); level < kSeverities.size();
         ++level) {
      const std::string path =
          settings_.directory + '/' + settings_.name + '.' + kSeverities[level];
      files_[level] = FileDescriptor(::open(
          path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666));
      if (!files_[level].is_open()) return complain(std::strerror(errno));
    }
  }
  void complain(const char* reason) {
    std::string line = settings_.name + ": no log files: ";
    append_escaped(line, settings_.directory);
    line += ": ";
    line += reason;
    line += '\n';
    write_all(STDERR_FILENO, line);
  }
  int verbosity_of(std::string_view module) const {
    for (const ModuleLevel& entry : modules_) {
      if (glob_matches(entry.pattern, module)) return entry.level;
    }
    return settings_.verbosity;
  }

  const LogSettings settings_;
  const std::vector<ModuleLevel> modules_;
  std::mutex mutex_;
  std::array<FileDescriptor, kSeverities.size()> files_;
};

Log::Log(LogSettings settings) : writer_(std::make_shared<Writer>(std::move(settings))) {}

void Log::operator()(const LogMessage& message) const {
  writer_->write(message);
}

}  // namespace sfkit
