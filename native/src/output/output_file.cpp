#include "output/output_file.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace sfkit::output {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kPrivate = 0600;
constexpr mode_t kPublic = 0666;
// As in Linux.
constexpr int kMaxLinks = 40;
constexpr std::chrono::milliseconds kPause{50};

Status unwritable(const std::string& name, const char* why) {
  return {ErrorCode::kUnwritable, "cannot write " + name + ": " + why};
}

Status unwritable(const std::string& name, int error) {
  return unwritable(name, std::strerror(error));
}

// A dangling link counts.
bool is_there(const std::string& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::optional<struct stat> regular_file_at(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return info;
}

// The path that links lead to, also if nothing is there yet.
std::string end_of_links(std::string path) {
  for (int count = 0; count < kMaxLinks; ++count) {
    std::error_code error;
    const std::filesystem::path next = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = (std::filesystem::path(path).parent_path() / next).string();
  }
  return path;
}

// Keeps a write to a pipe without a reader from ending the process.
class BlockedPipeSignal {
 public:
  BlockedPipeSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    was_pending_ = is_pending();
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~BlockedPipeSignal() {
    if (!was_pending_ && is_pending()) {
      int signal = 0;
      ::sigwait(&pipe_, &signal);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  BlockedPipeSignal(const BlockedPipeSignal&) = delete;
  BlockedPipeSignal& operator=(const BlockedPipeSignal&) = delete;

 private:
  static bool is_pending() {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGPIPE) == 1;
  }

  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::open(const std::string& path,
                                                     const OutputOptions& options) {
  std::unique_ptr<OutputFile> file(new OutputFile(path, options));
  if (Status status = file->open_target(); !status.is_ok()) return status;
  return file;
}

Result<std::unique_ptr<OutputFile>> OutputFile::open_new(const std::string& wanted,
                                                         const OutputOptions& options) {
  for (uint64_t count = 0;; ++count) {
    const std::string name = count == 0 ? wanted : wanted + "-" + std::to_string(count);
    if (is_there(name) || is_there(name + ".part")) continue;
    std::unique_ptr<OutputFile> file(new OutputFile(name, options));
    file->place_ = name;
    const int error = file->create(true);
    if (error == 0) return file;
    // Another run can have taken the name meanwhile.
    if (error != EEXIST) return unwritable(name, error);
  }
}

OutputFile::~OutputFile() {
  if (!pending_.empty() && !committed_ && !options_.keeps) ::unlink(pending_.c_str());
}

Status OutputFile::open_target() {
  if (name_ == "-") {
    file_ = FileDescriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    return file_.is_open() ? Status::ok() : unwritable(name_, errno);
  }
  struct stat info = {};
  const bool exists = ::stat(name_.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) return unwritable(name_, errno);
  if (exists && S_ISDIR(info.st_mode)) return unwritable(name_, EISDIR);
  if (exists && !S_ISREG(info.st_mode)) return open_stream(S_ISFIFO(info.st_mode));
  place_ = end_of_links(name_);
  const int error = create(false);
  return error == 0 ? Status::ok() : unwritable(name_, error);
}

Status OutputFile::open_stream(bool is_pipe) {
  std::chrono::milliseconds waited{0};
  for (;;) {
    file_ = FileDescriptor(::open(name_.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file_.is_open()) return Status::ok();
    // A pipe without a reader; for other streams the error is final.
    if (!is_pipe || errno != ENXIO) return unwritable(name_, errno);
    if (waited >= options_.reader_timeout) return unwritable(name_, "nobody reads it");
    ::poll(nullptr, 0, static_cast<int>(kPause.count()));
    if (options_.ending != nullptr && options_.ending->load()) waited += kPause;
  }
}

int OutputFile::create(bool is_new) {
  const std::optional<struct stat> replaced = regular_file_at(place_);
  // The final permissions come with the name.
  const bool is_secret = options_.is_private || (replaced && replaced->st_uid == ::geteuid());
  for (uint64_t count = 0;; ++count) {
    pending_ = place_ + ".part" + (count == 0 ? "" : "." + std::to_string(count));
    // Exclusive creation never follows a link that someone put there.
    file_ = FileDescriptor(::open(pending_.c_str(),
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                  is_secret ? kPrivate : kPublic));
    if (file_.is_open()) return 0;
    const int error = errno;
    if (is_new || error != EEXIST) {
      pending_.clear();
      return error;
    }
  }
}

bool OutputFile::write(Bytes bytes) {
  if (!status_.is_ok()) return false;
  const bool is_stream = pending_.empty();
  std::optional<BlockedPipeSignal> blocked;
  if (is_stream) blocked.emplace();
  std::chrono::milliseconds waited{0};
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
      waited = {};
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return fail(errno);
    if (!wait_for_reader(waited)) {
      status_ = unwritable(name_, "nobody reads it");
      return false;
    }
  }
  return true;
}

bool OutputFile::wait_for_reader(std::chrono::milliseconds& waited) {
  if (waited >= options_.reader_timeout) return false;
  pollfd entry{file_.get(), POLLOUT, 0};
  if (::poll(&entry, 1, static_cast<int>(kPause.count())) == 0 && options_.ending != nullptr &&
      options_.ending->load()) {
    waited += kPause;
  }
  return true;
}

Status OutputFile::commit() {
  if (!status_.is_ok()) return status_;
  if (!pending_.empty()) give_mode();
  // Some file systems report a full disk only on close.
  if (file_.close() != 0 && errno != EINTR) {
    fail(errno);
    return status_;
  }
  if (!pending_.empty() && ::rename(pending_.c_str(), place_.c_str()) != 0) {
    fail(errno);
    return status_;
  }
  committed_ = true;
  return status_;
}

// A file that replaces another has its permissions. If that belongs to another user, it gets no
// more than a new file: otherwise its owner could write to ours.
void OutputFile::give_mode() {
  struct stat info = {};
  if (::fstat(file_.get(), &info) != 0) return;
  const mode_t current = info.st_mode & kPermissions;
  mode_t wanted = current;
  if (options_.is_private) {
    wanted = kPrivate;
  } else if (const auto replaced = regular_file_at(place_)) {
    const mode_t mode = replaced->st_mode & kPermissions;
    wanted = replaced->st_uid == ::geteuid() ? mode : mode & current;
  }
  // Some file systems have fixed permissions.
  if (wanted != current) static_cast<void>(::fchmod(file_.get(), wanted));
}

bool OutputFile::fail(int error) {
  status_ = unwritable(name_, error);
  return false;
}

Status make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error || std::filesystem::is_directory(path)) return Status::ok();
  return unwritable(path, error.message().c_str());
}

}  // namespace sfkit::output
